"""Owns the table of ratios: what each tool took relative to the limit, and whether zennb meets its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["LESS", "Line", "markdown", "times"]

LESS = (
    (
        "limit: diskcache `set` + `get` (reused: `get` + `set`); numpy `save`, fsync, mmap; Arrow IPC, fsync, mmap; "
        "torch `save`, fsync, `load`; on stacks, the bare engine with plain functions, and s3fs `put_file`, `get_file`."
    ),
    "joblib: `Memory.cache`. Tracks the function's own code and its arguments. No lineage, versions, runs or displays.",
    "marimo: `mo.persistent_cache` in a notebook run as a script. No lineage, versions, runs or displays.",
    "mandala: `@op` in a `Storage` with an overflow folder. Records lineage. No versions by name, runs or displays.",
    "zennb: records runs, lineage, versions, reasons, displays and the environment of a step, and checks all of it.",
    "The other tools call one function per step; in zennb each step is a cell.",
    "Ratios compare with the limit of the same benchmark; numbers are medians over the rounds in the last column.",
)
"""What each tool does and does not do."""

HEADS = ("what", "limit", "joblib", "marimo", "mandala", "zennb", "target", "target met", "rounds")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: a title, a cell per contender, zennb's own figure, and what it is to stay below.

    Attributes:
        title: what was done.
        cells: contender → text.
        figure: zennb's number in the target's unit; None when it could not be measured.
        target: the number it is to stay below; None when there is none.
        shown: the target as text, with its unit.
        rounds: how many rounds the medians are of.
    """

    title: str
    cells: dict[str, str]
    figure: float | None = None
    target: float | None = None
    shown: str = ""
    rounds: int = 0

    @property
    def held(self) -> str:
        """`yes`, `no`, or nothing where there is no target."""
        if self.target is None:
            return ""
        return "no" if self.figure is None or self.figure > self.target else "yes"


def times(seconds: float | None) -> str:
    """Return a duration in a unit that reads well."""
    if seconds is None:
        return ""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def markdown(lines: Iterable[Line]) -> str:
    """Return the table in markdown."""
    rows = [_row(line) for line in lines]
    widths = [max(len(row[at]) for row in [HEADS, *rows]) for at in range(len(HEADS))]
    return "\n".join(
        [_joined(HEADS, widths), "|" + "|".join("-" * (wide + 2) for wide in widths) + "|"]
        + [_joined(row, widths) for row in rows]
    )


def _row(line: Line) -> Sequence[str]:
    cells = [line.cells.get(name, "–") for name in ("limit", "joblib", "marimo", "mandala", "zennb")]
    return (line.title, *cells, line.shown, line.held, str(line.rounds))


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(wide) for cell, wide in zip(cells, widths, strict=True)) + " |"
