"""Owns `zennb.run` and `zennb.plan`: `%pipeline run`, `zennb run` and their plans as functions."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.commands.file_pipeline import NotebookFile
from zennb.commands.verbs.notebook import run_error
from zennb.core.planning.notify import parse_notify
from zennb.core.records.records import Status
from zennb.engine.step.running import refuse_inside_step
from zennb.errors import StepRefused, UsageError
from zennb.handles.plan import PlanHandle
from zennb.handles.records import RunHandle
from zennb.headless.alerts import watched_run
from zennb.headless.background import start_notebook
from zennb.headless.execute import execute
from zennb.headless.parameter_values import LiteralText, literal, literal_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zennb.commands.session import Session
    from zennb.views.view import Shown

__all__ = ["annotate", "plan", "run"]

_in_kernel = threading.Lock()
"""A kernel has one namespace, so its pipeline runs once at a time; notebook files run in parallel."""

_runs_here = threading.local()
"""Set while this thread runs the pipeline: a step that started it again would wait for itself."""


def run(
    notebook: str | Path | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    stack: str | None = None,
    rerun: bool = False,
    start: str | None = None,
    only: str | None = None,
    out: str | Path | None = None,
    timeout: float | None = None,
    background: bool = False,
    notify: str | Sequence[str] = (),
) -> RunHandle:
    """Run a notebook and return the run.

    With a path, run that notebook file from top to bottom in a kernel of its own. Without one, run the pipeline of this
    kernel's notebook, as `%pipeline run` does, and bind its outputs. Any thread may call this, also several at once:
    files run in parallel, the pipeline of a kernel once at a time.

    Args:
        notebook: path of an .ipynb file; None for this kernel's own notebook.
        parameters: plain variables of the notebook → their values in this run; numbers, texts, and lists, tuples,
            dicts and sets of them.
        stack: name of the stack to run on, this time; by default the active one.
        rerun: reuse nothing.
        start: only this step and what follows it; of this kernel's own notebook only.
        only: only this step; of this kernel's own notebook only.
        out: where to write the executed notebook; of a file only.
        timeout: seconds that one cell may take; of a file only.
        background: only start it, in a process of its own that outlives this one; `run.attach()` shows its output.
        notify: who is told how it ends, as after `--notify`: "team", or "team:failure"; several in a list.

    Raises:
        RunFailed: a cell of the file failed; `error.run` is the run, `error.cause` the exception's class there.
        UnknownName: there is no such notebook, stack, parameter or step.
        UsageError: there is no notebook here, or an argument does not fit.
        StepRefused: the kernel of a file did not start, or a step runs its own pipeline.
        PlanError: the steps do not form a pipeline.
        KeyboardInterrupt: it was interrupted.
        Exception: without a path, whatever a step raised: its own exception.
    """
    __tracebackhide__ = True
    told = (notify,) if isinstance(notify, str) else tuple(notify)
    parse_notify(told)
    texts = {name: _as_text(name, value) for name, value in (parameters or {}).items()}
    if notebook is not None:
        _refuse("of this kernel's own notebook", start=start, only=only)
        begin = _start_file if background else _run_file
        return begin(Path(notebook), texts, stack=stack, rerun=rerun, out=out, timeout=timeout, notify=told)
    _refuse("of a notebook file", out=out, timeout=timeout)
    session = _session("zennb.run")
    with _turn():
        done = session.run_pipeline(
            parameters=texts,
            stack=stack,
            start=start,
            only=only,
            rerun=rerun,
            background=background,
            notify=told,
        )
    return RunHandle(done, api.source())


def plan(notebook: str | Path | None = None) -> PlanHandle:
    """Return what a run would do with each step, without executing anything.

    Args:
        notebook: path of an .ipynb file; None for this kernel's own notebook.

    Raises:
        UnknownName: there is no such notebook.
        BrokenNotebook: the file is no Python notebook.
        UsageError: there is no notebook here, or a step cell cannot be read.
        PlanError: the steps do not form a pipeline.
    """
    if notebook is None:
        session = _session("zennb.plan")
        return PlanHandle(session.plan(), title=Path(session.notebook.replace("\\", "/")).name)
    file = NotebookFile(notebook)
    return PlanHandle(file.state(api.workspace_beside(file.path)), title=file.path.name)


def annotate(
    variable: str, labels: Sequence[str] = (), *, target: str | None = None, annotator: str = ""
) -> Shown:
    """Return the panel that labels the items of a variable of the notebook by hand, as `%annotate` shows it.

    Args:
        variable: the name of the variable with the items.
        labels: to choose from; by default those of the last time.
        target: the name that the labels are bound to; by default `VARIABLE_labels`.
        annotator: the annotator to use; by default that of the stack, else the panel in the notebook.

    Raises:
        UnknownName: there is no such variable or annotator.
        UsageError: there is no notebook here, or nothing to choose from.
    """
    session = api.session()
    if session is None:
        raise UsageError("zennb.annotate() labels in a notebook: type `%load_ext zennb` there first.")
    target = target or f"{variable}_labels"
    if not target.isidentifier():
        raise UsageError(f"zennb.annotate(): '{target}' is no name of a variable.")
    shown: Shown = session.annotate(variable, labels=labels, target=target, annotator=annotator)
    return shown


@contextmanager
def _turn() -> Iterator[None]:
    """Wait until no other thread runs the pipeline of this kernel."""
    refuse_inside_step(is_turn=False)  # before it waits for the run that this step belongs to
    if getattr(_runs_here, "is_set", False):
        raise StepRefused(
            "the pipeline is running here already; a step cannot run the pipeline it belongs to."
        )
    with _in_kernel:
        refuse_inside_step()
        _runs_here.is_set = True
        try:
            yield
        finally:
            _runs_here.is_set = False


def _run_file(
    path: Path,
    parameters: Mapping[str, str],
    *,
    stack: str | None,
    rerun: bool,
    out: str | Path | None,
    timeout: float | None,
    notify: Sequence[str],
) -> RunHandle:
    opened = api.workspace_beside(path)
    if stack is not None:
        opened.registry.stack(stack)  # an unknown one is refused before a kernel starts
    with watched_run(opened, notify, path, say=_say) as ended:
        execution = execute(
            path, stack=stack, parameters=parameters, out=out, timeout=timeout, rerun=rerun, workspace=opened
        )
        ended(execution)
    if execution.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    record = None if execution.run is None else opened.metadata.run(execution.run)
    assert record is not None  # it was recorded before the kernel started
    done = RunHandle(record, api.source(lambda: api.workspace_beside(path)))
    error = run_error(execution)
    if error is not None:
        error.run = done
        raise error
    return done


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _start_file(path: Path, parameters: Mapping[str, str], *, stack: str | None, **more: Any) -> RunHandle:
    opened = api.workspace_beside(path)
    if stack is not None:
        opened.registry.stack(stack)
    run = start_notebook(path, workspace=opened, stack=stack, parameters=parameters, **more)
    return RunHandle(run, api.source(lambda: api.workspace_beside(path)))


def _session(what: str) -> Session:
    found: Session | None = api.session()
    if found is None:
        raise UsageError(
            f"{what}() needs to know the notebook: give the path of an .ipynb file, "
            "or type `%load_ext zennb` in the notebook first."
        )
    return found


def _refuse(where: str, **arguments: object) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise UsageError(f"zennb.run: {name}= is for runs {where}; leave it out here.")


def _as_text(name: str, value: Any) -> str:
    """Return the text that gives a parameter this value: `3` for 3, `ridge` for "ridge", `'3'` for "3"."""
    text = repr(value)
    if isinstance(value, str):
        with suppress(UsageError):  # text that looks like a literal is quoted below
            if literal(value) == text:
                return LiteralText(value)
    again = literal_value(text)
    if type(again) is not type(value) or again != value:
        kind = type(value).__name__
        raise UsageError(
            f"zennb.run: parameter '{name}' is a {kind} that cannot be written down as text; give a number, a text, "
            "or a list, tuple, dict or set of them."
        )
    return LiteralText(text)
