"""Owns the command `runs`: lists and shows runs, their logs, and the differences between two."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.commands.data import plain, step_data
from zennb.commands.interface import Interface
from zennb.commands.json_envelope import limited
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Command, verb
from zennb.commands.verbs.background import ID, attach_verb, find_run, stop_verb
from zennb.commands.verbs.labels import note_verb, tag_verb, tagged
from zennb.commands.verbs.space import DELETE
from zennb.core.planning.expiry import parse_duration
from zennb.core.records.metrics import metrics_of_run
from zennb.core.records.records import Run, Status, Step
from zennb.core.records.run_conditions import parse_where
from zennb.engine.background.attach import forget_output, with_progress
from zennb.engine.run.run_log import run_log
from zennb.engine.sharing.shared_records import shared_of
from zennb.errors import UnknownName, UsageError
from zennb.headless.notebook_label import label
from zennb.views import comparison
from zennb.views import metrics as metrics_view
from zennb.views import run as run_view
from zennb.views.log import log
from zennb.views.shared_runs import shared_runs
from zennb.views.text import plural
from zennb.views.view import join, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import Run
    from zennb.views.view import Displayed

__all__ = ["PARTS"]

RECENT = 20
"""Default number of runs in a list."""

MOST_STEPS = 100
"""Default number of steps of a run in a JSON object."""


def _id(word: str) -> Argument:
    return replace(ID, spellings=word)


@verb(
    "list runs, newest first",
    Argument("--stack", "only runs on this stack", kind="stack"),
    Argument(
        "--status",
        "only runs in this state",
        kind="choice",
        choices=tuple(status.value for status in Status),
    ),
    Argument(
        "--kind",
        "only runs of whole notebooks, of pipelines, or of cells run by hand (`step`: in old databases)",
        kind="choice",
        choices=("notebook", "pipeline", "session", "step"),
    ),
    Argument("--notebook", "only runs of this notebook: its path, or its name in the list", kind="path"),
    tagged("runs"),
    Argument(
        "--where",
        'only runs whose metrics or parameters meet this: "accuracy > 0.9 and depth = 3"',
        word="CONDITION",
    ),
    Argument("--nested", "also runs that were started by a run that has ended, as with --kind", type=bool),
    Argument(
        "--shared", "what everybody ran who leaves records in the active stack's artifact store", type=bool
    ),
    Argument("--limit", f"at most this many; {RECENT} by default", type=int, default=RECENT, word="N"),
    examples=(
        "runs list",
        "runs list --status failed",
        "runs list --kind notebook",
        "runs list --tag baseline",
        "runs list --where 'accuracy > 0.9 and depth = 3'",
        "runs list --shared",
    ),
)
def _list(
    context: Context,
    notebook: str | None,
    kind: str | None,
    nested: bool,
    limit: int,
    *,
    where: str | None,
    shared: bool,
    **filters: Any,
) -> Outcome:
    if shared:
        if nested or where or any(filters.values()):
            raise UsageError(
                f"{context.command_line}: with `--shared`, only `--notebook`, `--kind` and `--limit` apply."
            )
        return _shared(context, notebook, kind, limit)
    runs = context.workspace.metadata.runs(
        notebook=_notebook(context, notebook),
        kind=kind,
        nested=nested or kind is not None,
        where=parse_where(where),
        limit=limit + 1,
        **filters,
    )
    listed, cut = limited(runs, limit)
    found = with_progress(context.workspace, listed)
    is_filtered = any([notebook, kind, where, *filters.values()])
    view: Displayed = run_view.runs(found, page=_page(), is_filtered=is_filtered)
    if found and not (nested or is_filtered) and (left_out := _started(context, found)):
        sentence = f"{left_out} not shown; `{context.command_line} --nested` shows them."
        view = join([view, note(context.interface.adapt(sentence))])
    return Outcome(view=view, data=plain(found), cut=cut)


def _started(context: Context, listed: Sequence[Run]) -> str:
    """Say how many runs some of the listed ones have started; "" if none."""
    known = {run.id for run in listed}
    since = min(run.started for run in listed)
    runs = context.workspace.metadata.runs(since=since, nested=True, limit=MOST_STEPS)
    by = Counter(run.parent for run in runs if run.parent in known and run.id not in known)
    total = sum(by.values())
    if not total:
        return ""
    which = f"run {min(by)}" if len(by) == 1 else f"{len(by)} of these"  # type: ignore[type-var]  # no None is known
    return f"{plural(total, 'run')} that {which} started {'is' if total == 1 else 'are'}"


def _shared(context: Context, notebook: str | None, kind: str | None, limit: int) -> Outcome:
    records = shared_of(context.workspace)
    wanted = _notebook(context, notebook)
    runs = [
        each
        for each in records.runs()
        if wanted in {None, each.notebook} and (kind is None or kind == each.kind)
    ]
    found, cut = limited(runs, limit)
    return Outcome(view=shared_runs(found, store=records.name, page=_page()), data=plain(found), cut=cut)


@verb(
    "show one run: its stack, parameters, git commit, packages, steps and their failed attempts",
    _id("ID"),
    Argument(
        "--limit",
        f"with --json, at most this many steps; {MOST_STEPS} by default",
        type=int,
        default=MOST_STEPS,
        word="N",
    ),
    examples=("runs show 12",),
)
def _show(context: Context, id: str, limit: int) -> Outcome:  # noqa: A002 - the argument's name
    metadata = context.workspace.metadata
    (run,) = with_progress(context.workspace, [find_run(context, id)])
    steps, started = metadata.steps(run.id or 0), metadata.children(run.id or 0)
    listed, cut = limited(steps, limit, path="data.steps")
    data = {**plain(run), "steps": [step_data(step) for step in listed], "started_runs": plain(started)}
    return Outcome(view=run_view.run(run, steps, started=started), data=data, cut=cut)


@verb(
    "show what the steps of a run printed and showed, and the traceback of those that failed",
    _id("RUN"),
    Argument("STEP", "only this step", kind="step"),
    examples=("runs logs 12", "runs logs 12 train"),
)
def _logs(context: Context, run: str, step: str | None) -> Outcome:
    found = run_log(context.workspace, find_run(context, run), step)
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


@verb(
    "show what differed between two runs, or the parameters and metrics of several side by side; of a step that ran "
    "several times the latest counts",
    _id("OLD"),
    _id("NEW"),
    Argument("MORE", "further runs", type=list, kind="run"),
    examples=("runs compare 11 12", "runs compare 11 12 13"),
)
def _compare(context: Context, old: str, new: str, more: list[str]) -> Outcome:
    sides = _with_steps(context, [old, new, *more])
    data = [{**plain(run), "steps": [step_data(step) for step in steps]} for run, steps in sides]
    if more:
        return Outcome(view=comparison.compare_many(sides), data=data)
    (before, old_steps), (after, new_steps) = sides
    return Outcome(view=comparison.compare(before, old_steps, after, new_steps), data=data)


@verb(
    "draw a metric: over all executions of the steps that logged it, or its curve in some runs",
    Argument("METRIC", "the name it was logged under", required=True, kind="metric"),
    Argument(
        "RUN",
        "the runs whose curves are drawn; by default the last value of each execution",
        type=list,
        kind="run",
    ),
    Argument("--by", "draw it over the values of this input of the step", word="INPUT"),
    Argument("--step", "only this step", kind="step"),
    Argument("--notebook", "only this notebook: its path, or its name in the list", kind="path"),
    Argument(
        "--limit",
        f"at most this many executions, the newest; {MOST_STEPS} by default",
        type=int,
        default=MOST_STEPS,
        word="N",
    ),
    examples=("runs chart accuracy", "runs chart accuracy --by alpha", "runs chart loss 11 12"),
)
def _chart(
    context: Context,
    metric: str,
    run: list[str],
    *,
    by: str | None,
    step: str | None,
    notebook: str | None,
    limit: int,
) -> Outcome:
    listings = context.workspace.metadata.listings
    if run:
        if by or step or notebook:
            raise UsageError(
                f"{context.command_line}: give either numbers of runs, or `--by`, `--step`, `--notebook`."
            )
        sides = _with_steps(context, run)
        data = [
            {"run": each.id, "metrics": plain({metric: logged[metric]})}
            for each, steps in sides
            if metric in (logged := metrics_of_run((one.name, one.metrics) for one in steps))
        ]
        view = metrics_view.curves(metric, sides)
    else:
        found = listings.logged(metric, step=step, notebook=_notebook(context, notebook), limit=limit)
        inputs = dict.fromkeys(name for each in found for name in each.inputs)
        if by is not None and found and by not in inputs:
            raise UnknownName(f"input of a step that logged '{metric}', called", by, list(inputs))
        data = plain(metrics_view.history_rows(metric, found, by=by))
        view = metrics_view.history(metric, found, by=by)
    if not data and metric not in (known := listings.metric_names()):
        raise UnknownName("metric", metric, known)
    return Outcome(view=view, data=data)


def _with_steps(context: Context, runs: list[str]) -> list[tuple[Run, list[Step]]]:
    """Return runs with their steps in order, without the elements, which are parts of steps."""
    found = [find_run(context, each) for each in runs]
    metadata = context.workspace.metadata
    return [(run, [each for each in metadata.steps(run.id or 0) if not each.is_element]) for run in found]


@verb(
    "say what deleting runs would come to; with --yes, delete their records",
    Argument("ID", "the numbers of the runs", type=list, kind="run"),
    Argument("--older", "all runs that ended longer ago than this, such as 30d", word="DURATION"),
    DELETE,
    examples=("runs delete 12", "runs delete 11 12 --yes", "runs delete --older 90d"),
)
def _delete(context: Context, id: list[str], older: str | None, yes: bool) -> Outcome:  # noqa: A002 - the argument's name
    deletions = context.workspace.metadata.deletions
    if bool(id) == (older is not None):
        raise UsageError(f"{context.command_line}: give either the numbers of runs, or `--older 30d`.")
    if older is None:
        runs = {find_run(context, each).id or 0 for each in id}
    else:
        runs = deletions.older(time.time() - parse_duration(older, option="--older"))
    found = deletions.delete(runs) if yes else deletions.preview(runs)
    if yes:
        deletions.compact()
        forget_output(context.workspace, found.runs)
    what = f"{plural(len(found.runs), 'run')} with {plural(found.steps, 'record')} of steps and "
    what += plural(found.artifacts, "version") + " of artifacts"
    kept = f" {plural(found.kept, 'record')} of steps stay, since other runs use them." if found.kept else ""
    typed = " ".join([context.command_line, *id, *([f"--older {older}"] if older else []), "--yes"])
    sentence = (
        f"Deleted: {what}.{kept} Bytes that no record names any more can be deleted with "
        "`%artifacts prune --unreferenced`."
        if yes
        else f"This would delete {what}.{kept} Nothing is deleted yet: `{typed}` does it."
    )
    view = message_view(context.interface.adapt(sentence))
    return Outcome(view=view, data={**plain(found), "deleted": yes}, sentence=sentence if yes else "")


def _page() -> int:
    """Return the width of lists: that of the terminal, if there is one."""
    return max(80, min(160, shutil.get_terminal_size((120, 24)).columns))


def _notebook(context: Context, text: str | None) -> str | None:
    """Return a notebook's name in records, given that name or a path."""
    if text is None or text in context.workspace.metadata.listings.notebooks():
        return text
    path = Path(text)
    return label(path, context.workspace.home) if path.is_file() else text


def _labelled(context: Context, id: str) -> Run:  # noqa: A002 - the argument's name
    return find_run(context, id)


def _describe(context: Context, run: Run, note: str, tags: Mapping[str, str]) -> None:
    context.workspace.metadata.labels.describe("run", run.id or 0, note, tags)


_LABELS: Any = {
    "find": _labelled,
    "describe": _describe,
    "name": lambda run: f"run {run.id}",
}
_tag = tag_verb(
    [ID],
    **_LABELS,
    examples=("runs tag 12 baseline", "runs tag 12 data=2024 --remove baseline", "runs tag 12"),
)
_note = note_verb([ID], **_LABELS, examples=('runs note 12 "twice the learning rate"', 'runs note 12 ""'))

PARTS = (
    Command(
        name="runs",
        help="list, show, tag, compare and delete runs; follow and stop those in the background",
        default="list",
        examples=(
            "runs",
            "runs list --stack my_stack --limit 5",
            "runs show 12",
            "runs logs 12 train",
            "runs attach 12",
            "runs compare 11 12",
            "runs chart accuracy",
            "runs tag 12 baseline",
        ),
        parts=(_list, _show, _logs, attach_verb, stop_verb, _compare, _chart, _tag, _note, _delete),
    ),
)
