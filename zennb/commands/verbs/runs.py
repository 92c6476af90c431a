"""Owns the command `runs`: what was run, on which stack, and what differed between two runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.commands.data import plain, step_data
from zennb.commands.interface import Interface
from zennb.commands.json_envelope import limited
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Command, Verb
from zennb.core.records.records import Status
from zennb.engine.run.run_log import run_log
from zennb.errors import UnknownName
from zennb.headless.notebook_label import label
from zennb.views import comparison
from zennb.views import run as run_view
from zennb.views.log import log

if TYPE_CHECKING:
    from zennb.commands.parsed_arguments import ParsedArguments
    from zennb.core.records.records import Run

__all__ = ["RUNS"]

RECENT = 20
"""Runs that a list shows when nobody says how many."""

MOST_STEPS = 100
"""Steps of one run in a JSON object when nobody says how many."""


def _list(context: Context, arguments: ParsedArguments) -> Outcome:
    limit = arguments.limit(RECENT)
    runs = context.workspace.metadata.runs(
        stack=arguments.optional("stack"),
        status=arguments.optional("status"),
        kind=arguments.optional("kind"),
        notebook=_notebook(context, arguments.optional("notebook")),
        nested=arguments.flag("nested") or arguments.optional("kind") is not None,
        limit=limit + 1,
    )
    found, cut = limited(runs, limit)
    return Outcome(view=run_view.runs(found, page=_page()), data=plain(found), cut=cut)


def _page() -> int:
    """Return how wide a list may be: as the terminal, where there is one."""
    return max(80, min(160, shutil.get_terminal_size((120, 24)).columns))


def _notebook(context: Context, text: str | None) -> str | None:
    """Return a notebook's name in records, given that or its path."""
    if text is None or text in context.workspace.metadata.listings.notebooks():
        return text
    path = Path(text)
    return label(path, context.workspace.home) if path.is_file() else text


def _show(context: Context, arguments: ParsedArguments) -> Outcome:
    metadata, run = context.workspace.metadata, _run(context, arguments.text("id"))
    steps, started = metadata.steps(run.id or 0), metadata.children(run.id or 0)
    listed, cut = limited(steps, arguments.limit(MOST_STEPS), path="data.steps")
    data = {**plain(run), "steps": [step_data(step) for step in listed], "started_runs": plain(started)}
    return Outcome(view=run_view.run(run, steps, started=started), data=data, cut=cut)


def _logs(context: Context, arguments: ParsedArguments) -> Outcome:
    found = run_log(context.workspace, _run(context, arguments.text("run")), arguments.optional("step"))
    most = {"most": sys.maxsize} if context.interface is Interface.TERMINAL else {}
    steps = [
        {
            "step": each.step.name,
            "status": each.step.status.value,
            "started": each.step.started,
            "seconds": each.step.seconds,
            "text": each.text,
            "events": plain(each.events),
            "missing": each.missing,
            "failure": plain(each.step.failure),
        }
        for each in found.steps
    ]
    return Outcome(view=log(found, **most), data={"run": found.run.id, "steps": steps})


def _compare(context: Context, arguments: ParsedArguments) -> Outcome:
    metadata = context.workspace.metadata
    old, new = _run(context, arguments.text("old")), _run(context, arguments.text("new"))
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
    help="see what was run, on which stack, what it printed, and how it ended",
    default="list",
    examples=(
        "runs",
        "runs list --stack my_stack --limit 5",
        "runs show 12",
        "runs logs 12 train",
        "runs compare 11 12",
    ),
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
                    flags=("--kind",),
                    kind="choice",
                    choices=("notebook", "pipeline", "session", "step"),
                    help="only runs of whole notebooks, of pipelines, or of cells run by hand (`step`: in version 0.1)",
                ),
                Argument(
                    flags=("--notebook",),
                    kind="path",
                    help="only runs of this notebook: its path, or its name in the list",
                ),
                Argument(
                    flags=("--nested",),
                    switch=True,
                    help="also runs that a run which has ended had started, as with --kind",
                ),
                Argument(
                    flags=("--limit",), number=int, word="N", help=f"at most so many; {RECENT} by default"
                ),
            ),
            examples=("runs list", "runs list --status failed", "runs list --kind notebook"),
        ),
        Verb(
            name="show",
            help="show one run: its stack, parameters, git commit, packages, steps and their failed attempts",
            run=_show,
            arguments=(
                _id("ID"),
                Argument(
                    flags=("--limit",),
                    number=int,
                    word="N",
                    help=f"with --json, at most so many steps; {MOST_STEPS} by default",
                ),
            ),
            examples=("runs show 12",),
        ),
        Verb(
            name="logs",
            help="show what the steps of a run printed and showed, and the traceback of those that failed",
            run=_logs,
            arguments=(
                _id("RUN"),
                Argument(flags=("STEP",), kind="step", help="only this step"),
            ),
            examples=("runs logs 12", "runs logs 12 train"),
        ),
        Verb(
            name="compare",
            help="show what differed between two runs; of a step that ran several times the latest counts",
            run=_compare,
            arguments=(_id("OLD"), _id("NEW")),
            examples=("runs compare 11 12",),
        ),
    ),
)
