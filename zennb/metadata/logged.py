"""Owns the queries for metrics: the records of steps that logged one, and what a run logged."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json
from zennb.core.records.run_conditions import text_as_number
from zennb.metadata.elements import no_element
from zennb.metadata.interned_text import InternedText, find_text, plain
from zennb.metadata.steps import steps_by_id

if TYPE_CHECKING:
    import sqlite3

    from zennb.core.records.records import Step
    from zennb.core.records.run_conditions import RunCondition

__all__ = ["RUNS_THAT_LOGGED", "checked_steps", "logged_names", "logged_steps", "runs_where", "searched"]

_STEPS = (
    "SELECT s.id FROM step_details d JOIN steps s ON s.id = d.step JOIN texts t ON t.id = d.metrics "
    "WHERE s.status = 'completed' AND instr(t.text, :metric) > 0 "
    "AND (:step IS NULL OR s.name = :step) AND (:notebook IS NULL OR s.notebook = :notebook) "
    "ORDER BY s.id DESC LIMIT :limit"
)
_CHECKED = (
    "SELECT s.id FROM step_details d JOIN steps s ON s.id = d.step JOIN texts t ON t.id = d.metrics "
    f"WHERE s.status IN ('completed', 'failed') AND instr(t.text, '\"check/') > 0 AND {no_element('s.name')} "
    "ORDER BY s.id DESC LIMIT ?"
)
_METRICS = (
    "SELECT s.run, s.name, t.text FROM step_details d JOIN steps s ON s.id = d.step JOIN texts t ON t.id = d.metrics "
    f"WHERE s.run IS NOT NULL AND instr(t.text, :metric) > 0 AND {no_element('s.name')} "
    "AND s.id = (SELECT max(l.id) FROM steps l WHERE l.run = s.run AND l.name = s.name)"
)
_PARAMETERS = "SELECT id, parameters FROM runs WHERE instr(parameters, :name) > 0"
RUNS_THAT_LOGGED = (
    "r.id IN (SELECT s.run FROM step_details d JOIN steps s ON s.id = d.step JOIN texts t ON t.id = d.metrics "
    "WHERE instr(t.text, ?) > 0)"
)
"""A condition on runs; its value is `searched` of the metric's name."""

_TEXTS = (
    "SELECT DISTINCT t.text FROM step_details d JOIN texts t ON t.id = d.metrics ORDER BY t.id DESC LIMIT 500"
)


def searched(metric: str) -> str:
    """Return the text by which the record of a metric is found."""
    return f"{json.dumps(metric)}:{{"


def logged_steps(
    connection: sqlite3.Connection,
    metric: str,
    *,
    step: str | None = None,
    notebook: str | None = None,
    limit: int = 200,
) -> list[Step]:
    """Return the records of steps that ran and logged a metric, oldest first; reuse logs nothing.

    Args:
        connection: to the database.
        metric: its name.
        step: only records of this step.
        notebook: only records of this notebook.
        limit: the newest so many.
    """
    where = None if notebook is None else find_text(connection, InternedText.of(notebook))
    if notebook is not None and where is None:
        return []
    # A text may hold `NaN`, at which SQLite's own JSON functions fail; so it is searched, and the record is asked.
    values = {
        "metric": searched(metric),
        "step": None if step is None else plain(step),
        "notebook": where,
        "limit": limit,
    }
    found = steps_by_id(connection, [row[0] for row in connection.execute(_STEPS, values)])
    return [each for each in found if metric in each.metrics]


def checked_steps(connection: sqlite3.Connection, *, limit: int) -> list[Step]:
    """Return the records of steps that ran and whose outputs were checked, the newest first."""
    found = steps_by_id(connection, [row[0] for row in connection.execute(_CHECKED, (limit,))])
    return sorted(found, key=lambda step: step.id or 0, reverse=True)


def runs_where(connection: sqlite3.Connection, condition: RunCondition) -> set[int]:
    """Return the runs for whose metrics or parameters a condition holds.

    Of a step with several records in a run the latest counts. Where several steps log a name, one is enough.
    """
    name = condition.name
    values: dict[int, list[float | str]] = defaultdict(list)
    for run, latest in _latest_metrics(connection, {name, name.partition(".")[2]} - {""}).items():
        for step, metrics in latest.items():
            found = {f"{step}.{each}": value for each, value in metrics.items()} | metrics
            values[run] += [found[name]] if name in found else []
    rows = connection.execute(_PARAMETERS, {"name": f"{json.dumps(name)}:"}).fetchall()
    for run, text in rows:
        parameters = _loaded(text)
        if isinstance(parameters.get(name), str):
            values[run].append(text_as_number(parameters[name]))
    return {run for run, each in values.items() if condition.holds(each)}


def _latest_metrics(
    connection: sqlite3.Connection, names: set[str]
) -> dict[int, dict[str, dict[str, float]]]:
    """Return run → step → last value of each metric, for steps that logged one of these names."""
    found: dict[int, dict[str, dict[str, float]]] = defaultdict(dict)
    for wanted in names:
        for run, step, text in connection.execute(_METRICS, {"metric": f"{json.dumps(wanted)}:{{"}):
            values = {
                each: part.get("last") for each, part in _loaded(text).items() if isinstance(part, dict)
            }
            numbers = {each: value for each, value in values.items() if isinstance(value, int | float)}
            found[run][str(step)] = numbers
    return found


def _loaded(text: object) -> dict[str, Any]:
    """Return the JSON object in a column; an empty one for anything else, which others may have written."""
    try:
        found = parse_json(str(text), bounded=True)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def logged_names(connection: sqlite3.Connection) -> list[str]:
    """Return the names of metrics that were logged lately."""
    names: dict[str, None] = {}
    for (text,) in connection.execute(_TEXTS):
        names.update(dict.fromkeys(_loaded(text)))
    return list(names)
