"""Owns `execute`: running a notebook file from top to bottom in a new kernel, and the result."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.core.records.records import Failure, Status
from zennb.core.secrets.held import HELD
from zennb.core.secrets.names import is_secret
from zennb.core.secrets.texts import KnownSecrets
from zennb.errors import UsageError
from zennb.headless.kernel import environment, manager, refuse_recursion, require_kernel
from zennb.headless.notebook_run import NotebookRun
from zennb.headless.parameters import inject
from zennb.headless.read import document, runs, step_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.records.records import Run
    from zennb.headless.notebook_runner import NotebookRunner
    from zennb.headless.step_line import StepLine
    from zennb.registry.workspace import Workspace

__all__ = ["CellFailure", "CellStart", "Execution", "execute", "known_secrets"]


PICTURE = 'class="zennb-static"'
WIDGET = "application/vnd.jupyter.widget-view+json"
"""The MIME type by which an output refers to a widget in the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStart:
    """A cell that is about to run.

    Attributes:
        number: the number beside it, `[7]`, and in its tracebacks; counts the cells that run, from 1.
        total: how many cells there are to run.
        id: its id in the notebook; "" when it has none.
        step: the name typed after `%%step`; "" when none was typed, None when it is no step.
        source: its text.
    """

    number: int
    total: int
    id: str
    step: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFailure:
    """A cell that failed.

    Attributes:
        number: the number beside it, as in `CellStart`.
        id: its id in the notebook; "" when it has none.
        step: name of the step that failed in it; "" when it was no step.
        type: name of the exception's class; `DeadKernel` when the kernel died, `TimeoutError` after the
            time limit.
        message: the exception's text.
        traceback: as the notebook shows it, without colour codes; "" when there is none.
    """

    number: int
    id: str
    step: str
    type: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """The result of running a notebook.

    Attributes:
        path: the notebook.
        out: where the executed notebook was written; None when it was not asked for.
        status: `completed`, `failed` (a cell failed, errors allowed or not) or `interrupted`.
        seconds: duration, the kernel's start and end included.
        cells: how many cells were started; total: how many there were to run.
        steps: the last status line of each step of each cell, in order of appearance.
        failures: the cells that failed, in order; at most one unless errors were allowed.
        run: id of the run it is on record as; None when it was not recorded.
    """

    path: Path
    out: Path | None
    status: Status
    seconds: float
    cells: int
    total: int
    steps: tuple[StepLine, ...] = ()
    failures: tuple[CellFailure, ...] = ()
    run: int | None = None

    @property
    def failure(self) -> CellFailure | None:
        """The first cell that failed."""
        return self.failures[0] if self.failures else None


def execute(
    path: str | Path,
    *,
    stack: str | None = None,
    parameters: Mapping[str, str] = MappingProxyType({}),
    out: str | Path | None = None,
    on_cell: Callable[[CellStart], None] | None = None,
    on_step: Callable[[StepLine], None] | None = None,
    on_begin: Callable[[Callable[[], None]], object] | None = None,
    timeout: float | None = None,
    allow_errors: bool = False,
    folder: Path | None = None,
    env: Mapping[str, str] = MappingProxyType({}),
    workspace: Workspace | None = None,
    rerun: bool = False,
    content: str | None = None,
    on_run: Callable[[Run], None] | None = None,
    on_output: Callable[[int, Any], None] | None = None,
) -> Execution:
    """Run a notebook in a new kernel, in the notebook's folder; the kernel never outlives the call.

    The first cell that fails ends the run. So does Ctrl-C: it interrupts the cell, and ends the kernel if the cell
    still runs after five seconds. The outputs so far are written to `out`.

    Args:
        path: the notebook.
        stack: name of the stack active in that kernel; None leaves the choice to it.
        parameters: name → text, set as `headless.parameters` describes.
        out: where to write the executed notebook; its folder is made when needed. May be `path` itself.
        on_cell: called before each code cell.
        on_step: called for each status line of a step, while its cell runs.
        on_begin: called before the kernel starts, with a function that interrupts the run from any thread.
        timeout: seconds that one cell may take; None for no limit.
        allow_errors: go on after a cell that failed.
        folder: the kernel's working directory, where it is not the notebook's folder.
        env: environment variables of that kernel, beyond those of this process.
        workspace: where the notebook is recorded as one run, with its steps below it: that of the home which its kernel
            uses. Without it each step is recorded in the session of the kernel.
        rerun: reuse nothing.
        content: the text of the notebook, where its file may have changed since; None to read it.
        on_run: called with the notebook's run once that is recorded, before the kernel starts.
        on_output: called with the position of a cell in the notebook and each message with output of it.

    Raises:
        UnknownName: there is no such notebook or stack, or the notebook has no variable of a parameter's name.
        BrokenNotebook: the file is no Python notebook.
        UsageError: a parameter is an output of a step, or `out` cannot be written.
        MissingExtra: ipykernel or nbclient is not installed.
        StepRefused: the kernel did not start, or the notebook would run itself.
    """
    require_kernel()
    path, began = Path(path), time.perf_counter()
    refuse_recursion(path)
    node = document(path, content)
    from zennb.headless.notebook_runner import NotebookRunner  # nbclient takes long to import

    # Before anything is started or recorded: a parameter that no cell sets is a typing mistake.
    inject(node, parameters, path=path)
    if out is not None:
        _check_place(Path(out))
    _clear(node)
    account = _Account(node, on_cell=on_cell, on_step=on_step, secrets=known_secrets(parameters))
    record = None if workspace is None else NotebookRun(workspace, path, stack=stack, parameters=parameters)
    written = None
    with ExitStack() as around:
        kernel = around.enter_context(manager())
        of_run = {} if record is None else around.enter_context(record.recorded())
        if record is not None and on_run is not None:
            on_run(record.run)
        runner = NotebookRunner(
            node,
            manager=kernel,
            folder=folder or path.absolute().parent,
            env={**environment(path, stack=stack, parameters=parameters, rerun=rerun), **of_run, **env},
            on_start=account.start,
            on_step=account.step,
            on_output=on_output,
            timeout=timeout,
            allow_errors=allow_errors,
        )
        if on_begin is not None:
            on_begin(runner.interrupt)
        try:
            _finish(runner)
        finally:
            if record is not None and runner.status.is_final:
                record.status = runner.status
            # In `finally`: what was computed before an error or Ctrl-C is not thrown away.
            if out is not None:
                _drop_dead_widgets(node)
                written = _write(_without_secrets(node, parameters), Path(out))
    if runner.terminated is not None:
        # Only now, when the kernel has ended and the notebook is written: this process ends as it was asked to.
        signal.raise_signal(runner.terminated)
    return Execution(
        path=path,
        out=written,
        status=runner.status,
        seconds=time.perf_counter() - began,
        cells=runner.started,
        total=account.total,
        steps=tuple(account.steps.values()),
        failures=account.failures(runner.failures),
        run=None if record is None else record.run.id,
    )


class _Account:
    """Follows which cells run and what their steps report."""

    def __init__(
        self,
        node: Any,
        *,
        on_cell: Callable[[CellStart], None] | None,
        on_step: Callable[[StepLine], None] | None,
        secrets: KnownSecrets,
    ) -> None:
        self.cells = node.cells
        self.positions = [at for at, cell in enumerate(node.cells) if runs(cell)]
        self.total = len(self.positions)
        self.steps: dict[tuple[int, str], StepLine] = {}
        self._on_cell, self._on_step, self._secrets = on_cell, on_step, secrets

    def start(self, position: int) -> None:
        if self._on_cell is not None:
            cell = self.cells[position]
            self._on_cell(
                CellStart(
                    number=self._number(position),
                    total=self.total,
                    id=cell.get("id", ""),
                    step=step_name(cell.source),
                    source=cell.source,
                )
            )

    def step(self, position: int, line: StepLine) -> None:
        if self.steps.get((position, line.step)) == line:
            return  # a live table repeats its lines
        self.steps[position, line.step] = line
        if self._on_step is not None:
            self._on_step(line)

    def failures(self, found: Mapping[int, Failure]) -> tuple[CellFailure, ...]:
        return tuple(
            CellFailure(
                number=self._number(position),
                id=self.cells[position].get("id", ""),
                step=self._failed_step(position),
                type=failure.type,
                message=self._secrets.mask(failure.message),
                traceback=self._secrets.mask(failure.traceback),
            )
            for position, failure in sorted(found.items())
        )

    def _failed_step(self, position: int) -> str:
        lines = [line for (at, _), line in self.steps.items() if at == position]
        failed = [line.step for line in lines if line.status in {Status.FAILED, Status.INTERRUPTED}]
        return failed[0] if failed else step_name(self.cells[position].source) or ""

    def _number(self, position: int) -> int:
        return self.positions.index(position) + 1


def known_secrets(parameters: Mapping[str, str]) -> KnownSecrets:
    """Return the secrets that are masked in errors: parameters and environment variables with the name of one."""
    known = KnownSecrets(HELD.values)
    known.note(value for name, value in (*os.environ.items(), *parameters.items()) if is_secret(name, value))
    return known


def _clear(node: Any) -> None:
    """Remove the outputs of an earlier run: a cell that is not reached must not look as if it had run."""
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    node.metadata.pop("widgets", None)


def _finish(runner: NotebookRunner) -> None:
    """Run the notebook to its end, also when this thread runs an event loop already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(runner.run())
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="zennb-headless") as thread:
        # asyncio allows one loop per thread, and this thread's belongs to the notebook that calls.
        done = thread.submit(lambda: asyncio.run(runner.run()))
        while True:
            try:
                done.result()
                return
            except KeyboardInterrupt:
                runner.interrupt()


def _drop_dead_widgets(node: Any) -> None:
    """Keep only the HTML of outputs that also have a widget, whose kernel has ended, and the picture of panels.

    A viewer would show a broken widget instead of the readable HTML.
    """
    for cell in node.cells:
        if outputs := cell.get("outputs"):
            behind = zip([None, *outputs], outputs, strict=False)
            cell.outputs = [each for before, each in behind if not _is_panel(before, each)]
    shown = [output.data for cell in node.cells for output in cell.get("outputs", ()) if "data" in output]
    for data in shown:
        if WIDGET in data and "text/html" in data:
            del data[WIDGET]
    if not any(WIDGET in data for data in shown):
        node.metadata.pop("widgets", None)


def _without_secrets(node: Any, parameters: Mapping[str, str]) -> Any:
    """Return the notebook without the parameters that are secret: in the cell that sets them and elsewhere."""
    known = KnownSecrets(HELD.values)
    known.note(text for name, text in parameters.items() if is_secret(name, text))
    return node if known.is_empty else _masked(node, known)


def _masked(value: Any, known: KnownSecrets) -> Any:
    if isinstance(value, str):
        return known.mask_known(value)
    if isinstance(value, dict):
        return type(value)({key: _masked(each, known) for key, each in value.items()})
    return [_masked(each, known) for each in value] if isinstance(value, list) else value


def _is_panel(before: Any, output: Any) -> bool:
    """Whether an output is a panel alone, whose static picture is the output before it."""
    pictured = "" if before is None else "".join(before.get("data", {}).get("text/html", ""))
    return PICTURE in pictured and set(output.get("data", ())) == {WIDGET}


def _check_place(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        why = (
            errno.EISDIR if out.is_dir() else 0 if os.access(out.parent, os.W_OK | os.X_OK) else errno.EACCES
        )
    except OSError as error:
        why = error.errno or errno.EIO
    if why:
        raise UsageError(f"{out} cannot be written ({os.strerror(why)}); give another file name.")


def _write(node: Any, out: Path) -> Path:
    """Write the notebook to a temporary file and rename it, so that no reader sees half of it."""
    import nbformat

    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        # Half of a surrogate pair, which UTF-8 cannot encode, becomes an escape that JSON knows.
        draft.write_text(nbformat.writes(node) + "\n", encoding="utf-8", errors="backslashreplace")
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return out
