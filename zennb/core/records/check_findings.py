"""Owns the findings of `zennb check` for cells: whether each produces the same output as a step as without zennb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.core.records.output_comparison import Showing, difference, is_replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["CellResult", "Check", "CheckedCell", "EditTrial", "Share", "judged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What one run made of one cell.

    Attributes:
        showing: what the cell showed.
        status: how its step ended, in the word of its status line; "" for a cell that is no step.
        reason: what the status line gives as the reason.
        unrecorded: why the step is not on record; "" when it is.
        seconds: how long the cell took.
    """

    showing: Showing
    status: str = ""
    reason: str = ""
    unrecorded: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCell:
    """The findings for one cell; None means unknown.

    Attributes:
        number: its place among the code cells that are run, from 1.
        code: its first line of code.
        stays: why it was not made a step; "" for steps.
        varies: whether it shows something else each time by itself, so that its text cannot be compared.
        uncompared: why else its text cannot be compared: it uses zennb itself; "" when it can.
        files: whether it shows in the new kernel what a plain cell shows over the files that an earlier run left.
        cold: whether it showed the same the first time as a step.
        reused: whether it showed the same in a new kernel.
        cached: whether the step was reused there; None for cells that are no steps.
        pictures: whether its pictures were the same, byte for byte, in all runs; None where there are none, or
            where they vary by themselves.
        reason: why it was not reused, in the words of its status line; "" when it was, or failed.
        failure: the exception with which it fails only as a step; "" when it does not.
        cold_difference: what was shown otherwise the first time, as a short unified diff.
        reused_difference: the same for the new kernel.
        loud: whether every difference comes with an exception, and so cannot go unnoticed.
        seconds: how long it took: plain, as a step, reused.
    """

    number: int
    code: str
    stays: str = ""
    varies: bool = False
    uncompared: str = ""
    files: bool = False
    cold: bool | None = None
    reused: bool | None = None
    cached: bool | None = None
    pictures: bool | None = None
    reason: str = ""
    failure: str = ""
    cold_difference: str = ""
    reused_difference: str = ""
    loud: bool = False
    seconds: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def differs(self) -> bool:
        """Whether it showed something else as a step."""
        return self.cold is False or self.reused is False

    @property
    def is_silent(self) -> bool:
        """Whether it showed something else without an exception."""
        return self.differs and not self.loud


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many.

    Attributes:
        part: how many did well.
        whole: how many could be told.
    """

    part: int
    whole: int

    @property
    def percent(self) -> float:
        """Percent, from 0 to 100; 100 when there are none."""
        return 100.0 * self.part / self.whole if self.whole else 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EditTrial:
    """What a random edit showed: the edited notebook, run with the stored steps, beside a plain run of it.

    Attributes:
        number: the edited cell's place, as in `CheckedCell`.
        code: its first line of code, before the edit.
        kind: `constant`, `function`, or `plain cell` where the edited cell was no step.
        line: the line of the cell.
        before: what was replaced.
        after: what it was replaced by.
        cells: the notebook's cells, judged as `reused`; empty when the edited notebook did not run to its end.
        variables: how many variables had the same value at the end, of those that can be compared.
        different: the names of the others.
        notes: what went wrong, one sentence each.
    """

    number: int
    code: str
    kind: str
    line: int
    before: str
    after: str
    cells: tuple[CheckedCell, ...] = ()
    variables: Share
    different: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def reused(self) -> Share:
        """Of the cells that can be compared: how many showed the same."""
        return _share(cell.reused for cell in self.cells)

    @property
    def cached(self) -> Share:
        """Of the steps: how many were reused."""
        return _share(cell.cached for cell in self.cells)

    @property
    def is_silent(self) -> bool:
        """Whether a cell showed something else, or a variable had another value, and no cell failed for it."""
        is_loud = any(cell.differs and cell.loud for cell in self.cells)
        return any(cell.is_silent for cell in self.cells) or (bool(self.different) and not is_loud)

    @property
    def is_loud(self) -> bool:
        """Whether the only differences are exceptions, and what they left out."""
        return not self.is_silent and any(cell.differs for cell in self.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check found in a notebook.

    Attributes:
        name: the notebook's file name.
        cells: its code cells, top to bottom; what only holds comments is left out.
        trials: the random edits that were tried.
        seed: what they were chosen by.
        notes: what went wrong on the way, one sentence each.
        seconds: duration.
    """

    name: str
    cells: tuple[CheckedCell, ...]
    trials: tuple[EditTrial, ...] = ()
    seed: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def cold(self) -> Share:
        """Of the cells that can be compared: how many showed the same the first time."""
        return _share(cell.cold for cell in self.cells)

    @property
    def reused(self) -> Share:
        """Of the cells that can be compared: how many showed the same in a new kernel."""
        return _share(cell.reused for cell in self.cells)

    @property
    def cached(self) -> Share:
        """Of the steps: how many were reused in a new kernel."""
        return _share(cell.cached for cell in self.cells)

    @property
    def silent(self) -> tuple[CheckedCell, ...]:
        """The cells that showed something else without an exception."""
        return tuple(cell for cell in self.cells if cell.is_silent)

    @property
    def is_silent(self) -> bool:
        """Whether a cell or an edit is silently different."""
        return bool(self.silent) or any(trial.is_silent for trial in self.trials)

    @property
    def failing(self) -> tuple[CheckedCell, ...]:
        """The cells that showed something else only by an exception."""
        return tuple(cell for cell in self.cells if cell.differs and cell.loud)


def judged(
    *,
    number: int,
    code: str,
    stays: str,
    plain: CellResult,
    again: CellResult | None,
    cold: CellResult | None,
    reused: CellResult | None,
    over: CellResult | None = None,
    uncompared: str = "",
) -> CheckedCell:
    """Return the findings from the runs of a cell.

    Args:
        number: its place.
        code: its first line.
        stays: why it was not made a step; "" for steps.
        plain: without zennb.
        again: the same a second time; None when it was not run.
        cold: as a step, for the first time; None when the run did not get there.
        reused: as a step, in a new kernel; None when the run did not get there.
        over: without zennb over the files that such a run left; None when it was not run.
        uncompared: why what it shows without zennb is no measure; "" when it is.
    """
    expected = plain.showing
    varies = again is not None and again.showing.text != expected.text
    is_cached = reused is not None and reused.status == "cached"
    # What varies by itself has no right answer, but a step that was taken over must show what its run showed.
    shown = cold.showing if varies and cold is not None else expected
    is_cold = cold.showing.text == expected.text if cold is not None and not varies else None
    is_reused = (
        is_replay(shown.text, reused.showing.text)
        if reused is not None and (is_cached or not varies)
        else None
    )
    # A cell that ran, instead of being reused, found the files of the run before.
    files = is_reused is False and not is_cached and reused is not None and over is not None
    files = files and over.showing.text == reused.showing.text  # type: ignore[union-attr]
    if files:
        is_reused = True
    if uncompared:
        is_cold = is_reused = None
    failed = [
        played
        for played, good in ((cold, is_cold), (reused, is_reused))
        if played is not None and good is False
    ]
    failures = [each.showing.error for each in failed if each.showing.raised not in {"", expected.raised}]
    return CheckedCell(
        number=number,
        code=code,
        stays=stays,
        varies=varies,
        uncompared=uncompared,
        files=files,
        cold=is_cold,
        reused=is_reused,
        cached=None if stays or reused is None else is_cached,
        pictures=None if uncompared else _pictures(plain, again, [cold, reused]),
        reason="" if stays or is_cached else _why(reused, cold),
        failure=failures[0] if failures else "",
        cold_difference=difference(expected.text, cold.showing.text) if cold and is_cold is False else "",
        reused_difference=(
            difference(shown.text, reused.showing.text, names=("step" if varies else "plain", "reused"))
            if reused and is_reused is False
            else ""
        ),
        loud=bool(failed) and len(failures) == len(failed),
        seconds=(plain.seconds, cold.seconds if cold else 0.0, reused.seconds if reused else 0.0),
    )


def _pictures(
    plain: CellResult, again: CellResult | None, others: Sequence[CellResult | None]
) -> bool | None:
    expected = plain.showing.pictures
    if again is not None and again.showing.pictures != expected:
        return None
    found = [each.showing.pictures for each in others if each is not None]
    if not expected and not any(found):
        return None
    return all(each == expected for each in found)


def _why(reused: CellResult | None, cold: CellResult | None) -> str:
    """Return why a step was not reused; "" when the run did not get there."""
    if reused is None:
        return ""
    if cold is not None and cold.showing.raised:
        return f"it failed as a step with {cold.showing.raised}, so there is nothing to reuse"
    if cold is not None and cold.unrecorded:
        return f"it is not on record: {cold.unrecorded}"
    if reused.showing.raised:
        # Its status line says `first run` or which input changed: not why it failed.
        return f"it fails with {reused.showing.raised} in a new kernel"
    return reused.reason or (cold.reason if cold is not None else "") or "no status line"


def _share(found: Iterable[bool | None]) -> Share:
    known = [each for each in found if each is not None]
    return Share(part=sum(known), whole=len(known))
