"""Owns the digests of files and of what reads and writes them: the place in an open file, what a closed one was."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zennb.compat.finished import finished, restored
from zennb.compat.open_archives import archive_place
from zennb.compat.open_databases import database_in, file_of
from zennb.compat.open_files import absolute, csv_parts, place_in_file
from zennb.compat.standard_streams import stream_name
from zennb.digests.objects import by_recipe, changeable
from zennb.digests.walker import HIDDEN

if TYPE_CHECKING:
    from zennb.digests.walker import DigestWalker, Handler, Steps

__all__ = ["CONNECTION", "OPEN_FILE", "archive", "csv_object", "database", "file", "finished_or"]

OPEN_FILE, CONNECTION = "an open file", "a database connection"

CLOSABLE = {
    "TextIOWrapper": "_io",
    "BufferedReader": "_io",
    "BufferedWriter": "_io",
    "BufferedRandom": "_io",
    "GzipFile": "gzip",
    "BZ2File": "bz2",
    "LZMAFile": "lzma",
}
"""Files that can be digested once they are closed → their module."""


def file(walker: DigestWalker, value: Any) -> None:
    """Write what a closed file was, the place in one that is open for reading, or a standard stream; refuse others."""
    if stream := stream_name(value):
        walker.mark("standard stream")
        walker.sink.text(stream)
        return
    name = type(value).__name__
    if getattr(sys.modules.get(CLOSABLE.get(name, "")), name, None) is not type(value):
        raise walker.refuse(OPEN_FILE)
    if value.closed:
        walker.mark("closed file")
        for part in (name, *(getattr(value, each, "") for each in ("name", "mode", "encoding"))):
            walker.sink.text(str(part))
        return
    found = place_in_file(value)
    if found is None:
        raise walker.refuse(OPEN_FILE)
    if walker.seen(value):
        return
    walker.files.add(absolute(found.name))
    walker.mark("open file")
    # How far it has read ahead depends on the sizes of buffers; it is the content of the file, as it is now.
    ends = found.newline if found.has_returns else ""
    for part in (
        name,
        found.name,
        found.mode,
        found.encoding,
        found.errors,
        ends,
        found.place,
        found.content,
    ):
        walker.sink.text(str(part))
    if found.newlines:
        walker.sink.text(repr(found.newlines))


def csv_object(walker: DigestWalker, value: Any) -> Steps | None:
    """Write a reader or writer of csv: how it reads, and what."""
    found = csv_parts(value)
    if found is None:
        raise walker.refuse(f"an object of type _csv.{type(value).__name__}")
    return None if walker.seen(value) else _csv_parts(walker, type(value).__name__, *found)


def _csv_parts(walker: DigestWalker, kind: str, dialect: dict[str, Any], lines: int, source: Any) -> Steps:
    walker.mark(f"csv {kind}")
    walker.sink.number(lines)
    for each in dialect.values():
        walker.sink.text(repr(each))
    yield source, HIDDEN


def archive(walker: DigestWalker, value: Any) -> Steps | None:
    """Write a zip file that is open for reading; refuse others that are open."""
    found = archive_place(value)
    if found is None:
        return changeable(walker, value)
    if not walker.seen(value):
        walker.files.add(absolute(found[0]))
        walker.mark("open archive")
        walker.sink.text(repr(found))
    return None


def database(walker: DigestWalker, value: Any) -> None:
    """Write the file of a connection to SQLite that has changed and set nothing; refuse others."""
    found = database_in(value)
    if found is None:
        raise walker.refuse(CONNECTION)
    if walker.seen(value):
        return
    walker.files.add(file_of(found))
    walker.mark("open database")
    walker.sink.text(repr(found))


def finished_or(otherwise: Handler) -> Handler:
    """Return the handler of what may have ended: what it was then, and else as another handler does."""

    def write(walker: DigestWalker, value: Any) -> Steps | None:
        found = finished(value)
        if found is None:
            return otherwise(walker, value)
        if walker.seen(value):
            return None
        kind, state, _ = found
        walker.keep(state)
        return by_recipe(walker, value, (restored, (kind, state)))

    return write
