"""Owns `SpaceQueries`: which blobs the records name, which are pinned or needed, and which were deleted on purpose."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from zennb.core.records.records import Status
from zennb.core.records.space import BlobReference, FreedBlob, SpaceRecords
from zennb.metadata.interned_text import plain
from zennb.metadata.models import REGISTERED
from zennb.metadata.processes import hostname, is_alive
from zennb.metadata.table import select
from zennb.metadata.transactions import Queries, reading, writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from zennb.core.records.records import Step

__all__ = ["DAY", "LATEST_DELETION", "SpaceQueries", "live_runs", "note_stored"]

LATEST_DELETION = "SELECT coalesce(CAST(value AS REAL), 0.0) FROM settings WHERE key = 'records_deleted'"
"""When records were deleted on purpose the last time: copies of records that are older were not lost."""

R = TypeVar("R")

DAY = 24 * 3600.0
"""Seconds for which what a run needs is never deleted."""

_ARTIFACTS = """
WITH uses (artifact, used) AS (
    SELECT artifact, max(started) FROM (
        SELECT o.artifact AS artifact, s.started AS started FROM outputs o JOIN steps s ON s.id = o.step
        UNION ALL SELECT i.artifact, s.started FROM inputs i JOIN steps s ON s.id = i.step
    ) GROUP BY artifact
)
SELECT a.id, a.name, a.version, a.blob, a.size, m.text AS notebook, s.name AS step,
    max(coalesce(u.used, 0), a.created) AS used,
    (h.artifact IS NOT NULL OR a.id IN (SELECT artifact FROM current)) AS is_current
FROM artifacts a
JOIN steps s ON s.id = a.step JOIN texts m ON m.id = s.notebook
LEFT JOIN uses u ON u.artifact = a.id LEFT JOIN heads h ON h.artifact = a.id
"""
# The further blobs of artifacts; to be continued with what selects an artifact.
_WITH_PARTS = "artifact_details x JOIN texts t ON t.id = x.parts JOIN json_each(t.text) p"
_PARTS = f"SELECT p.value FROM {_WITH_PARTS} WHERE x.artifact"
_SHOWN = """
SELECT s.name, n.text AS notebook, s.displays AS blob, max(s.id) AS latest, max(s.started) AS used,
    max(s.id) = (SELECT max(l.id) FROM steps l WHERE l.notebook = s.notebook AND l.name = s.name) AS is_current
FROM steps s JOIN texts n ON n.id = s.notebook WHERE s.displays <> '' GROUP BY s.notebook, s.name, s.displays
"""
_CHANGED = """
SELECT s.name, n.text AS notebook, json_extract(d.carried, '$.blob') AS blob, max(s.id) AS latest,
    max(s.started) AS used,
    max(s.id) = (SELECT max(l.id) FROM steps l WHERE l.notebook = s.notebook AND l.name = s.name) AS is_current
FROM step_details d JOIN steps s ON s.id = d.step JOIN texts n ON n.id = s.notebook
WHERE d.carried IS NOT NULL GROUP BY s.notebook, s.name, blob
"""
_BLOBS_OF_STEPS = f"""
SELECT a.blob FROM outputs e JOIN artifacts a ON a.id = e.artifact WHERE e.step {{which}}
UNION SELECT a.blob FROM inputs e JOIN artifacts a ON a.id = e.artifact WHERE e.step {{which}}
UNION {_PARTS} IN (SELECT artifact FROM outputs WHERE step {{which}})
UNION {_PARTS} IN (SELECT artifact FROM inputs WHERE step {{which}})
UNION SELECT displays FROM steps WHERE id {{which}} AND displays <> ''
UNION SELECT json_extract(carried, '$.blob') FROM step_details WHERE step {{which}} AND carried IS NOT NULL
"""
_LISTED = "IN (SELECT value FROM json_each(:steps))"
# The latest record of each step of a run, and the latest good one: what came before is not what the run shows.
_LATEST = """
SELECT max(id) FROM steps WHERE run IN (SELECT value FROM json_each(:runs)) GROUP BY run, notebook, name
UNION SELECT max(id) FROM steps WHERE run IN (SELECT value FROM json_each(:runs))
AND status IN ('completed', 'cached') GROUP BY run, notebook, name
UNION SELECT id FROM steps WHERE run IS NULL AND started + seconds >= :since
"""
_CURRENT = f"""
WITH held (artifact) AS (
    SELECT artifact FROM current
    WHERE notebook IN (SELECT notebook FROM runs WHERE id IN (SELECT value FROM json_each(:runs)))
)
SELECT a.blob FROM held h JOIN artifacts a ON a.id = h.artifact
UNION {_PARTS} IN (SELECT artifact FROM held)
"""
_RECENT = """
SELECT id FROM runs WHERE started + seconds >= :since
UNION SELECT DISTINCT run FROM steps WHERE run IS NOT NULL AND started + seconds >= :since
"""


class SpaceQueries(Queries):
    """What the metadata store answers about space."""

    @reading
    def records(self, connection: sqlite3.Connection) -> SpaceRecords:
        """Return everything that decides which blobs may be deleted."""
        alive = live_runs(connection)
        recent = connection.execute(_RECENT, {"since": time.time() - DAY}).fetchall()
        runs = json.dumps(sorted({run for run, _ in alive} | {run for (run,) in recent}))
        return SpaceRecords(
            references=tuple(_references(connection)),
            pinned=_pinned(connection),
            needed=frozenset(_needed(connection, runs)),
            running_since=min((begun for _, begun in alive if begun is not None), default=None),
            last_step=_last_step(connection),
        )

    def while_unchanged(self, since: int, blobs: Iterable[str], act: Callable[[list[str]], R]) -> R:
        """Call `act` with those blobs that nothing has named or pinned since a step, before anybody can.

        It runs inside a transaction that keeps every other process from writing records, so it must be short.

        Args:
            since: `SpaceRecords.last_step` of the records that the choice was made from.
            blobs: what was chosen.
            act: deletes them.
        """

        def locked(connection: sqlite3.Connection) -> R:
            taken = _pinned(connection) | _blobs(connection, "> :since", {"since": since})
            return act([blob for blob in blobs if blob not in taken])

        return self._database.write(locked)

    @reading
    def step_marks(self, connection: sqlite3.Connection) -> tuple[set[tuple[str, str, float, str]], float]:
        """Return name, notebook, start and cache key of every step, and when the latest one ended, or was deleted."""
        sql = "SELECT s.name, n.text, s.started, s.key, s.seconds FROM steps s JOIN texts n ON n.id = s.notebook"
        found = select(connection, sql)
        ends = (started + seconds for _, _, started, _, seconds in found if _are_numbers(started, seconds))
        deletions = (moment for (moment,) in select(connection, LATEST_DELETION))
        latest = max([*ends, *deletions], default=-math.inf)
        return {(name, notebook, started, key) for name, notebook, started, key, _ in found}, latest

    # Deleted blobs

    @writing
    def note_freed(self, connection: sqlite3.Connection, store: str, sizes: dict[str, int]) -> None:
        """Note that blobs of an artifact store are deleted on purpose: blob → its bytes."""
        connection.executemany(
            "INSERT INTO freed (store, blob, size, created) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (blob, store) DO UPDATE SET size = excluded.size, created = excluded.created",
            [(plain(store), blob, size, time.time()) for blob, size in sizes.items()],
        )

    @writing
    def unnote_freed(self, connection: sqlite3.Connection, store: str, blobs: Iterable[str]) -> None:
        """Take notes away, because the blobs are there."""
        connection.executemany(
            "DELETE FROM freed WHERE blob = ? AND store = ?", [(blob, plain(store)) for blob in blobs]
        )

    @reading
    def freed(self, connection: sqlite3.Connection, blobs: Iterable[str]) -> dict[str, FreedBlob]:
        """Return blob → when and where it was deleted, the latest time; a blob may have been stored again since."""
        sql = (
            "SELECT store, blob, size, created FROM freed WHERE blob IN (SELECT value FROM json_each(?)) "
            "ORDER BY created"
        )
        found = select(connection, sql, (json.dumps(list(blobs)),))
        return {row["blob"]: FreedBlob(**dict(row)) for row in found}

    # Pins

    @writing
    def pin(self, connection: sqlite3.Connection, artifact: int) -> bool:
        """Keep a version from ever being deleted to free space; return False if it was pinned already."""
        sql = "INSERT INTO pins (artifact, created) VALUES (?, ?) ON CONFLICT DO NOTHING"
        return connection.execute(sql, (artifact, time.time())).rowcount > 0

    @writing
    def unpin(self, connection: sqlite3.Connection, artifact: int) -> bool:
        """Take a pin away; return False if there was none."""
        return connection.execute("DELETE FROM pins WHERE artifact = ?", (artifact,)).rowcount > 0

    @reading
    def pins(self, connection: sqlite3.Connection) -> frozenset[int]:
        """Return the ids of the versions that are never deleted: pinned, or registered as models."""
        return frozenset(number for (number,) in connection.execute(REGISTERED))

    @reading
    def registered_as(self, connection: sqlite3.Connection, artifact: int) -> list[str]:
        """Return the labels of the models that a version is registered as."""
        sql = "SELECT model || ' v' || version FROM model_versions WHERE artifact = ? ORDER BY model, version"
        return [str(label) for (label,) in connection.execute(sql, (artifact,))]

    # Usage

    @reading
    def saved(self, connection: sqlite3.Connection) -> list[tuple[str, str, str, int, float]]:
        """Return notebook, step, stack, how often the step was reused there, and the seconds that this saved."""
        sql = (
            "SELECT n.text, s.name, coalesce(r.stack, ''), count(*), sum(d.saved) FROM step_details d "
            "JOIN steps s ON s.id = d.step JOIN texts n ON n.id = s.notebook LEFT JOIN runs r ON r.id = s.run "
            "WHERE s.status = 'cached' GROUP BY s.notebook, s.name, r.stack"
        )
        return [tuple(row) for row in select(connection, sql)]

    @reading
    def stacks_of(self, connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
        """Return blob → the stacks whose runs made it or took it over."""
        found: dict[str, set[str]] = {}
        sql = (
            "SELECT DISTINCT r.stack, a.blob FROM outputs o JOIN artifacts a ON a.id = o.artifact "
            "JOIN steps s ON s.id = o.step JOIN runs r ON r.id = s.run "
            "UNION SELECT DISTINCT r.stack, p.value FROM outputs o JOIN artifact_details x ON x.artifact = o.artifact "
            "JOIN texts t ON t.id = x.parts JOIN json_each(t.text) p "
            "JOIN steps s ON s.id = o.step JOIN runs r ON r.id = s.run "
            "UNION SELECT r.stack, a.blob FROM artifacts a JOIN steps s ON s.id = a.step JOIN runs r ON r.id = s.run "
            "UNION SELECT DISTINCT r.stack, s.displays FROM steps s JOIN runs r ON r.id = s.run"
        )
        for stack, blob in connection.execute(sql):
            found.setdefault(blob, set()).add(stack)
        return {blob: frozenset(stacks) for blob, stacks in found.items()}


def live_runs(connection: sqlite3.Connection) -> list[tuple[int, float | None]]:
    """Return the runs whose process is alive, and when they began if they say `running`.

    A process on another machine cannot be asked: there a run counts as long as it says `running`, and a day longer.
    """
    host = plain(hostname())
    processes = [
        row[0] for row in connection.execute("SELECT DISTINCT process FROM runs WHERE host = ?", (host,))
    ]
    alive = [process for process in processes if is_alive(process, since=math.inf)]
    sql = (
        "SELECT id, process, started, status = ?, host = ? FROM runs "
        "WHERE (host = ? AND process IN (SELECT value FROM json_each(?))) "
        "OR (host <> ? AND (status = ? OR started + seconds >= ?))"
    )
    running = Status.RUNNING.value
    found = connection.execute(
        sql, (running, host, host, json.dumps(alive), host, running, time.time() - DAY)
    )
    return [
        (number, started if is_running else None)
        for number, process, started, is_running, is_here in found
        if not is_here or is_alive(process, since=started)
    ]


def note_stored(connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
    """Take away the notes of deleted blobs that these steps, recorded just now, have stored again."""
    if connection.execute("SELECT 1 FROM freed WHERE blob > '' LIMIT 1").fetchone() is None:
        return
    store = (
        "SELECT json_extract(t.text, '$.components.artifact_store.name') FROM runs r "
        "JOIN texts t ON t.id = r.snapshot WHERE r.id = ?"
    )
    connection.executemany(
        f"DELETE FROM freed WHERE blob = ? AND store = ({store})",
        [(blob, step.run) for step in steps for blob in _stored_by(step)],
    )


def _are_numbers(*values: object) -> bool:
    """Whether columns hold numbers: others who can write to the home may have put anything there."""
    return all(isinstance(each, int | float) for each in values)


def _stored_by(step: Step) -> Iterator[str]:
    """Yield the blobs that a step has stored; a reused step stores none, so what it names may be gone."""
    if step.status is Status.CACHED:
        return
    yield from (blob for artifact in step.outputs.values() for blob in artifact.blobs)
    yield from (
        blob for artifact in step.inputs.values() if artifact.step == step.id for blob in artifact.blobs
    )
    yield from (blob for blob in (step.displays, step.carried.blob if step.carried else "") if blob)


def _references(connection: sqlite3.Connection) -> Iterator[BlobReference]:
    parts: dict[int, list[str]] = {}
    for part, artifact in connection.execute(f"SELECT p.value, x.artifact FROM {_WITH_PARTS}"):
        parts.setdefault(artifact, []).append(part)
    for row in select(connection, _ARTIFACTS):
        found = BlobReference(
            kind="artifact",
            artifact=row["id"],
            order=row["version"],
            **{key: row[key] for key in ("name", "version", "blob", "size", "notebook", "step", "used")},
            is_current=bool(row["is_current"]),
        )
        yield found
        for part in parts.get(row["id"], ()):
            yield replace(found, blob=part, size=0)
    for kind, sql in (("output", _SHOWN), ("changes", _CHANGED)):
        for row in select(connection, sql):
            yield BlobReference(
                kind=kind,
                name=row["name"],
                step=row["name"],
                order=row["latest"],
                **{key: row[key] for key in ("blob", "notebook", "used")},
                is_current=bool(row["is_current"]),
            )


def _needed(connection: sqlite3.Connection, runs: str) -> Iterator[str]:
    numbers = connection.execute(_LATEST, {"runs": runs, "since": time.time() - DAY}).fetchall()
    steps = json.dumps([number for (number,) in numbers if isinstance(number, int)])
    yield from _blobs(connection, _LISTED, {"steps": steps})
    yield from (blob for (blob,) in connection.execute(_CURRENT, {"runs": runs}))


def _blobs(connection: sqlite3.Connection, which: str, values: dict[str, object]) -> frozenset[str]:
    return frozenset(blob for (blob,) in connection.execute(_BLOBS_OF_STEPS.format(which=which), values))


def _pinned(connection: sqlite3.Connection) -> frozenset[str]:
    sql = (
        f"SELECT a.blob FROM ({REGISTERED}) p JOIN artifacts a ON a.id = p.artifact "
        f"UNION {_PARTS} IN ({REGISTERED})"
    )
    return frozenset(blob for (blob,) in connection.execute(sql))


def _last_step(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM steps").fetchone()[0])
