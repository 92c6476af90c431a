"""Owns the `local` artifact store: small values in a diskcache database, large ones in files.

diskcache only stores rows that many processes share: it never pickles, writes or removes a file, evicts, retries
forever, or receives an interrupt.
"""

from __future__ import annotations

import os
import threading
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from traitlets import Float, Unicode, validate

from zennb.components.artifact_stores.blob_files import BadBlobError
from zennb.components.artifact_stores.freeing import FreeableStore
from zennb.components.artifact_stores.open_rows import Rows
from zennb.components.artifact_stores.reasons import system_reason
from zennb.components.artifact_stores.row import ROW_LIMIT, Entry, Row, size_of, small
from zennb.components.artifact_stores.space_limit import checked_limit
from zennb.components.artifact_stores.store_directory import StoreDirectory
from zennb.components.component import Visibility
from zennb.components.content import flat, is_digest, missing
from zennb.errors import (
    DamagedArtifact,
    InvalidConfiguration,
    MissingArtifact,
    StoreError,
    StoreFull,
    StoreReadOnly,
)
from zennb.worker_thread import WorkerThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from zennb.components.artifact_stores.blob_files import Part
    from zennb.components.component import Buffer

__all__ = ["LocalArtifactStore"]

R = TypeVar("R")


class LocalArtifactStore(FreeableStore):
    """Stores artifacts in a directory that all processes on this machine can share.

    Presence is never cached, since another kernel may delete: `has` and `put` query the database each time. Only
    verified files are cached, by inode, modification time and size.

    Once `put` returns, content survives a crash of the process. Files are synced to disk immediately, their names and
    rows a little later: a power failure may lose the last few, and their steps run again.

    Reads are verified: rows by their sha-256, files by a faster digest recorded with it that also detects any damage;
    `verify` checks the sha-256 of everything.

    Attributes:
        notices: messages about what was corrected when the store was opened.
    """

    flavor = "local"
    description = "keeps artifacts in a directory, shared by all kernels on this machine"
    visibility = Visibility.MACHINE

    path = Unicode(help="The directory; if not given, one of its own in the zennb home.").tag(config=True)
    timeout = Float(
        10.0, min=0.05, max=3600.0, help="Seconds to wait for another process that holds the store."
    ).tag(config=True)
    max_size = Unicode(
        help="A soft limit, such as 5GB: zennb warns once when 80 % of it are used. Nothing is deleted or refused."
    ).tag(config=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.notices: list[str] = []
        self._begin()

    @validate("path")
    def _absolute(self, proposal: dict[str, Any]) -> str:
        given: str = proposal["value"]
        return os.path.abspath(os.path.expanduser(given)) if given else ""  # noqa: PTH100, PTH111 - text in, text out

    @validate("max_size")
    def _size(self, proposal: dict[str, Any]) -> str:
        return checked_limit(proposal["value"])

    def put(self, chunks: Sequence[Buffer]) -> str:
        """Store the chunks, joined, and return their sha-256."""
        return self.put_all([chunks])[0]

    def put_all(self, blobs: Sequence[Sequence[Buffer]]) -> list[str]:
        """Store several: first the files of the large ones, then all rows in one transaction."""
        flattened = [flat(chunks) for chunks in blobs]
        self.limit.added(sum([size_of(views) for views in flattened]))
        # Most cells have only small outputs: one call and one transaction, without the thread for files.
        if all(size_of(views) < ROW_LIMIT for views in flattened):
            entries = [small(views) for views in flattened]
            self._call(Rows.add_all, entries)
            return [entry.digest for entry in entries]
        stop = threading.Event()
        try:
            # On a thread of its own: a large write must keep neither the database thread nor other processes waiting.
            return self._writer.call(self._put_files, flattened, stop)
        except BaseException:
            # An interrupt ended the waiting only; this ends the write, at the next block.
            stop.set()
            raise

    def get(self, digest: str) -> Buffer:
        """Return the verified content; large content as a private memory map, without a copy."""
        return self._read(digest, again=False)

    def has(self, digest: str) -> bool:
        """Return whether it exists with the right size."""
        return is_digest(digest) and self._ask(Rows.has, digest)

    def present(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of many that exist with the right size."""
        return self._ask(Rows.present, [digest for digest in digests if is_digest(digest)])

    def delete(self, digest: str) -> bool:
        """Remove it; kernels that have it mapped keep their view."""
        return is_digest(digest) and self._call(Rows.delete, digest)

    def digests(self) -> Iterator[str]:
        """Yield the digests of everything recorded now; `has` checks whether the bytes exist."""
        return iter(self._call(Rows.digests))

    def size(self, digest: str) -> int:
        """Return its size in bytes, as recorded."""
        return self._known(digest).size

    def verify(self) -> list[str]:
        """Read everything; move what is damaged to quarantine; return its digests and those that are missing."""
        damaged = []
        for digest in self.digests():
            try:
                self._read(digest, again=True)
            except (DamagedArtifact, MissingArtifact):
                damaged.append(digest)
        return damaged

    def close(self) -> None:
        """Close the database and end the threads; a later call opens them again."""
        try:
            if self._pid == os.getpid():
                if self._rows is not None:
                    self._rows.close()  # the connection that this thread opened for reading
                self._writer.close()
                self._database.call(self._close_rows)
                self._database.close()
        finally:
            self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._rows: Rows | None = None
        self._database = WorkerThread("zennb-store-database")
        self._writer = WorkerThread("zennb-store-files")

    def _call(self, work: Callable[..., R], *args: Any) -> R:
        """Run `work(rows, *args)` on the database thread, opening the store first if need be."""
        if self._pid != os.getpid():  # after a fork, connections and threads belong to the parent
            self._begin()
        return self._database.call(self._on_rows, work, args)

    def _ask(self, work: Callable[..., R], *args: Any) -> R:
        """Run `work(rows, *args)`, which only reads and so may run in the main thread: interrupts are harmless."""
        rows = self._rows
        if (
            rows is None
            or threading.current_thread() is not threading.main_thread()
            or self._pid != os.getpid()
            or not rows.is_current()
        ):
            return self._call(work, *args)
        return work(rows, *args)

    def _apply(self, work: Callable[..., R], *args: Any) -> R:
        found: R = self._call(Rows.apply, work, *args)
        return found

    def _on_rows(self, work: Callable[..., R], args: tuple[Any, ...]) -> R:
        # Somebody removed the directory while it was open. What is written into the old file
        # would be lost without an error.
        if self._rows is not None and not self._rows.is_current():
            self._close_rows()
        if self._rows is None:
            self._rows = Rows(StoreDirectory(self._root()), timeout=self.timeout)
            self.notices += self._rows.notices
        try:
            return work(self._rows, *args)
        except StoreFull:
            if not self._rows.is_full:
                raise
        rows = Rows(self._rows.directory, timeout=self.timeout)  # there may be room by now
        self._close_rows()
        self._rows = rows
        self.notices += rows.notices
        return work(rows, *args)

    def _opened(self) -> Rows:
        # Only the main thread has a connection of its own beside the database thread: diskcache opens one for each
        # thread that asks, and can close only that of the thread it is called from.
        rows = self._rows
        return self._call(lambda opened: opened) if rows is None or self._pid != os.getpid() else rows

    def _close_rows(self) -> None:
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def _root(self) -> Path:
        if not self.path:
            raise InvalidConfiguration(
                f"The artifact store '{self.name}' has no directory; give it one: "
                f"%artifact-store update {self.name} --path=DIRECTORY",
                option="path",
            )
        return Path(self.path)

    def _put_files(self, flattened: Sequence[list[memoryview]], stop: threading.Event) -> list[str]:
        rows = self._opened()
        parts: list[Part] = []
        try:
            is_large = [size_of(views) >= ROW_LIMIT for views in flattened]
            written = iter(rows.files.write_all(list(compress(flattened, is_large)), stop, parts))
            entries = [
                _entry(next(written)) if large else small(views)
                for views, large in zip(flattened, is_large, strict=True)
            ]
            for part in parts:
                # Before the transaction, which every other process waits for. `add_all` checks again under the lock.
                rows.files.place(part)
            self._call(Rows.add_all, entries)
            return [entry.digest for entry in entries]
        except StoreError:
            raise
        except OSError as error:
            raise system_reason(rows.directory.root, error) from error
        finally:
            for part in parts:
                part.path.unlink(missing_ok=True)

    def _known(self, digest: str) -> Row:
        row = self._ask(Rows.row, digest) if is_digest(digest) else None
        if row is None:
            raise missing(digest, self.name)
        return row

    def _read(self, digest: str, *, again: bool) -> Buffer:
        row = self._known(digest)
        if not row.is_file:
            fault = row.fault_as(digest)
            return self._damaged(digest, fault, None) if fault else row.content
        rows = self._opened()
        try:
            return rows.files.read(digest, row.size, quick=row.quick, again=again)
        except FileNotFoundError:
            raise missing(digest, self.name) from None
        except BadBlobError as bad:
            return self._damaged(digest, bad.why, bad)
        except OSError as error:
            raise system_reason(rows.directory.root, error) from error

    def _damaged(self, digest: str, why: str, bad: BadBlobError | None) -> Buffer:
        try:
            aside = self._call(Rows.set_aside, digest, bad)
        except StoreReadOnly:
            raise DamagedArtifact(
                f"The artifact {digest[:12]} in {self.path} is damaged: {why}. The store is read-only here, so it is "
                "left as it is. Run the step that made it again, where it can be stored.",
                digest=digest,
            ) from None
        if aside is None:  # another kernel has stored it again, or removed it
            return self.get(digest)
        raise DamagedArtifact(
            f"The artifact {digest[:12]} in {self.path} is damaged: {why}. What is left of it is in {aside}. "
            "Run the step that made it again.",
            digest=digest,
        )


def _entry(part: Part) -> Entry:
    return Entry(digest=part.digest, part=part)
