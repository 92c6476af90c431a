"""Owns `Handle`: a record as Python code holds it, which shows itself and finds what belongs to it when asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.records import Artifact
    from zennb.registry.workspace import Workspace
    from zennb.views.view import Shown

__all__ = ["Handle", "Source", "SourcedHandle"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One workspace, as handles see it.

    Attributes:
        workspace: returns it; called each time, since the workspace may have been closed and opened again.
        load: returns the value of an artifact.
    """

    workspace: Callable[[], Workspace]
    load: Callable[[Artifact], Any]


class Handle(ABC, Generic[R]):
    """A record and what belongs to it. Every field of the record is an attribute of the handle.

    Nothing is read before it is asked for, and a record never changes, so a handle can be kept, and used by
    several threads.

    Attributes:
        record: the record itself, a frozen dataclass of `zennb.core.records.records`.

    Args:
        record: the record.
    """

    def __init__(self, record: R) -> None:
        self.record = record

    @abstractmethod
    def _view(self) -> Shown:
        """Return what it looks like; everything that a user named is escaped there."""

    def __getattr__(self, name: str) -> Any:
        if name == "record":  # not there while it is being copied or unpickled
            raise AttributeError(name)
        try:
            return getattr(self.record, name)
        except AttributeError:
            raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'") from None

    def __dir__(self) -> list[str]:
        names = {field.name for field in fields(self.record)}  # type: ignore[arg-type]  # records are dataclasses
        return sorted({*super().__dir__(), *names})

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and bool(other.record == self.record)

    def __hash__(self) -> int:
        return hash((type(self), getattr(self.record, "id", None), getattr(self.record, "name", None)))

    def __repr__(self) -> str:
        return self._view().text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Hand Jupyter both representations."""
        del include, exclude  # the frontend chooses; both are always there
        view = self._view()
        return {"text/plain": view.text, "text/html": view.html}


class SourcedHandle(Handle[R]):
    """A handle that reads what belongs to its record from a workspace.

    Args:
        record: the record.
        source: the workspace it comes from.
    """

    def __init__(self, record: R, source: Source) -> None:
        super().__init__(record)
        self._source = source
