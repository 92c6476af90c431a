"""Owns the queries for metrics: the records of steps that logged one, and what a run logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from zennb.metadata.interned_text import InternedText, find_text, plain
from zennb.metadata.steps import steps_by_id

if TYPE_CHECKING:
    import sqlite3

    from zennb.core.records.records import Step

__all__ = ["logged_names", "logged_steps"]

_STEPS = (
    "SELECT s.id FROM step_details d JOIN steps s ON s.id = d.step JOIN texts t ON t.id = d.metrics "
    "WHERE s.status = 'completed' AND instr(t.text, :metric) > 0 "
    "AND (:step IS NULL OR s.name = :step) AND (:notebook IS NULL OR s.notebook = :notebook) "
    "ORDER BY s.id DESC LIMIT :limit"
)
_TEXTS = (
    "SELECT DISTINCT t.text FROM step_details d JOIN texts t ON t.id = d.metrics ORDER BY t.id DESC LIMIT 500"
)


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
        "metric": f"{json.dumps(metric)}:{{",
        "step": None if step is None else plain(step),
        "notebook": where,
        "limit": limit,
    }
    found = steps_by_id(connection, [row[0] for row in connection.execute(_STEPS, values)])
    return [each for each in found if metric in each.metrics]


def logged_names(connection: sqlite3.Connection) -> list[str]:
    """Return the names of metrics that were logged lately."""
    names: dict[str, None] = {}
    for (text,) in connection.execute(_TEXTS):
        try:
            names.update(dict.fromkeys(map(str, json.loads(text))))
        except (ValueError, RecursionError):  # others may have written it
            continue
    return list(names)
