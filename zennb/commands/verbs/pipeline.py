"""Owns the command `pipeline`: the steps of a notebook, where each stands, why, and running them as one run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from zennb.commands.data import plain, step_data
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Command, Verb
from zennb.commands.verbs.notebook import OUT, PARAMETER, RERUN, STACK, TIMEOUT, run_notebook
from zennb.errors import UnknownName, UsageError
from zennb.views.pipeline import pipeline, plan_table
from zennb.views.step import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.commands.file_pipeline import NotebookFile
    from zennb.commands.parsed_arguments import ParsedArguments
    from zennb.core.planning.run_plan import RunPlan
    from zennb.core.records.records import Step

__all__ = ["PIPELINE"]


def _show(context: Context, arguments: ParsedArguments) -> Outcome:
    plan, records, title = _plan(context, arguments)
    return Outcome(view=pipeline(plan, title=title), data=_data(plan, records))


def _status(context: Context, arguments: ParsedArguments) -> Outcome:
    plan, records, _ = _plan(context, arguments)
    return Outcome(view=plan_table(plan, last=records), data=_data(plan, records))


def _run(context: Context, arguments: ParsedArguments) -> Outcome:
    __tracebackhide__ = True  # what a step raises passes through here
    if context.interface is Interface.TERMINAL:
        return run_notebook(context, arguments)
    if context.session is None:
        _no_session()
    run = context.session.run_pipeline(
        parameters=arguments.pairs("parameter"),
        stack=arguments.optional("stack"),
        start=arguments.optional("from"),
        only=arguments.optional("only"),
        rerun=arguments.flag("rerun"),
    )
    return Outcome(view=None, data=plain(run), code=0 if run.status.is_good else 1)


def _explain(context: Context, arguments: ParsedArguments) -> Outcome:
    name = arguments.text("step")
    plan, records, _ = _plan(context, arguments)
    step = plan.step(name)
    if step is None:
        raise UnknownName("step", name, [each.name for each in plan.steps])
    differences = [] if context.session is None or step.is_fresh else context.session.explain(name)
    remarks, previous = plan.remarks(name), records.get(name)
    view = explain(step, differences=differences, remarks=remarks, previous=previous)
    more = {"differences": differences, "remarks": remarks}
    return Outcome(
        view=view,
        data={**plain(step), **more, "previous": None if previous is None else step_data(previous)},
    )


def _forget(context: Context, arguments: ParsedArguments) -> Outcome:
    if context.session is None:
        _no_session()
    name = arguments.text("step")
    context.session.forget(name)
    stays = "its records and artifacts stay, and running its cell brings it back"
    sentence = f"step '{name}' has left the pipeline; {stays}."
    return Outcome(view=message_view(sentence), data={"forgotten": name}, sentence=sentence)


def _plan(context: Context, arguments: ParsedArguments) -> tuple[RunPlan, Mapping[str, Step], str]:
    """Return the pipeline asked about, the latest record of each step, and a title."""
    if context.interface is Interface.TERMINAL:
        found = _file(arguments)
        workspace = context.beside(arguments.text("notebook"))
        return found.state(workspace), found.records(workspace), found.path.name
    if context.session is None:
        _no_session()
    notebook = context.session.notebook
    title = notebook.replace("\\", "/").rpartition("/")[2]
    return context.session.plan(), context.session.latest(), title


def _file(arguments: ParsedArguments) -> NotebookFile:
    from zennb.commands.file_pipeline import NotebookFile  # only here: other verbs need no notebook files

    return NotebookFile(arguments.text("notebook"))


def _no_session() -> NoReturn:
    raise UsageError("there is no notebook session here yet; type `%load_ext zennb` and run the step cells.")


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


TERMINAL = frozenset({Interface.TERMINAL})
MAGIC = frozenset({Interface.MAGIC})
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
            arguments=(NOTEBOOK,),
            examples=("pipeline show {notebook}",),
        ),
        Verb(
            name="run",
            help="run the steps as one run; fresh ones are reused",
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
                RERUN,
                replace(OUT, faces=TERMINAL),
                replace(TIMEOUT, faces=TERMINAL),
            ),
            examples=("pipeline run {notebook}", "pipeline run {notebook} -p depth=3 --stack my_stack"),
        ),
        Verb(
            name="status",
            help="list the steps: what a run would do with each, and why",
            run=_status,
            arguments=(NOTEBOOK,),
            examples=("pipeline status {notebook}",),
        ),
        Verb(
            name="explain",
            help="say what a run would do with a step, and what differs from its latest record",
            run=_explain,
            arguments=(
                NOTEBOOK,
                Argument(flags=("STEP",), kind="step", required=True, help="the step's name"),
            ),
            examples=("pipeline explain {notebook} train",),
        ),
        Verb(
            name="forget",
            help="take a step out of the pipeline; its records and artifacts stay",
            run=_forget,
            faces=MAGIC,
            arguments=(Argument(flags=("STEP",), kind="step", required=True, help="the step's name"),),
            examples=("pipeline forget train",),
        ),
    ),
)
