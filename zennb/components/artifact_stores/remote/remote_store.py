"""Owns `RemoteArtifactStore`: blobs in a file system of fsspec, under their sha-256, with local copies."""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Dict, Enum, Float, TraitError, Unicode, observe, validate

from zennb.components.artifact_stores.reasons import system_reason
from zennb.components.artifact_stores.remote.connection import (
    check_options,
    check_url,
    connect,
    merged,
    visibility_of,
)
from zennb.components.artifact_stores.remote.local_copies import LocalCopies, default_folder, mapped
from zennb.components.artifact_stores.remote.named_files import NamedFiles
from zennb.components.artifact_stores.remote.probe import probe
from zennb.components.artifact_stores.remote.reasons import has_no_bucket, remote_reason
from zennb.components.artifact_stores.remote.remote_files import Upload
from zennb.components.artifact_stores.row import size_of
from zennb.components.artifact_stores.space_limit import checked_limit
from zennb.components.component import ArtifactStore, StoredBlob, Visibility
from zennb.components.content import flat, is_digest, missing, name_of
from zennb.core.planning.pruning import parse_size
from zennb.errors import (
    DamagedArtifact,
    InvalidConfiguration,
    MissingArtifact,
    NotStorable,
    StoreError,
    StoreFull,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from zennb.components.artifact_stores.blob_files import Part
    from zennb.components.artifact_stores.remote.remote_files import RemoteFile, RemoteFiles
    from zennb.components.component import Buffer
    from zennb.components.shared_files import SharedFiles

__all__ = ["RemoteArtifactStore"]

_SMALL = 1 << 20
"""Bytes up to which a blob is read and written in memory, in one request."""

_NO_ROOM = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST}
)
"""Errors of the local disk after which a blob is read into memory."""

_KEY = re.compile("(?P<folder>[0-9a-f]{2})/(?P<digest>[0-9a-f]{64})")
_EMPTY = name_of()


class RemoteArtifactStore(ArtifactStore):
    """Stores each blob as one file or object, `<first two digits>/<sha-256>` below a URL.

    Large blobs are first written to a local file, so that they are named by what is sent, whatever happens to the value
    meanwhile. It becomes the local copy, from which they are read.

    Whether a blob is there is always asked by its name: another machine may have deleted it, and listings may lag
    behind. It cannot free space by age: no object store can delete on the condition that nobody has touched an object.
    """

    visibility = Visibility.NETWORK

    protocols: ClassVar[tuple[str, ...]] = ()
    """The protocols its URL may have; any when empty."""

    credentials: ClassVar[str] = "its option `storage_options`"
    """Which options give its credentials, for error messages."""

    url = Unicode(help="Where it keeps artifacts: s3://bucket/prefix, for example.").tag(
        config=True, required=True
    )
    storage_options = Dict(
        key_trait=Unicode(),
        help="More options of the file system, as a dictionary. Write secrets in it as references: env:NAME.",
    ).tag(config=True)
    connect_timeout = Float(10.0, min=0.1, max=600.0, help="Seconds until a connection must stand.").tag(
        config=True
    )
    read_timeout = Float(60.0, min=0.1, max=3600.0, help="Seconds until the server must answer.").tag(
        config=True
    )
    cache = Unicode(
        help="The directory for local copies; if not given, one in the user's folder for caches."
    ).tag(config=True)
    cache_size = Unicode(
        "10GB", help="How much local copies may take, the longest unused are deleted first; 0 keeps none."
    ).tag(config=True)
    sharing = Enum(
        ["all", "trusted", "off"], "all", help="Reuse data that anybody leaves there, or only who is trusted."
    ).tag(config=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._opened: tuple[int, RemoteFiles] | None = None
        self._copies: LocalCopies | None = None

    @validate("url")
    def _checked_url(self, proposal: dict[str, Any]) -> str:
        try:
            return check_url(proposal["value"], protocols=self.protocols)
        except ValueError as error:
            raise TraitError(f"{error}") from None

    @validate("storage_options")
    def _checked_options(self, proposal: dict[str, Any]) -> dict[str, Any]:
        try:
            check_options(proposal["value"])
        except ValueError as error:
            raise TraitError(f"{error}") from None
        return dict(proposal["value"])

    @validate("cache_size")
    def _checked_size(self, proposal: dict[str, Any]) -> str:
        return checked_limit(proposal["value"] or "0")

    @validate("cache")
    def _absolute(self, proposal: dict[str, Any]) -> str:
        given: str = proposal["value"]
        return os.path.abspath(os.path.expanduser(given)) if given else ""  # noqa: PTH100, PTH111 - text in, text out

    @observe("url")
    def _reach(self, _change: dict[str, Any]) -> None:
        vars(self)["visibility"] = visibility_of(self.url)

    def filesystem_options(self) -> dict[str, Any]:
        """Return the options of the file system that the options of this flavor stand for; secrets as `Secret`."""
        return {}

    # Writing

    def put(self, chunks: Sequence[Buffer]) -> str:
        """Store the chunks, joined, and return their sha-256."""
        return self.put_all([chunks])[0]

    def put_all(self, blobs: Sequence[Sequence[Buffer]]) -> list[str]:
        """Store several, small ones side by side; return their names in order."""
        parts: list[Part] = []
        try:
            uploads = [self._prepared(flat(chunks), parts) for chunks in blobs]
            with self._explained(writes=True):
                self._files.upload(list({each.key: each for each in uploads}.values()))
            for part in parts:
                self.copies.keep(part)
            for each in uploads:
                if isinstance(each.source, bytes):
                    self.copies.keep_small(_digest(each), each.source)
            return [_digest(each) for each in uploads]
        finally:
            for part in parts:
                with suppress(OSError):
                    part.path.unlink(missing_ok=True)

    def _prepared(self, views: list[memoryview], parts: list[Part]) -> Upload:
        if size_of(views) <= _SMALL:
            content = b"".join(views)
            return Upload(key=_key(name_of(content)), source=content, size=len(content))
        try:
            parts.append(self.copies.write(views))
        except OSError as error:
            raise self._no_local_file(error) from error
        return Upload(key=_key(parts[-1].digest), source=parts[-1].path, size=parts[-1].size)

    def delete(self, digest: str) -> bool:
        """Delete it, here and there; copies on other machines stay until others take their place."""
        if not is_digest(digest):
            return False
        self.copies.forget(digest)
        with self._explained(writes=True):
            if not self._files.sizes([_key(digest)]):
                return False
            with suppress(FileNotFoundError):  # somebody else was faster
                self._files.remove(_key(digest))
        return True

    # Reading

    def get(self, digest: str) -> Buffer:
        """Return the verified content: from the local copy without any request, or from there."""
        if not is_digest(digest):
            raise missing(digest, self.name)
        copy = self.copies.read(digest, most=_SMALL)
        if copy is not None:
            return copy
        content, found = self._fetched(digest)
        if found != digest:
            # Once more, before it is taken for damaged: it may have been the way and not the object.
            content, found = self._fetched(digest)
        return content if found == digest else self._damaged(digest)

    def has(self, digest: str) -> bool:
        """Return whether it exists there, with the size of the local copy if there is one."""
        return digest in self.present([digest])

    def present(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of many that exist; all are asked for at once."""
        wanted = {_key(digest): digest for digest in digests if is_digest(digest)}
        if not wanted:
            return frozenset()
        with self._explained():
            found = self._files.sizes(list(wanted))
        return frozenset(wanted[key] for key, size in found.items() if self._is_whole(wanted[key], size))

    def size(self, digest: str) -> int:
        """Return its size in bytes."""
        if is_digest(digest):
            with self._explained():
                found = self._files.sizes([_key(digest)])
            if found:
                return found[_key(digest)]
        raise missing(digest, self.name)

    def digests(self) -> Iterator[str]:
        """Yield the digests of everything that is listed."""
        return (each.digest for each in self.stored())

    def stored(self) -> Iterator[StoredBlob]:
        """Yield name, size and time of everything that is listed."""
        with self._explained():
            found = [each for each in self._files.listed() if _KEY.fullmatch(each.key)]
        return (_stored(each) for each in found)

    def verify(self) -> list[str]:
        """Read everything from there, not from local copies; move what is damaged aside and return its digests."""
        damaged = []
        for digest in self.digests():
            try:
                if self._fetched(digest)[1] != digest and self._fetched(digest)[1] != digest:
                    self._damaged(digest)
            except (DamagedArtifact, MissingArtifact):
                damaged.append(digest)
        return damaged

    def probe(self, *, seconds: float) -> None:
        """Write a small blob, read it and delete it.

        Args:
            seconds: how long this may take.

        Raises:
            ZennbError: it does not work; the message says why.
        """
        if visibility_of(self.url) is Visibility.PROCESS:
            return
        with self._explained(writes=True):
            probe(self._connect(most=seconds), seconds=seconds)

    def shared_files(self) -> SharedFiles | None:
        """Return small files beside the blobs, unless they are in the memory of this process."""
        if visibility_of(self.url) is Visibility.PROCESS or self.sharing == "off":
            return None
        return NamedFiles(lambda: self._files, self._explained, only_trusted=self.sharing == "trusted")

    def close(self) -> None:
        """Close connections, with the file system; a later call opens them again."""
        self._opened = None

    def __reduce__(self) -> Any:
        if visibility_of(self.url) is Visibility.PROCESS:
            raise NotStorable(
                f"The artifact store '{self.name}' lives in the memory of this process and cannot be sent to "
                "another one. Use a stack whose artifact store reaches further, e.g. flavor 'local'."
            )
        return super().__reduce__()

    @property
    def copies(self) -> LocalCopies:
        """The local copies."""
        if self._copies is None:
            folder = Path(self.cache) if self.cache else default_folder()
            self._copies = LocalCopies(folder, parse_size(self.cache_size))
        return self._copies

    def _fetched(self, digest: str) -> tuple[Buffer, str]:
        """Return content as it is there, and its true digest; only sound content is kept."""
        try:
            if digest == _EMPTY:
                self.size(digest)
                return b"", _EMPTY
            with self._explained():
                content = self._files.read(_key(digest), _SMALL + 1)
                if len(content) > _SMALL:
                    return self._downloaded(digest)
        except FileNotFoundError:
            raise missing(digest, self.name) from None
        found = name_of(content)
        if found == digest:
            self.copies.keep_small(digest, content)
        return content, found

    def _downloaded(self, digest: str) -> tuple[Buffer, str]:
        path: Path | None = None
        try:
            path = self.copies.new_part()
            self._files.download(_key(digest), path)
            part = self.copies.received(path)
            if part.digest == digest:
                self.copies.keep(part)
            kept = self.copies.read(digest) if part.digest == digest else None
            return (mapped(path, part.size) if kept is None else kept), part.digest
        except OSError as error:
            if error.errno not in _NO_ROOM or isinstance(error, StoreError):
                raise
            # No room for a local file: then it has to fit into memory.
            content = self._files.read(_key(digest), self.size(digest))
            return content, name_of(content)
        finally:
            if path is not None:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _no_local_file(self, error: OSError) -> StoreError:
        reason = system_reason(self.copies.folder, error)
        message = (
            f"The artifact store '{self.name}' cannot write the local file from which it uploads, in "
            f"{self.copies.folder} ({error.strerror or error}); nothing was stored. Make room, or choose another "
            f"directory: %artifact-store update {self.name} --cache=DIRECTORY"
        )
        if isinstance(reason, StoreFull):
            return StoreFull(message, limit=reason.limit, short=reason.short)
        return StoreError(message)

    def _is_whole(self, digest: str, size: int) -> bool:
        known = 0 if digest == _EMPTY else self.copies.size(digest)
        return known is None or known == size

    def _damaged(self, digest: str) -> Buffer:
        aside = f"damaged/{digest}-{os.urandom(4).hex()}"
        try:
            self._files.move(_key(digest), aside)
            left = f"What is left of it is in {self.url}/{aside}. Run the step that made it again."
        except FileNotFoundError:  # somebody else has moved it
            left = "Run the step that made it again."
        except Exception:  # noqa: BLE001 - libraries raise anything; the damage is what counts
            left = "It could not be moved aside. Run the step that made it again, where it can be stored."
        raise DamagedArtifact(
            f"The artifact {digest[:12]} in {self.url} is damaged: it is not what was stored. {left}",
            digest=digest,
        )

    @property
    def _files(self) -> RemoteFiles:
        # Two threads may both connect at first; then one of the two connections is dropped, which is harmless.
        # After a fork, loops and connections belong to the parent.
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            self._opened = opened = (os.getpid(), self._connect())
        return opened[1]

    def _connect(self, *, most: float | None = None) -> RemoteFiles:
        if not self.url:
            raise InvalidConfiguration(
                f"The artifact store '{self.name}' has no URL; give it one: "
                f"%artifact-store update {self.name} --url=URL",
                option="url",
            )
        connecting, reading = self.connect_timeout, self.read_timeout
        if most is not None:
            connecting, reading = min(connecting, most / 2), min(reading, most / 2)
        options: Mapping[str, Any] = merged(self.filesystem_options(), self.storage_options)
        return connect(self.url, options, connect_timeout=connecting, read_timeout=reading)

    @contextmanager
    def _explained(self, writes: bool = False) -> Iterator[None]:
        """Translate what libraries raise into errors of ours; a file that does not exist is left to the caller."""
        try:
            yield
        except Exception as error:
            if isinstance(error, FileNotFoundError) and not writes and not has_no_bucket(error):
                raise
            found = remote_reason(
                error, name=self.name, url=self.url, options=self.credentials, writes=writes
            )
            if found is error:
                raise
            raise found from error


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def _digest(upload: Upload) -> str:
    return upload.key.rpartition("/")[2]


def _stored(file: RemoteFile) -> StoredBlob:
    return StoredBlob(digest=file.key.rpartition("/")[2], size=file.size, stored=file.written)
