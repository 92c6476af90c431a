"""Owns the tables of tags and notes that users give to runs and artifacts."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from zennb.core.records.labels import tag_words
from zennb.core.records.records import Artifact, Run
from zennb.metadata.interned_text import plain
from zennb.metadata.table import select
from zennb.metadata.transactions import Queries, reading, writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "LabelQueries",
    "Labelled",
    "SavedLabels",
    "delete_labels",
    "labelled",
    "select_labels",
    "tag_condition",
]

Labelled: TypeAlias = Literal["run", "artifact"]
"""What tags and notes of this module belong to; those of models are in the registry of models."""

R = TypeVar("R", Run, Artifact)
_KINDS: Mapping[type, Labelled] = {Run: "run", Artifact: "artifact"}
_IN = "IN (SELECT value FROM json_each(?))"
_LABELS = """
SELECT number, key, text FROM tags WHERE kind = :kind AND number IN (SELECT value FROM json_each(:numbers))
UNION ALL SELECT number, NULL, text FROM notes WHERE kind = :kind AND number IN (SELECT value FROM json_each(:numbers))
"""
_LABELLED = "SELECT number FROM tags WHERE kind = :kind UNION SELECT number FROM notes WHERE kind = :kind"
_IDENTITY: Mapping[Labelled, str] = {"run": "host, process, started", "artifact": "name, digest"}
"""What tells a run or an artifact from others in another database, where it may have another id."""
_SAME: Mapping[Labelled, str] = {
    "run": "SELECT max(id) FROM runs WHERE host = ? AND process = ? AND started = ? HAVING max(id) IS NOT NULL",
    "artifact": "SELECT max(id) FROM artifacts WHERE name = ? AND digest = ? HAVING max(id) IS NOT NULL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLabels:
    """The tags and the note of one record, apart from it.

    Attributes:
        kind: whether it is a run or an artifact.
        identity: what tells it from others, in the columns of `_IDENTITY`.
        tags: its tags.
        note: its note.
    """

    kind: Labelled
    identity: tuple[object, ...]
    tags: Mapping[str, str]
    note: str


class LabelQueries(Queries):
    """How the metadata store writes tags and notes; records come with theirs."""

    @writing
    def describe(
        self, connection: sqlite3.Connection, kind: Labelled, number: int, note: str, tags: Mapping[str, str]
    ) -> None:
        """Set the note and all tags of a run or an artifact, given by its id."""
        delete_labels(connection, kind, [number])
        _insert(connection, kind, number, note, tags)

    @reading
    def words(self, connection: sqlite3.Connection, kind: Labelled, *, limit: int = 200) -> list[str]:
        """Return the tags of runs or of artifacts as they are typed, by name."""
        sql = "SELECT DISTINCT key, text FROM tags WHERE kind = ? ORDER BY key, text LIMIT ?"
        found = connection.execute(sql, (kind, limit))
        return [word for key, text in found for word in tag_words({str(key): str(text)})]

    @reading
    def keys(self, connection: sqlite3.Connection) -> list[str]:
        """Return the keys of all tags, by name."""
        return [str(key) for (key,) in connection.execute("SELECT DISTINCT key FROM tags ORDER BY key")]

    @writing
    def restore(self, connection: sqlite3.Connection, saved: SavedLabels) -> bool:
        """Set tags and a note again where they were, unless there are others; return whether it was done."""
        found = connection.execute(_SAME[saved.kind], saved.identity).fetchone()
        if found is None:
            return False
        values = {"kind": saved.kind, "numbers": json.dumps([found[0]])}
        if connection.execute(_LABELS, values).fetchone() is not None:
            return False
        _insert(connection, saved.kind, found[0], saved.note, saved.tags)
        return True


def select_labels(connection: sqlite3.Connection) -> list[SavedLabels]:
    """Return all tags and notes with what they belong to."""
    found: list[SavedLabels] = []
    for kind, columns in _IDENTITY.items():
        sql = f"SELECT id, {columns} FROM {kind}s WHERE id IN ({_LABELLED})"
        for number, *identity in select(connection, sql, {"kind": kind}):
            tags, notes = _labels_of(connection, kind, [number])
            found.append(
                SavedLabels(
                    kind=kind,
                    identity=tuple(identity),
                    tags=tags.get(number, {}),
                    note=notes.get(number, ""),
                )
            )
    return found


def _insert(
    connection: sqlite3.Connection, kind: Labelled, number: int, note: str, tags: Mapping[str, str]
) -> None:
    connection.executemany(
        "INSERT INTO tags (kind, number, key, text) VALUES (?, ?, ?, ?)",
        [(kind, number, plain(key), plain(text)) for key, text in tags.items()],
    )
    if note:
        connection.execute(
            "INSERT INTO notes (kind, number, text) VALUES (?, ?, ?)", (kind, number, plain(note))
        )


def delete_labels(connection: sqlite3.Connection, kind: Labelled, numbers: Iterable[int]) -> None:
    """Delete tags and notes, because their runs or artifacts are deleted."""
    listed = json.dumps(list(numbers))
    for table in ("tags", "notes"):
        connection.execute(f"DELETE FROM {table} WHERE kind = ? AND number {_IN}", (kind, listed))


def labelled(connection: sqlite3.Connection, found: Sequence[R]) -> list[R]:
    """Return records with their tags and notes."""
    if not found:
        return []
    tags, notes = _labels_of(connection, _KINDS[type(found[0])], [each.id for each in found])
    return [
        replace(each, tags=tags.get(each.id or 0, {}), note=notes.get(each.id or 0, ""))
        if each.id in tags or each.id in notes
        else each
        for each in found
    ]


def _labels_of(
    connection: sqlite3.Connection, kind: Labelled, numbers: Sequence[int | None]
) -> tuple[dict[int, dict[str, str]], dict[int, str]]:
    """Return the tags and the notes of records, by id."""
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    notes: dict[int, str] = {}
    for row in select(connection, _LABELS, {"kind": kind, "numbers": json.dumps(numbers)}):
        if row["key"] is None:
            notes[row["number"]] = str(row["text"])
        else:
            tags[row["number"]][str(row["key"])] = str(row["text"])
    return tags, notes


def tag_condition(kind: Labelled, number: str, wanted: str) -> tuple[str, str]:
    """Return the condition that a record has a tag, `KEY` or `KEY=TEXT`, as SQL with one value, and that value.

    Args:
        kind: what is looked for.
        number: the column with its id.
        wanted: the tag.
    """
    tag = "key || '=' || text" if "=" in wanted else "key"  # no key holds `=`
    return f"{number} IN (SELECT number FROM tags WHERE kind = '{kind}' AND {tag} = ?)", plain(wanted)
