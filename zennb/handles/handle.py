"""Owns `Handle`: a record as an object for Python code, which displays itself and loads related records on demand."""

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
        workspace: returns it; called at each use, since the workspace may have been closed and opened again.
        load: returns the value of an artifact.
    """

    workspace: Callable[[], Workspace]
    load: Callable[[Artifact], Any]


class Handle(ABC, Generic[R]):
    """A record and what belongs to it. Every field of the record is an attribute of the handle.

    Related records are read on demand, and a record never changes, so a handle can be stored and shared between
    threads.

    Attributes:
        record: the record itself, a frozen dataclass of `zennb.core.records.records`.

    Args:
        record: the record.
    """

    def __init__(self, record: R) -> None:
        self.record = record

    @abstractmethod
    def _view(self) -> Shown:
        """Return its text and HTML, in which names given by users are escaped."""

    def __getattr__(self, name: str) -> Any:
        if name == "record":  # not set yet while the handle is copied or unpickled
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
        """Return text and HTML for Jupyter."""
        del include, exclude  # always both; the frontend chooses
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
