"""Owns the view of differences between two runs: stack, packages, parameters, code, inputs and results."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from zennb.core.planning.cache_key import differences
from zennb.core.records.observed import observed_differences
from zennb.views.configuration import masked
from zennb.views.links import LINKS, address, link
from zennb.views.mark import state_html, state_text
from zennb.views.markup import block, box, details, escape, muted, name, strong
from zennb.views.metrics import metrics_side_by_side, parameters_side_by_side
from zennb.views.preview import in_a_line, preview
from zennb.views.run import commit
from zennb.views.table import Column, Table
from zennb.views.text import clean, clean_block, duration, plural, when
from zennb.views.view import View, join, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import Artifact, ComponentSpec, Run, Step
    from zennb.views.view import Shown

__all__ = ["compare", "compare_many"]

_LONGEST_VALUE = 160
"""Characters of a value; what differs is often at the end of it."""


def compare(old: Run, old_steps: Sequence[Step], new: Run, new_steps: Sequence[Step]) -> View:
    """Show what differs between two runs; equal steps are only counted.

    Args:
        old: the run compared with.
        old_steps: its steps, in order; of a step with several records the latest counts.
        new: the other run.
        new_steps: its steps, likewise.
    """
    names = (_run_label(old), _run_label(new))
    around = _around(old, new, names)
    steps, equal = _steps(old_steps, new_steps, names)
    values = _values(old_steps, new_steps, names)
    logged = metrics_side_by_side([(old, old_steps), (new, new_steps)])
    shown: list[Shown] = [table for table in (around, logged, steps, values) if table.data]
    shown += _pictures(old_steps, new_steps, names)
    shown += _code(old_steps, new_steps, names)
    same = f"{plural(equal, 'step')} with equal code, inputs and outputs" if equal else ""
    rest = same or ("" if shown else "nothing differed")
    return join([_head(old, new), *shown, *([note(rest)] if rest else [])])


def compare_many(runs: Sequence[tuple[Run, Sequence[Step]]]) -> View:
    """Show several runs side by side: how they ended, and their parameters and metrics.

    Args:
        runs: the runs, with their steps in order; of a step with several records the latest counts.
    """
    rows = [
        {
            "run": run.id,
            "status": run.status,
            "stack": run.stack.name,
            "notebook": run.notebook,
            "seconds": run.seconds if run.status.is_final else None,
            "started": run.started,
            LINKS: {
                "run": address("run", run.id),
                "stack": address("stack", run.stack.name),
                "notebook": address("notebook", run.notebook),
            },
        }
        for run, _ in runs
    ]
    columns = (
        Column.of("count", "run", heading=True),
        Column.of("state", "status", "state"),
        Column.of("names", "stack", most=20),
        Column.of("names", "notebook", most=28),
        Column.of("seconds", "seconds", "took"),
        Column.of("time", "started"),
    )
    tables = [Table(columns=columns, data=rows), parameters_side_by_side(runs), metrics_side_by_side(runs)]
    return join(table for table in tables if table.data)


def _run_label(run: Run) -> str:
    return f"run {run.id}" if run.id is not None else "this run"


def _head(old: Run, new: Run) -> View:
    def line(run: Run, state: str) -> str:
        return "  ".join(part for part in (state, duration(run.seconds), when(run.started)) if part)

    text = [f"{_run_label(run)}  {line(run, state_text(run.status))}" for run in (old, new)]
    html = [
        f"<div>{link(address('run', run.id), strong(escape(_run_label(run))))} &nbsp;{state_html(run.status)}"
        f" &nbsp;{muted(escape(line(run, '')))}</div>"
        for run in (old, new)
    ]
    return View("\n".join(text), box("".join(html)))


def _around(old: Run, new: Run, names: tuple[str, str]) -> Table:
    before, after = _setting(old), _setting(new)
    rows = [
        {"what": key, "old": before.get(key, "–"), "new": after.get(key, "–")}
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]
    columns = (
        Column.of("name", "what", ""),
        Column.of("names", "old", names[0], wrap=True),
        Column.of("names", "new", names[1], wrap=True),
    )
    return Table(columns=columns, data=rows, title="around the steps")


def _setting(run: Run) -> dict[str, str]:
    return {
        "stack": clean(run.stack.name),
        **{clean(kind).replace("_", " "): _component(spec) for kind, spec in run.stack.components.items()},
        "notebook": clean(run.notebook) or "–",
        "git commit": commit(run) or "–",
        **{f"parameter {clean(key)}": clean(value) for key, value in run.parameters.items()},
        **{clean(key): clean(value) for key, value in run.versions.items()},
    }


def _component(spec: ComponentSpec) -> str:
    config = ", ".join(f"{clean(key)}={masked(key, value)}" for key, value in sorted(spec.config.items()))
    return f"{clean(spec.name)} ({clean(spec.flavor)}{f': {config}' if config else ''})"


def _steps(old: Sequence[Step], new: Sequence[Step], names: tuple[str, str]) -> tuple[Table, int]:
    before, after = _by_name(old), _by_name(new)
    rows = [
        {
            "step": known,
            "old": before[known].status if known in before else None,
            "new": after[known].status if known in after else None,
            "seconds_old": before[known].seconds if known in before else None,
            "seconds_new": after[known].seconds if known in after else None,
            "differences": _differences(before.get(known), after.get(known)),
            LINKS: {"old": _address(before.get(known)), "new": _address(after.get(known))},
        }
        for known in dict.fromkeys([*before, *after])
    ]
    changes = [row for row in rows if row["differences"]]
    columns = (
        Column.of("name", "step", most=24),
        Column.of("state", "old", names[0]),
        Column.of("state", "new", names[1]),
        Column.of("prose", "differences", "what differed"),
    )
    return Table(columns=columns, data=changes, title="steps"), len(rows) - len(changes)


def _address(step: Step | None) -> str:
    return "" if step is None else address("step", step.run, step.name)


def _by_name(steps: Sequence[Step]) -> Mapping[str, Step]:
    return {step.name: step for step in steps}


def _differences(old: Step | None, new: Step | None) -> list[str]:
    if old is None or new is None:
        return ["only in the second" if old is None else "only in the first"]
    found: list[str] = []
    if old.parts is not None and new.parts is not None:
        found += differences(old.parts, new.parts)
    elif old.source != new.source:
        found.append("its code changed")
    found += observed_differences(old.observed, new.observed)
    if old.status.is_good and new.status.is_good:
        found += _outputs(old, new)
    elif old.status != new.status:
        found.append(f"{old.status.value} → {new.status.value}")
    return found


def _outputs(old: Step, new: Step) -> list[str]:
    changes: list[str] = []
    for known in dict.fromkeys([*old.outputs, *new.outputs]):
        before, after = old.outputs.get(known), new.outputs.get(known)
        if before is None or after is None:
            changes.append(f"output `{known}` is {'new' if before is None else 'gone'}")
        elif before.digest != after.digest:
            changes.append(f"output `{known}` changed (v{before.version} → v{after.version})")
    return changes


def _values(old: Sequence[Step], new: Sequence[Step], names: tuple[str, str]) -> Table:
    """List inputs and results that differ side by side, if either has a summary."""
    before, after = _by_name(old), _by_name(new)
    rows = [
        {"step": step, "what": what, "old": _seen(left), "new": _seen(right)}
        for step in before
        if step in after
        for what, left, right in _pairs(before[step], after[step])
        if _seen(left) or _seen(right)
    ]
    columns = (
        Column.of("name", "step", most=24),
        Column.of("names", "what", "", most=24),
        Column.of("names", "old", names[0], wrap=True),
        Column.of("names", "new", names[1], wrap=True),
    )
    return Table(columns=columns, data=rows, title="inputs and results that differ")


def _pairs(old: Step, new: Step) -> list[tuple[str, Artifact | None, Artifact | None]]:
    return [
        (f"{what} {known}", left.get(known), right.get(known))
        for what, left, right in (("input", old.inputs, new.inputs), ("result", old.outputs, new.outputs))
        for known in dict.fromkeys([*left, *right])
        if getattr(left.get(known), "digest", "") != getattr(right.get(known), "digest", "")
    ]


def _pictures(old: Sequence[Step], new: Sequence[Step], names: tuple[str, str]) -> list[View]:
    """Show pictures that differ side by side, each stored one once: a figure and its axes are one picture."""
    before, after = _by_name(old), _by_name(new)
    found: dict[tuple[str, str], View] = {}
    for step in before:
        for what, left, right in _pairs(before[step], after[step]) if step in after else ():
            if left is not None and right is not None and _is_picture(left) and _is_picture(right):
                title = f"{strong(name(step))} &nbsp;{name(what)}"
                found.setdefault((left.blob, right.blob), _beside(title, (left, right), names))
    return list(found.values())


def _is_picture(artifact: Artifact) -> bool:
    return artifact.summary.get("kind") == "picture"


def _beside(title: str, artifacts: tuple[Artifact, Artifact], names: tuple[str, str]) -> View:
    both = "".join(
        f'<div style="flex:1 1 240px;min-width:0">{muted(escape(label))}{preview(each.summary).html}</div>'
        for label, each in zip(names, artifacts, strict=True)
    )
    row = f'<div style="display:flex;flex-flow:row wrap;gap:4px 20px">{both}</div>'
    return View("", box(f"<div>{title}</div>{row}"))


def _seen(artifact: Artifact | None) -> str:
    if artifact is None:
        return ""
    glimpse = in_a_line(artifact.summary, most=_LONGEST_VALUE)
    return f"v{artifact.version}  {glimpse}" if artifact.version and glimpse else glimpse


def _code(old: Sequence[Step], new: Sequence[Step], names: tuple[str, str]) -> list[View]:
    """Show, per step in both runs, the lines of code that differ."""
    before, after = _by_name(old), _by_name(new)
    found = []
    for known in before:
        if known not in after:
            continue
        sources = (before[known].source.splitlines(), after[known].source.splitlines())
        lines = list(unified_diff(*sources, *names, n=2, lineterm=""))[2:]
        if lines:
            text = clean_block("\n".join(lines))
            title = f"code of {name(known)} &nbsp;{muted(f'− {escape(names[0])}, + {escape(names[1])}')}"
            found.append(
                View(
                    f"code of {clean(known)}\n{text}",
                    box(details(title, block(text), opened=len(lines) < 25)),
                )
            )
    return found
