"""Owns the command `pipeline`: the steps of a notebook, where each stands, why, and running them as one run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from zennb.commands.data import plain, step_data
from zennb.commands.face import Face
from zennb.commands.notebook import OUT, PARAMETER, STACK, TIMEOUT, run_notebook
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import JSON, Argument, Command, Verb
from zennb.core.plan import Plan
from zennb.core.records import Status
from zennb.errors import UnknownName, UsageError
from zennb.views.pipeline import Standing, pipeline, standings
from zennb.views.step import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.commands.given import Given
    from zennb.commands.outline import NotebookFile
    from zennb.core.records import Step
    from zennb.core.run_plan import PlannedStep, RunPlan

__all__ = ["PIPELINE"]


def _show(context: Context, given: Given) -> Outcome:
    state, records, title = _state(context, given)
    view = pipeline(_plan(state), found=_standings(state, records), title=title)
    return Outcome(view=view, data=_data(state, records))


def _status(context: Context, given: Given) -> Outcome:
    state, records, _ = _state(context, given)
    return Outcome(view=standings(_standings(state, records)), data=_data(state, records))


def _run(context: Context, given: Given) -> Outcome:
    __tracebackhide__ = True  # what a step raises passes through here
    if context.face is Face.TERMINAL:
        return run_notebook(context, given)
    if context.session is None:
        _no_session()
    run = context.session.run_pipeline(
        parameters=given.pairs("parameter"),
        stack=given.maybe("stack"),
        start=given.maybe("from"),
        only=given.maybe("only"),
        rerun=given.switch("rerun"),
    )
    return Outcome(view=None, data=plain(run), code=0 if run.status.is_good else 1)


def _explain(context: Context, given: Given) -> Outcome:
    name = given.text("step")
    state, records, _ = _state(context, given)
    node = state.step(name)
    if node is None:
        raise UnknownName("step", name, [each.name for each in state.steps])
    told = context.session.explain(name) if context.session is not None else [node.reason]
    last = records.get(name)
    view = explain(name, differences=told, fresh=node.is_fresh, reason=node.reason, previous=last)
    previous = None if last is None else step_data(last)
    return Outcome(view=view, data={**plain(node), "differences": told, "previous": previous})


def _state(context: Context, given: Given) -> tuple[RunPlan, Mapping[str, Step], str]:
    """Return the pipeline asked about, the latest record of each step, and a title."""
    if context.face is Face.TERMINAL:
        found = _file(given)
        records = found.records(context.beside(given.text("notebook")))
        return found.state(records), records, found.path.name
    if context.session is None:
        _no_session()
    notebook = context.session.notebook
    records = {step.name: step for step in context.workspace.metadata.latest_steps(notebook)}
    return context.session.plan(), records, notebook.replace("\\", "/").rpartition("/")[2]


def _file(given: Given) -> NotebookFile:
    from zennb.commands.outline import NotebookFile  # only here: other verbs need no notebook files

    return NotebookFile(given.text("notebook"))


def _no_session() -> NoReturn:
    raise UsageError("there is no notebook session here yet; type `%load_ext zennb` and run the step cells.")


def _plan(state: RunPlan) -> Plan:
    edges = {(edge.start, edge.end): edge.names for edge in state.edges}
    return Plan(order=tuple(node.name for node in state.steps), edges=edges)


def _standings(state: RunPlan, records: Mapping[str, Step]) -> list[Standing]:
    stale = {node.name for node in state.steps if not node.is_fresh}
    fed_by_stale = {edge.end for edge in state.edges if edge.start in stale}
    return [_standing(node, records.get(node.name), node.name in fed_by_stale) for node in state.steps]


def _standing(node: PlannedStep, last: Step | None, fed_by_stale: bool) -> Standing:
    return Standing(
        name=node.name,
        fresh=node.is_fresh,
        reason=node.reason,
        remark=node.remark,
        last=last,
        upstream=not node.is_fresh
        and fed_by_stale
        and last is not None
        and last.status in {Status.COMPLETED, Status.CACHED},
    )


def _data(state: RunPlan, records: Mapping[str, Step]) -> dict[str, object]:
    steps = [
        {**plain(node), "run": records[node.name].run if node.name in records else None}
        for node in state.steps
    ]
    return {
        "steps": steps,
        "edges": [
            {"from": each.start, "to": each.end, "names": list(each.names), "files": list(each.files)}
            for each in state.edges
        ],
    }


TERMINAL = frozenset({Face.TERMINAL})
MAGIC = frozenset({Face.MAGIC})
NOTEBOOK = Argument(
    flags=("NOTEBOOK",), kind="notebook", required=True, faces=TERMINAL, help="path of an .ipynb file"
)

PIPELINE = Command(
    name="pipeline",
    help="see the steps of a notebook as a pipeline, and run them as one run",
    default="show",
    examples=(
        "pipeline show {notebook}",
        "pipeline status {notebook}",
        "pipeline run {notebook} -p depth=3 --stack my_stack",
        "pipeline explain {notebook} train",
    ),
    parts=(
        Verb(
            name="show",
            help="draw the steps and what flows between them",
            run=_show,
            arguments=(NOTEBOOK, JSON),
            examples=("pipeline show {notebook}",),
        ),
        Verb(
            name="run",
            help="run the steps as one run; what is up to date is reused",
            run=_run,
            arguments=(
                NOTEBOOK,
                PARAMETER,
                STACK,
                Argument(
                    flags=("--from",),
                    kind="step",
                    word="STEP",
                    faces=MAGIC,
                    help="only this step and what follows it",
                ),
                Argument(flags=("--only",), kind="step", word="STEP", faces=MAGIC, help="only this step"),
                Argument(flags=("--rerun",), switch=True, faces=MAGIC, help="reuse nothing"),
                replace(OUT, faces=TERMINAL),
                replace(TIMEOUT, faces=TERMINAL),
            ),
            examples=("pipeline run {notebook}", "pipeline run {notebook} -p depth=3 --stack my_stack"),
        ),
        Verb(
            name="status",
            help="list the steps: up to date or not, and why",
            run=_status,
            arguments=(NOTEBOOK, JSON),
            examples=("pipeline status {notebook}",),
        ),
        Verb(
            name="explain",
            help="say what differs between a step as it stands and its latest record",
            run=_explain,
            arguments=(
                NOTEBOOK,
                Argument(flags=("STEP",), kind="step", required=True, help="the step's name"),
                JSON,
            ),
            examples=("pipeline explain {notebook} train",),
        ),
    ),
)
