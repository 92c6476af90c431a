"""Owns `Deletions`: deleting runs, and versions whose bytes are gone, without leaving half a record.

Numbers are never given twice: a kernel may still hold a record that is deleted. So the newest step and artifact stay,
and a name goes on counting its versions where it was.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.errors import InUse
from zennb.metadata.artifacts import select_artifacts
from zennb.metadata.interned_text import plain
from zennb.metadata.labels import delete_labels
from zennb.metadata.models import REGISTERED
from zennb.metadata.space import live_runs
from zennb.metadata.transactions import Queries, reading, writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from zennb.core.records.records import Artifact

__all__ = ["DeletedRuns", "Deletions"]

_NOTE_DELETION = (
    "INSERT INTO settings (key, value) VALUES ('records_deleted', ?) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_IN = "IN (SELECT value FROM json_each(?))"
_LIVE_ARTIFACTS = f"""
SELECT artifact FROM outputs WHERE step IN (SELECT id FROM steps WHERE run {_IN})
UNION SELECT artifact FROM inputs WHERE step IN (SELECT id FROM steps WHERE run {_IN})
UNION SELECT max(id) FROM artifacts
UNION SELECT artifact FROM model_versions
"""
_NEEDED = f"""
SELECT DISTINCT i.artifact FROM inputs i JOIN steps s ON s.id = i.step
WHERE i.artifact {_IN} AND s.status = 'completed' AND s.reusable = 1
AND NOT EXISTS (SELECT 1 FROM outputs o WHERE o.step = s.id AND o.artifact {_IN})
"""
_UNUSED_TEXTS = """
DELETE FROM texts WHERE id NOT IN (
    SELECT notebook FROM runs UNION SELECT snapshot FROM runs UNION SELECT versions FROM runs
    UNION SELECT notebook FROM steps UNION SELECT source FROM steps
    UNION SELECT parts FROM steps WHERE parts IS NOT NULL
    UNION SELECT observed FROM step_details WHERE observed IS NOT NULL
    UNION SELECT provenance FROM step_details WHERE provenance IS NOT NULL
    UNION SELECT notebook FROM current
    UNION SELECT parts FROM artifact_details WHERE parts IS NOT NULL
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRuns:
    """What deleting runs comes to.

    Attributes:
        runs: their ids.
        steps: records of steps that go with them.
        kept: records of steps that stay, because other runs reuse or read what they made, or a version is pinned.
        artifacts: versions that go.
    """

    runs: tuple[int, ...]
    steps: int
    kept: int
    artifacts: int


class Deletions(Queries):
    """Deletes records. No bytes are deleted: `artifacts prune --unreferenced` does that."""

    @reading
    def preview(self, connection: sqlite3.Connection, runs: Collection[int]) -> DeletedRuns:
        """Return what deleting these runs would come to.

        Raises:
            InUse: a kernel that is alive writes to one of them, or one of them is the newest run.
        """
        _check(connection, runs)
        return _counted(connection, runs, _gone(connection, runs))

    @writing
    def delete(self, connection: sqlite3.Connection, runs: Collection[int]) -> DeletedRuns:
        """Delete runs, their steps, and the versions that nothing else refers to.

        Steps that others still need lose their run, and stay reusable.

        Raises:
            InUse: as `preview`.
        """
        _check(connection, runs)
        steps = _gone(connection, runs)
        done = _counted(connection, runs, steps)
        numbers, listed = json.dumps(sorted(runs)), json.dumps(sorted(steps))
        made = connection.execute(f"SELECT id FROM artifacts WHERE step {_IN}", (listed,)).fetchall()
        for table in ("inputs", "outputs", "current"):
            connection.execute(f"DELETE FROM {table} WHERE step {_IN}", (listed,))
        _delete_artifacts(connection, [number for (number,) in made])
        connection.execute(f"DELETE FROM step_details WHERE step {_IN}", (listed,))
        connection.execute(
            f"UPDATE steps SET reused = NULL WHERE id {_IN}", (listed,)
        )  # they refer to each other
        connection.execute(f"DELETE FROM steps WHERE id {_IN}", (listed,))
        connection.execute(f"UPDATE steps SET run = NULL WHERE run {_IN}", (numbers,))
        connection.execute(f"UPDATE run_details SET parent = NULL WHERE parent {_IN}", (numbers,))
        connection.execute(f"DELETE FROM run_details WHERE run {_IN}", (numbers,))
        connection.execute(f"DELETE FROM runs WHERE id {_IN}", (numbers,))
        delete_labels(connection, "run", runs)
        connection.execute(_UNUSED_TEXTS)
        connection.execute(_NOTE_DELETION, (str(time.time()),))
        return done

    @reading
    def older(self, connection: sqlite3.Connection, before: float) -> set[int]:
        """Return the runs that ended before a time, without those that cannot be deleted."""
        sql = "SELECT id FROM runs WHERE started + seconds < ? AND id < (SELECT max(id) FROM runs)"
        found = {number for (number,) in connection.execute(sql, (before,))}
        return found - {run for run, _ in live_runs(connection)}

    @reading
    def forgettable(self, connection: sqlite3.Connection) -> list[Artifact]:
        """Return the versions that no kernel which is alive may hold, newest first."""
        live = json.dumps([run for run, _ in live_runs(connection)])
        found = connection.execute(_LIVE_ARTIFACTS, (live, live))
        held = json.dumps([number for (number,) in found if isinstance(number, int)])
        return select_artifacts(connection, f"WHERE a.id NOT {_IN} ORDER BY a.id DESC", (held,))

    @reading
    def needed(self, connection: sqlite3.Connection, gone: Collection[int]) -> set[int]:
        """Return those of the versions without bytes that the record of a step which can be reused names as inputs.

        A record is signed as a whole, so without one of its inputs it would not be reused any more.
        """
        listed = json.dumps(list(gone))
        return {number for (number,) in connection.execute(_NEEDED, (listed, listed))}

    @writing
    def forget(self, connection: sqlite3.Connection, artifacts: Iterable[int], *, why: str) -> int:
        """Delete the records of versions; steps that put one out are not reused any more, for the reason `why`.

        Returns:
            How many were deleted.
        """
        numbers = list(artifacts)
        listed = json.dumps(numbers)
        # First: with an output less, a record would be reused as if the step had made only the others.
        connection.execute(
            "UPDATE steps SET reusable = 0, reused = NULL, unusable_because = ? "
            f"WHERE id IN (SELECT step FROM outputs WHERE artifact {_IN})",
            (plain(why), listed),
        )
        for table in ("inputs", "outputs", "current"):
            connection.execute(f"DELETE FROM {table} WHERE artifact {_IN}", (listed,))
        _delete_artifacts(connection, numbers)
        return len(numbers)

    def compact(self) -> None:
        """Give the space of deleted records back to the system, if it is worth the time that writers wait for it."""
        self._database.compact()


def _check(connection: sqlite3.Connection, runs: Collection[int]) -> None:
    live = sorted({run for run, _ in live_runs(connection)} & set(runs))
    if live:
        raise InUse(
            f"run {live[0]} belongs to a kernel that is open; nothing was deleted. Shut the kernel down first."
        )
    newest = connection.execute("SELECT max(id) FROM runs").fetchone()[0]
    if newest in runs:
        raise InUse(
            f"run {newest} is the newest one; nothing was deleted. It can be deleted once there is a newer run, "
            "because the number of a run is never given twice."
        )


def _gone(connection: sqlite3.Connection, runs: Collection[int]) -> set[int]:
    """Return the steps of these runs that nothing outside refers to, not even through others that stay."""
    found = connection.execute(f"SELECT id FROM steps WHERE run {_IN}", (json.dumps(sorted(runs)),))
    gone = {number for (number,) in found}
    needs = _needs(connection, gone)
    newest = connection.execute(
        "SELECT max(id) FROM steps UNION ALL SELECT step FROM artifacts WHERE id = (SELECT max(id) FROM artifacts)"
    ).fetchall()
    pinned = connection.execute(
        f"SELECT a.step FROM ({REGISTERED}) p JOIN artifacts a ON a.id = p.artifact"
    ).fetchall()
    todo = {step for step, users in needs.items() if not users <= gone}
    todo |= gone & {step for (step,) in (*newest, *pinned)}
    while todo:
        gone -= todo
        todo = {step for step, users in needs.items() if step in gone and not users <= gone}
    return gone


def _needs(connection: sqlite3.Connection, steps: set[int]) -> dict[int, set[int]]:
    """Return step → the steps that reuse it, or read or take over a version that it made."""
    listed = json.dumps(sorted(steps))
    sql = f"""
    SELECT reused, id FROM steps WHERE reused {_IN}
    UNION SELECT a.step, e.step FROM artifacts a JOIN inputs e ON e.artifact = a.id WHERE a.step {_IN}
    UNION SELECT a.step, o.step FROM outputs o JOIN artifacts a ON a.id = o.artifact WHERE a.step {_IN}
    """
    found: dict[int, set[int]] = {}
    for step, user in connection.execute(sql, (listed, listed, listed)):
        found.setdefault(step, set()).add(user)
    return found


def _counted(connection: sqlite3.Connection, runs: Collection[int], steps: set[int]) -> DeletedRuns:
    all_steps = f"SELECT count(*) FROM steps WHERE run {_IN}"
    total = connection.execute(all_steps, (json.dumps(sorted(runs)),)).fetchone()[0]
    made = connection.execute(
        f"SELECT count(*) FROM artifacts WHERE step {_IN}", (json.dumps(sorted(steps)),)
    ).fetchone()[0]
    return DeletedRuns(runs=tuple(sorted(runs)), steps=len(steps), kept=total - len(steps), artifacts=made)


def _delete_artifacts(connection: sqlite3.Connection, numbers: Collection[int]) -> None:
    """Delete the rows of versions to which no edge leads any more."""
    listed = json.dumps(list(numbers))
    names = connection.execute(
        f"SELECT name, max(version) FROM artifacts WHERE id {_IN} GROUP BY name", (listed,)
    ).fetchall()
    connection.executemany(
        "INSERT INTO retired (name, version) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET version = max(version, excluded.version)",
        names,
    )
    connection.execute(f"DELETE FROM pins WHERE artifact {_IN}", (listed,))
    connection.execute(f"DELETE FROM heads WHERE artifact {_IN}", (listed,))
    connection.execute(f"DELETE FROM current WHERE artifact {_IN}", (listed,))
    connection.execute(f"DELETE FROM artifact_details WHERE artifact {_IN}", (listed,))
    connection.execute(f"DELETE FROM artifacts WHERE id {_IN}", (listed,))
    delete_labels(connection, "artifact", numbers)
    connection.executemany(
        "INSERT INTO heads (name, artifact, kind) SELECT name, id, kind FROM artifacts WHERE name = ? "
        "ORDER BY version DESC LIMIT 1 ON CONFLICT (name) DO NOTHING",
        [(name,) for name, _ in names],
    )
