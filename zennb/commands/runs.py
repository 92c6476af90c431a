"""Owns the command `runs`: what was run, on which stack, and what differed between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.data import plain, step_data
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import JSON, Argument, Command, Verb
from zennb.core.records import Status
from zennb.errors import UnknownName
from zennb.views import comparison
from zennb.views import run as run_view

if TYPE_CHECKING:
    from zennb.commands.given import Given
    from zennb.core.records import Run

__all__ = ["RUNS"]

RECENT = 20
"""Runs that a list shows when nobody says how many."""


def _list(context: Context, given: Given) -> Outcome:
    limit = given.integer("limit")
    found = context.workspace.metadata.runs(
        stack=given.maybe("stack"),
        status=given.maybe("status"),
        limit=RECENT if limit is None else limit,
    )
    return Outcome(view=run_view.runs(found), data=plain(found))


def _show(context: Context, given: Given) -> Outcome:
    run = _run(context, given.text("id"))
    steps = context.workspace.metadata.steps(run.id) if run.id is not None else []
    data = {**plain(run), "steps": [step_data(step) for step in steps]}
    return Outcome(view=run_view.run(run, steps), data=data)


def _compare(context: Context, given: Given) -> Outcome:
    metadata = context.workspace.metadata
    old, new = _run(context, given.text("old")), _run(context, given.text("new"))
    old_steps, new_steps = (metadata.steps(run.id or 0) for run in (old, new))
    sides = ((old, old_steps), (new, new_steps))
    data = [{**plain(run), "steps": [step_data(step) for step in steps]} for run, steps in sides]
    return Outcome(view=comparison.compare(old, old_steps, new, new_steps), data=data)


def _run(context: Context, text: str) -> Run:
    metadata = context.workspace.metadata
    found = metadata.run(int(text)) if text.isdecimal() and len(text) < 16 else None
    if found is None:
        known = [str(run) for run in metadata.run_ids(limit=RECENT)]
        raise UnknownName("run", text, known)
    return found


def _id(word: str) -> Argument:
    return Argument(flags=(word,), kind="run", required=True, help="a run's number, as lists show it")


RUNS = Command(
    name="runs",
    help="see what was run, on which stack, and how it ended",
    default="list",
    examples=("runs", "runs list --stack my_stack --limit 5", "runs show 12", "runs compare 11 12"),
    parts=(
        Verb(
            name="list",
            help="list runs, newest first",
            run=_list,
            arguments=(
                Argument(flags=("--stack",), kind="stack", help="only runs on this stack"),
                Argument(
                    flags=("--status",),
                    kind="choice",
                    choices=tuple(status.value for status in Status),
                    help="only runs in this state",
                ),
                Argument(
                    flags=("--limit",), number=int, word="N", help=f"at most so many; {RECENT} by default"
                ),
                JSON,
            ),
            examples=("runs list", "runs list --status failed"),
        ),
        Verb(
            name="show",
            help="show one run: its stack, parameters, versions and steps",
            run=_show,
            arguments=(_id("ID"), JSON),
            examples=("runs show 12",),
        ),
        Verb(
            name="compare",
            help="show what differed between two runs",
            run=_compare,
            arguments=(_id("OLD"), _id("NEW"), JSON),
            examples=("runs compare 11 12",),
        ),
    ),
)
