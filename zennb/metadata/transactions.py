"""Owns methods that are one transaction each: they take the connection, and callers do not see it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from zennb.metadata.connection import Database

__all__ = ["Queries", "reading", "writing"]

P = ParamSpec("P")
R = TypeVar("R")
Q = TypeVar("Q", bound="Queries")


class Queries:
    """Questions to a database, and changes of it.

    Args:
        database: where the records are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database


def reading(method: Callable[Concatenate[Q, sqlite3.Connection, P], R]) -> Callable[Concatenate[Q, P], R]:
    """Run a method on one consistent view of the database; it must not write, nor call another such method."""

    @wraps(method)
    def call(self: Q, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._database.read(lambda connection: method(self, connection, *args, **kwargs))

    return call


def writing(method: Callable[Concatenate[Q, sqlite3.Connection, P], R]) -> Callable[Concatenate[Q, P], R]:
    """Run a method in one transaction, or in that of the caller: all of it happens or nothing."""

    @wraps(method)
    def call(self: Q, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._database.write(lambda connection: method(self, connection, *args, **kwargs))

    return call
