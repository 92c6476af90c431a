"""Owns the command `pipeline`: the steps of a notebook, what a run would do with each, and running them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.commands.data import plain, step_data
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.step_options import NOTIFY
from zennb.commands.syntax import Argument, Command, verb
from zennb.commands.verbs.background import started_outcome
from zennb.commands.verbs.notebook import (
    BACKGROUND,
    NOTEBOOK,
    OUT,
    PARAMETER,
    RERUN,
    STACK,
    TIMEOUT,
    run_notebook,
)
from zennb.core.planning.notify import parse_notify
from zennb.engine.step.running import refuse_inside_step
from zennb.errors import UnknownName, UsageError
from zennb.views.pipeline import pipeline, plan_table
from zennb.views.step import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.commands.session import Session
    from zennb.core.planning.run_plan import RunPlan
    from zennb.core.records.records import Step

__all__ = ["PARTS"]


TERMINAL = frozenset({Interface.TERMINAL})
MAGIC = frozenset({Interface.MAGIC})
FILE = replace(NOTEBOOK, interfaces=TERMINAL)
STEP = Argument("STEP", "the step's name", required=True, kind="step")


@verb("draw the steps and the data that flows between them", FILE, examples=("pipeline show {notebook}",))
def _show(context: Context, notebook: str | None) -> Outcome:
    plan, records, title = _plan(context, notebook)
    return Outcome(view=pipeline(plan, title=title), data=_data(plan, records))


@verb(
    "list the steps: what a run would do with each, and why",
    FILE,
    examples=("pipeline status {notebook}",),
)
def _status(context: Context, notebook: str | None) -> Outcome:
    plan, records, _ = _plan(context, notebook)
    return Outcome(view=plan_table(plan, last=records), data=_data(plan, records))


@verb(
    "run the steps as one run; fresh ones are reused",
    FILE,
    PARAMETER,
    STACK,
    Argument("--from", "only this step and what follows it", kind="step", word="STEP", interfaces=MAGIC),
    Argument("--only", "only this step", kind="step", word="STEP", interfaces=MAGIC),
    RERUN,
    BACKGROUND,
    NOTIFY,
    replace(OUT, interfaces=TERMINAL),
    replace(TIMEOUT, interfaces=TERMINAL),
    examples=(
        "pipeline run {notebook}",
        "pipeline run {notebook} -p depth=3 --stack my_stack",
        "pipeline run {notebook} --background",
    ),
)
def _run(context: Context, from_: str | None, only: str | None, **arguments: Any) -> Outcome:
    __tracebackhide__ = True  # what a step raises passes through here
    if context.interface is Interface.TERMINAL:
        return run_notebook(context, **arguments)
    session = _session(context)
    refuse_inside_step()
    parse_notify(arguments["notify"])
    run = session.run_pipeline(
        parameters=arguments["parameter"],
        stack=arguments["stack"],
        start=from_,
        only=only,
        rerun=arguments["rerun"],
        background=arguments["background"],
        notify=arguments["notify"],
    )
    if not run.status.is_final:
        return started_outcome(context, run, context.workspace)
    return Outcome(view=None, data=plain(run), code=0 if run.status.is_good else 1)


@verb(
    "show what a run would do with a step, and what differs from its latest record",
    FILE,
    STEP,
    examples=("pipeline explain {notebook} train",),
)
def _explain(context: Context, notebook: str | None, step: str) -> Outcome:
    plan, records, _ = _plan(context, notebook)
    planned = plan.step(step)
    if planned is None:
        raise UnknownName("step", step, [each.name for each in plan.steps])
    step = planned.name  # which may also be known by the name that was given here
    differences = [] if context.session is None or planned.is_fresh else context.session.explain(step)
    remarks, previous = plan.remarks(step), records.get(step)
    view = explain(planned, differences=differences, remarks=remarks, previous=previous)
    more = {"differences": differences, "remarks": remarks}
    return Outcome(
        view=view,
        data={**plain(planned), **more, "previous": None if previous is None else step_data(previous)},
    )


@verb(
    "take a step out of the pipeline; its records and artifacts stay",
    STEP,
    examples=("pipeline forget train",),
    interfaces=MAGIC,
)
def _forget(context: Context, step: str) -> Outcome:
    _session(context).forget(step)
    stays = "its records and artifacts stay, and running its cell brings it back"
    sentence = f"step '{step}' has left the pipeline; {stays}."
    return Outcome(view=message_view(sentence), data={"forgotten": step}, sentence=sentence)


def _plan(context: Context, notebook: str | None) -> tuple[RunPlan, Mapping[str, Step], str]:
    """Return the pipeline asked about, the latest record of each step, and a title."""
    if notebook is not None:
        from zennb.commands.file_pipeline import NotebookFile  # only here: other verbs need no notebook files

        file = NotebookFile(notebook)
        workspace = context.beside(notebook)
        return file.state(workspace), file.records(workspace), file.path.name
    session = _session(context)
    title = session.notebook.replace("\\", "/").rpartition("/")[2]
    return session.plan(), session.latest(), title


def _session(context: Context) -> Session:
    if context.session is None:
        raise UsageError(
            "there is no notebook session here yet; type `%load_ext zennb` and run the step cells."
        )
    return context.session


def _data(plan: RunPlan, records: Mapping[str, Step]) -> dict[str, object]:
    steps = [
        {**plain(step), "run": records[step.name].run if step.name in records else None}
        for step in plan.steps
    ]
    return {
        "steps": steps,
        "edges": [
            {"from": each.start, "to": each.end, "names": list(each.names), "files": list(each.files)}
            for each in plan.edges
        ],
    }


PARTS = (
    Command(
        name="pipeline",
        help="show the steps of a notebook as a pipeline, and run them as one run",
        default="show",
        examples=(
            "pipeline show {notebook}",
            "pipeline status {notebook}",
            "pipeline run {notebook} -p depth=3 --stack my_stack",
            "pipeline explain {notebook} train",
        ),
        parts=(_show, _run, _status, _explain, _forget),
    ),
)
