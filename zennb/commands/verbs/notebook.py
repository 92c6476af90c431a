"""Owns the command `run`: executes a notebook file from top to bottom, and shows each step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.json_envelope import FAILED, INTERRUPTED
from zennb.commands.outcome import Context, Outcome
from zennb.commands.run_lines import failed_cell
from zennb.commands.run_progress import RunProgress
from zennb.commands.step_options import NOTIFY
from zennb.commands.syntax import Argument, Verb
from zennb.commands.verbs.background import started_outcome
from zennb.core.records.records import Status
from zennb.core.secrets.names import is_secret
from zennb.errors import RunFailed, UsageError
from zennb.headless.notebook_label import label
from zennb.views.mark import mark
from zennb.views.markup import block
from zennb.views.text import clean, clean_block, duration, plural
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.headless.execute import Execution
    from zennb.registry.workspace import Workspace

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
SWEPT_OUT = Argument(
    "-o --out",
    "write the executed notebook here; with --sweep a folder, or a pattern such as runs/{alpha}.ipynb",
    word="FILE",
    kind="path",
)
SWEEP = Argument(
    "--sweep",
    "run a variant for each of these values of a plain variable; several options give all combinations",
    type=list,
    word="NAME=VALUE,VALUE",
)
WORKERS = Argument(
    "--workers",
    "how many variants of a sweep run side by side; by default one per core, and 8 at most",
    type=int,
    word="N",
)
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
    sweep: Sequence[str] = (),
    workers: int | None = None,
    notify: tuple[str, ...] = (),
) -> Outcome:
    """Run a notebook in a kernel of its own; the exit code is 0 if every cell succeeded, or if it began."""
    if sweep and background:
        raise UsageError(
            "--sweep compares its variants when all have ended, so it cannot run with --background."
        )
    from zennb.headless.alerts import watched_run

    if sweep:
        from zennb.commands.verbs.sweep import run_sweep  # most notebooks are run alone

        with watched_run(context.beside(notebook), notify, notebook, say=context.say) as ended:
            outcome = run_sweep(
                context,
                notebook,
                sweep,
                stack=stack,
                fixed=parameter,
                rerun=rerun,
                out=out,
                timeout=timeout,
                workers=workers,
            )
            ended("" if outcome.error is None else outcome.error.message)
        return outcome
    if workers is not None:
        raise UsageError(f"--workers {workers} is for the variants of a --sweep, and there is none.")
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
            notify=notify,
        )
        return started_outcome(context, run, workspace)
    with (
        watched_run(workspace, notify, notebook, say=context.say) as ended,
        RunProgress(context, _durations(workspace, notebook)) as progress,
    ):
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
        ended(execution)
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
        f"{execution.path.name}: {failed_cell(failure)}",
        notebook=str(execution.path),
        cell=failure.number,
        step=failure.step,
        cause=failure.type,
        traceback=failure.traceback,
    )


def _durations(workspace: Workspace, notebook: str) -> dict[str, float]:
    """Return step name → seconds that it took when it ran last, of the steps of a notebook."""
    latest = workspace.metadata.latest_steps(label(Path(notebook), workspace.home))
    return {step.name: step.seconds + step.saved for step in latest}


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
    parts += [failed_cell(failure)] if failure is not None else []
    text = "\n".join(part for part in parts if part)
    return View(text, block(text))


def _tally(execution: Execution) -> dict[str, int]:
    found = {status.value: sum(line.status is status for line in execution.steps) for status in Status}
    return {word: count for word, count in found.items() if count}


PARTS = (
    Verb(
        name="run",
        help="run a notebook from top to bottom in a kernel of its own",
        run=run_notebook,
        arguments=(NOTEBOOK, STACK, PARAMETER, SWEEP, WORKERS, RERUN, SWEPT_OUT, TIMEOUT, BACKGROUND, NOTIFY),
        examples=(
            "run study.ipynb",
            "run study.ipynb --stack my_stack -p depth=3 -o done.ipynb",
            "run study.ipynb --background",
            "run study.ipynb --notify team:failure",
            "run study.ipynb --sweep alpha=0.1,0.3,1.0 --sweep depth=3,5 -o runs/",
        ),
        interfaces=frozenset({Interface.TERMINAL}),
    ),
)
