"""Owns `Autostep`: cells that are steps without `%%step`, by `#| step:` or because autostep is on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from traitlets import Enum
from traitlets.config import Configurable

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT
from zennb.core.reading.cell_heading import heading, stays_plain
from zennb.core.records.records import Status
from zennb.jupyter.cells.transform import StepMarker, copied

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

    from zennb.core.reading.cell_heading import Heading
    from zennb.core.records.records import Step

__all__ = ["Autostep", "ZennbAutostep"]

_OURS = MAGICS | {ROOT}


class ZennbAutostep(Configurable):
    """What cells that are steps because autostep is on say of themselves: `%config ZennbAutostep.lines = "ran"`."""

    lines = Enum(
        ("all", "slow", "ran"),
        "all",
        help="Which cells show a status line: all, those that took or saved a second, or those that ran. Failures "
        "and warnings are always shown.",
    ).tag(config=True)

    def hides(self, step: Step) -> bool:
        """Whether the line of a step that has nothing unusual to say is left out."""
        if not step.status.is_good or step.unrecorded or step.unstored or not step.reusable:
            return False
        if self.lines == "ran":
            return step.status is Status.CACHED
        return self.lines == "slow" and max(step.seconds, step.saved) < 1.0


class Autostep:
    """Decides whether the running cell is a step, by its text as typed.

    Attributes:
        is_on: whether every cell that the user types is a step, unless it opts out.

    Args:
        depth: returns how many cells run, one inside the other.
    """

    def __init__(self, depth: Callable[[], int]) -> None:
        self.is_on = False
        self._depth = depth
        self._source: str | None = None
        self._body = ""
        self._is_typed = False

    def before_cell(self, info: ExecutionInfo) -> None:
        """Note the cell that is about to be parsed."""
        # A cell may run others (`run_cell` in a magic or a callback); those were not typed.
        self._source = info.raw_cell or ""
        self._is_typed = bool(info.store_history) and not info.silent and self._depth() == 1

    def after_cell(self, _result: ExecutionResult | None) -> None:
        """Forget the cell, which may never have been parsed."""
        self._source = None

    def step(self, tree: ast.Module) -> StepMarker | None:
        """Return the noted cell as a step, once; None if it is none or starts with `%%step`."""
        source, self._source = self._source, None
        if source is None:
            return None
        found = heading(source)
        if found is not None and source.strip() == self._body:
            return None  # `%%capture` runs its body as a cell, which is a part of the step that has begun
        if not (self._is_automatic(tree) if found is None else _is_comment(found)):
            return None
        self._body = source.strip().partition("\n")[2].strip() if source.lstrip().startswith("%%") else ""
        return StepMarker(
            command_line=found.marker if found is not None else "",
            line=found.line if found is not None else "",
            source=source,
            tree=copied(ast.Module(body=tree.body, type_ignores=[])),
        )

    def _is_automatic(self, tree: ast.Module) -> bool:
        return self.is_on and self._is_typed and not stays_plain(tree, _OURS)


def _is_comment(found: Heading) -> bool:
    return found.marker == "#| step:" and not found.is_off
