"""Owns how a pipeline is shown: while it runs, what of it is up to date, and its graph."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zennb.core.records import Run, Status, Step
from zennb.views.graph import Node, graph
from zennb.views.mark import mark, symbol_html
from zennb.views.markup import block, box, escape, muted, name, prose, strong
from zennb.views.run import STEP_COLUMNS, step_row
from zennb.views.table import Column, Table
from zennb.views.text import clean, clean_block, count, cut, duration, listing, width
from zennb.views.view import Shown, View, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.plan import Plan

__all__ = ["Standing", "live", "pipeline", "progress", "standings"]

MOST = 100
"""Steps a live table shows; of a longer pipeline those that matter now, and what became of the others in one line."""

LOUD = frozenset({Status.RUNNING, Status.FAILED, Status.INTERRUPTED})
"""States of steps that a long pipeline's table shows whatever else it leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one step of a pipeline stands.

    Attributes:
        name: the step.
        fresh: whether its stored results would be reused now.
        reason: why, for a person.
        last: its latest record; None when it never ran.
        upstream: whether it only would run because a step before it would.
        remark: what else is to be said of it, e.g. that a plain cell changed what it made; "" as a rule.
    """

    name: str
    fresh: bool
    reason: str = ""
    last: Step | None = None
    upstream: bool = False
    remark: str = ""

    @property
    def state(self) -> str:
        """`up to date`, `stale` or `not run yet`."""
        return "up to date" if self.fresh else "not run yet" if self.last is None else "stale"


def standings(found: Sequence[Standing]) -> Table:
    """List the steps of a pipeline, each with whether it is up to date and why."""
    columns = (
        Column.of("name", "step", most=28),
        Column.of("state", "state"),
        Column.of("prose", "reason"),
        Column.of("state", "last", "last run"),
        Column.of("seconds", "seconds", "took", minor=True),
        Column.of("time", "started", "when", minor=True),
    )
    rows = [
        {
            "step": each.name,
            "state": each.state,
            "reason": "; ".join(part for part in (each.reason, each.remark) if part),
            "last": each.last.status if each.last is not None else None,
            "seconds": each.last.seconds if each.last is not None else None,
            "started": each.last.started if each.last is not None else None,
        }
        for each in found
    ]
    return Table(columns=columns, data=rows, empty="no steps yet: run a cell that starts with %%step")


def live(
    order: Sequence[str],
    *,
    steps: Mapping[str, Step],
    now: float,
    run: Run | None = None,
    printed: Mapping[str, str] | None = None,
) -> View:
    """Show a pipeline run as it goes; its shape is the same from the first moment to the last.

    Args:
        order: the names of all steps, in the order of the plan.
        steps: step name → its record, for those that have started (status running) or ended.
        now: seconds since the epoch, to show how long the running ones have been at it.
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
    """Return the steps to show, `MOST` at most: the loud ones, and those nearest to where the run stands."""
    if len(order) <= MOST:
        return order
    begun = [at for at, each in enumerate(order) if each in steps]
    loud = [at for at in begun if steps[order[at]].status in LOUD][:MOST]
    last = begun[-1] if begun else 0
    near = sorted(set(range(len(order))).difference(loud), key=lambda at: (at > last, abs(at - last)))
    return [order[at] for at in sorted([*loud, *near[: MOST - len(loud)]])]


def _others(order: Sequence[str], shown: Sequence[str], steps: Mapping[str, Step]) -> list[View]:
    """Say what became of the steps that are not shown."""
    if len(shown) == len(order):
        return []
    hidden = set(order).difference(shown)
    states = Counter(steps[each].status.value if each in steps else "waiting" for each in hidden)
    said = f"and {count(len(hidden))} more: {', '.join(f'{count(states[word])} {word}' for word in sorted(states))}"
    return [View(said, box(f"<div>{muted(escape(said))}</div>"))]


def _printed(known: str, text: str) -> View:
    title = cut(f"output of {clean(known)}", 79)
    lines = [cut(line, 80) for line in clean_block(text).split("\n")]
    head = f"<div>{muted(f'output of {name(known)}')}</div>"
    return View("\n".join([f"{title}:", *lines]), box(head + block(text)))


def _live_columns(order: Sequence[str]) -> list[Column]:
    """Return columns of widths that are known before anything has run, so that nothing moves later."""
    longest = min(22, max((width(clean(each)) for each in order), default=4))
    exact = [longest, 13, 11, 18 if longest <= 16 else 14]
    exact.append(80 - sum(exact) - 2 * len(exact))
    columns = zip(STEP_COLUMNS, exact, strict=True)
    *fixed, reason = [replace(column, least=each, most=each, wrap=False) for column, each in columns]
    return [*fixed, replace(reason, most=200)]  # behind it nothing can move, so a page shows all of it


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
    """Say in a line how far a run is: `◌ run 12 running on stack default: 1 of 3 steps, 4.1 s`.

    Args:
        order: the names of all steps.
        steps: step name → its record, for those that have begun or ended.
        now: seconds since the epoch.
        run: the run's record.
        naming: also name the steps that run now.
    """
    ended = sum(step.status.is_final for step in steps.values())
    status = run.status if run is not None else Status.RUNNING
    look = mark(status)
    which = f"run {run.id} " if run is not None and run.id is not None else ""
    spent = "" if run is None else duration(run.seconds if status.is_final else max(0.0, now - run.started))
    stack = f" on stack {cut(clean(run.stack.name), 28)}" if run is not None else ""
    running = [known for known, step in steps.items() if not step.status.is_final] if naming else []
    at = f", at {listing(running, most=3)}" if running else ""
    said = f"{which}{look.word}{stack}: {ended} of {len(order)} steps{at}{f', {spent}' if spent else ''}"
    return View(f"{look.symbol} {said}", box(f"<div>{symbol_html(look)} {prose(said)}</div>"))


def pipeline(plan: Plan, *, found: Sequence[Standing] = (), title: str = "") -> View:
    """Draw a pipeline: its steps and edges, with the state of each where it is known.

    Args:
        plan: order and edges.
        found: where its steps stand.
        title: usually the notebook's name.
    """
    known = {each.name: each for each in found}
    nodes = [_node(each, known.get(each)) for each in plan.order]
    drawn = graph(nodes, plan.edges, empty="no steps yet: run a cell that starts with %%step")
    head = View(f"pipeline {clean(title)}", box(f"<div>pipeline {strong(name(title))}</div>"))
    told = [_told(known[each]) for each in plan.order if each in known and _is_told(known[each])]
    return join([*([head] if title else []), drawn, *told], gap=0)


def _is_told(standing: Standing) -> bool:
    return bool(standing.remark) or (standing.state == "stale" and bool(standing.reason))


def _told(standing: Standing) -> View:
    """Say in one line why a step is stale, or what happened to what it made."""
    why = standing.reason if standing.state == "stale" else ""
    said = "; ".join(part for part in (why, standing.remark) if part)
    look = mark(standing.state)
    text = f"{look.symbol} {clean(standing.name)}  {standing.state}: {clean(said)}"
    html = f"{symbol_html(look)} {strong(name(standing.name))} &nbsp;{standing.state}: {prose(said)}"
    return View(text, box(f"<div>{html}</div>"))


def _node(known: str, standing: Standing | None) -> Node:
    if standing is None:
        return Node(id=known, label=known)
    if standing.last is None:
        return Node(id=known, label=known, state=standing.state)
    return Node(id=known, label=known, state=standing.last.status, stale=not standing.fresh)
