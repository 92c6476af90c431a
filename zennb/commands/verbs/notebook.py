"""Owns the command `run`: executes a notebook file from top to bottom, and shows each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.json_envelope import FAILED, INTERRUPTED
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.commands.verbs.background import started_outcome
from zennb.core.records.records import Artifact, Status
from zennb.core.records.records import Step as StepRecord
from zennb.core.secrets.names import is_secret
from zennb.errors import RunFailed
from zennb.views.mark import mark
from zennb.views.markup import block
from zennb.views.step import status_line
from zennb.views.text import clean, clean_block, duration, plural
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.headless.execute import CellFailure, CellStart, Execution
    from zennb.headless.step_line import StepLine

__all__ = [
    "BACKGROUND",
    "NOTEBOOK",
    "OUT",
    "PARAMETER",
    "PARTS",
    "RERUN",
    "STACK",
    "TIMEOUT",
    "run_error",
    "run_notebook",
]

NOTEBOOK = Argument("NOTEBOOK", "path of an .ipynb file", required=True, kind="notebook")
STACK = Argument("--stack", "the stack to run on, this time; by default the active one", kind="stack")
PARAMETER = Argument(
    "-p --parameter", "set a plain variable of the notebook for this run", type=dict, word="NAME=VALUE"
)
OUT = Argument("-o --out", "write the executed notebook here", word="FILE", kind="path")
RERUN = Argument("--rerun", "reuse nothing", type=bool)
BACKGROUND = Argument(
    "--background", "run it in a process of its own, and do not wait for its end", type=bool
)
TIMEOUT = Argument("--timeout", "longest time that one cell may take", type=float, word="SECONDS")


def run_notebook(
    context: Context,
    *,
    notebook: str,
    stack: str | None,
    parameter: dict[str, str],
    rerun: bool,
    out: str | None,
    timeout: float | None,
    background: bool = False,
) -> Outcome:
    """Run a notebook in a kernel of its own; the exit code is 0 if every cell succeeded, or if it began."""
    from zennb.headless.execute import execute  # no other command runs notebooks

    workspace = context.beside(notebook)
    if stack is not None:
        workspace.registry.stack(stack)  # an unknown one is refused before a kernel starts
    if background:
        from zennb.headless.background import start_notebook

        run = start_notebook(
            notebook,
            workspace=workspace,
            stack=stack,
            parameters=parameter,
            rerun=rerun,
            out=out,
            timeout=timeout,
        )
        return started_outcome(context, run, workspace)
    progress = _Progress(context.say)
    execution = execute(
        notebook,
        stack=stack,
        parameters=parameter,
        out=out,
        on_cell=progress.cell,
        on_step=progress.step,
        timeout=timeout,
        rerun=rerun,
        workspace=workspace,
    )
    for name in [name for name, value in parameter.items() if is_secret(name, value)]:
        places = "your shell's history" + (f" and in {out}" if out is not None else "")
        context.say(
            f"the value of `{name}` is masked in records, but still stands in {places}; set an environment variable, "
            "and read os.environ in the notebook"
        )
    error = run_error(execution)
    failed = INTERRUPTED if execution.status is Status.INTERRUPTED else FAILED
    code = 0 if error is None else failed
    return Outcome(view=_summary(execution), data=plain(execution), code=code, error=error)


def run_error(execution: Execution) -> RunFailed | None:
    """Return the error of a run that failed or was interrupted; None for a successful one."""
    if execution.status.is_good:
        return None
    failure = execution.failure
    if failure is None or execution.status is Status.INTERRUPTED:
        ending = f"was interrupted in cell [{execution.cells}] of {execution.total}"
        return RunFailed(
            f"{execution.path.name} {ending}; run it again: what was stored is reused.",
            notebook=str(execution.path),
        )
    return RunFailed(
        f"{execution.path.name}: {_failed(failure)}",
        notebook=str(execution.path),
        cell=failure.number,
        step=failure.step,
        cause=failure.type,
        traceback=failure.traceback,
    )


class _Progress:
    """Shows each step once, when it has ended, with the number of its cell."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._place = say, ""

    def cell(self, start: CellStart) -> None:
        wide = len(str(start.total))
        self._place = f"[{start.number:{wide}}/{start.total}]"

    def step(self, line: StepLine) -> None:
        if line.status.is_final:
            self._say(f"{self._place} {status_line(_record(line)).text}")


def _record(line: StepLine) -> StepRecord:
    """Return a status line as a record that views can show; its artifacts are names only."""
    outputs = {
        name: Artifact(name=name, digest="", blob="", materializer="", size=0, type="")
        for name in line.outputs
    }
    return StepRecord(
        name=line.step,
        status=line.status,
        reason=line.reason,
        seconds=line.seconds,
        outputs=outputs,
        run=line.run,
        unrecorded=line.unrecorded,
    )


def _summary(execution: Execution) -> View:
    failure = execution.failure
    traceback = clean_block(failure.traceback).rstrip() if failure is not None else ""
    style = mark(execution.status)
    tally = ", ".join(f"{count} {word}" for word, count in _tally(execution).items())
    facts = [
        f"{clean(execution.path.name)} {style.word} in {duration(execution.seconds)}",
        f"{execution.cells} of {plural(execution.total, 'cell')} run",
        f"{plural(len(execution.steps), 'step')}{f' ({tally})' if tally else ''}",
        f"written to {clean(execution.out)}" if execution.out is not None else "",
    ]
    parts = [traceback, f"{style.symbol} {'; '.join(fact for fact in facts if fact)}"]
    parts += [_failed(failure)] if failure is not None else []
    text = "\n".join(part for part in parts if part)
    return View(text, block(text))


def _tally(execution: Execution) -> dict[str, int]:
    found = {status.value: sum(line.status is status for line in execution.steps) for status in Status}
    return {word: count for word, count in found.items() if count}


def _failed(failure: CellFailure) -> str:
    where = f"cell [{failure.number}]{f' (step `{clean(failure.step)}`)' if failure.step else ''}"
    message = clean(failure.message.strip().partition("\n")[0])
    return f"{where} failed: {clean(failure.type)}{f': {message}' if message else ''}"


PARTS = (
    Verb(
        name="run",
        help="run a notebook from top to bottom in a kernel of its own",
        run=run_notebook,
        arguments=(NOTEBOOK, STACK, PARAMETER, RERUN, OUT, TIMEOUT, BACKGROUND),
        examples=(
            "run study.ipynb",
            "run study.ipynb --stack my_stack -p depth=3 -o done.ipynb",
            "run study.ipynb --background",
        ),
        interfaces=frozenset({Interface.TERMINAL}),
    ),
)
