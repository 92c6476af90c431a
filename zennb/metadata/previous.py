"""Owns which record of a step is compared with the step as it is now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from zennb.core.reading.cell_heading import body
from zennb.core.secrets.literals import mask_source
from zennb.metadata.elements import no_element
from zennb.metadata.interned_text import InternedText, find_text, plain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

__all__ = ["PREVIOUS", "renamed", "without_notebook"]

_NEWEST = (
    "(SELECT s.id FROM steps s WHERE s.notebook = :notebook AND s.name = {name} "
    "AND s.status IN (%s) ORDER BY s.id DESC LIMIT 1)"
)
# An interrupted run says less about a step than one that ended by itself, whichever came first.
PREVIOUS = f"coalesce({_NEWEST}, {_NEWEST})" % ("'completed', 'cached', 'failed'", "'interrupted'")
"""The id of that record, for the step `{name}` of `:notebook`."""


def renamed(
    connection: sqlite3.Connection,
    notebook: int,
    names: Collection[str],
    foreign: Collection[str],
    sources: Mapping[str, str],
) -> dict[str, int]:
    """Return step name → id of the latest record of its cell under a name that no step with its text has any more.

    If there are records of its cell under its own name too, what it has itself holds, unless that is another cell's.

    A step that nobody named gets another name when a heading above it is edited, or when the user gives its name to
    another cell, whose records would else be taken for its own.

    Args:
        connection: to the database.
        notebook: its number.
        names: the steps that are looked for.
        foreign: those of them whose latest record is that of another cell.
        sources: step name → text of its cell, for all steps of the notebook.
    """
    texts = {sources[name] for name in names}
    cells: dict[int, set[str]] = {}
    for name, text in sources.items():
        number = find_text(connection, InternedText.of(mask_source(plain(text)))) if text in texts else None
        if number is not None:
            cells.setdefault(number, set()).add(plain(name))
    if not cells:  # as when a new cell was run: all records are searched only for a text that is on record
        return {}
    sql = (
        "SELECT s.source, s.name, max(s.id) FROM steps s WHERE s.notebook = ? "
        "AND s.source IN (SELECT value FROM json_each(?)) "
        f"AND s.status IN ('completed', 'cached', 'failed') AND {no_element('s.name')} "
        "GROUP BY s.source, s.name ORDER BY max(s.id)"
    )
    found, known = dict[str, int](), set[str]()
    for source, name, newest in connection.execute(sql, (notebook, json.dumps(list(cells)))):
        if name in cells[source] and name not in foreign:
            known.add(name)
        else:
            found |= dict.fromkeys(cells[source], newest)
    wanted = {plain(name) for name in names} - known
    return {name: newest for name, newest in found.items() if name in wanted}


def without_notebook(connection: sqlite3.Connection, sources: Mapping[str, str]) -> dict[str, int]:
    """Return step name → id of its latest record without a notebook, if its cell has the same text.

    Kernels of papermill and `jupyter execute` record no notebook. The name alone is not enough: many notebooks have a
    step `load`.

    Args:
        connection: to the database.
        sources: step name → text of its cell.
    """
    number = find_text(connection, InternedText.of("")) if sources else None
    if number is None:
        return {}
    sql = (
        "SELECT max(s.id), s.name, c.text FROM json_each(?) "
        "JOIN steps s ON s.notebook = ? AND s.name = json_each.value JOIN texts c ON c.id = s.source "
        "WHERE s.status IN ('completed', 'cached', 'failed') "
        "GROUP BY s.name, s.source ORDER BY max(s.id)"
    )
    bodies = {plain(name): body(mask_source(plain(text))).strip() for name, text in sources.items()}
    return {
        name: newest
        for newest, name, text in connection.execute(sql, (json.dumps(list(bodies)), number))
        if body(text).strip() == bodies[name]
    }
