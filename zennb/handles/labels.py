"""Owns `LabelledHandle`: the handle of a record that has tags and a note."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from zennb.core.records.labels import changed_tags, checked_note, checked_tags, parse_tags
from zennb.handles.handle import SourcedHandle

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LabelledHandle", "LabelledRecord"]


class LabelledRecord(Protocol):
    """A record with tags and a note."""

    @property
    def tags(self) -> Mapping[str, str]:
        """Key → text."""

    @property
    def note(self) -> str:
        """What the user noted."""


R = TypeVar("R", bound=LabelledRecord)


class LabelledHandle(SourcedHandle[R]):
    """A handle whose record has `tags` and a `note`; each method returns the handle of the record as it is then."""

    def tag(self, *words: str, **tags: str) -> Self:
        """Set tags: `run.tag("baseline", data="2024")`.

        Raises:
            UsageError: a tag is not allowed.
        """
        now = self._now().record
        return self._described(now.note, {**now.tags, **parse_tags(words), **checked_tags(tags)})

    def untag(self, *keys: str) -> Self:
        """Take tags away.

        Raises:
            UnknownName: it has no such tag.
        """
        now = self._now().record
        return self._described(now.note, changed_tags(now.tags, (), keys, label="it"))

    def set_note(self, note: str) -> Self:
        """Set the note; "" takes it away."""
        return self._described(checked_note(note), self._now().record.tags)

    def _described(self, note: str, tags: Mapping[str, str]) -> Self:
        self._describe(note, tags)
        return self._now()

    @abstractmethod
    def _describe(self, note: str, tags: Mapping[str, str]) -> None:
        """Record the note and all tags."""

    @abstractmethod
    def _now(self) -> Self:
        """Return the handle of the record as it is now."""
