"""Owns `Rows`: the open database and files of a local artifact store."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.components.artifact_stores.blob_files import BadBlobError, BlobFiles
from zennb.components.artifact_stores.claim import claim
from zennb.components.artifact_stores.freeing import renew
from zennb.components.artifact_stores.inspection import inspect
from zennb.components.artifact_stores.read_only_cache import ReadOnlyCache, is_read_only, is_store
from zennb.components.artifact_stores.reasons import database_reason, read_only, system_reason
from zennb.components.artifact_stores.row import Entry, Row
from zennb.components.artifact_stores.strict_cache import StrictCache, Timeout, make_database
from zennb.errors import StoreError, StoreFull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from zennb.components.artifact_stores.store_directory import StoreDirectory

__all__ = ["Rows"]

R = TypeVar("R")


class Rows:
    """An open store; writes run on the store's database thread, where no interrupt can reach them.

    Attributes:
        is_full: whether it could only be opened to read, because its disk is full.
    """

    def __init__(self, directory: StoreDirectory, *, timeout: float) -> None:
        self.directory, self.timeout = directory, timeout
        self.files = BlobFiles(directory)
        self.notices: list[str] = []
        self._cache = self._open(timeout)
        self.is_full = isinstance(self._cache, ReadOnlyCache) and isinstance(self._cache.refusal, StoreFull)
        if isinstance(self._cache, ReadOnlyCache):
            return
        with suppress(OSError):  # leftovers that cannot be removed are harmless
            self.files.clean(time.time())

    def _open(self, timeout: float) -> StrictCache | ReadOnlyCache:
        directory = self.directory
        with self._explained():
            if is_read_only(directory):
                return ReadOnlyCache(directory.database, read_only(directory.root))
        try:
            with self._explained():
                directory.prepare()
                self.notices += claim(
                    directory, make=partial(make_database, timeout=timeout), timeout=timeout
                )
                self.notices += inspect(directory.database, timeout=timeout)
                return StrictCache(directory.root, timeout)
        except StoreFull as error:
            if not is_store(directory):
                raise
            full = error
        with self._explained():
            return ReadOnlyCache(directory.database, full)

    def is_current(self) -> bool:
        """Return whether the open file is still the one at that path; not so after `rm -r`.

        Raises:
            StoreGone: it was cut short, or its log is not the one that is open.
        """
        return bool(self._cache.is_current())

    def row(self, digest: str) -> Row | None:
        """Return the row of `digest`."""
        with self._explained():
            return self._row(digest)

    def has(self, digest: str) -> bool:
        """Return whether `digest` exists with the right size."""
        row = self.row(digest)
        if row is None or row.fault:
            return False
        return self.files.has(digest, row.size) if row.is_file else True

    def present(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those that exist with the right size."""
        return frozenset(digest for digest in digests if self.has(digest))

    def add_all(self, entries: Sequence[Entry]) -> None:
        """Record everything in one transaction; files already have their names."""
        with self._explained(), self._cache.transact():
            for entry in entries:
                # Under the write lock no other process can delete it, so the file exists as long as its row.
                if entry.part is not None and not self.files.has(entry.digest, entry.part.size):
                    self.files.place(entry.part)
                self._add(entry)

    def delete(self, digest: str) -> bool:
        """Delete row and file; return whether there were any."""
        with self._explained(), self._cache.transact():
            row = self._row(digest)
            self._cache.delete(digest)
            # Delete the file under the same lock: a process that stores it again waits, then writes a new file.
            return row is not None and (self.files.remove(digest) or not row.is_file)

    def digests(self) -> list[str]:
        """Return the digests of all rows."""
        with self._explained():
            return [key for key in self._cache if key is not None]

    def apply(self, work: Callable[..., R], *args: Any) -> R:
        """Run `work(cache, files, *args)`."""
        with self._explained():
            return work(self._cache, self.files, *args)

    def set_aside(self, digest: str, bad: BadBlobError | None) -> Path | None:
        """Move damaged content to quarantine; None when another process has stored it again."""
        with self._explained(), self._cache.transact():
            row = self._row(digest)
            # The row is of the other kind than what was found damaged, so another process has stored it anew.
            if row is None or (bad is None) == row.is_file:
                return None
            if bad is not None:
                aside = self.files.set_aside(digest, bad.stamp)
            else:
                # Asked again under the lock: another process may have stored it anew after the damage was seen.
                aside = self._save(digest, row.content) if row.fault_as(digest) else None
            if aside is not None:
                self._cache.delete(digest)
            return aside

    def close(self) -> None:
        """Close the database; twice is fine."""
        self._cache.close()

    def _row(self, digest: str) -> Row | None:
        value, tag = self._cache.get(digest, default=None, tag=True)
        return None if value is None else Row.read(value, tag)

    def _add(self, entry: Entry) -> None:
        if self._cache.add(entry.digest, entry.content, tag=entry.tag):
            return
        # The row is there already, as a rule with the same content, for its name is the content's digest.
        if self._cache.get(entry.digest, tag=True) != (entry.content, entry.tag):
            self._cache.set(entry.digest, entry.content, tag=entry.tag)  # replace a damaged row
        else:
            renew(self._cache, entry.digest)

    def _save(self, digest: str, content: bytes) -> Path:
        aside = self.directory.quarantine / f"{digest}-{time.time_ns()}"
        aside.write_bytes(content)
        return aside

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Translate errors of database and file system into ours, and leave no transaction open."""
        root = self.directory.root
        try:
            yield
        except (Timeout, sqlite3.Error, UnicodeDecodeError) as error:
            with suppress(AttributeError):  # not opened yet
                self._cache.close()
            raise database_reason(root, error, timeout=self.timeout) from error
        except StoreError:
            raise
        except OSError as error:
            raise system_reason(root, error) from error
