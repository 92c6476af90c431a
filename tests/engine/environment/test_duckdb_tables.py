"""Tables of duckdb's default connection, with a connection that answers like it."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.duckdb_tables import DUCKDB_TABLES, DuckdbTables

if TYPE_CHECKING:
    import pytest


class Connection:
    def __init__(self) -> None:
        self.tables: dict[str, list[int]] = {}
        self._found: list[Any] = []

    def cursor(self) -> Connection:
        return self

    def execute(self, text: str) -> Connection:
        if "duckdb_tables" in text:
            self._found = [("main", name, f"create table {name}", True) for name in self.tables]
        else:
            rows = self.tables[text.split('"')[3]]
            self._found = [(len(rows), sum(rows))]
        return self

    def fetchall(self) -> list[Any]:
        return self._found


def test_rows_and_definitions_of_tables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    setting, connection = DuckdbTables(), Connection()
    monkeypatch.delitem(sys.modules, "duckdb", raising=False)
    assert setting.read() is None
    monkeypatch.setitem(sys.modules, "duckdb", SimpleNamespace(default_connection=lambda: connection))
    assert setting.read() is None
    assert setting.digest(None) == UNTOUCHED
    connection.tables["t"] = [1]
    one = setting.digest(setting.read())
    connection.tables["t"] = [1, 2]
    assert setting.digest(setting.read()) not in {one, UNTOUCHED}
    assert setting.name == DUCKDB_TABLES


def test_a_connection_that_was_closed_has_no_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", SimpleNamespace(default_connection=None))
    assert DuckdbTables().read() is None
