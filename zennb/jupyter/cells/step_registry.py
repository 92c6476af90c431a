"""Owns `StepRegistry`: the steps that this kernel has seen, one per cell, and their order."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.reading.step_names import numbered, without_number
from zennb.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from zennb.engine.step.definition import StepDefinition

__all__ = ["StepRegistry"]

_Cell = str | tuple[str]
"""The id of a cell; where there are none, as in a terminal, the name of its step."""


class StepRegistry:
    """The latest definition of each cell; of several under one name, the one that ran last is the step."""

    def __init__(self) -> None:
        self._by_cell: dict[_Cell, StepDefinition] = {}  # in order of first run
        self._ran: dict[_Cell, float] = {}  # in order of last run; in seconds since the epoch
        self._saved: set[str] = set()  # cells of steps that were found in the saved file

    def add(self, definition: StepDefinition) -> StepDefinition:
        """Add a step, and return it under its final name.

        A name given by the user always holds. A derived name stays with its cell, unless the user gives it to another
        cell, or it is that of a variable that the cell no longer binds. If it belongs to another cell, it is another
        of the derived names, or has a number.
        """
        if definition.options.name:
            self._make_way(definition)
        else:
            definition = self._named(definition)
        cell = _cell(definition)
        self._by_cell[cell] = definition
        self._ran.pop(cell, None)
        self._ran[cell] = time.time()
        return definition

    def names(self) -> list[str]:
        """Return the names in order of first run."""
        return list(self._steps())

    def get(self, name: str) -> StepDefinition:
        """Return a step.

        Raises:
            UnknownName: there is no such step.
        """
        steps = self._steps()
        if name not in steps:
            raise UnknownName(
                "step", name, steps, hint="" if steps else "Run a cell that starts with %%step."
            )
        return steps[name]

    def known(self, name: str) -> StepDefinition | None:
        """Return a step; None when there is none of this name."""
        return self._steps().get(name)

    def forget(self, name: str) -> None:
        """Remove a step; running its cell adds it again, at the end.

        Raises:
            UnknownName: there is no such step.
        """
        self.get(name)
        for cell in [cell for cell, step in self._by_cell.items() if step.name == name]:
            del self._by_cell[cell], self._ran[cell]

    def cell_is_plain(self, cell: str) -> None:
        """Remove the step of a cell that ran as a plain one."""
        if self._by_cell.pop(cell, None) is not None:
            del self._ran[cell]

    def ordered(self, cells: Sequence[str], *, saved: float = 0.0) -> list[StepDefinition]:
        """Return the steps in the order of the notebook's cells, else in order of first run.

        A step whose cell is not in the saved file yet follows the step that was first run before it; without one it
        comes first. Steps of deleted cells are left out.

        Args:
            cells: ids of the cells of the saved file, top to bottom; empty if unknown.
            saved: when it was saved, in seconds since the epoch.
        """
        if not cells:
            return list(self._steps().values())
        place = {cell: number for number, cell in enumerate(cells)}
        self._saved.update(step.cell for step in self._by_cell.values() if step.cell in place)
        present = self._steps(
            cell
            for cell, step in self._by_cell.items()
            if step.cell in place or not self._is_deleted(step, saved)
        ).values()
        behind: dict[str, list[StepDefinition]] = {}
        before = ""
        for step in present:
            if step.cell in place:
                before = step.name
            else:
                behind.setdefault(before, []).append(step)
        found = sorted((step for step in present if step.cell in place), key=lambda step: place[step.cell])
        return [*behind.get("", ()), *(each for step in found for each in (step, *behind.get(step.name, ())))]

    def hidden(self) -> list[StepDefinition]:
        """Return the steps of cells whose name another cell took that ran later."""
        steps = self._steps()
        return [step for step in self._by_cell.values() if steps[step.name] is not step]

    def rename(self, step: StepDefinition, name: str) -> None:
        """Give a step another name, with a number if another step has it."""
        self._by_cell[_cell(step)] = replace(step, name=numbered(name, self._steps()))

    def _steps(self, cells: Iterable[_Cell] | None = None) -> dict[str, StepDefinition]:
        """Return name → step of all cells, or of some, in order of first run."""
        chosen = frozenset(self._by_cell if cells is None else cells)
        last = {self._by_cell[cell].name: cell for cell in self._ran if cell in chosen}
        return {
            step.name: self._by_cell[last[step.name]]
            for cell, step in self._by_cell.items()
            if cell in chosen
        }

    def _is_deleted(self, step: StepDefinition, saved: float) -> bool:
        """Whether a step's cell, which is not in the saved file, existed before the file was saved.

        Some frontends send kernels other ids than they save: then no cell was ever found in the file.
        """
        return bool(step.cell and self._saved) and saved > self._ran[step.cell]

    def _make_way(self, definition: StepDefinition) -> None:
        """Give the step of another cell another derived name, if it has the one that the user gave to this cell."""
        for cell, other in list(self._by_cell.items()):
            is_derived = other.name == definition.name and not other.options.name
            if is_derived and self._belongs_elsewhere(other, definition):
                renamed = replace(other, name=self._free_name(other, {definition.name, *self._steps()}))
                steps = [renamed if key == cell else step for key, step in self._by_cell.items()]
                self._by_cell = {_cell(step): step for step in steps}
                self._ran = {
                    _cell(renamed) if key == cell else key: seconds for key, seconds in self._ran.items()
                }

    def _named(self, definition: StepDefinition) -> StepDefinition:
        name = self._kept_name(definition)
        if not name:
            taken = {
                each.name for each in self._by_cell.values() if self._belongs_elsewhere(each, definition)
            }
            name = self._free_name(definition, taken)
        return definition if name == definition.name else replace(definition, name=name)

    def _free_name(self, definition: StepDefinition, taken: Collection[str]) -> str:
        free = (name for name in definition.derived if name not in taken)
        return next(free, "") or numbered(without_number(definition.derived[-1]), taken)

    def _kept_name(self, definition: StepDefinition) -> str:
        """Return the name that was derived for the cell before it was edited; "" if there is none to keep."""
        before = self._by_cell.get(definition.cell)
        if before is None or before.options.name or before.options.outputs != definition.options.outputs:
            return ""
        variable = without_number(before.name)
        is_gone = variable in before.analysis.binds and variable not in definition.analysis.binds
        return "" if is_gone else before.name

    def _belongs_elsewhere(self, other: StepDefinition, definition: StepDefinition) -> bool:
        """Whether a step is that of another cell, not an earlier definition of this one."""
        if not definition.cell:  # in a terminal: known by a variable that both bind, else by its code alone
            binds_both = not {*definition.analysis.binds}.isdisjoint(other.analysis.binds)
            return not binds_both and other.code != definition.code
        return bool(other.cell) and other.cell != definition.cell


def _cell(step: StepDefinition) -> _Cell:
    return step.cell or (step.name,)
