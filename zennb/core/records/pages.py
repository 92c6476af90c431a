"""Owns pages of long listings: the filters, one page of results, and where the next page starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.records.records import Status
    from zennb.core.records.run_conditions import RunCondition

__all__ = ["ArtifactFilter", "Page", "ProducingStep", "RunFilter", "RunPlace", "Use"]

R = TypeVar("R")

RunPlace: TypeAlias = tuple[float, int]
"""Where a run stands in a listing by time: when it began, and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs a listing shows; None means all. Times are seconds since the epoch, `until` is exclusive.

    `tag`: `KEY` or `KEY=TEXT`. `where`: conditions on metrics and parameters, all of which hold.
    `step`: runs with a step of this name. `metric`: runs of which a step logged it.
    `nested`: whether to include runs that another run started, such as the pipelines of a notebook run.
    """

    stack: str | None = None
    notebook: str | None = None
    status: Status | None = None
    kind: str | None = None
    since: float | None = None
    until: float | None = None
    tag: str | None = None
    where: tuple[RunCondition, ...] = ()
    step: str | None = None
    metric: str | None = None
    nested: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactFilter:
    """Which names a listing of artifacts shows; None means all.

    Attributes:
        text: part of the name, in any case.
        kind: `output`, `captured` or `parameter`, of the latest version.
        notebook: made by a step of this notebook, or by one of its steps put out last under that name.
        tag: versions with this tag, `KEY` or `KEY=TEXT`: older ones too, where otherwise only the latest are listed.
    """

    text: str | None = None
    kind: str | None = None
    notebook: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[R]):
    """A piece of a listing, newest first.

    Attributes:
        items: what is on it.
        total: how many the whole listing has.
        more: whether older ones follow.
    """

    items: Sequence[R] = field(default_factory=tuple)
    total: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducingStep:
    """The step that made something, as a listing names it.

    Attributes:
        step: id of its record.
        name: the step's name.
        run: the run it belongs to.
        notebook: the notebook it was written in.
    """

    step: int
    name: str
    run: int | None = None
    notebook: str = ""

    @property
    def label(self) -> str:
        """`train (run 12)`."""
        return self.name if self.run is None else f"{self.name} (run {self.run})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One step that took an artifact as input, as a listing shows it.

    Attributes:
        step: id of its record.
        name: the step's name.
        status: how it ended.
        run: the run it belongs to.
        stack: the stack of that run; "" when unknown.
        notebook: the notebook it was written in.
        started: seconds since the epoch.
    """

    step: int
    name: str
    status: Status
    run: int | None = None
    stack: str = ""
    notebook: str = ""
    started: float = 0.0
