"""Owns files that are open for reading, and readers and writers of csv: where they stand, and others that stand there.

A file that is read from start to end, cell by cell, is a place in a file. As long as the file is what it was, another
one, opened there, is the same to all who read it.
"""

from __future__ import annotations

import csv
import gc
import io
import os
import stat
import sys
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xxhash import xxh3_128

from zennb.compat.instances import is_a
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Lines",
    "Place",
    "absolute",
    "csv_parts",
    "csv_reader",
    "csv_writer",
    "is_opening",
    "not_opened",
    "opened_again",
    "place_in_file",
]

_LARGEST = 64_000_000
"""Bytes of a file that are read to tell whether it has changed; it is read again after every cell."""


class Place(NamedTuple):
    """Where a file stands that is open for reading.

    Attributes:
        name: as it was opened.
        mode: as it was opened.
        encoding: of a text file; None of others.
        errors: how a text file takes bytes that are no text.
        newline: how a text file takes the ends of lines; `all` for any, as without the argument.
        place: what `tell` says.
        ahead: the byte up to which it has read ahead. That is not read again if somebody changes the file.
        content: digest of all that is in the file.
        has_returns: whether there are bytes in it for which `newline` matters.
        newlines: what the attribute `newlines` of a text file says of the ends of lines so far.
    """

    name: str
    mode: str
    encoding: str | None
    errors: str | None
    newline: str
    place: int
    ahead: int
    content: str
    has_returns: bool
    newlines: str | tuple[str, ...] | None = None


def place_in_file(value: Any) -> Place | None:
    """Return where an open file stands; None when that cannot be told, or it is not only read.

    Asking moves nothing.
    """
    is_text = type(value) is io.TextIOWrapper
    if is_text and (value.line_buffering or value.write_through):  # settings that no recipe has
        return None
    buffer = value.buffer if is_text else value
    if type(buffer) is not io.BufferedReader or type(buffer.raw) is not io.FileIO or vars(buffer):
        return None
    del buffer
    if vars(value).keys() - {"mode"} or value.mode not in {"r", "rt", "rb"} or not is_a(value.name, str):
        return None
    # A part that somebody else holds as well would be another one.
    if any(now > new for now, new in zip(_holders(value), _holders_of_new(is_text=is_text), strict=True)):
        return None
    buffer, newlines = (value.buffer, value.newlines) if is_text else (value, None)
    decoder = _decoder(value) if newlines else None
    if newlines and decoder is None:
        return None
    try:
        number, place = value.fileno(), value.tell()  # refused while a loop over its lines goes on
        if newlines:
            _note_newlines(value, decoder, newlines)  # `tell` may forget them
        content, ahead = _content(number, value.name), os.lseek(number, 0, os.SEEK_CUR)
    except (OSError, ValueError):
        return None
    if content is None or not _is_current(value, buffer, content, ahead):
        return None
    newline = _newline(value, content, place) if is_text else ""
    if newline is None:
        return None
    return Place(
        name=value.name,
        mode=value.mode,
        encoding=value.encoding if is_text else None,
        errors=value.errors if is_text else None,
        newline=newline,
        place=place,
        ahead=ahead,
        content=xxh3_128(content).hexdigest(),
        has_returns=b"\r" in content,
        newlines=newlines,
    )


def _holders(file: Any) -> list[int]:
    """Return how many refer to each of the parts of a file, the file and this function among them."""
    buffer = file.buffer if type(file) is io.TextIOWrapper else file
    parts = [buffer.raw] if buffer is file else [buffer, buffer.raw]
    del buffer
    return list(map(sys.getrefcount, parts))


@lru_cache(maxsize=2)
def _holders_of_new(*, is_text: bool) -> list[int]:
    """Return these numbers for a file that nobody has asked for its parts; they depend on the release of Python."""
    with Path(os.devnull).open("r" if is_text else "rb") as file:
        return _holders(file)


def _decoder(file: Any) -> Any:
    """Return the decoder of a text file that takes any ends of lines; None of one that does not."""
    found = (each for each in gc.get_referents(file) if type(each) is io.IncrementalNewlineDecoder)
    return next(found, None)


def _note_newlines(file: Any, decoder: Any, newlines: str | tuple[str, ...]) -> None:
    """Let a text file say again which ends of lines it has met."""
    if file.newlines == newlines:
        return
    state = decoder.getstate()
    decoder.reset()
    decoder.decode("-".join((newlines, "") if is_a(newlines, str) else (*newlines, "")).encode(file.encoding))
    decoder.setstate(state)  # keeps what was met


def absolute(name: str) -> str:
    """Return the absolute path of an open file."""
    return os.path.abspath(name)  # noqa: PTH100 - links as they were named


def _content(number: int, name: str) -> bytes | None:
    """Return what is in the file that a descriptor refers to; None unless it still has that name, and is not large."""
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST or not hasattr(os, "pread"):
        return None
    if not os.path.samestat(found, Path(name).stat()):
        return None
    content = os.pread(number, found.st_size + 1, 0)
    return content if len(content) == found.st_size else None


def _is_current(value: Any, buffer: io.BufferedReader, content: bytes, ahead: int) -> bool:
    """Whether what a file has read ahead is still in it."""
    at = buffer.tell()
    if ahead > at and buffer.peek() != content[at:ahead]:  # in memory already: nothing is read
        return False
    if value is buffer:
        return True
    decoded = [each[1] for each in gc.get_referents(value) if type(each) is tuple]
    return all(type(each) is bytes and content[at - len(each) : at] == each for each in decoded)


def _newline(file: io.TextIOWrapper, content: bytes, place: int) -> str | None:
    """Return how a text file takes the ends of lines; None when nobody can tell."""
    found = _newline_seen(file, is_at_end=place >= len(content)) if _tells_newline() else None
    return "all" if found == "any" and b"\r" not in content else None if found == "any" else found


def _newline_seen(file: io.TextIOWrapper, *, is_at_end: bool) -> str | None:
    """Return the argument `newline` as the garbage collector tells it, `all` for None; `any` if it may be both.

    It comes after the decoder, unless it was None. Then come the text that was decoded, the state before that, and how
    errors are taken.
    """
    parts = gc.get_referents(file)
    at = next((n for n, each in enumerate(parts) if type(each) is io.IncrementalNewlineDecoder), None)
    if at is None:  # lines end in what the file was told, of which nothing else is known
        return None
    kinds = [type(each) for each in parts[at + 1 :]]
    has_state = tuple in kinds
    texts = kinds.index(tuple) if has_state else kinds.count(str) - 1
    if texts == 1 and has_state:
        return "all" if parts[at + 1] else "any" if is_at_end else ""
    return {0: "all", 1: "", 2: ""}.get(texts)


@lru_cache(maxsize=1)
def _tells_newline() -> bool:
    """Whether this Python tells `newline` in the way that is known here, before a line is read and after."""
    for newline, expected in {None: "all", "": "", "\n": None, "\r\n": None}.items():
        raw: Any = io.BytesIO(b"a\nb\n")
        file = io.TextIOWrapper(io.BufferedReader(raw), encoding="utf-8", newline=newline)
        for _ in range(4):
            found = _newline_seen(file, is_at_end=file.tell() == 4)
            if found != expected and (found != "any" or expected is None):
                return False
            file.read(2)
    return True


_opens: ContextVar[bool] = ContextVar("opens", default=True)


@block
def not_opened() -> Iterator[None]:
    """Make `opened_again` return a closed file: the value is loaded for proof only."""
    token = _opens.set(False)
    try:
        yield
    finally:
        _opens.reset(token)


def is_opening() -> bool:
    """Whether files are opened that values have open."""
    return _opens.get()


def opened_again(*found: Any) -> Any:
    """Return a file that is open at a `Place`, given as its attributes, and has read ahead as far.

    Raises:
        ValueError: the file is gone, or holds something else by now.
    """
    there = Place(*found)
    try:
        raw = io.FileIO(there.name)
        content = _content(raw.fileno(), there.name)
    except OSError as error:
        raise ValueError(f"the file {there.name} cannot be opened as before ({error})") from error
    if content is None or xxh3_128(content).hexdigest() != there.content:
        raw.close()
        raise ValueError(f"the file {there.name} has changed since")
    low = there.place & _BYTE
    read = there.ahead - low
    buffer = io.BufferedReader(raw, read) if read > 0 else io.BufferedReader(raw)
    file: Any = buffer
    if there.encoding is not None:
        ends = None if there.newline == "all" else there.newline
        file = io.TextIOWrapper(buffer, encoding=there.encoding, errors=there.errors, newline=ends)
        file.mode = there.mode
    if not is_opening():
        file.close()
        return file
    if there.place:
        buffer.seek(low)
    if read > 0:
        buffer.peek()
    if there.place:
        file.seek(there.place)
    if low >= len(content):
        file.read()  # after `seek` alone, `newline` cannot be told at the end
    if there.newlines and (decoder := _decoder(file)) is not None:
        _note_newlines(file, decoder, there.newlines)
    return file


_BYTE = (1 << 64) - 1
"""What of the place in a text file says where its bytes are; the rest is the state of the decoder there."""


class Lines:
    """What a csv reader goes on reading, after as many lines as it has read before.

    Args:
        source: gives the lines; a closed file will do.
        before: how many it has given.
    """

    def __init__(self, source: Any, before: int) -> None:
        self.source = source
        self._before = before

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        if self._before > 0:
            self._before -= 1
            return ""
        line: str = next(self.source)
        return line


_DIALECT = (
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
)


def csv_parts(value: Any) -> tuple[dict[str, Any], int, Any] | None:
    """Return the dialect of a csv reader or writer, the lines it has read, and what it reads or writes.

    None when it does not tell.
    """
    parts = gc.get_referents(value)
    if type(value).__name__ == "reader":
        found = [each for each in parts if hasattr(type(each), "__next__")]
    else:
        found = [each.__self__ for each in parts if getattr(each, "__name__", "") == "write"]
    if len(found) != 1:
        return None
    source = found[0].source if type(found[0]) is Lines else found[0]
    dialect = {name: getattr(value.dialect, name) for name in _DIALECT}
    return dialect, getattr(value, "line_num", 0), source


def csv_reader(dialect: dict[str, Any], lines: int, source: Any) -> Any:
    """Return a reader that has read as many lines."""
    reader = csv.reader(Lines(source, lines), **dialect)
    while reader.line_num < lines:
        next(reader)
    return reader


def csv_writer(dialect: dict[str, Any], _lines: int, target: Any) -> Any:
    """Return a writer of a file."""
    return csv.writer(target, **dialect)
