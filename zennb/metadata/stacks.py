"""Owns the tables of what is registered: components, stacks and settings. Sentences are the registry's."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.core.records.records import ComponentSpec, StackSpec
from zennb.errors import NameTaken
from zennb.metadata import rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = [
    "delete_component",
    "delete_stack",
    "put_component",
    "put_stack",
    "rename_component",
    "rename_stack",
    "select_components",
    "select_stacks",
    "set_setting",
    "setting",
]


def select_components(connection: sqlite3.Connection, kind: str | None) -> list[ComponentSpec]:
    """Return components of one type or all, by type and name."""
    cursor = connection.execute(
        "SELECT type, name, flavor, config FROM components WHERE :type IS NULL OR type = :type "
        "ORDER BY type, name",
        {"type": kind},
    )
    return [_component(row) for row in cursor]


def put_component(connection: sqlite3.Connection, spec: ComponentSpec, *, replace: bool) -> None:
    """Write a component; one of that name is replaced when asked, otherwise it must be equal."""
    if not replace and _taken(spec, select_components(connection, spec.type), f"{spec.type} '{spec.name}'"):
        return
    connection.execute(
        "INSERT INTO components (type, name, flavor, config) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (type, name) DO UPDATE SET flavor = excluded.flavor, config = excluded.config",
        (spec.type, spec.name, spec.flavor, rows.dump(spec.config)),
    )


def delete_component(connection: sqlite3.Connection, kind: str, name: str) -> None:
    """Delete a component; one that a stack names stays, and the transaction fails."""
    connection.execute("DELETE FROM components WHERE type = ? AND name = ?", (kind, name))


def rename_component(connection: sqlite3.Connection, kind: str, old: str, new: str) -> None:
    """Rename a component, in the stacks that name it too."""
    connection.execute("UPDATE components SET name = ? WHERE type = ? AND name = ?", (new, kind, old))


def select_stacks(connection: sqlite3.Connection, name: str | None) -> list[StackSpec]:
    """Return one stack or all, by name."""
    cursor = connection.execute(
        "SELECT s.stack, c.type, c.name, c.flavor, c.config FROM stack_components s "
        "JOIN components c ON c.type = s.type AND c.name = s.component "
        "WHERE :name IS NULL OR s.stack = :name ORDER BY s.stack, s.type",
        {"name": name},
    )
    return list(_stacks(tuple(cursor)))


@lru_cache(maxsize=8)  # every cell asks, and seldom is the answer another one
def _stacks(found: tuple[tuple[str, str, str, str, str], ...]) -> tuple[StackSpec, ...]:
    stacks: dict[str, dict[str, ComponentSpec]] = {}
    for stack, *row in found:
        stacks.setdefault(stack, {})[row[0]] = _component(tuple(row))
    return tuple(
        StackSpec(name=stack, components=_in_order(components)) for stack, components in stacks.items()
    )


def _in_order(components: dict[str, ComponentSpec]) -> dict[str, ComponentSpec]:
    """Return components by type in the order in which they are told, the orchestrator first."""
    order = [kind.name for kind in COMPONENT_TYPES if kind.name in components]
    return {kind: components[kind] for kind in dict.fromkeys([*order, *components])}


def put_stack(connection: sqlite3.Connection, spec: StackSpec, *, replace: bool) -> None:
    """Write which components a stack names; they must exist."""
    if not replace and _taken(spec, select_stacks(connection, spec.name), f"stack '{spec.name}'"):
        return
    connection.execute("INSERT INTO stacks (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (spec.name,))
    connection.execute("DELETE FROM stack_components WHERE stack = ?", (spec.name,))
    connection.executemany(
        "INSERT INTO stack_components (stack, type, component) VALUES (?, ?, ?)",
        [(spec.name, kind, component.name) for kind, component in spec.components.items()],
    )


def delete_stack(connection: sqlite3.Connection, name: str) -> None:
    """Delete a stack; its components stay."""
    connection.execute("DELETE FROM stacks WHERE name = ?", (name,))


def rename_stack(connection: sqlite3.Connection, old: str, new: str) -> None:
    """Rename a stack; records of past runs keep the old name."""
    connection.execute("UPDATE stacks SET name = ? WHERE name = ?", (new, old))


def setting(connection: sqlite3.Connection, key: str) -> str | None:
    """Return a setting, or None when it was never set."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def set_setting(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Write a setting."""
    connection.execute(
        "INSERT INTO settings (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def _component(row: rows.Row) -> ComponentSpec:
    return ComponentSpec(type=row[0], name=row[1], flavor=row[2], config=rows.load_texts(row[3]))


def _taken(spec: ComponentSpec | StackSpec, existing: Iterable[ComponentSpec | StackSpec], what: str) -> bool:
    """Say whether an equal one exists; one of that name that differs is refused."""
    found = next((other for other in existing if other.name == spec.name), None)
    if found is not None and found != spec:
        raise NameTaken(f"{what} exists with another configuration; choose another name, or update it.")
    return found is not None
