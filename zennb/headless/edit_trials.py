"""Owns `EditTrials`: random edits of a notebook, each run with the stored steps and plain, and compared."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from zennb.core.records.check_findings import CheckedCell, EditTrial, Share, judged
from zennb.headless.instrumented import as_plain, as_steps, first_line, has_code, stays
from zennb.headless.random_edits import choose
from zennb.headless.read import runs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from random import Random

    from zennb.core.records.check_findings import CellResult
    from zennb.headless.check_runs import CheckRuns
    from zennb.headless.random_edits import Edit

__all__ = ["EditTrials"]

PLAIN = 0.25
"""How many of the edited cells are plain ones: what a plain cell changes invalidates steps in other ways."""

PATIENCE = 10.0
"""How many times longer than before a cell may take, and at least how many seconds: an edit may end no loop."""


class EditTrials:
    """Tries edits of a notebook, each of the notebook as it is in the file.

    Args:
        series: makes the runs; its store holds the steps of the notebook.
        node: the document.
        cells: the findings without an edit. What differs or varies there is not compared.
        plain: the results without zennb.
        variables: the variables whose values can be compared.
    """

    def __init__(
        self,
        series: CheckRuns,
        node: Any,
        *,
        cells: Sequence[CheckedCell],
        plain: Mapping[str, CellResult],
        variables: Collection[str],
    ) -> None:
        self._series, self._node, self._variables = series, node, variables
        self._findings = {cell.number: cell for cell in cells}
        self._numbers = {cell.id: number for number, cell in enumerate(filter(runs, node.cells), start=1)}
        slowest = max((result.seconds for result in plain.values()), default=0.0)
        self._timeout = max(PATIENCE, PATIENCE * slowest)

    def run(self, count: int, random: Random) -> tuple[EditTrial, ...]:
        """Try so many edits, fewer where the notebook has not as many places for one."""
        if self._series.timeout is None or self._series.timeout > self._timeout:
            self._series.timeout = self._timeout
        cells = {
            cell.id: cell.source
            for cell in self._node.cells
            if cell.id in self._numbers and self._is_editable(self._numbers[cell.id])
        }
        tried: set[tuple[str, str]] = set()
        trials: list[EditTrial] = []
        while len(trials) < count and (edit := choose(cells, random, tried=tried)) is not None:
            trials.append(self._try(edit, is_plain=random.random() < PLAIN))
        return tuple(trials)

    def _is_editable(self, number: int) -> bool:
        found = self._findings.get(number)
        return found is not None and not found.differs and not found.uncompared and not found.stays

    def _try(self, edit: Edit, *, is_plain: bool) -> EditTrial:
        number = self._numbers[edit.cell]
        what = f"with `{edit.before}` changed to `{edit.after}` in cell [{number}], line {edit.line}"
        edited = _Edited(self._series, self._node, edit, what, is_plain=is_plain)
        notes = list(self._series.take_notes())
        found: list[CheckedCell] = []
        compared: set[str] = set()
        different: list[str] = []
        if not notes:
            edited.run_with_steps()
            found = self._judged(edited)
            compared = self._variables & edited.expected.keys()
            different = sorted(name for name in compared if edited.told.get(name) != edited.expected[name])
            if different or any(cell.differs for cell in found):
                # Only now, as it costs another run: what two plain runs show differently has no right answer.
                again = edited.run_again()
                found = self._judged(edited)
                compared = {name for name in compared if again.get(name) == edited.expected[name]}
                different = [name for name in different if name in compared]
            notes += self._series.take_notes()
        return EditTrial(
            number=number,
            code=self._findings[number].code,
            kind="plain cell" if is_plain else edit.kind,
            line=edit.line,
            before=edit.before,
            after=edit.after,
            cells=tuple(found),
            variables=Share(part=len(compared) - len(different), whole=len(compared)),
            different=tuple(different),
            notes=tuple(notes),
        )

    def _judged(self, edited: _Edited) -> list[CheckedCell]:
        found = []
        for cell in filter(runs, edited.node.cells):
            before = self._findings.get(self._numbers[cell.id])
            if before is None or not has_code(cell.source):
                continue
            why = stays(cell.source, raised=edited.raised.get(cell.id, ""))
            unsure = "it varies or differs without an edit" if before.varies or before.differs else ""
            found.append(
                judged(
                    number=before.number,
                    code=first_line(cell.source),
                    stays=why or ("was made a plain cell" if cell.id in edited.plain_cells else ""),
                    plain=edited.plain[cell.id],
                    again=edited.again.get(cell.id),
                    cold=None,
                    reused=edited.reused.get(cell.id),
                    uncompared=before.uncompared or unsure,
                )
            )
        return found


class _Edited:
    """The runs of an edited notebook.

    All use one hash seed, that of the run whose outputs are stored: sets have one order.

    Attributes:
        node: the edited document.
        plain: the results without zennb.
        again: the same a second time, when it was run.
        reused: the results with the stored steps, when they were run.
        raised: id → name of the exception that a cell ends with when run plain.
        plain_cells: ids of the cells that are made plain ones.
        expected: name → digest of the variables at the end without zennb.
        told: the same with the stored steps.
    """

    def __init__(self, series: CheckRuns, node: Any, edit: Edit, what: str, *, is_plain: bool) -> None:
        self._series, self._what = series, what
        self.node = copy.deepcopy(node)
        for cell in self.node.cells:
            if cell.id == edit.cell:
                cell.source = edit.source
        self.plain_cells = frozenset({edit.cell} if is_plain else ())
        self.again: dict[str, CellResult] = {}
        self.reused: dict[str, CellResult] = {}
        self.told: dict[str, str] = {}
        self.plain = series.run(f"{what}, plain", as_plain(self.node), seed=0)
        self.expected = series.variables
        self.raised = {
            cell: result.showing.raised for cell, result in self.plain.items() if result.showing.raised
        }

    def run_with_steps(self) -> None:
        """Run it with the stored steps."""
        steps = as_steps(self.node, self.raised, plain=self.plain_cells)
        self.reused = self._series.run(f"{self._what}, with the stored steps", steps, seed=0)
        self.told = self._series.variables

    def run_again(self) -> dict[str, str]:
        """Run it a second time without zennb, and return the digests of the variables."""
        self.again = self._series.run(f"{self._what}, plain, a second time", as_plain(self.node), seed=0)
        return self._series.variables
