"""Owns the views of one step: the status line under its cell, all its details, and why it would run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.planning.run_plan import Freshness
from zennb.core.records.records import LOOP_VARIABLE, Artifact, Failure, Status, Step
from zennb.views.artifact import TYPE_COLUMN, glance
from zennb.views.attempts import attempts, error_line
from zennb.views.links import LINKS, address, link
from zennb.views.mark import mark, state_html, state_text, symbol_html
from zennb.views.markup import block, box, details, escape, muted, name, prose, strong
from zennb.views.metrics import metrics
from zennb.views.table import Column, Table, card, values
from zennb.views.text import clean, clean_block, cut, duration, listing, plural, short, when
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.planning.run_plan import PlannedStep

__all__ = [
    "NOT_RUN_YET",
    "effect",
    "explain",
    "is_without_room",
    "reason",
    "running_line",
    "shown_state",
    "started_line",
    "state_word",
    "status_line",
    "step",
]

ATTEMPTS = tuple(column for column in attempts([]).columns if column.key != "step")
"""Columns of the attempts of one step."""

METRICS = tuple(column for column in metrics([]).columns if column.key != "step")
"""Columns of the metrics of one step."""

QUIET = frozenset({Status.SKIPPED, Status.RUNNING})
"""States without a meaningful duration."""

WORTH_SAYING = 0.05
"""Seconds that reuse has saved, from which on its line says so."""

NOT_RUN_YET = "not run yet"
PHRASES = {
    Freshness.FRESH: "it would be reused",
    Freshness.STALE: "it would run",
    Freshness.MAY_RUN: "it runs if a step before it makes something else",
    Freshness.UNKNOWN: "only running the notebook tells whether it would be reused",
}


def status_line(step: Step) -> View:
    """Return the line that ends a step cell: `● train  cached  saved 9.2 s  → model  (same code as run 12)`."""
    return _line(step, step.status, None if step.status in QUIET or step.original else step.seconds)


def started_line(step: Step) -> View:
    """Return the line of a step that goes on elsewhere, which a saved notebook may keep: `◌ train  started  (why)`."""
    return _line(step, step.status, None, word="started")


def running_line(step: Step, *, seconds: float) -> View:
    """Return the line of a step that still runs: `◌ train  running  3.2 s  (first run)`.

    Args:
        step: its record so far.
        seconds: how long it has been running.
    """
    return _line(step, Status.RUNNING, seconds)


def _line(step: Step, status: Status, seconds: float | None, *, word: str = "") -> View:
    style = mark(shown_state(step) if status is step.status else status)
    took, failed, why = duration(seconds), _failure(step.failure), reason(step)
    if (made := step.original) is not None:
        # What does not change from one reuse to the next, so that a saved notebook stays as it is.
        took = f"saved {duration(made.seconds)}" if made.seconds >= WORTH_SAYING else ""
        told, date = clean(step.reason), when(made.started)
        why = why if date in told else why.replace(told, f"{told}, {date}", 1)
    text = [
        f"{style.symbol} {clean(step.name)}",
        word or style.word,
        took,
        effect(step),
        failed,
        f"({why})" if why else "",
    ]
    html = [
        f"{symbol_html(style)} {strong(name(step.name))}",
        word or style.word,
        muted(escape(took)) if took else "",
        _effect_html(step),
        prose(failed),
        muted(f"({prose(why)})") if why else "",
    ]
    return View("  ".join(filter(None, text)), box(" &nbsp;".join(filter(None, html))))


def _effect_html(step: Step) -> str:
    if (shown := _stored(step)) and step.status.is_good:
        named = [f'<span title="{escape(glance(each))}">{name(each.name)}</span>' for each in shown[:6]]
        more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
        return f"→ {', '.join(named)}{more}{escape(_unstored(step))}"
    return escape(effect(step))


def _stored(step: Step) -> list[Artifact]:
    return [each for each in step.outputs.values() if each.is_stored and each.kind != LOOP_VARIABLE]


def _unstored(step: Step) -> str:
    """Return the names that a run bound but did not store: `, rows (not stored)`; after reuse, they are unbound."""
    names = step.unstored if step.status is Status.COMPLETED else ()
    names = (*names, *(each.name for each in step.outputs.values() if not each.is_stored))
    return f", {listing(names, most=5)} (not stored)" if names else ""


def shown_state(step: Step) -> Status | str:
    """Return the state to show: `ran` for a step that completed and is not on record, else its status."""
    return "ran" if step.unrecorded and step.status is Status.COMPLETED else step.status


def effect(step: Step) -> str:
    """Return the effect of a step: `→ model, score`, `defines clean`, `deletes tmp`, or nothing."""
    if not step.status.is_good:
        return ""
    if stored := _stored(step):
        return f"→ {listing((each.name for each in stored), most=5)}{_unstored(step)}"
    if step.defines and not step.outputs:
        return f"defines {listing(step.defines, most=5)}"
    deleted = [each for each in step.deletes if each not in step.unstored]
    if deleted:
        return f"deletes {listing(deleted, most=5)}"
    return f"→ {_unstored(step)[2:]}" if _unstored(step) else ""


def is_without_room(step: Step) -> bool:
    """Whether the artifact store has not taken all results of a step."""
    return step.unusable_because.startswith("not stored: ")


def reason(step: Step) -> str:
    """Return why a step ended as it did, and why it is not reusable if it is not, as one phrase."""
    parts = [clean(step.reason)] if step.reason else []
    if not step.reusable and step.status.is_good:
        because = clean(step.unusable_because)
        if is_without_room(step):
            parts.append(because)
        elif not because:
            parts.append("not cacheable")
        elif because not in step.reason:
            parts.append(f"not cacheable: {because}")
    if step.ran_on:
        parts.append(f"on {clean(step.ran_on)}")
    if step.attempts:
        parts.append(f"after {plural(len(step.attempts), 'failed attempt')}")
    if step.unrecorded:
        parts.append(f"not recorded: {clean(step.unrecorded)}")
    return "; ".join(parts)


def _failure(failure: Failure | None, *, most: int = 160) -> str:
    return "" if failure is None else cut(error_line(failure), most)


def step(step: Step, *, consumers: Mapping[str, Sequence[str]] | None = None) -> View:
    """Show all details of one step: state, reason, code as run, inputs, outputs, and its failure.

    Args:
        step: the record.
        consumers: output name → names of the steps that read it, where known.
    """
    tries = replace(attempts([step]), columns=ATTEMPTS) if step.attempts else None
    flow = [_artifacts("inputs", step.inputs, {}), _artifacts("outputs", step.outputs, consumers or {})]
    tables = [table for table in flow if table.data]
    logged = replace(metrics([step]), columns=METRICS)
    parts = [_head(step), *tables, logged if logged.data else None, tries, _failed(step), _source(step)]
    return join(part for part in parts if part is not None)


def _head(step: Step) -> View:
    took = "" if step.status in QUIET else duration(step.seconds)
    packages = step.parts.packages if step.parts is not None else {}
    expires = step.unusable_because if step.expires and step.unusable_because else when(step.expires)
    rows = [
        ("state", state_text(step.status)),
        ("reason", reason(step)),
        ("run", str(step.run) if step.run is not None else ""),
        ("ran on", step.ran_on),
        ("notebook", step.notebook),
        ("started", when(step.started)),
        ("took", took),
        ("saved", duration(step.saved) if step.saved else ""),
        ("defines", listing(step.defines, most=12)),
        ("deletes", listing((each for each in step.deletes if each not in step.unstored), most=12)),
        ("not stored", listing(step.unstored, most=12)),
        ("ignores", listing(step.ignored, most=12)),
        ("expires", expires),
        ("packages", listing((f"{package} {version}" for package, version in packages.items()), most=8)),
        ("key", short(step.cache_key)),
    ]
    markup = {
        "state": state_html(step.status),
        "reason": prose(reason(step)),
        "run": link(address("run", step.run), str(step.run)) if step.run is not None else "",
        "notebook": link(address("notebook", step.notebook), name(step.notebook)),
    }
    return card("step", step.name, rows, markup=markup)


def _artifacts(title: str, found: Mapping[str, Artifact], consumers: Mapping[str, Sequence[str]]) -> Table:
    columns = (
        Column.of("name", "name"),
        Column.of("count", "version"),
        TYPE_COLUMN,
        Column.of("size", "size"),
        Column.of("names", "kind"),
        Column.of("names", "value", most=40),
        Column.of("names", "used_by", "used by"),
    )
    rows = [
        {
            "name": known,
            "version": each.version or None,
            **values(each, "type", "size", "kind"),
            "value": glance(each, alone=True),
            "used_by": list(consumers.get(known, ())) or None,
            LINKS: {"name": address("artifact", each.id)},
        }
        for known, each in found.items()
    ]
    return Table(columns=columns, data=rows, title=title)


def _failed(step: Step) -> View | None:
    if step.failure is None:
        return None
    remarks_shown = step.failure.traceback.strip() or f"{step.failure.type}: {step.failure.message}"
    head = f"<div>{prose(_failure(step.failure))}</div>"
    inner = details("traceback", block(remarks_shown), opened=True)
    return View(f"failure\n{_indented(remarks_shown)}", box(head + inner))


def _source(step: Step) -> View | None:
    if not step.source.strip():
        return None
    lines = step.source.strip("\n")
    title = f"code as run ({plural(lines.count(chr(10)) + 1, 'line')})"
    return View(f"code\n{_indented(lines)}", box(details(title, block(lines), opened=lines.count("\n") < 20)))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in clean_block(text).split("\n"))


def state_word(step: PlannedStep) -> str:
    """Return the word for the planned state of a step.

    One that would run and has never run to its end is `not run yet`, or `interrupted` when it was begun.
    """
    if step.state in {Freshness.STALE, Freshness.MAY_RUN} and step.status in {"", Status.INTERRUPTED}:
        return step.status or NOT_RUN_YET
    return step.state.value


def explain(
    step: PlannedStep,
    *,
    differences: Sequence[str] = (),
    remarks: Sequence[str] = (),
    previous: Step | None = None,
) -> View:
    """Explain what a run would do with a step, why, and what differs from its latest record.

    Args:
        step: the step.
        differences: what differs, one phrase each, as `core.planning.cache_key.differences` says it.
        remarks: remarks on the step's variables and on those it reads.
        previous: the record it was compared with; None when there is none.
    """
    word, phrase = state_word(step), PHRASES[step.state]
    against = _against(previous)
    ignored = () if previous is None else previous.ignored
    remarks_shown = [*_why(step.reason, differences), *([f"on {step.on}"] if step.on else []), *remarks]
    remarks_shown += [f"input `{each}` is ignored (--ignore)" for each in ignored]
    text = [f"{mark(word).symbol} {clean(step.name)}  {word}: {phrase}"]
    text += [f"  - {clean(each)}" for each in remarks_shown] + ([f"  {against}"] if against else [])
    items = "".join(f"<li>{prose(each)}</li>" for each in remarks_shown)
    listed = f'<ul style="margin:2px 0 2px 1.4em;padding:0">{items}</ul>' if items else ""
    head = f"<div>{symbol_html(mark(word))} {strong(name(step.name))} &nbsp;{escape(word)}: {phrase}</div>"
    return View(
        "\n".join(text), box(head + listed + (f"<div>{muted(escape(against))}</div>" if against else ""))
    )


def _why(reason: str, differences: Sequence[str]) -> list[str]:
    """Return the reason and the differences; a reason that only repeats the first difference is dropped."""
    repeats = any(each in reason for each in differences[:1])
    return [*([reason] if reason and not repeats else []), *differences]


def _against(previous: Step | None) -> str:
    if previous is None:
        return ""
    moment = when(previous.started)
    which = f"run {previous.run}" if previous.run is not None else "its last record"
    return f"compared with {which}{f' ({moment})' if moment else ''}"
