"""Owns `run_sweep`: `zennb run --sweep`, which runs the variants of a notebook and compares them in one table."""

from __future__ import annotations

import ast
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.commands.data import plain
from zennb.commands.json_envelope import FAILED, INTERRUPTED
from zennb.commands.outcome import Context, Outcome
from zennb.commands.run_lines import failed_cell, step_record
from zennb.core.records.metrics import metrics_of_run
from zennb.core.records.records import Status
from zennb.core.secrets.names import DOTS, is_secret
from zennb.errors import RunFailed, UsageError
from zennb.views.step import status_line
from zennb.views.table import Column, Table
from zennb.views.text import clean, duration, plural
from zennb.views.view import join, note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from zennb.core.records.records import Artifact, Step
    from zennb.headless.execute import Execution
    from zennb.headless.step_line import StepLine
    from zennb.headless.sweep import Sweep, Variant
    from zennb.registry.workspace import Workspace

__all__ = ["run_sweep"]

_MOST_WORKERS = 8
"""Variants that run side by side where nobody says how many: each needs the memory of a kernel."""

_MOST_VALUES = 8
"""Metrics and outputs in the table; `--json` has all of them."""

_NUMPY = re.compile(r"(?:np|numpy)\.\w+\((?P<text>.*)\)")


def run_sweep(
    context: Context,
    notebook: str,
    words: Sequence[str],
    *,
    stack: str | None,
    fixed: Mapping[str, str],
    rerun: bool,
    out: str | None,
    timeout: float | None,
    workers: int | None,
) -> Outcome:
    """Run the variants of a notebook; the exit code is 0 if every cell of each succeeded."""
    from zennb.headless.sweep import out_paths, sweep, swept_values, variants

    path = Path(notebook)
    if workers is not None and workers < 1:
        raise UsageError(f"--workers takes a number from 1 on, not {workers}.")
    # All of this before anything runs: a typing mistake in the last value would show after hours.
    swept = swept_values(words)
    found = out_paths(out, path, variants(path, swept, fixed))
    workspace = context.beside(notebook)
    if stack is not None:
        workspace.registry.stack(stack)
    progress = _VariantProgress(context)
    done = sweep(
        path,
        found,
        fixed=fixed,
        workers=min(_MOST_WORKERS, os.cpu_count() or 1) if workers is None else workers,
        on_step=progress.step,
        on_end=progress.end,
        stack=stack,
        timeout=timeout,
        workspace=workspace,
        rerun=rerun,
    )
    rows = [_row(done, place, workspace) for place in range(len(found))]
    error = _error(path, done, rows)
    code = 0 if error is None else INTERRUPTED if done.interrupted else FAILED
    data = {
        "path": str(path),
        "parameters": {name: _masked(name, text) for name, text in fixed.items()},
        "variants": rows,
    }
    failed = [
        note(f"{clean(done.variants[place].label)}: {clean(row['failure'])}")
        for place, row in enumerate(rows)
        if row["failure"]
    ]
    view = join([_table(path, list(swept), rows), *failed])
    return Outcome(view=view, data=plain(data), code=code, error=error)


class _VariantProgress:
    """Shows each step, with its variant, and the end of each variant."""

    def __init__(self, context: Context) -> None:
        self._say, self._lock = context.say, threading.Lock()

    def step(self, variant: Variant, line: StepLine) -> None:
        if line.status.is_final:
            self._tell(variant, status_line(step_record(line)).text)

    def end(self, variant: Variant, execution: Execution) -> None:
        where = f", written to {clean(execution.out)}" if execution.out is not None else ""
        text = f"{execution.status.value} in {duration(execution.seconds)}{where}"
        failure = execution.failure
        self._tell(variant, text if failure is None else f"{text}: {failed_cell(failure)}")

    def _tell(self, variant: Variant, text: str) -> None:
        with self._lock:
            self._say(f"[{clean(variant.label)}] {text}")


def _row(done: Sweep, place: int, workspace: Workspace) -> dict[str, Any]:
    """Return a variant with what became of it."""
    variant, execution, error = done.variants[place], done.executions.get(place), done.errors.get(place)
    row: dict[str, Any] = {
        "parameters": {name: _masked(name, text) for name, text in variant.parameters.items()},
        "status": Status.FAILED.value if error is not None else Status.SKIPPED.value,
        "seconds": 0.0,
        "ran": 0,
        "cached": 0,
        "outputs": {},
        "metrics": {},
        "run": None,
        "out": None,
        "failure": None if error is None else error.message,
    }
    if execution is None:
        return row
    failure = execution.failure
    statuses = [line.status for line in execution.steps]
    steps = [] if execution.run is None else workspace.metadata.steps(execution.run)
    steps = [each for each in steps if not each.is_element]
    is_reuse = execution.status is Status.COMPLETED and set(statuses) == {Status.CACHED}
    return {
        **row,
        "status": Status.CACHED.value if is_reuse else execution.status.value,
        "seconds": execution.seconds,
        "ran": sum(status is Status.COMPLETED for status in statuses),
        "cached": sum(status is Status.CACHED for status in statuses),
        "outputs": _outputs(steps),
        "metrics": {
            name: each.last
            for name, each in metrics_of_run((step.name, step.metrics) for step in steps).items()
        },
        "run": execution.run,
        "out": None if execution.out is None else str(execution.out),
        "failure": None if failure is None else failed_cell(failure),
    }


def _masked(name: str, text: str) -> Any:
    if is_secret(name, text):
        return DOTS
    return _literal(text)


def _literal(text: str) -> Any:
    found = _NUMPY.fullmatch(text)
    text = text if found is None else found["text"]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float | str | None) else text


def _outputs(steps: Iterable[Step]) -> dict[str, Any]:
    """Return name → value, of the small outputs of a run's steps: numbers, short texts, and dicts of these."""
    found: dict[str, Any] = {}
    for step in steps:
        for name, artifact in step.outputs.items():
            for stale in [each for each in found if each == name or each.startswith(f"{name}.")]:
                del found[stale]  # a later step has made it again
            found.update(_values(name, artifact))
    return found


def _values(name: str, artifact: Artifact) -> dict[str, Any]:
    summary = artifact.summary
    if summary.get("kind") == "scalar":
        return {name: _literal(str(summary.get("text", "")))}
    if summary.get("kind") == "text" and summary.get("length", 0) <= 60:
        return {name: summary.get("text", "")}
    items = summary.get("items", ()) if summary.get("kind") == "mapping" else ()
    if not items or len(items) != summary.get("length"):
        return {}
    values = {f"{name}.{_literal(str(key))}": _literal(str(text)) for key, _, text in items}
    return values if all(isinstance(each, bool | int | float) for each in values.values()) else {}


def _table(path: Path, swept: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Table:
    logged = _telling(rows, "metrics", besides=())
    chosen = _telling(rows, "outputs", besides=(*swept, *logged))[: max(0, _MOST_VALUES - len(logged))]
    columns = [
        *(Column.of("names", f"parameter {name}", name) for name in swept),
        Column.of("state", "status", "state"),
        Column.of("seconds", "seconds", "took"),
        Column.of("count", "ran"),
        Column.of("count", "cached"),
        *(Column.of("names", f"metric {name}", name, right=True) for name in logged),
        *(Column.of("names", f"output {name}", name) for name in chosen),
    ]
    shown = [
        {
            **{f"parameter {name}": _short(value) for name, value in row["parameters"].items()},
            **{f"metric {name}": _short(row["metrics"].get(name)) for name in logged},
            **{f"output {name}": _short(row["outputs"].get(name)) for name in chosen},
            **{key: row[key] for key in ("status", "seconds", "ran", "cached")},
        }
        for row in rows
    ]
    good = sum(Status(row["status"]).is_good for row in rows)
    title = f"{clean(path.name)}: {plural(len(rows), 'variant')}, {good} succeeded"
    return Table(columns=columns, data=shown, title=title)


def _telling(rows: Sequence[Mapping[str, Any]], part: str, *, besides: Sequence[str]) -> list[str]:
    """Return names of values of the variants, a table full of them: those that tell the variants apart come first."""
    names = dict.fromkeys(name for row in rows for name in row[part] if name not in besides)
    equal = {name: len({repr(row[part].get(name)) for row in rows}) == 1 for name in names}
    return sorted(names, key=lambda name: equal[name])[:_MOST_VALUES]


def _short(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _error(path: Path, done: Sweep, rows: Sequence[Mapping[str, Any]]) -> RunFailed | None:
    bad = [place for place, row in enumerate(rows) if not Status(row["status"]).is_good]
    if not bad:
        return None
    first = next((place for place in bad if rows[place]["failure"]), bad[0])
    label = clean(done.variants[first].label)
    what = f"{label}: {rows[first]['failure']}" if rows[first]["failure"] else label
    how = "were interrupted or failed" if done.interrupted else "failed"
    count = f"{len(bad)} of {plural(len(rows), 'variant')}"
    message = f"{path.name}: {count} {how}; {what}. Run it again: what was stored is reused."
    failure = done.executions[first].failure if first in done.executions else None
    if failure is None:
        return RunFailed(message, notebook=str(path))
    return RunFailed(
        message,
        notebook=str(path),
        cell=failure.number,
        step=failure.step,
        cause=failure.type,
        traceback=failure.traceback,
    )
