"""Owns `Countersigner`: records get the signatures that other people can check a moment after they are written."""

from __future__ import annotations

import atexit
import contextlib
import os
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING

from zennb.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from zennb.core.records.records import Step
    from zennb.core.records.seal import Seal
    from zennb.metadata.connection import Database

__all__ = ["Countersigner"]

_DELAY = 0.5
"""Seconds for which records are gathered. Such a signature takes as long as half of what else a small step costs."""


class Countersigner:
    """Adds the signatures that other people can check to records of this process, on the store's own thread.

    A step does not wait for them: its own seal is there at once, and is all that this user needs. Of a record whose
    process is killed before, other people say that they cannot check it, and their step runs.

    Args:
        database: where the records are.
        countersign: returns a seal's signature with the public one added; the same text where there is none to add.
    """

    def __init__(self, database: Database, countersign: Callable[[Seal], str]) -> None:
        self._database, self._countersign = database, countersign
        self._waiting: list[tuple[int, Seal]] = []
        self._next = 0.0
        self._process = os.getpid()
        # The store's thread ends in the same way, later: what was registered last comes first.
        self._at_exit = partial(_finish, weakref.ref(self))
        atexit.register(self._at_exit)

    def note(self, steps: Iterable[Step]) -> None:
        """Countersign steps, as recorded just now, in a moment."""
        found = [(step.id, step.seal) for step in steps if step.id is not None and step.seal is not None]
        self._waiting += found
        now = time.monotonic()
        if found and now >= self._next:
            self._next = now + _DELAY
            with contextlib.suppress(StoreError):  # closed, gone or read-only
                self._database.write_later(_DELAY, self._write, self._done)

    def finish(self) -> None:
        """Countersign what waits, before the store is closed."""
        atexit.unregister(self._at_exit)
        if self._waiting and self._process == os.getpid():  # after a fork, the parent does it
            with contextlib.suppress(StoreError):
                self._done(self._database.write(self._write))

    def _write(self, connection: sqlite3.Connection) -> int:
        waiting = self._waiting[:]
        signed = [(self._countersign(seal), number, seal.signature) for number, seal in waiting]
        # Only under the seal that was signed: a transaction that was rolled back has left its number to another step.
        connection.executemany(
            "UPDATE step_details SET seal = ? WHERE step = ? AND seal = ?",
            [each for each in signed if each[0] != each[2]],
        )
        return len(waiting)

    def _done(self, count: int) -> None:
        del self._waiting[:count]


def _finish(reference: weakref.ref[Countersigner]) -> None:
    countersigner = reference()
    if countersigner is not None:
        countersigner.finish()
