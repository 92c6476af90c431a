"""Owns `RecordTable`: which field of a record is in which column, and the SQL that follows from that.

A table is a list of `RecordColumn`. To add a column, add it to the list, to `schema.sql` and to the migrations.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from zennb.metadata.interned_text import InternedText, intern_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from zennb.metadata.checks import FieldCheck

__all__ = ["NewRow", "RecordColumn", "RecordTable", "bounded", "select"]

R = TypeVar("R")
_ODD = object()
_LONG = 100_000
"""Bytes from which on a text is long. Zennb writes few of them, and most are in many rows."""
_KEPT = 64_000_000
"""Bytes of long texts that one query returns; what comes after is cut."""


def _same(value: Any) -> Any:
    return value


def bounded(value: Any) -> Any:
    """Return a value as it is, a long text cut: of a name or a digest nobody needs megabytes."""
    return value[:_LONG] if isinstance(value, str) and len(value) > _LONG else value


@dataclass(frozen=True, slots=True)
class RecordColumn:
    """Where one field of a record is stored.

    Attributes:
        field: name of the field.
        name: name of the column; by default that of the field.
        dump: field to column; an `InternedText` is stored once, and the column holds its number.
        load: column to field, unless it is NULL; None for a column that is only searched.
        default: the field's value where the column is NULL.
        interned: whether the column holds the number of an `InternedText`.
    """

    field: str
    name: str = ""
    dump: Callable[[Any], Any] = _same
    load: Callable[[Any], Any] | None = bounded
    default: Any = None
    interned: bool = False

    @property
    def label(self) -> str:
        """The name of the column."""
        return self.name or self.field


@dataclass(frozen=True, slots=True)
class NewRow(Generic[R]):
    """A record and the values of its columns, encoded before the transaction to keep that short."""

    record: R
    values: Mapping[str, Any]


class RecordTable:
    """The columns of one table, and of a second one with details that most rows lack.

    Args:
        name: the table.
        alias: the name that `select` gives it in queries.
        columns: all but the id.
        details: the columns of `<alias>_details`, which queries call `d`.
        owner: the column of the details that refers to the row.
        checks: field → what it may hold.
        damaged: the fields of a record of which any field holds something else, besides the spare values of these.
    """

    def __init__(
        self,
        name: str,
        alias: str,
        columns: Sequence[RecordColumn],
        details: Sequence[RecordColumn] = (),
        owner: str = "",
        *,
        checks: Mapping[str, FieldCheck] = MappingProxyType({}),
        damaged: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._damaged = damaged
        self._columns, self._details = columns, details
        self._read = tuple(
            (each.field, each.label, each.load, each.default, checks.get(each.field))
            for each in (*columns, *details)
            if each.load is not None
        )
        self._insert = _insert(name, [column.label for column in columns])
        self._insert_details = _insert(f"{owner}_details", [owner, *(each.label for each in details)])
        shown = [f"{alias}.id", *(_shown(alias, each) for each in columns if each.load is not None)]
        self.columns = ", ".join([*shown, *(_shown("d", each) for each in details)])
        """What a query has to select so that `fields` can read its rows."""
        joined = f"LEFT JOIN {owner}_details d ON d.{owner} = {alias}.id " if details else ""
        self.query = f"SELECT {self.columns} FROM {name} {alias} {joined}"
        """A query for all rows, to be continued with `WHERE` or `ORDER BY`."""

    def new(self, record: R) -> NewRow[R]:
        """Encode a record that is to be written."""
        columns = (*self._columns, *self._details)
        return NewRow(record, {each.label: each.dump(getattr(record, each.field)) for each in columns})

    def insert(self, connection: sqlite3.Connection, new: NewRow[Any], **changed: Any) -> int:
        """Write a row, and its details if any field in them has a value; `changed` overrides columns.

        Returns:
            The id of the row.
        """
        values = {**new.values, **changed}
        row = [_stored(connection, values[each.label]) for each in self._columns]
        number = int(connection.execute(self._insert, row).lastrowid or 0)
        if any(
            each.label in changed or getattr(new.record, each.field) != each.default for each in self._details
        ):
            details = [_stored(connection, values[each.label]) for each in self._details]
            connection.execute(self._insert_details, (number, *details))
        return number

    def fields(self, row: sqlite3.Row | Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of the record in a row that was selected with `columns`."""
        # To look a column up in a row by its name takes the longer the more columns there are.
        values = dict(zip(row.keys(), tuple(row), strict=True)) if isinstance(row, sqlite3.Row) else row
        fields: dict[str, Any] = {"id": values["id"]}
        odd = False
        for field, label, load, default, check in self._read:
            value = values[label]
            try:
                found = default if value is None else load(value)
            except Exception:  # noqa: BLE001 - others may have written anything into the row
                found = _ODD
            if check is not None and not check.fits(found):
                odd, found = True, check.spare
            fields[field] = found
        return {**fields, **self._damaged} if odd else fields


def select(
    connection: sqlite3.Connection, sql: str, values: Sequence[object] | Mapping[str, object] = ()
) -> list[sqlite3.Row]:
    """Return the rows of a query, whose columns are read by name.

    What is no UTF-8 in a text is replaced. Equal long texts are one object, so a text to which thousands of rows refer
    takes memory once. If there are too many different ones, the last are cut: zennb has not written them.
    """
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    # SQLite looks at the size of a value before it reads it. A text factory would make all queries slower.
    usual_limit = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONG)
    try:
        return cursor.execute(sql, values).fetchall()
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
    except (sqlite3.Error, MemoryError):  # too long; what else it may be is raised again below
        pass
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, usual_limit)
    usual = connection.text_factory
    connection.text_factory = _bounded_texts()
    try:
        return cursor.execute(sql, values).fetchall()
    finally:
        connection.text_factory = usual


def _bounded_texts() -> Callable[[bytes], str]:
    """Return a text factory that keeps equal long texts once, and cuts what is too much."""
    known: dict[bytes, str] = {}
    left = _KEPT

    def text(data: bytes) -> str:
        nonlocal left
        if len(data) < _LONG:
            return data.decode("utf-8", "replace")
        name = hashlib.sha256(data).digest()
        if name not in known:
            found = data[: None if len(data) <= left else _LONG].decode("utf-8", "replace")
            known[name] = found
            left -= min(left, sys.getsizeof(found))
        return known[name]

    return text


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _shown(alias: str, column: RecordColumn) -> str:
    if column.interned:
        return f"(SELECT text FROM texts WHERE id = {alias}.{column.label}) AS {column.label}"
    return f"{alias}.{column.label} AS {column.label}"


def _stored(connection: sqlite3.Connection, value: Any) -> Any:
    return intern_text(connection, value) if isinstance(value, InternedText) else value
