"""Owns the register of the steps this kernel has seen, one per cell, and their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.engine.definition import Definition

__all__ = ["Register"]


class Register:
    """The latest definition of each step; a cell that is run again replaces what it defined before."""

    def __init__(self) -> None:
        self._steps: dict[str, Definition] = {}
        self._names: dict[str, str] = {}  # by cell

    def add(self, definition: Definition) -> Definition:
        """Take in a step, and return it under the name it got.

        A step without a name of its own whose worked-out name belongs to another cell gets a number behind it.
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
        if definition.cell:
            self._names[definition.cell] = definition.name
        return definition

    def names(self) -> list[str]:
        """Return the names in order of first run."""
        return list(self._steps)

    def get(self, name: str) -> Definition:
        """Return a step.

        Raises:
            UnknownName: there is no such step.
        """
        if name not in self._steps:
            raise UnknownName(
                "step", name, self._steps, hint="" if self._steps else "Run a cell that starts with %%step."
            )
        return self._steps[name]

    def ordered(self, cells: Sequence[str]) -> list[Definition]:
        """Return the steps in the order of the notebook's cells, else in order of first run.

        Steps of cells that the saved file does not have (yet) stand behind the step that was first run before them.
        """
        steps = list(self._steps.values())
        place = {cell: number for number, cell in enumerate(cells)}
        if not any(step.cell in place for step in steps):
            return steps
        keyed: list[tuple[float, int, Definition]] = []
        last = -1.0
        for number, step in enumerate(steps):
            last = float(place[step.cell]) if step.cell in place else last + 0.5
            keyed.append((last, number, step))
        return [step for _, _, step in sorted(keyed, key=lambda each: each[:2])]

    def _named(self, definition: Definition) -> Definition:
        if definition.options.name or not definition.cell:
            return definition
        name, number = definition.name, 1
        while self._belongs_elsewhere(name, definition.cell):
            number += 1
            name = f"{definition.name}-{number}"
        return definition if name == definition.name else replace(definition, name=name)

    def _belongs_elsewhere(self, name: str, cell: str) -> bool:
        other = self._steps.get(name)
        return other is not None and bool(other.cell) and other.cell != cell
