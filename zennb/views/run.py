"""Owns the views of runs: a list, and one run with its stack and its steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.core.records.labels import tag_words
from zennb.core.records.records import LOOP_VARIABLE, Run, Status, Step
from zennb.views.attempts import attempts, error_line
from zennb.views.links import LINKS, address, link
from zennb.views.mark import mark
from zennb.views.markup import escape, name
from zennb.views.metrics import metrics
from zennb.views.stack import linked_snapshot, snapshot
from zennb.views.step import QUIET, reason, shown_state
from zennb.views.table import Column, Table, card
from zennb.views.text import clean, duration, listing, when
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["commit", "folded", "run", "runs", "step_row", "steps", "tally"]

_AROUND = ("python", "zennb", "platform")
"""Versions of a run that are no packages."""

WIDE = 100
"""Columns of text from which on a list of runs breaks the names of steps rather than leaving out the notebook."""

MOST_NAMES = 4
"""Names of steps that a list of runs shows per run."""


def tally(steps: Mapping[str, int]) -> str:
    """Return `4 completed, 2 cached`; states that no step is in are left out."""
    return ", ".join(f"{number:,} {clean(state)}" for state, number in steps.items() if number)


def _counted(steps: Sequence[Step]) -> dict[str, int]:
    found = {status.value: sum(each.status is status for each in steps) for status in Status}
    return {state: number for state, number in found.items() if number}


def runs(found: Sequence[Run], *, page: int = 80, is_filtered: bool = False) -> Table:
    """List runs, as given.

    Args:
        found: the runs.
        page: columns of text that the list may take.
        is_filtered: whether there may be others.
    """
    columns = (
        Column.of("count", "run", heading=True, show=_id, markup=lambda value: escape(_id(value))),
        Column.of("state", "status", "state"),
        Column.of("names", "names", "steps", show=folded, markup=_folded, most=44, wrap=True),
        Column.of("names", "kind", minor=page < WIDE),
        Column.of("names", "tags", most=28),
        Column.of("names", "stack", most=20),
        Column.of("names", "notebook", most=28, minor=page < WIDE),
        Column.of("seconds", "computed"),
        Column.of("seconds", "saved"),
        Column.of("seconds", "seconds", "took", minor=True),
        Column.of("time", "started"),
        Column.of("prose", "note", most=60, minor=page < WIDE),
    )
    rows = [_run_row(each) for each in found]
    return Table(columns=columns, data=rows, empty="no such run" if is_filtered else "no runs yet", page=page)


def _id(value: Any) -> str:
    return "" if value is None else str(value)


def folded(names: Mapping[str, str] | None, *, most: int = MOST_NAMES) -> str:
    """Return the names of a run's steps in a line, cached ones only counted: `load, ✘ train +12 cached`.

    Args:
        names: as in `Run.names`.
        most: names shown.
    """
    return _fold(names or {}, most, lambda symbol, step: f"{symbol}{clean(step)}")


class _StepNames(dict[str, str]):
    """The steps of a run by name, and the number of the run, which leads to each."""

    run: int | None = None


def _folded(names: Mapping[str, str] | None) -> str:
    known, run = names or {}, getattr(names, "run", None)

    def show(symbol: str, step: str) -> str:
        return escape(symbol) + link(address("step", run, step), name(step))

    return _fold(known, MOST_NAMES, show)


def _fold(names: Mapping[str, str], most: int, show: Callable[[str, str], str]) -> str:
    ran = [(state, step) for step, state in names.items() if state != Status.CACHED.value]
    cached = len(names) - len(ran)
    shown = ran if len(ran) <= most + 1 else ran[:most]
    # Completed is what one expects, so only the others are marked.
    names_shown = [
        show("" if state == "completed" else f"{mark(state).symbol} ", step) for state, step in shown
    ]
    omitted = f" and {len(ran) - len(shown)} more" if len(ran) > len(shown) else ""
    more = f"{'+' if ran else ''}{cached} cached" if cached else ""
    return " ".join(part for part in (", ".join(names_shown) + omitted, more) if part)


def _run_row(run: Run) -> dict[str, Any]:
    names = _StepNames(run.names)
    names.run = run.id
    return {
        "run": run.id,
        "status": run.status,
        "kind": run.kind if run.parent is None else f"{run.kind} of {run.parent}",
        "stack": run.stack.name,
        "notebook": run.notebook,
        "names": names,
        "steps": dict(run.steps),
        "computed": run.computed or None,
        "saved": run.saved or None,
        "seconds": run.seconds if run.status.is_final else None,
        "started": run.started,
        "tags": tag_words(run.tags),
        "note": run.note,
        LINKS: {
            "run": address("run", run.id),
            "stack": address("stack", run.stack.name),
            "notebook": address("notebook", run.notebook),
        },
    }


def step_row(step: Step) -> dict[str, Any]:
    """Return a step as a row: name, status, seconds, outputs, reason."""
    outputs = [each for each in step.outputs.values() if each.kind != LOOP_VARIABLE]
    error = "" if step.failure is None else error_line(step.failure)
    return {
        "step": step.name,
        "status": shown_state(step),
        "seconds": None if step.status in QUIET else step.seconds,
        "outputs": [each.name for each in outputs],
        "reason": "; ".join(filter(None, (error.removesuffix(".") if reason(step) else error, reason(step)))),
        LINKS: {
            "step": address("step", step.run, step.name),
            "outputs": [address("artifact", each.id) for each in outputs],
        },
    }


STEP_COLUMNS = (
    Column.of("name", "step", most=28),
    Column.of("state", "status", "state"),
    Column.of("seconds", "seconds", "took"),
    Column.of("names", "outputs", show=lambda names: listing(names or (), most=4), most=30),
    Column.of("prose", "reason"),
)


def steps(found: Sequence[Step], *, now: float | None = None, waiting: Sequence[str] = ()) -> Table:
    """List the steps of a run with state, duration, outputs and reason.

    Args:
        found: their records.
        now: seconds since the epoch, to show how long the running ones have been running.
        waiting: names of steps that have not begun.
    """
    rows = [step_row(each) for each in found]
    for row, each in zip(rows, found, strict=True):
        if now is not None and each.status is Status.RUNNING and each.started:
            row["seconds"] = max(0.0, now - each.started)
    rows += [{"step": each, "status": "waiting", "outputs": []} for each in waiting]
    return Table(columns=STEP_COLUMNS, data=rows, empty="no steps")


def run(run: Run, found: Sequence[Step] = (), *, started: Sequence[Run] = ()) -> View:
    """Show one run: when and on which stack, its parameters, commit and packages, its steps, and runs it started.

    Args:
        run: the record.
        found: its steps, in order.
        started: the runs it started, in order.
    """
    inner = replace(runs(started), title="runs it started")
    tables = [
        table for table in (_steps_of(run, found), metrics(found), attempts(found), inner) if table.data
    ]
    markup = {
        "started by": link(address("run", run.parent), f"run {run.parent}") if run.parent else "",
        "notebook": link(address("notebook", run.notebook), name(run.notebook)),
        "stack": linked_snapshot(run.stack),
    }
    return join([card("run", _id(run.id), _about(run, found), state=run.status, markup=markup), *tables])


def _steps_of(run: Run, found: Sequence[Step]) -> Table:
    """List the steps of a run, last those that have not ended: the record of one in the background names them."""
    table = steps(found)
    if run.status.is_final:
        return table
    ended = {each.name for each in found}
    ahead = {name: state for name, state in run.names.items() if name not in ended}
    rows = [{"step": name, "status": state, "outputs": []} for name, state in ahead.items()]
    return replace(table, data=[*table.data, *rows])


def _about(run: Run, found: Sequence[Step]) -> list[tuple[str, str]]:
    parameters = [f"{clean(key)}={clean(value)}" for key, value in run.parameters.items()]
    packages = [f"{key} {value}" for key, value in run.versions.items() if key not in _AROUND]
    return [
        ("kind", clean(run.kind)),
        ("started by", "" if run.parent is None else f"run {run.parent}"),
        ("notebook", clean(run.notebook)),
        ("stack", snapshot(run.stack)),
        ("started", when(run.started)),
        ("took", duration(run.seconds) if run.status.is_final else ""),
        ("computed", duration(run.computed) if run.computed else ""),
        ("saved", f"{duration(run.saved)} by reuse" if run.saved else ""),
        ("steps", tally(run.steps or _counted(found))),
        ("parameters", ", ".join(parameters)),
        ("git commit", commit(run)),
        *((key, clean(run.versions.get(key, ""))) for key in _AROUND),
        ("packages", listing(packages, most=12)),
        ("host", clean(run.host)),
        ("tags", ", ".join(map(clean, tag_words(run.tags)))),
        ("note", clean(run.note)),
    ]


def commit(run: Run) -> str:
    """Return the commit of a run's folder: `1a2b3c4d5e6f`, `1a2b3c4d5e6f with changes`; "" when there is none."""
    if not run.commit:
        return ""
    return f"{clean(run.commit)[:12]}{' with changes' if run.dirty else ''}"
