"""Owns the tables of steps and of what each took and made: adding them, and finding them again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.core.reading.cell_heading import body
from zennb.metadata import rows
from zennb.metadata.artifacts import COLUMNS as ARTIFACT
from zennb.metadata.artifacts import NewArtifact, record_artifact
from zennb.metadata.interned_text import InternedText, find_text, intern_text
from zennb.metadata.rows import plain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import Artifact, Step

__all__ = [
    "NewStep",
    "consumers",
    "expire",
    "latest_steps",
    "newest_reusable",
    "previous_step",
    "previous_steps",
    "record_step",
    "reusable_steps",
    "step_by_id",
    "steps_of_run",
    "steps_with_code",
]

_STEP = (
    "SELECT s.id, s.run, s.name, n.text, s.cell, s.status, s.reusable, s.key, s.started, s.seconds, "
    "s.reused, s.displays, s.reason, s.unusable_because, s.defines, s.deletes, c.text, p.text, s.failure, "
    "o.text, d.carried, d.attempts, d.saved, d.expires, v.text "
    "FROM steps s JOIN texts n ON n.id = s.notebook JOIN texts c ON c.id = s.source "
    "LEFT JOIN texts p ON p.id = s.parts "
    "LEFT JOIN step_details d ON d.step = s.id LEFT JOIN texts o ON o.id = d.observed "
    "LEFT JOIN texts v ON v.id = d.provenance "
)
_INSERT = (
    "INSERT INTO steps (run, name, notebook, cell, status, reusable, key, started, seconds, reused, "
    "displays, reason, unusable_because, defines, deletes, source, parts, failure) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SET_CURRENT = (
    "INSERT INTO current (name, notebook, step, artifact) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (name, notebook) DO UPDATE SET step = excluded.step, artifact = excluded.artifact"
)
# Names of a notebook one after another along the index: as many look-ups as names, not as records.
_LATEST = (
    "WITH RECURSIVE names (name) AS ("
    " SELECT min(name) FROM steps WHERE notebook = :notebook"
    " UNION ALL"
    " SELECT (SELECT min(s.name) FROM steps s WHERE s.notebook = :notebook AND s.name > names.name)"
    " FROM names WHERE names.name IS NOT NULL) "
    "SELECT (SELECT max(s.id) FROM steps s WHERE s.notebook = :notebook AND s.name = names.name) "
    "FROM names WHERE names.name IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step not recorded yet, its columns ready; made before the transaction, to keep that short."""

    step: Step
    notebook: InternedText
    source: InternedText
    parts: InternedText | None
    defines: str
    deletes: str
    failure: str | None
    observed: InternedText | None
    carried: str | None
    attempts: str | None
    provenance: InternedText | None
    artifacts: Mapping[int, NewArtifact]
    """By `id()` of the artifact, which `step` keeps alive."""

    @classmethod
    def of(cls, step: Step) -> NewStep:
        """Return `step` ready to be recorded."""
        parts = rows.dump_parts(step.parts)
        observed = rows.dump_observed(step.observed)
        provenance = rows.dump_provenance(step.provenance)
        fresh = [item for item in (*step.inputs.values(), *step.outputs.values()) if item.id is None]
        return cls(
            step=step,
            notebook=InternedText.of(step.notebook),
            source=InternedText.of(step.source),
            parts=None if parts is None else InternedText.of(parts),
            defines=rows.dump(step.defines),
            deletes=rows.dump(step.deletes),
            failure=rows.dump_failure(step.failure),
            observed=None if observed is None else InternedText.of(observed),
            carried=rows.dump_carried(step.carried),
            attempts=rows.dump_attempts(step.attempts),
            provenance=None if provenance is None else InternedText.of(provenance),
            artifacts={id(item): NewArtifact.of(item) for item in fresh},
        )


def record_step(
    connection: sqlite3.Connection,
    new: NewStep,
    *,
    run: int | None,
    recorded: dict[int, Artifact] | None = None,
) -> Step:
    """Insert a step with its new artifacts and all edges; returned with every id filled in.

    Args:
        connection: in a transaction.
        new: the step.
        run: the run it belongs to.
        recorded: artifacts that steps of the same batch have recorded, by `id()` of what was to be recorded: what
            one step makes and another takes is one artifact.
    """
    notebook = intern_text(connection, new.notebook)
    step, known = new.step, {} if recorded is None else recorded
    number = _insert(connection, new, notebook=notebook, run=run)
    inputs = _edges(connection, "inputs", new, step.inputs, step=number, known=known)
    outputs = _edges(connection, "outputs", new, step.outputs, step=number, known=known)
    connection.executemany(
        _SET_CURRENT, [(plain(name), notebook, number, artifact.id) for name, artifact in outputs.items()]
    )
    return replace(step, id=number, run=run, inputs=inputs, outputs=outputs)


def _insert(connection: sqlite3.Connection, new: NewStep, *, notebook: int, run: int | None) -> int:
    step = new.step
    values = (
        run,
        plain(step.name),
        notebook,
        plain(step.cell),
        step.status.value,
        int(step.reusable),
        step.cache_key,
        step.started,
        step.seconds,
        step.reused,
        step.displays,
        plain(step.reason),
        plain(step.unusable_because),
        new.defines,
        new.deletes,
        intern_text(connection, new.source),
        None if new.parts is None else intern_text(connection, new.parts),
        new.failure,
    )
    number = int(connection.execute(_INSERT, values).lastrowid or 0)
    _insert_details(connection, new, number)
    return number


def _insert_details(connection: sqlite3.Connection, new: NewStep, number: int) -> None:
    observed, provenance = (
        None if text is None else intern_text(connection, text) for text in (new.observed, new.provenance)
    )
    step = new.step
    known = (observed, new.carried, new.attempts, step.saved, step.expires, provenance)
    if any(known):
        connection.execute("INSERT INTO step_details VALUES (?, ?, ?, ?, ?, ?, ?)", (number, *known))


def _edges(
    connection: sqlite3.Connection,
    table: str,
    new: NewStep,
    artifacts: Mapping[str, Artifact],
    *,
    step: int,
    known: dict[int, Artifact],
) -> dict[str, Artifact]:
    recorded = {}
    for name, item in artifacts.items():
        if item.id is not None:
            recorded[name] = item
            continue
        if id(item) not in known:
            known[id(item)] = record_artifact(connection, new.artifacts[id(item)], step=step)
        recorded[name] = known[id(item)]
    connection.executemany(
        f"INSERT INTO {table} (step, position, name, artifact) VALUES (?, ?, ?, ?)",
        [(step, place, plain(name), item.id) for place, (name, item) in enumerate(recorded.items())],
    )
    return recorded


def reusable_steps(connection: sqlite3.Connection, key: str, *, limit: int) -> list[Step]:
    """Return completed steps of that key that may be reused, newest first."""
    if not key:
        return []
    # The index covers these very conditions, spelled like this.
    where = "WHERE s.key = ? AND s.status = 'completed' AND s.reusable = 1 ORDER BY s.id DESC LIMIT ?"
    return _select(connection, _STEP + where, (key, limit))


def newest_reusable(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Step]:
    """Return key → the newest completed step of that key that may be reused."""
    sql = (
        "SELECT (SELECT max(s.id) FROM steps s WHERE s.key = json_each.value AND s.status = 'completed' "
        "AND s.reusable = 1) FROM json_each(?) WHERE json_each.value != ''"
    )
    return {step.cache_key: step for step in _of(connection, sql, (json.dumps(list(keys)),))}


def steps_with_code(connection: sqlite3.Connection, codes: Sequence[str], *, limit: int) -> list[Step]:
    """Return the steps of any notebook that have one of these codes (`CacheKeyParts.code`), newest first.

    Only those whose results may be reused, and those that took such results over.
    """
    sql = (
        "SELECT s.id FROM steps s JOIN texts p ON p.id = s.parts "
        "WHERE ((s.status = 'completed' AND s.reusable = 1) OR (s.status = 'cached' AND s.reused IS NOT NULL)) "
        "AND json_extract(p.text, '$.code') IN (SELECT value FROM json_each(?)) ORDER BY s.id DESC LIMIT ?"
    )
    return list(reversed(_of(connection, sql, (json.dumps(list(codes)), limit))))


def previous_steps(
    connection: sqlite3.Connection, names: Sequence[str], notebook: InternedText, sources: Mapping[str, str]
) -> dict[str, Step]:
    """Return step name → the latest record of it that ran, was reused or failed."""
    number = find_text(connection, notebook)
    sql = (
        "SELECT (SELECT s.id FROM steps s WHERE s.notebook = ? AND s.name = json_each.value "
        "AND s.status IN ('completed', 'cached', 'failed') ORDER BY s.id DESC LIMIT 1) FROM json_each(?)"
    )
    wanted = json.dumps([plain(name) for name in names])
    own = [] if number is None else _of(connection, sql, (number, wanted))
    found = {step.name: step for step in own}
    return _unnamed(connection, {n: text for n, text in sources.items() if n not in found}) | found


def _unnamed(connection: sqlite3.Connection, sources: Mapping[str, str]) -> dict[str, Step]:
    """Return step name → its latest record of a kernel that did not know its notebook, if the cell reads the same.

    So are those of papermill and `jupyter execute`. The name alone proves nothing: many notebooks have a step `load`.

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
    bodies = {plain(name): body(plain(text)).strip() for name, text in sources.items()}
    latest = {
        name: newest
        for newest, name, text in connection.execute(sql, (json.dumps(list(bodies)), number))
        if body(text).strip() == bodies[name]
    }
    found = _by_id(connection, list(latest.values()))
    return {step.name: step for step in found}


def _of(connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[Step]:
    """Return the steps whose numbers a query gives; it may give NULL for none."""
    return _by_id(connection, [row[0] for row in connection.execute(sql, values) if row[0] is not None])


def _by_id(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Step]:
    """Return the steps of these numbers, oldest first."""
    where = "WHERE s.id IN (SELECT value FROM json_each(?)) ORDER BY s.id"
    return _select(connection, _STEP + where, (json.dumps(numbers),)) if numbers else []


def previous_step(
    connection: sqlite3.Connection, name: str, notebook: InternedText, source: str | None
) -> Step | None:
    """Return the latest record of a step that ran, was reused or failed."""
    number = find_text(connection, notebook)
    where = (
        "WHERE s.notebook = ? AND s.name = ? AND s.status IN ('completed', 'cached', 'failed') "
        "ORDER BY s.id DESC LIMIT 1"
    )
    found = [] if number is None else _select(connection, _STEP + where, (number, plain(name)))
    if not found and source is not None and notebook.text:
        return _unnamed(connection, {name: source}).get(name)
    return found[0] if found else None


def step_by_id(connection: sqlite3.Connection, number: int) -> Step | None:
    """Return one step."""
    found = _select(connection, _STEP + "WHERE s.id = ?", (number,))
    return found[0] if found else None


def steps_of_run(connection: sqlite3.Connection, run: int) -> list[Step]:
    """Return the steps of a run, in the order they ended."""
    return _select(connection, _STEP + "WHERE s.run = ? ORDER BY s.id", (run,))


def latest_steps(
    connection: sqlite3.Connection, notebook: InternedText, sources: Mapping[str, str]
) -> list[Step]:
    """Return the newest record of each step name of a notebook, oldest first."""
    number = find_text(connection, notebook)
    newest = [] if number is None else connection.execute(_LATEST, {"notebook": number}).fetchall()
    own = _by_id(connection, [row[0] for row in newest if row[0] is not None])
    known = {step.name for step in own}
    others = _unnamed(connection, {name: text for name, text in sources.items() if name not in known})
    return sorted([*own, *others.values()], key=lambda step: step.id or 0)


def consumers(connection: sqlite3.Connection, artifact: int, *, limit: int) -> list[Step]:
    """Return steps that took an artifact, newest first."""
    taken = connection.execute(
        "SELECT DISTINCT step FROM inputs WHERE artifact = ? ORDER BY step DESC LIMIT ?", (artifact, limit)
    )
    numbers = [row[0] for row in taken]
    return _select(connection, _STEP + f"WHERE s.id IN ({_places(numbers)}) ORDER BY s.id DESC", numbers)


def expire(connection: sqlite3.Connection, artifact: int, *, when: float, why: str) -> list[tuple[str, str]]:
    """End the reuse of whatever put out an artifact, and of all results that the same keys would find instead.

    Args:
        connection: in a transaction.
        artifact: its id.
        when: from when on, in seconds since the epoch.
        why: the reason that later runs say.

    Returns:
        Name and status of each record that could be reused, or had reused what could, until now.
    """
    makers = "SELECT s.id, s.key FROM outputs o JOIN steps s ON s.id = o.step WHERE o.artifact = ?"
    found = connection.execute(makers, (artifact,)).fetchall()
    keys = json.dumps(sorted({key for _, key in found if key}))
    ids = json.dumps([number for number, _ in found])
    sql = (
        "SELECT s.id, s.name, s.status FROM steps s LEFT JOIN step_details d ON d.step = s.id "
        "WHERE (s.id IN (SELECT value FROM json_each(:ids)) OR s.key IN (SELECT value FROM json_each(:keys))) "
        "AND s.status IN ('completed', 'cached') AND s.reusable = 1 AND (d.expires IS NULL OR d.expires > :now)"
    )
    touched = connection.execute(sql, {"ids": ids, "keys": keys, "now": when}).fetchall()
    connection.executemany(
        "UPDATE steps SET unusable_because = ? WHERE id = ?", [(plain(why), number) for number, *_ in touched]
    )
    connection.executemany(
        "INSERT INTO step_details (step, saved, expires) VALUES (?, 0, ?) "
        "ON CONFLICT (step) DO UPDATE SET expires = excluded.expires",
        [(number, when) for number, *_ in touched],
    )
    return [(name, status) for _, name, status in touched]


def _select(connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[Step]:
    found = connection.execute(sql, values).fetchall()
    if not found:
        return []
    numbers = [row[0] for row in found]
    known: dict[int, Artifact] = {}
    inputs = _artifacts_of(connection, "inputs", numbers, known)
    outputs = _artifacts_of(connection, "outputs", numbers, known)
    return [rows.step(row, inputs[row[0]], outputs[row[0]]) for row in found]


def _artifacts_of(
    connection: sqlite3.Connection, table: str, steps: Sequence[int], known: dict[int, Artifact]
) -> dict[int, dict[str, Artifact]]:
    """Return per step its artifacts by name; each artifact is decoded once, in `known` by id."""
    edges: dict[int, dict[str, Artifact]] = {step: {} for step in steps}
    if not steps:
        return edges
    which = "e.step = ?" if len(steps) == 1 else "e.step IN (SELECT value FROM json_each(?))"
    cursor = connection.execute(
        f"SELECT e.step, e.name, {ARTIFACT} FROM {table} e JOIN artifacts a ON a.id = e.artifact "
        f"WHERE {which} ORDER BY e.step, e.position",
        (steps[0] if len(steps) == 1 else json.dumps(list(steps)),),
    )
    for step, name, *row in cursor:
        if row[0] not in known:
            known[row[0]] = rows.artifact(tuple(row))
        edges[step][name] = known[row[0]]
    return edges


def _places(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
