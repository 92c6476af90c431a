"""Owns `StepRegistry`: the steps that this kernel has seen, one per cell, and their order."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.engine.step.definition import StepDefinition

__all__ = ["StepRegistry"]


class StepRegistry:
    """The latest definition of each step; a cell that runs again replaces its earlier definition."""

    def __init__(self) -> None:
        self._steps: dict[str, StepDefinition] = {}
        self._names: dict[str, str] = {}  # by cell
        self._ran: dict[str, float] = {}  # when each was run last, in seconds since the epoch
        self._saved: set[str] = set()  # cells of steps that were found in the saved file

    def add(self, definition: StepDefinition) -> StepDefinition:
        """Add a step, and return it under its final name.

        A derived name stays with its cell, unless it is that of a variable that the cell no longer binds. If it belongs
        to another cell, a number is appended.
        """
        definition = self._named(definition)
        replaced = self._steps.get(definition.name)
        if replaced is not None and self._names.get(replaced.cell) == definition.name:
            del self._names[replaced.cell]
        before = self._names.get(definition.cell) if definition.cell else None
        if before is not None and before != definition.name and before in self._steps:
            self._steps = {
                (definition.name if key == before else key): (definition if key == before else value)
                for key, value in self._steps.items()
                if key != definition.name
            }
        self._steps[definition.name] = definition
        self._ran[definition.name] = time.time()
        if definition.cell:
            self._names[definition.cell] = definition.name
        return definition

    def names(self) -> list[str]:
        """Return the names in order of first run."""
        return list(self._steps)

    def get(self, name: str) -> StepDefinition:
        """Return a step.

        Raises:
            UnknownName: there is no such step.
        """
        if name not in self._steps:
            raise UnknownName(
                "step", name, self._steps, hint="" if self._steps else "Run a cell that starts with %%step."
            )
        return self._steps[name]

    def known(self, name: str) -> StepDefinition | None:
        """Return a step; None when there is none of this name."""
        return self._steps.get(name)

    def forget(self, name: str) -> None:
        """Remove a step; running its cell adds it again, at the end.

        Raises:
            UnknownName: there is no such step.
        """
        cell = self.get(name).cell
        del self._steps[name]
        if self._names.get(cell) == name:
            del self._names[cell]

    def cell_is_plain(self, cell: str) -> None:
        """Remove the step of a cell that ran as a plain one."""
        if cell and (name := self._names.get(cell)) is not None:
            self.forget(name)

    def ordered(self, cells: Sequence[str], *, saved: float = 0.0) -> list[StepDefinition]:
        """Return the steps in the order of the notebook's cells, else in order of first run.

        A step whose cell is not in the saved file yet follows the step that was first run before it; without one it
        comes first. Steps of deleted cells are left out.

        Args:
            cells: ids of the cells of the saved file, top to bottom; empty if unknown.
            saved: when it was saved, in seconds since the epoch.
        """
        if not cells:
            return list(self._steps.values())
        place = {cell: number for number, cell in enumerate(cells)}
        self._saved.update(step.cell for step in self._steps.values() if step.cell in place)
        present = [
            step for step in self._steps.values() if step.cell in place or not self._is_deleted(step, saved)
        ]
        behind: dict[str, list[StepDefinition]] = {}
        before = ""
        for step in present:
            if step.cell in place:
                before = step.name
            else:
                behind.setdefault(before, []).append(step)
        found = sorted((step for step in present if step.cell in place), key=lambda step: place[step.cell])
        return [*behind.get("", ()), *(each for step in found for each in (step, *behind.get(step.name, ())))]

    def _is_deleted(self, step: StepDefinition, saved: float) -> bool:
        """Whether a step's cell, which is not in the saved file, existed before the file was saved.

        Some frontends send kernels other ids than they save: then no cell was ever found in the file.
        """
        return bool(step.cell and self._saved) and saved > self._ran[step.name]

    def _named(self, definition: StepDefinition) -> StepDefinition:
        if definition.options.name:
            return definition
        if kept := self._kept_name(definition):
            return replace(definition, name=kept)
        name, number = definition.name, 1
        while self._belongs_elsewhere(name, definition):
            number += 1
            name = f"{definition.name}-{number}"
        return definition if name == definition.name else replace(definition, name=name)

    def _kept_name(self, definition: StepDefinition) -> str:
        """Return the name that was derived for the cell before it was edited; "" if there is none to keep."""
        before = self._steps.get(self._names.get(definition.cell, "")) if definition.cell else None
        if before is None or before.options.name or before.options.outputs != definition.options.outputs:
            return ""
        variable = re.sub(r"-\d+$", "", before.name)
        is_gone = variable in before.analysis.binds and variable not in definition.analysis.binds
        return "" if is_gone else before.name

    def _belongs_elsewhere(self, name: str, definition: StepDefinition) -> bool:
        other = self._steps.get(name)
        if other is None:
            return False
        if not definition.cell:  # in a terminal: a step that binds nothing is known by its code alone
            return not definition.analysis.binds and other.code != definition.code
        return bool(other.cell) and other.cell != definition.cell
