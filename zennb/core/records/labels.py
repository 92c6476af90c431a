"""Owns labels: the tags and the note that a user gives to a run, an artifact or a version of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.secrets.held import HELD
from zennb.core.secrets.names import DOTS, is_secret
from zennb.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["changed_tags", "checked_note", "checked_tags", "has_tag", "parse_tags", "tag_words"]

_LONGEST_KEY, _LONGEST_TEXT, _LONGEST_NOTE = 100, 1000, 10_000


def parse_tags(words: Iterable[str]) -> dict[str, str]:
    """Return key → text of tags as typed: `KEY`, whose text is empty, or `KEY=TEXT`.

    Raises:
        UsageError: as `checked_tags`.
    """
    return checked_tags({key: text for key, _, text in (word.partition("=") for word in words)})


def checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags if they are allowed, with secrets in them masked: they are recorded and shown as they are.

    Raises:
        UsageError: a key is empty, too long or holds `=`, or a text is too long.
    """
    for key, text in tags.items():
        if not key.strip() or len(key) > _LONGEST_KEY or "=" in key or not key.isprintable():
            raise UsageError(
                f"{key!r:.60} cannot be a tag; give KEY or KEY=TEXT with a key of 1 to {_LONGEST_KEY} characters."
            )
        if len(text) > _LONGEST_TEXT:
            raise UsageError(
                f"The text of tag '{key}' is longer than {_LONGEST_TEXT:,} characters; use a note."
            )
    return {HELD.mask(key): DOTS if is_secret(key, text) else HELD.mask(text) for key, text in tags.items()}


def changed_tags(
    tags: Mapping[str, str], words: Iterable[str], remove: Iterable[str] = (), *, label: str
) -> dict[str, str]:
    """Return tags with those in `words` set and those in `remove` taken away.

    Raises:
        UnknownName: one that is to be taken away is not there; `label` says of what.
        UsageError: as `checked_tags`.
    """
    gone = list(remove)
    if absent := [key for key in gone if key not in tags]:
        raise UnknownName(f"tag of {label} called", absent[0], tags)
    return {**{key: text for key, text in tags.items() if key not in gone}, **parse_tags(words)}


def checked_note(note: str) -> str:
    """Return a note if it is allowed, with secrets in it masked.

    Raises:
        UsageError: it is too long.
    """
    if len(note) > _LONGEST_NOTE:
        raise UsageError(f"The note is longer than {_LONGEST_NOTE:,} characters; put it into a text cell.")
    return HELD.mask(note)


def has_tag(tags: Mapping[str, str], wanted: str | None) -> bool:
    """Whether a tag given as `KEY` or `KEY=TEXT` is among tags; None always is."""
    key, equals, text = (wanted or "").partition("=")
    return wanted is None or (key in tags and (not equals or tags[key] == text))


def tag_words(tags: Mapping[str, str]) -> list[str]:
    """Return tags as they are typed: `["baseline", "stage=test"]`."""
    return [f"{key}={text}" if text else key for key, text in tags.items()]
