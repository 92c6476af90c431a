"""Owns the tables of stacks, components and settings. What may be changed, the registry decides."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.core.records.records import ComponentSpec, StackSpec
from zennb.errors import NameTaken
from zennb.metadata import rows
from zennb.metadata.checks import is_texts
from zennb.metadata.table import select
from zennb.metadata.transactions import Queries, reading, writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = ["StackQueries", "select_components", "select_stacks"]


class StackQueries(Queries):
    """What the metadata store answers about stacks, components and settings, and how it writes them."""

    @reading
    def components(self, connection: sqlite3.Connection, type: str | None = None) -> list[ComponentSpec]:
        """Return registered components of one type or all, by type and name."""
        return select_components(connection, type)

    @writing
    def put_component(
        self, connection: sqlite3.Connection, spec: ComponentSpec, *, replace: bool = False
    ) -> None:
        """Register a component; an equal one is left alone.

        Raises:
            NameTaken: one of that name differs, and `replace` was not asked for.
        """
        existing = select_components(connection, spec.type)
        if not replace and _exists(spec, existing, f"{spec.type} '{spec.name}'"):
            return
        connection.execute(
            "INSERT INTO components (type, name, flavor, config) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (type, name) DO UPDATE SET flavor = excluded.flavor, config = excluded.config",
            (spec.type, spec.name, spec.flavor, rows.dump(spec.config)),
        )

    @writing
    def delete_component(self, connection: sqlite3.Connection, type: str, name: str) -> None:
        """Delete a component if it exists.

        Raises:
            StoreError: a stack uses it.
        """
        connection.execute("DELETE FROM components WHERE type = ? AND name = ?", (type, name))

    @writing
    def rename_component(self, connection: sqlite3.Connection, type: str, old: str, new: str) -> None:
        """Rename a component, also in the stacks that use it.

        Raises:
            StoreError: `new` exists.
        """
        connection.execute("UPDATE components SET name = ? WHERE type = ? AND name = ?", (new, type, old))

    @reading
    def stacks(self, connection: sqlite3.Connection) -> list[StackSpec]:
        """Return all stacks, by name."""
        return select_stacks(connection, None)

    @reading
    def stack(self, connection: sqlite3.Connection, name: str) -> StackSpec | None:
        """Return one stack."""
        found = select_stacks(connection, name)
        return found[0] if found else None

    @writing
    def put_stack(self, connection: sqlite3.Connection, spec: StackSpec, *, replace: bool = False) -> None:
        """Register a stack of registered components; an equal one is left alone.

        Raises:
            NameTaken: one of that name differs, and `replace` was not asked for.
            StoreError: it names a component that is not registered.
        """
        if not replace and _exists(spec, select_stacks(connection, spec.name), f"stack '{spec.name}'"):
            return
        connection.execute("INSERT INTO stacks (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (spec.name,))
        # Removed and written again: an update may leave a component type out.
        connection.execute("DELETE FROM stack_components WHERE stack = ?", (spec.name,))
        connection.executemany(
            "INSERT INTO stack_components (stack, type, component) VALUES (?, ?, ?)",
            [(spec.name, kind, component.name) for kind, component in spec.components.items()],
        )

    @writing
    def delete_stack(self, connection: sqlite3.Connection, name: str) -> None:
        """Delete a stack if it exists; its components and the records of its runs stay."""
        connection.execute("DELETE FROM stacks WHERE name = ?", (name,))

    @writing
    def rename_stack(self, connection: sqlite3.Connection, old: str, new: str) -> None:
        """Rename a stack; records of past runs keep the old name.

        Raises:
            StoreError: `new` exists.
        """
        connection.execute("UPDATE stacks SET name = ? WHERE name = ?", (new, old))

    @reading
    def setting(self, connection: sqlite3.Connection, key: str) -> str | None:
        """Return a setting, or None when it was never set."""
        row = connection.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    @writing
    def set_setting(self, connection: sqlite3.Connection, key: str, value: str) -> None:
        """Write a setting."""
        connection.execute(
            "INSERT INTO settings (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )


def select_components(connection: sqlite3.Connection, kind: str | None) -> list[ComponentSpec]:
    """Return the components of one type or all, by type and name."""
    sql = "SELECT type, name, flavor, config FROM components WHERE :type IS NULL OR type = :type ORDER BY type, name"
    return [_component(row) for row in select(connection, sql, {"type": kind})]


def select_stacks(connection: sqlite3.Connection, name: str | None) -> list[StackSpec]:
    """Return one stack or all, by name."""
    found = select(
        connection,
        "SELECT s.stack, c.type, c.name, c.flavor, c.config FROM stack_components s "
        "JOIN components c ON c.type = s.type AND c.name = s.component "
        "WHERE :name IS NULL OR s.stack = :name ORDER BY s.stack, s.type",
        {"name": name},
    )
    return list(_stacks(tuple(found)))


@lru_cache(maxsize=8)  # every cell asks, and the answer seldom changes
def _stacks(found: tuple[sqlite3.Row, ...]) -> tuple[StackSpec, ...]:
    stacks: dict[str, dict[str, ComponentSpec]] = {}
    for row in found:
        stacks.setdefault(row["stack"], {})[row["type"]] = _component(row)
    return tuple(
        StackSpec(name=stack, components=_in_order(components)) for stack, components in stacks.items()
    )


def _in_order(components: dict[str, ComponentSpec]) -> dict[str, ComponentSpec]:
    """Return components by type in the order in which views show them, the orchestrator first."""
    order = [kind.name for kind in COMPONENT_TYPES if kind.name in components]
    return {kind: components[kind] for kind in dict.fromkeys([*order, *components])}


def _component(row: sqlite3.Row) -> ComponentSpec:
    try:
        config = rows.load_texts(row["config"])
    except (TypeError, ValueError):
        config = None
    return ComponentSpec(
        type=str(row["type"]),
        name=str(row["name"]),
        flavor=str(row["flavor"]),
        # The defaults would keep artifacts somewhere else, unnoticed: an option that no flavor has is refused.
        config=config if config is not None and is_texts(config) else {"damaged": "record"},
    )


def _exists(
    spec: ComponentSpec | StackSpec, existing: Iterable[ComponentSpec | StackSpec], what: str
) -> bool:
    """Say whether an equal one exists; one of that name that differs is refused."""
    found = next((other for other in existing if other.name == spec.name), None)
    if found is not None and found != spec:
        raise NameTaken(f"{what} exists with another configuration; choose another name, or update it.")
    return found is not None
