"""Owns `Bucket`: objects of an object store, each created in one request that fails where another one is there."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.components.artifact_stores.remote.listing import listed_entry, remote_file
from zennb.components.artifact_stores.remote.loop_calls import LoopCalls, gathered
from zennb.components.artifact_stores.remote.reasons import (
    has_no_bucket,
    is_conflict,
    is_empty,
    is_unsupported,
)
from zennb.components.artifact_stores.remote.remote_files import GivenUpError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zennb.components.artifact_stores.remote.remote_files import RemoteFile, Upload
    from zennb.components.long_calls import LongCall

__all__ = ["Bucket"]

_AT_ONCE = 16
"""Requests about small objects that are under way at once."""

_LARGE = 1 << 20
"""Objects from this size on are uploaded one after another, each in parts, so that memory stays bounded; and only
after asking whether they are there, which is faster than sending them in vain."""


class Bucket:
    """Objects below one prefix.

    Args:
        filesystem: of fsspec, with methods to be awaited.
        root: bucket and prefix.
        label: what to call it in displays.
        patience: seconds without progress after which a request is given up.
        upload_options: options of `put_file` for this kind of object store.
    """

    def __init__(
        self, filesystem: Any, root: str, *, label: str, patience: float, upload_options: Mapping[str, Any]
    ) -> None:
        self._filesystem, self._root, self._label = filesystem, root, label
        self._calls = LoopCalls(filesystem.loop, patience=patience)
        self._upload_options = upload_options
        self._has_conditions = True

    def sizes(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the sizes of those objects that exist."""

        async def work(call: LongCall) -> dict[str, int]:
            found = await gathered(
                [partial(self._size, key, call) for key in keys], at_once=_AT_ONCE, stop=call.stop
            )
            return {key: size for key, size in zip(keys, found, strict=True) if size is not None}

        return self._calls.run(work, f"asking {self._label}")

    def read(self, key: str, limit: int) -> bytes:
        """Return the first bytes of an object."""

        async def work(call: LongCall) -> bytes:
            del call
            return await self._begin(key, limit)

        return self._calls.run(work, f"reading from {self._label}")

    def read_all(self, keys: Sequence[str], limit: int) -> dict[str, bytes]:
        """Return the first bytes of those objects that exist."""

        async def one(key: str, call: LongCall) -> bytes | None:
            try:
                found = await self._begin(key, limit)
            except FileNotFoundError as error:
                if has_no_bucket(error):
                    raise
                return None
            call.moved += 1  # an answer is progress
            return found

        async def work(call: LongCall) -> dict[str, bytes]:
            found = await gathered(
                [partial(one, key, call) for key in keys], at_once=_AT_ONCE, stop=call.stop
            )
            return {key: content for key, content in zip(keys, found, strict=True) if content is not None}

        return self._calls.run(work, f"reading from {self._label}")

    def names(self, folder: str, most: int) -> list[RemoteFile]:
        """Return the first entries of a folder."""

        async def work(call: LongCall) -> list[RemoteFile]:
            del call
            try:
                return [
                    listed_entry(self._root, each) for each in await self._entries(self._path(folder), most)
                ]
            except FileNotFoundError as error:
                if has_no_bucket(error):
                    raise
                return []

        return self._calls.run(work, f"listing {self._label}")

    def download(self, key: str, target: Path) -> None:
        """Write an object's content to a local file."""

        async def work(call: LongCall) -> None:
            await self._filesystem._get_file(self._path(key), str(target), callback=_TransferProgress(call))

        self._calls.run(work, f"reading from {self._label}")

    def upload(self, uploads: Sequence[Upload]) -> None:
        """Create objects: large ones one after another, in parts, and small ones side by side."""

        async def work(call: LongCall) -> None:
            for each in large:
                await self._create(each, call)
            await gathered(
                [partial(self._create, each, call) for each in small], at_once=_AT_ONCE, stop=call.stop
            )

        large = [each for each in uploads if each.size >= _LARGE]
        small = [each for each in uploads if each.size < _LARGE]
        total = sum(each.size for each in uploads)
        self._calls.run(work, f"writing to {self._label}", total=total)

    def move(self, key: str, target: str) -> None:
        """Copy an object, then delete it: object stores cannot rename."""

        async def work(call: LongCall) -> None:
            del call
            await self._filesystem._cp_file(self._path(key), self._path(target))
            await self._filesystem._rm_file(self._path(key))

        self._calls.run(work, f"writing to {self._label}")

    def remove(self, key: str) -> None:
        """Delete an object."""

        async def work(call: LongCall) -> None:
            del call
            await self._filesystem._rm_file(self._path(key))

        self._calls.run(work, f"writing to {self._label}")

    def listed(self) -> Iterator[RemoteFile]:
        """Return all objects below the root."""

        async def work(call: LongCall) -> dict[str, Any]:
            del call
            found: dict[str, Any] = await self._filesystem._find(self._root, detail=True)
            return found

        found = self._calls.run(work, f"listing {self._label}")
        return (remote_file(self._root, details) for details in found.values())

    # On the loop

    async def _begin(self, key: str, limit: int) -> bytes:
        try:
            return bytes(await self._filesystem._cat_file(self._path(key), start=0, end=limit))
        except Exception as error:
            if is_empty(error):
                return b""
            raise

    async def _entries(self, path: str, most: int) -> list[dict[str, Any]]:
        if not hasattr(self._filesystem, "_call_s3"):
            found: list[dict[str, Any]] = await self._filesystem._ls(path, detail=True)
            return found
        # One request, whose size is bounded: `_ls` fetches all pages, and lists the folder above an empty one as well.
        bucket, name, _ = self._filesystem.split_path(path)
        page = await self._filesystem._call_s3(
            "list_objects_v2", Bucket=bucket, Prefix=f"{name}/", Delimiter="/", MaxKeys=most
        )
        folders = [
            {"name": f"{bucket}/{each['Prefix'].rstrip('/')}", "type": "directory"}
            for each in page.get("CommonPrefixes", [])
        ]
        return folders + [
            {"name": f"{bucket}/{each['Key']}", "size": each["Size"], "LastModified": each["LastModified"]}
            for each in page.get("Contents", [])
        ]

    async def _create(self, upload: Upload, call: LongCall) -> None:
        mode = "create"
        if upload.size >= _LARGE:
            known = await self._size(upload.key, call)
            if known == upload.size:
                call.moved += upload.size
                return
            # Of another size under this name, it was cut short by somebody else: it is replaced.
            mode = "create" if known is None else "overwrite"
        if not self._has_conditions:
            mode = "overwrite"
        try:
            await self._send(upload, mode, call)
        except Exception as error:
            if is_unsupported(error):
                self._has_conditions = False  # an object is written as a whole all the same
            elif not is_conflict(error):
                raise
            elif await self._size(upload.key, call) == upload.size:
                return
            await self._send(upload, "overwrite", call)

    async def _send(self, upload: Upload, mode: str, call: LongCall) -> None:
        if call.stop.is_set():
            raise GivenUpError
        path = self._path(upload.key)
        if isinstance(upload.source, Path):
            await self._filesystem._put_file(
                str(upload.source), path, mode=mode, callback=_TransferProgress(call), **self._upload_options
            )
        else:
            await self._filesystem._pipe_file(path, upload.source, mode=mode)
            call.moved += upload.size

    async def _size(self, key: str, call: LongCall) -> int | None:
        try:
            if hasattr(self._filesystem, "_call_s3"):
                # `_info` lists after a miss, to see whether there is a folder of that name.
                bucket, name, _ = self._filesystem.split_path(self._path(key))
                head = await self._filesystem._call_s3("head_object", Bucket=bucket, Key=name)
                size = int(head["ContentLength"])
            else:
                found = await self._filesystem._info(self._path(key))
                if found.get("type") != "file":
                    return None
                size = int(found["size"])
        except FileNotFoundError:
            return None
        call.moved += 1  # an answer is progress
        return size

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"


class _TransferProgress:
    """Counts what a library reports of an upload or download, and ends it when nobody waits for it any more.

    It has the methods of `fsspec.callbacks.Callback` that file systems call. Raising in them makes every library give
    up an upload in parts as after any other error.
    """

    def __init__(self, call: LongCall) -> None:
        self._call, self._before = call, call.moved

    def set_size(self, size: int | None) -> None:
        """Note how much is to be moved."""
        if not self._call.total:
            self._call.total = size or 0

    def relative_update(self, inc: int = 1) -> None:
        """Note that so many more bytes were moved."""
        self._call.moved += inc
        self._check()

    def absolute_update(self, value: int | None) -> None:
        """Note how many bytes have been moved by now; Azure's library does not always know."""
        self._call.moved = self._before + (value or 0)
        self._check()

    def _check(self) -> None:
        if self._call.stop.is_set():
            raise GivenUpError
