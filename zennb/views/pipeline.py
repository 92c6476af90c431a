"""Owns the views of a pipeline: while it runs, the plan of a run, and its graph."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.core.planning.run_plan import Freshness
from zennb.core.records.records import Run, Status, Step
from zennb.views.graphs.graph import Node, graph
from zennb.views.links import LINKS, address
from zennb.views.mark import mark, symbol_html
from zennb.views.markup import block, box, escape, muted, name, prose, strong
from zennb.views.run import STEP_COLUMNS, step_row
from zennb.views.step import NOT_RUN_YET, is_without_room, state_word
from zennb.views.table import Column, Table
from zennb.views.text import clean, clean_block, count, cut, duration, listing, width
from zennb.views.view import Shown, View, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.planning.run_plan import PlannedStep, RunPlan
    from zennb.views.graphs.graph import Graph

__all__ = ["live", "pipeline", "plan_graph", "plan_table", "progress"]

EMPTY = "no steps yet: run a cell that starts with %%step"

MOST = 100
"""Steps that a live table shows; of a longer pipeline the most relevant ones, with a count of the others."""

IMPORTANT = frozenset({Status.RUNNING, Status.FAILED, Status.INTERRUPTED})
"""States of steps that the table of a long pipeline always shows."""


def plan_table(plan: RunPlan, *, last: Mapping[str, Step]) -> Table:
    """List the steps of a pipeline, each with what a run would do with it and why.

    Args:
        plan: the steps.
        last: step name → its latest record, for those that have one.
    """
    columns = (
        Column.of("name", "step", most=28),
        Column.of("state", "state"),
        Column.of("prose", "reason"),
        Column.of("state", "last", "last run"),
        Column.of("seconds", "seconds", "took", minor=True),
        Column.of("time", "started", "when", minor=True),
    )
    rows = [_plan_row(each, last.get(each.name)) for each in plan.steps]
    return Table(columns=columns, data=rows, empty=EMPTY)


def _plan_row(step: PlannedStep, last: Step | None) -> dict[str, Any]:
    return {
        "step": step.name,
        "state": state_word(step),
        "reason": "; ".join(part for part in (step.reasons, step.remark) if part),
        "last": last.status if last is not None else None,
        "seconds": last.seconds if last is not None else None,
        "started": last.started if last is not None else None,
        LINKS: {
            "step": address("plan", step.name),
            "last": address("step", last.run, last.name) if last is not None else "",
        },
    }


def live(
    order: Sequence[str],
    *,
    steps: Mapping[str, Step],
    now: float,
    run: Run | None = None,
    printed: Mapping[str, str] | None = None,
) -> View:
    """Show a pipeline run while it runs; the layout stays the same from start to end.

    Args:
        order: the names of all steps, in the order of the plan.
        steps: step name → its record, for those that have started (status running) or ended.
        now: seconds since the epoch, to show how long the running ones have been running.
        run: the run's record; the final one gives the last line its state and duration.
        printed: step name → the last lines it printed, for those that run now.
    """
    shown = _window(order, steps)
    rows = [_live_row(each, steps.get(each), now) for each in shown]
    table = Table(columns=_live_columns(order), data=rows, fixed=True, empty="no steps")
    output = [_printed(known, text) for known, text in (printed or {}).items()]
    parts: list[Shown] = [
        table,
        *_others(order, shown, steps),
        progress(order, steps=steps, now=now, run=run),
        *output,
    ]
    return join(parts, gap=0)


def _window(order: Sequence[str], steps: Mapping[str, Step]) -> Sequence[str]:
    """Return the steps to show, `MOST` at most: the important ones, and those nearest to the position of the run."""
    if len(order) <= MOST:
        return order
    begun = [at for at, each in enumerate(order) if each in steps]
    important = [at for at in begun if steps[order[at]].status in IMPORTANT][:MOST]
    last = begun[-1] if begun else 0
    nearest = sorted(set(range(len(order))).difference(important), key=lambda at: (at > last, abs(at - last)))
    return [order[at] for at in sorted([*important, *nearest[: MOST - len(important)]])]


_FAILED = (Status.FAILED, Status.INTERRUPTED, Status.SKIPPED)


def _others(order: Sequence[str], shown: Sequence[str], steps: Mapping[str, Step]) -> list[View]:
    """Count the steps that are not shown, by state."""
    if len(shown) == len(order):
        return []
    hidden = set(order).difference(shown)
    states = Counter(steps[each].status.value if each in steps else "waiting" for each in hidden)
    sentence = f"and {count(len(hidden))} more: {', '.join(f'{count(states[word])} {word}' for word in sorted(states))}"
    return [View(sentence, box(f"<div>{muted(escape(sentence))}</div>"))]


def _printed(known: str, text: str) -> View:
    title = cut(f"output of {clean(known)}", 79)
    lines = [cut(line, 80) for line in clean_block(text).split("\n")]
    head = f"<div>{muted(f'output of {name(known)}')}</div>"
    return View("\n".join([f"{title}:", *lines]), box(head + block(text)))


def _live_columns(order: Sequence[str]) -> list[Column]:
    """Return columns whose widths are known before anything has run, so that the table does not jump."""
    longest = min(22, max((width(clean(each)) for each in order), default=4))
    exact = [longest, 13, 11, 18 if longest <= 16 else 14]
    exact.append(80 - sum(exact) - 2 * len(exact))
    columns = zip(STEP_COLUMNS, exact, strict=True)
    *fixed, reason = [replace(column, least=each, most=each, wrap=False) for column, each in columns]
    return [*fixed, replace(reason, most=200)]  # the last column may grow without moving others


def _live_row(known: str, step: Step | None, now: float) -> dict[str, Any]:
    if step is None:
        return {"step": known, "status": "waiting", "outputs": []}
    row = step_row(step)
    if step.status is Status.RUNNING:
        row["seconds"] = max(0.0, now - step.started) if step.started else None
    return row


def progress(
    order: Sequence[str],
    *,
    steps: Mapping[str, Step],
    now: float,
    run: Run | None = None,
    naming: bool = False,
) -> View:
    """Show the progress of a run in one line: `◌ run 12 running on stack default: 1 of 3 steps, 4.1 s`.

    Args:
        order: the names of all steps.
        steps: step name → its record, for those that have begun or ended.
        now: seconds since the epoch.
        run: the run's record.
        naming: also name the steps that run now.
    """
    ended = sum(step.status.is_final for step in steps.values())
    states = Counter(step.status for step in steps.values())
    failures = "".join(f", {count(states[each])} {each.value}" for each in _FAILED if states[each])
    status = run.status if run is not None else Status.RUNNING
    unrecorded = sum(bool(step.unrecorded) for step in steps.values())
    unstored = sum(is_without_room(step) for step in steps.values())
    failures += f", {unstored:,} not stored" if unstored else ""
    failures += f", {unrecorded:,} not recorded" if unrecorded else ""
    style = mark("ran" if unrecorded and status is Status.COMPLETED else status)
    which = f"run {run.id} " if run is not None and run.id is not None else ""
    spent = "" if run is None else duration(run.seconds if status.is_final else max(0.0, now - run.started))
    stack = f" on stack {cut(clean(run.stack.name), 28)}" if run is not None else ""
    running = [known for known, step in steps.items() if not step.status.is_final] if naming else []
    at = f", at {listing(running, most=3)}" if running else ""
    sentence = f"{which}{style.word}{stack}: {ended} of {len(order)} steps{failures}{at}{f', {spent}' if spent else ''}"
    return View(f"{style.symbol} {sentence}", box(f"<div>{symbol_html(style)} {prose(sentence)}</div>"))


def pipeline(plan: RunPlan, *, title: str = "") -> View:
    """Draw a pipeline: its steps with their planned state, and the edges between them.

    The lines below explain why steps are not fresh, and give remarks on steps that are.

    Args:
        plan: steps and edges.
        title: usually the notebook's name.
    """
    head = View(f"pipeline {clean(title)}", box(f"<div>pipeline {strong(name(title))}</div>"))
    remarks = [
        _remark(each)
        for each in plan.steps
        if each.remark
        or (each.reason and state_word(each) not in {Freshness.FRESH, NOT_RUN_YET, Status.INTERRUPTED})
    ]
    return join([*([head] if title else []), plan_graph(plan), *remarks], gap=0)


def plan_graph(plan: RunPlan) -> Graph:
    """Draw steps and edges; a file that one step writes and another reads is a node between them."""
    nodes = [
        Node(
            id=f"step {each.name}",
            label=each.name,
            state=state_word(each),
            target=address("plan", each.name),
        )
        for each in plan.steps
    ]
    files: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    for edge in plan.edges:
        start, end = f"step {edge.start}", f"step {edge.end}"
        if edge.files:
            label = listing((path.rpartition("/")[2] for path in edge.files), most=2)
            file = Node(id="\0".join(("file", edge.start, *edge.files)), label=label, shape="file")
            files[file.id] = file
            edges += [(start, file.id), (file.id, end)]
        if edge.names or not edge.files:
            edges.append((start, end))
    return graph([*nodes, *files.values()], edges, empty=EMPTY)


def _remark(step: PlannedStep) -> View:
    """Return one line: why a step is not fresh, and which of its outputs the notebook does not have."""
    word = state_word(step)
    why = "" if step.is_fresh else step.reasons
    sentence = "; ".join(part for part in (why, step.remark) if part)
    style = mark(word)
    text = f"{style.symbol} {clean(step.name)}  {word}: {clean(sentence)}"
    html = f"{symbol_html(style)} {strong(name(step.name))} &nbsp;{word}: {prose(sentence)}"
    return View(text, box(f"<div>{html}</div>"))
