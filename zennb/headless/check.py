"""Owns `check`: running a notebook without steps, with steps, and reused in a new kernel, from the same files."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.core.records.check_findings import CellResult, Check, judged
from zennb.core.records.output_comparison import Showing, showing
from zennb.core.records.records import Status
from zennb.headless.execute import execute
from zennb.headless.instrumented import as_plain, as_steps, first_line, has_code, stays
from zennb.headless.kernel import require_kernel
from zennb.headless.read import document, runs
from zennb.headless.scratch_folder import ScratchFolder
from zennb.headless.step_line import step_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.headless.execute import CellFailure

__all__ = ["check"]

LIMIT = 500.0
"""Megabytes of the notebook's folder that are copied at most."""

_LOST = frozenset({"DeadKernel", "TimeoutError"})


def check(
    path: str | Path,
    *,
    timeout: float | None = None,
    once: bool = False,
    limit: float = LIMIT,
    on_run: Callable[[str], None] | None = None,
) -> Check:
    """Compare the output of a notebook with and without steps: on the first run, and reused in a new kernel.

    No file of the user is changed: the notebook runs in a copy of its folder, with a temporary home.

    Args:
        path: the notebook.
        timeout: seconds that one cell may take; None for no limit.
        once: skip the second run without steps, which finds cells whose output differs each time.
        limit: megabytes of the notebook's folder that are copied at most.
        on_run: called with a phrase before each run.

    Raises:
        UnknownName: there is no such notebook.
        BrokenNotebook: the file is no Python notebook.
        StepRefused: its folder is too large to be copied, or a kernel did not start.
        MissingExtra: ipykernel or nbclient is not installed.
        KeyboardInterrupt: the check was interrupted.
    """
    path, began = Path(path), time.perf_counter()
    node = document(path)
    require_kernel()
    _need_ids(node)
    with tempfile.TemporaryDirectory(prefix="zennb-check-", ignore_cleanup_errors=True) as place:
        series = _Series(path, Path(place).resolve(), timeout=timeout, limit=limit, say=on_run)
        # The first plain run and the cold run use one hash seed, so sets have one order; the other two use another.
        plain = series.run("plain", as_plain(node), seed=0)
        # A cell that ended the plain run, and those below it, cannot be compared; running
        # them as steps proves nothing.
        node.cells = [cell for cell in node.cells if not runs(cell) or cell.id in plain]
        again = None if once else series.run("plain, a second time", as_plain(node), seed=1)
        raised = {cell: result.showing.raised for cell, result in plain.items() if result.showing.raised}
        # Cells that raise stay plain: a failed step restores its variables, a plain cell keeps what it did until then.
        steps = as_steps(node, raised)
        cold = series.run("as steps", steps, seed=0)
        reused = series.run("reused in a new kernel", steps, seed=0 if once else 1, restore=False)
    found = [
        judged(
            number=number,
            code=first_line(cell.source),
            stays=stays(cell.source, raised=raised.get(cell.id, "")),
            plain=plain[cell.id],
            again=None if again is None else again.get(cell.id),
            cold=cold.get(cell.id),
            reused=reused.get(cell.id),
        )
        for number, cell in enumerate(filter(runs, node.cells), start=1)
        if has_code(cell.source)
    ]
    return Check(
        name=path.name, cells=tuple(found), notes=tuple(series.notes), seconds=time.perf_counter() - began
    )


class _Series:
    """The runs of one check, and notes about what failed in them."""

    def __init__(
        self,
        path: Path,
        place: Path,
        *,
        timeout: float | None,
        limit: float,
        say: Callable[[str], None] | None,
    ) -> None:
        self._timeout, self._on_run = timeout, say
        self._scratch = ScratchFolder(path.absolute().parent, place / "files", limit=limit)
        self._file = place / "notebook" / path.name
        self._out = place / "outputs" / path.name
        self._home = place / "home"
        self.notes: list[str] = []

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
        import nbformat

        if self._on_run is not None:
            self._on_run(what)
        self._file.parent.mkdir(exist_ok=True)
        # As `zennb run` writes notebooks: half of a surrogate pair, which UTF-8 cannot encode, becomes an escape.
        self._file.write_text(nbformat.writes(node) + "\n", encoding="utf-8", errors="backslashreplace")
        starts: list[tuple[str, float]] = []
        done = execute(
            self._file,
            out=self._out,
            on_cell=lambda start: starts.append((start.id, time.perf_counter())),
            timeout=self._timeout,
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
        return {cell.id: _result(cell, seconds) for cell in document(self._out).cells if cell.id in reached}


def _result(cell: Any, seconds: Mapping[str, float]) -> CellResult:
    lines = [line for output in cell.outputs for line in step_lines(output.get("metadata") or {})]
    last = lines[-1] if lines else None
    return CellResult(
        showing=showing(cell.outputs) if cell.outputs else Showing(),
        status="" if last is None else last.status.value,
        reason="" if last is None else last.reason,
        seconds=seconds.get(cell.id, 0.0),
    )


def _lost(what: str, failure: CellFailure) -> str:
    number = failure.number - 1  # the added first cell does not count
    return f"{what}: cell [{number}] ended the run, so it and the cells after it were not compared: {failure.message}."


def _need_ids(node: Any) -> None:
    """Give ids to the cells of a notebook in an older format, and raise its minor version to one with ids."""
    for position, cell in enumerate(node.cells, start=1):
        cell.setdefault("id", f"cell-{position}")
    node.nbformat_minor = max(node.nbformat_minor, 5)
