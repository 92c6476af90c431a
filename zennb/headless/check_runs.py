"""Owns `CheckRuns`: the runs of one check, each in a kernel of its own, in a copy of the notebook's folder."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

from zennb.core.records.check_findings import CellResult
from zennb.core.records.output_comparison import Showing, showing
from zennb.core.records.records import Status
from zennb.headless.execute import execute
from zennb.headless.read import document
from zennb.headless.scratch_folder import ScratchFolder
from zennb.headless.step_line import step_lines
from zennb.headless.variable_digests import PRINTING, SOURCE, printed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from zennb.headless.execute import CellFailure

__all__ = ["CheckRuns"]

_LOST = frozenset({"DeadKernel", "TimeoutError"})


class CheckRuns:
    """The runs of one check, and notes about what failed in them.

    Attributes:
        notes: what failed since the last `take_notes`, one sentence each.
        variables: name → digest of the variables at the end of the last run, if it was to print them.

    Args:
        path: the notebook.
        place: an empty directory for files, records and outputs.
        timeout: seconds that one cell may take; None for no limit.
        limit: megabytes of the notebook's folder that are copied at most.
        on_run: called with a phrase before each run.
        variables: whether each run ends with a cell that prints digests of the variables.
    """

    def __init__(
        self,
        path: Path,
        place: Path,
        *,
        timeout: float | None,
        limit: float,
        on_run: Callable[[str], None] | None,
        variables: bool = False,
    ) -> None:
        self.timeout, self._on_run, self._prints = timeout, on_run, variables
        self._scratch = ScratchFolder(path.absolute().parent, place / "files", limit=limit)
        self._file = place / "notebook" / path.name
        self._out = place / "outputs" / path.name
        self._home = place / "home"
        self.notes: list[str] = []
        self.variables: dict[str, str] = {}

    def run(self, what: str, node: Any, *, seed: int, restore: bool = True) -> dict[str, CellResult]:
        """Run a document and return the results of its cells, by id.

        Args:
            what: a phrase for this run.
            node: the document.
            seed: `PYTHONHASHSEED` of the kernel.
            restore: begin with the original files, instead of those that the run before left.
        """
        if restore:
            self._scratch.restore()
        if self._on_run is not None:
            self._on_run(what)
        self._write(node)
        starts: list[tuple[str, float]] = []
        done = execute(
            self._file,
            out=self._out,
            on_cell=lambda start: starts.append((start.id, time.perf_counter())),
            timeout=self.timeout,
            allow_errors=True,
            folder=self._scratch.folder,
            env={"ZENNB_HOME": str(self._home), "PYTHONHASHSEED": str(seed)},
        )
        if done.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        ends = [when for _, when in starts[1:]] + [time.perf_counter()]
        # A cell ends when the next one starts.
        seconds = {cell: end - when for (cell, when), end in zip(starts, ends, strict=True)}
        lost = [failure for failure in done.failures if failure.type in _LOST]
        self.notes += [_lost(what, failure) for failure in lost]
        reached = set(seconds) - {failure.id for failure in lost}
        results = {
            cell.id: _result(cell, seconds) for cell in document(self._out).cells if cell.id in reached
        }
        last = results.pop(PRINTING, None)
        self.variables = {} if last is None else printed(last.showing.text)
        return results

    def take_notes(self) -> tuple[str, ...]:
        """Return the notes since the last call."""
        notes, self.notes = tuple(self.notes), []
        return notes

    def _write(self, node: Any) -> None:
        import nbformat
        from nbformat import v4

        if self._prints:
            node = copy.copy(node)
            node.cells = [*node.cells, v4.new_code_cell(SOURCE, id=PRINTING)]
        self._file.parent.mkdir(exist_ok=True)
        # As `zennb run` writes notebooks: half of a surrogate pair, which UTF-8 cannot encode, becomes an escape.
        self._file.write_text(nbformat.writes(node) + "\n", encoding="utf-8", errors="backslashreplace")


def _result(cell: Any, seconds: Mapping[str, float]) -> CellResult:
    lines = [line for output in cell.outputs for line in step_lines(output.get("metadata") or {})]
    last = lines[-1] if lines else None
    return CellResult(
        showing=showing(cell.outputs) if cell.outputs else Showing(),
        status="" if last is None else last.status.value,
        reason="" if last is None else last.reason,
        unrecorded="" if last is None else last.unrecorded,
        seconds=seconds.get(cell.id, 0.0),
    )


def _lost(what: str, failure: CellFailure) -> str:
    number = failure.number - 1  # the added first cell does not count
    return f"{what}: cell [{number}] ended the run, so it and the cells after it were not compared: {failure.message}."
