"""Owns the tables of steps and of their inputs and outputs: recording steps, and finding them again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.core.records.records import Artifact, Status, Step
from zennb.core.records.seal import Seal, joined_texts
from zennb.core.secrets.literals import mask_source
from zennb.metadata.artifacts import DETAILS, record_artifact, select_artifacts
from zennb.metadata.checks import DAMAGED, status_of
from zennb.metadata.elements import ELEMENTS_OF_STEPS, no_element
from zennb.metadata.interned_text import InternedText, find_text, intern_text, plain
from zennb.metadata.previous import PREVIOUS, renamed, without_notebook
from zennb.metadata.rows import ARTIFACTS, STEPS, signed_of_step
from zennb.metadata.table import NewRow, select
from zennb.metadata.transactions import Queries, reading, writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["NewStep", "StepQueries", "previous_step", "record_step", "reusable_steps", "steps_by_id"]

# The latest artifact of each name and notebook, kept as rows: finding it among all records would take longer with
# every run of the notebook.
_SET_CURRENT = (
    "INSERT INTO current (name, notebook, step, artifact) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (name, notebook) DO UPDATE SET step = excluded.step, artifact = excluded.artifact"
)
# Step along the index from name to name: one lookup per name instead of one per record.
_LATEST = (
    "WITH RECURSIVE names (name) AS ("
    " SELECT min(name) FROM steps WHERE notebook = :notebook"
    " UNION ALL"
    " SELECT (SELECT min(s.name) FROM steps s WHERE s.notebook = :notebook AND s.name > names.name)"
    " FROM names WHERE names.name IS NOT NULL) "
    "SELECT (SELECT max(s.id) FROM steps s WHERE s.notebook = :notebook AND s.name = names.name) "
    f"FROM names WHERE names.name IS NOT NULL AND {no_element('names.name')}"
)


class StepQueries(Queries):
    """What the metadata store answers about steps."""

    @reading
    def find(self, connection: sqlite3.Connection, key: str, *, limit: int = 8) -> list[Step]:
        """Return completed steps of that cache key that may be reused, newest first."""
        return reusable_steps(connection, key, limit=limit)

    @reading
    def find_all(self, connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, Step]:
        """Return for each of many keys the first that `find` returns; those without one are left out."""
        sql = (
            "SELECT (SELECT max(s.id) FROM steps s WHERE s.key = json_each.value AND s.status = 'completed' "
            "AND s.reusable = 1) FROM json_each(?) WHERE json_each.value != ''"
        )
        found = _of(connection, sql, (json.dumps(list(keys)),))
        return {step.cache_key: step for step in found if step.reusable}

    @reading
    def with_code(
        self, connection: sqlite3.Connection, codes: Iterable[str], *, limit: int = 2000
    ) -> list[Step]:
        """Return the steps of any notebook that have one of these codes (`CacheKeyParts.code`), newest first.

        Only those whose results may be reused, and those that reused such results.
        """
        sql = (
            "SELECT s.id FROM steps s JOIN texts p ON p.id = s.parts "
            "WHERE ((s.status = 'completed' AND s.reusable = 1) OR (s.status = 'cached' AND s.reused IS NOT NULL)) "
            "AND CASE WHEN json_valid(p.text) THEN json_extract(p.text, '$.code') END "
            f"IN (SELECT value FROM json_each(?)) AND {no_element('s.name')} ORDER BY s.id DESC LIMIT ?"
        )
        found = _of(connection, sql, (json.dumps(list(codes)), limit))
        return [step for step in reversed(found) if step.unusable_because != DAMAGED]

    @reading
    def previous(
        self, connection: sqlite3.Connection, name: str, notebook: str, *, source: str | None = None
    ) -> Step | None:
        """Return the latest record of a step that ran, was reused or failed; else of one that was interrupted.

        Args:
            connection: passed by `reading`.
            name: the step.
            notebook: its notebook.
            source: text of its cell now. With it, a step without a record in this notebook is also looked for among
                those of kernels that did not know their notebook (papermill, `jupyter execute`): by its name, and by
                its text without the `%%step` line.
        """
        return previous_step(connection, name, InternedText.of(notebook), source)

    @reading
    def previous_all(
        self,
        connection: sqlite3.Connection,
        names: Iterable[str],
        notebook: str,
        *,
        sources: Mapping[str, str] | None = None,
    ) -> dict[str, Step]:
        """Return for each of many step names what `previous` returns; those without a record are left out."""
        number = find_text(connection, InternedText.of(notebook))
        sql = f"SELECT {PREVIOUS.format(name='json_each.value')} FROM json_each(:names)"
        wanted = json.dumps([plain(name) for name in names])
        own = [] if number is None else _of(connection, sql, {"notebook": number, "names": wanted})
        found = {step.name: step for step in own}
        return found | _by_source(connection, number if notebook else None, sources or {}, found)

    @reading
    def step(self, connection: sqlite3.Connection, id: int) -> Step | None:  # noqa: A002 -- the record's word
        """Return one step."""
        found = _select(connection, "WHERE s.id = ?", (id,))
        return found[0] if found else None

    @reading
    def steps(self, connection: sqlite3.Connection, run_id: int) -> list[Step]:
        """Return the steps of a run, in the order they ended."""
        return _select(connection, "WHERE s.run = ? ORDER BY s.id", (run_id,))

    @reading
    def latest_steps(
        self, connection: sqlite3.Connection, notebook: str, *, sources: Mapping[str, str] | None = None
    ) -> list[Step]:
        """Return the newest record of each step name of a notebook, oldest first.

        Args:
            connection: passed by `reading`.
            notebook: the notebook.
            sources: step name → text of its cell now; for what is found with it, see `previous`.
        """
        number = find_text(connection, InternedText.of(notebook))
        own = [] if number is None else _of(connection, _LATEST, {"notebook": number})
        found = {step.name: step for step in own}
        found |= _by_source(connection, number if notebook else None, sources or {}, found)
        return sorted(found.values(), key=lambda step: step.id or 0)

    def producer(self, artifact: Artifact) -> Step | None:
        """Return the step that made or captured an artifact."""
        return None if artifact.step is None else self.step(artifact.step)

    @reading
    def consumers(
        self, connection: sqlite3.Connection, artifact: Artifact, *, limit: int = 100
    ) -> list[Step]:
        """Return steps that read an artifact, newest first."""
        sql = "SELECT DISTINCT step FROM inputs WHERE artifact = ? ORDER BY step DESC LIMIT ?"
        return list(reversed(_of(connection, sql, (artifact.id, limit))))

    @reading
    def with_digests(
        self, connection: sqlite3.Connection, digests: Iterable[str], *, limit: int = 4
    ) -> dict[str, list[tuple[Artifact, Step]]]:
        """Return for each of many digests the artifacts of that content, newest first, each with a step naming it."""
        where = "WHERE a.digest = ? ORDER BY a.id DESC LIMIT ?"
        found = {digest: select_artifacts(connection, where, (digest, limit)) for digest in digests}
        return {
            digest: [(each, step) for each in artifacts for step in _naming(connection, each, limit=1)]
            for digest, artifacts in found.items()
        }

    @reading
    def naming(self, connection: sqlite3.Connection, artifact: Artifact, *, limit: int = 8) -> list[Step]:
        """Return the latest steps that have an artifact among their outputs or inputs, newest first."""
        return _naming(connection, artifact, limit=limit)

    @writing
    def expire(
        self, connection: sqlite3.Connection, artifact: Artifact, *, when: float, why: str
    ) -> list[tuple[str, Status]]:
        """Stop the reuse of all results that put out an artifact, and of those with the same cache keys.

        Nothing is deleted.

        Args:
            connection: passed by `writing`.
            artifact: as recorded.
            when: from when on, in seconds since the epoch.
            why: the reason that later runs give.

        Returns:
            Step name and status of each record whose reuse ends with this.
        """
        makers = "SELECT s.id, s.key FROM outputs o JOIN steps s ON s.id = o.step WHERE o.artifact = ?"
        found = connection.execute(makers, (artifact.id,)).fetchall()
        # Of a mapped step the results of its elements as well: it would only put them together again.
        found += connection.execute(
            ELEMENTS_OF_STEPS, (json.dumps([number for number, _ in found]),)
        ).fetchall()
        # An equal result of another notebook has the same key, and would be reused instead.
        keys = json.dumps(sorted({key for _, key in found if key}))
        ids = json.dumps([number for number, _ in found])
        sql = (
            "SELECT s.id, s.name, s.status FROM steps s LEFT JOIN step_details d ON d.step = s.id "
            "WHERE (s.id IN (SELECT value FROM json_each(:ids)) OR s.key IN (SELECT value FROM json_each(:keys))) "
            "AND s.status IN ('completed', 'cached') AND s.reusable = 1 AND (d.expires IS NULL OR d.expires > :now)"
        )
        touched = connection.execute(sql, {"ids": ids, "keys": keys, "now": when}).fetchall()
        connection.executemany(
            "UPDATE steps SET unusable_because = ? WHERE id = ?",
            [(plain(why), number) for number, *_ in touched],
        )
        connection.executemany(
            "INSERT INTO step_details (step, saved, expires) VALUES (?, 0, ?) "
            "ON CONFLICT (step) DO UPDATE SET expires = excluded.expires",
            [(number, when) for number, *_ in touched],
        )
        return [(name, status_of(status)) for _, name, status in touched]


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step and its new artifacts, encoded before the transaction to keep that short."""

    row: NewRow[Step]
    artifacts: Mapping[int, NewRow[Artifact]]
    """By `id()` of the artifact, which the step keeps alive."""
    seal: Seal

    @classmethod
    def of(cls, step: Step, sign: Callable[[bytes], str] | None) -> NewStep:
        """Return `step` ready to be recorded; `sign` returns the signature of its record."""
        both = (*step.inputs.values(), *step.outputs.values())
        row = STEPS.new(step)
        message = joined_texts(signed_of_step(row.values, step.inputs, step.outputs))
        seal = Seal(message, "" if sign is None else sign(message))
        return cls(row, {id(item): ARTIFACTS.new(item) for item in both if item.id is None}, seal)


def record_step(
    connection: sqlite3.Connection,
    new: NewStep,
    *,
    run: int | None,
    recorded: dict[int, Artifact],
) -> Step:
    """Insert a step with its new artifacts and all edges; returned with every id filled in.

    Args:
        connection: in a transaction.
        new: the step.
        run: the run it belongs to.
        recorded: artifacts that steps of the same batch have recorded, by `id()` of the object: the output of one step
            and the input of another are one artifact.
    """
    step, notebook = new.row.record, intern_text(connection, new.row.values["notebook"])
    # The step comes first: its artifacts and edges refer to it by id.
    number = STEPS.insert(connection, new.row, run=run, notebook=notebook, seal=new.seal.signature)
    inputs = _edges(connection, "inputs", new, step.inputs, step=number, known=recorded)
    outputs = _edges(connection, "outputs", new, step.outputs, step=number, known=recorded)
    # Under their own names: the result of an element (`model[3]`) is not what the variable stands for.
    rows = [(plain(artifact.name), notebook, number, artifact.id) for artifact in outputs.values()]
    connection.executemany(_SET_CURRENT, rows)
    return replace(step, id=number, run=run, inputs=inputs, outputs=outputs, seal=new.seal)


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
    # SQLite uses the partial index only for exactly these conditions.
    where = "WHERE s.key = ? AND s.status = 'completed' AND s.reusable = 1 ORDER BY s.id DESC LIMIT ?"
    return [step for step in _select(connection, where, (key, limit)) if step.reusable]


def _naming(connection: sqlite3.Connection, artifact: Artifact, *, limit: int) -> list[Step]:
    sql = (
        "SELECT step FROM outputs WHERE artifact = :id UNION SELECT step FROM inputs WHERE artifact = :id "
        "ORDER BY step DESC LIMIT :limit"
    )
    return _of(connection, sql, {"id": artifact.id, "limit": limit})[::-1]


def _by_source(
    connection: sqlite3.Connection,
    notebook: int | None,
    sources: Mapping[str, str],
    found: Mapping[str, Step],
) -> dict[str, Step]:
    """Return step name → the record of its cell, for steps whose latest record in the notebook is not of their cell.

    Args:
        connection: to the database.
        notebook: number of the notebook; None when it has no records, or no name.
        sources: step name → text of its cell, for all steps of the notebook.
        found: step name → its latest record in the notebook.
    """
    others = [
        name
        for name, text in sources.items()
        if name not in found or found[name].source not in {text, mask_source(plain(text))}
    ]
    texts = set(sources.values())
    foreign = {name for name in others if name in found and found[name].source in texts}
    numbers = (
        {} if notebook is None or not others else renamed(connection, notebook, others, foreign, sources)
    )
    unknown = [name for name in others if name not in found and plain(name) not in numbers]
    numbers |= without_notebook(connection, {name: sources[name] for name in unknown})
    records = {step.id: step for step in steps_by_id(connection, list(numbers.values()))}
    return {name: replace(records[n], name=name) for name, n in numbers.items() if n in records}


def _of(
    connection: sqlite3.Connection, sql: str, values: Sequence[object] | Mapping[str, object]
) -> list[Step]:
    """Return the steps whose numbers a query gives, oldest first."""
    return steps_by_id(connection, [row[0] for row in connection.execute(sql, values)])


def steps_by_id(connection: sqlite3.Connection, numbers: Iterable[object]) -> list[Step]:
    """Return the steps of these numbers, oldest first; NULL, and what else others may have written, is not a number."""
    known = [each for each in numbers if isinstance(each, int)]
    # One JSON value: SQLite limits the number of placeholders, and the statement stays prepared.
    where = "WHERE s.id IN (SELECT value FROM json_each(?)) ORDER BY s.id"
    return _select(connection, where, (json.dumps(known),)) if known else []


def previous_step(
    connection: sqlite3.Connection, name: str, notebook: InternedText, source: str | None
) -> Step | None:
    """Return the latest record of a step that ran, was reused or failed; else of one that was interrupted."""
    number = find_text(connection, notebook)
    where, values = PREVIOUS.format(name=":name"), {"notebook": number, "name": plain(name)}
    found = [] if number is None else _select(connection, f"WHERE s.id = {where}", values)
    # Only for a notebook with a name: without one its records have been searched already.
    if not found and source is not None and notebook.text:
        found = steps_by_id(connection, list(without_notebook(connection, {name: source}).values()))
    return found[0] if found else None


def _select(
    connection: sqlite3.Connection, where: str, values: Sequence[object] | Mapping[str, object]
) -> list[Step]:
    found = select(connection, STEPS.query + where, values)
    # Inputs and outputs of all steps come with one query each.
    numbers = [row["id"] for row in found]
    known: dict[int, Artifact] = {}
    inputs = _artifacts_of(connection, "inputs", numbers, known)
    outputs = _artifacts_of(connection, "outputs", numbers, known)
    return [_step(row, inputs[row["id"]], outputs[row["id"]]) for row in found]


def _step(row: sqlite3.Row, inputs: dict[str, Artifact], outputs: dict[str, Artifact]) -> Step:
    fields = STEPS.fields(row)
    fields["seal"] = Seal(signed_of_step(row, inputs, outputs), fields["seal"] or "")
    return Step(**fields, inputs=inputs, outputs=outputs)


def _artifacts_of(
    connection: sqlite3.Connection, table: str, steps: Sequence[int], known: dict[int, Artifact]
) -> dict[int, dict[str, Artifact]]:
    """Return per step its artifacts by name; each artifact is decoded once, in `known` by id."""
    edges: dict[int, dict[str, Artifact]] = {step: {} for step in steps}
    if not steps:
        return edges
    # One step is the usual case, and cheaper without the list.
    which = "e.step = ?" if len(steps) == 1 else "e.step IN (SELECT value FROM json_each(?))"
    found = select(
        connection,
        f"SELECT e.step AS taker, e.name AS variable, {ARTIFACTS.columns} "
        f"FROM {table} e JOIN artifacts a ON a.id = e.artifact {DETAILS}WHERE {which} ORDER BY e.step, e.position",
        (steps[0] if len(steps) == 1 else json.dumps(list(steps)),),
    )
    for row in found:
        if row["id"] not in known:
            known[row["id"]] = Artifact(**ARTIFACTS.fields(row))
        edges[row["taker"]][str(row["variable"])] = known[row["id"]]
    return edges
