"""Owns connections to SQLite files: how they were opened, and others that are the same to all who use them.

A connection does not tell all of the arguments that it was opened with, so these are read from the call that opens it.
It is the content of its file as long as nothing has been changed or set through it.
"""

from __future__ import annotations

import ast
import gc
import linecache
import os
from contextlib import closing, suppress
from contextvars import ContextVar
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xxhash import xxh3_128

from zennb.compat.open_files import absolute, is_opening
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = [
    "OpenDatabase",
    "database_again",
    "database_in",
    "file_of",
    "none_opened",
    "note_connection",
    "note_name",
]

_LARGEST = 64_000_000
"""Bytes of a database that are read to tell whether it has changed; it is read again after every cell."""

_OPTIONS = frozenset({"timeout", "detect_types", "isolation_level", "check_same_thread", "cached_statements"})
_CHANGED_LATER = ("isolation_level", "row_factory", "text_factory", "autocommit")

_PRAGMAS = [
    "analysis_limit",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "checkpoint_fullfsync",
    "count_changes",
    "defer_foreign_keys",
    "empty_result_callbacks",
    "foreign_keys",
    "full_column_names",
    "fullfsync",
    "ignore_check_constraints",
    "journal_mode",
    "journal_size_limit",
    "legacy_alter_table",
    "locking_mode",
    "max_page_count",
    "mmap_size",
    "query_only",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "short_column_names",
    "synchronous",
    "temp_store",
    "threads",
    "trusted_schema",
    "wal_autocheckpoint",
    "writable_schema",
    "collation_list",
    "database_list",
    "function_list",
    "module_list",
]
"""What a connection is set to, and what it knows; none of these writes to the file."""

_LIMITS = range(12)
"""Numbers of SQLite's limits."""

_SWITCHES = range(1002, 1020)
"""Numbers of what can be switched on and off (`getconfig`, Python 3.12)."""


class _Opening(NamedTuple):
    """How a connection was opened: the path that was asked for, links and all, and the other arguments."""

    path: str
    options: dict[str, Any]


_opened: dict[int, _Opening] = {}
"""Id of a connection → how it was opened. Whatever opens another one there replaces that."""

_asked: ContextVar[Any] = ContextVar("asked")
"""The file that the next connection of this thread is to be opened to."""


class OpenDatabase(NamedTuple):
    """What a connection is that has changed nothing.

    Attributes:
        name: of the file, as it was asked for, but from the working folder if it is in there.
        options: the other arguments that it was opened with.
        settings: attributes that have been set since.
        content: digest of what it reads.
    """

    name: str
    options: dict[str, Any]
    settings: dict[str, Any]
    content: str


def note_name(name: Any) -> None:
    """Note which file is asked for by the call that opens the next connection of this thread."""
    _asked.set(name)


def note_connection(connection: Any, frame: FrameType) -> None:
    """Note how a connection is being opened, if the call in a frame that opens it says so.

    It has to be called for every connection that is opened.
    """
    _opened.pop(id(connection), None)
    with suppress(Exception):  # source that is gone, or that is no more what runs
        options = _options(frame)
        if options is not None:
            _opened[id(connection)] = _Opening(absolute(os.fsdecode(_asked.get())), options)


def _options(frame: FrameType) -> dict[str, Any] | None:
    """Return the options in the call that a frame makes: of `connect(NAME, timeout=5)`.

    None for any other call, and where the options are other ones or no constants.
    """
    first, last, start, end = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
    if first is None or last is None:
        return None
    lines = [each.encode() for each in linecache.getlines(frame.f_code.co_filename)[first - 1 : last]]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    call = ast.parse(b"".join(lines).decode(), mode="eval").body
    sqlite3 = _sqlite3()
    opens = (sqlite3.connect, sqlite3.Connection)
    if not isinstance(call, ast.Call) or _value(call.func, frame) not in opens:
        return None
    if len(call.args) != 1 or isinstance(call.args[0], ast.Starred):
        return None
    options = {each.arg or "": ast.literal_eval(each.value) for each in call.keywords}
    return options if options.keys() <= _OPTIONS else None


def _sqlite3() -> Any:
    return import_module("sqlite3")  # only here: parts of zennb that open no file know this module


def _value(node: ast.expr, frame: FrameType) -> Any:
    """Return what a name, or an attribute of a module, is in a frame."""
    if isinstance(node, ast.Name):
        return frame.f_locals[node.id] if node.id in frame.f_locals else frame.f_globals[node.id]
    if isinstance(node, ast.Attribute):
        return vars(_value(node.value, frame))[node.attr]
    raise TypeError(node)


def database_in(connection: Any) -> OpenDatabase | None:
    """Return what an open connection is; None when that cannot be told, or it has changed or set something.

    Asking changes nothing.
    """
    opening = _opened.get(id(connection))
    if opening is None or type(connection) is not _sqlite3().Connection or not _tells_all(connection):
        return None
    try:
        if connection.in_transaction or connection.total_changes or not _is_whole(connection, opening.path):
            return None
        with closing(_reading(*opening)) as fresh:
            content = _content(connection)
            if _state(connection) != _state(fresh):
                return None
            settings = {
                each: getattr(connection, each)
                for each in _CHANGED_LATER
                if getattr(connection, each, None) != getattr(fresh, each, None)
            }
        path = opening.path
        name = os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path
    except (_sqlite3().Error, OSError, UnicodeError):  # another thread's, locked, gone
        return None
    return OpenDatabase(name, dict(opening.options), settings, content)


def _is_whole(connection: Any, path: str) -> bool:
    """Whether the file at a path is the whole of what a connection reads, is not large, and nobody writes to it."""
    found, real = _rows(connection, "PRAGMA database_list"), os.path.realpath(path)
    # The address of a file is no path, and a text factory makes something else of it.
    if len(found) != 1 or found[0][2] not in {path, real}:
        return False
    return not Path(f"{real}-journal").exists() and Path(real).stat().st_size <= _LARGEST


def _tells_all(connection: Any) -> bool:
    """Whether nothing belongs to a connection but its factories: no cursor that is alive, and no function it calls.

    The garbage collector tells first what every connection has.
    """
    _cls, _statements, *rest = gc.get_referents(connection)
    lists = [each for each in rest if type(each) is list]
    factories = (None, str, bytes, _sqlite3().Row)
    if any(reference() is not None for each in lists for reference in each):
        return False
    return all(any(each is one for one in factories) for each in rest if type(each) is not list)


def _state(connection: Any) -> list[Any]:
    """Return what a connection is set to, and what SQL it knows."""
    found: list[Any] = [_rows(connection, f"PRAGMA {name}") for name in _PRAGMAS]
    found.append(_rows(connection, "SELECT 'a' LIKE 'A'"))
    for read, numbers in (("getlimit", _LIMITS), ("getconfig", _SWITCHES)):
        for number in numbers if hasattr(connection, read) else ():
            with suppress(_sqlite3().Error, ValueError):  # numbers that this release does not know
                found.append((number, getattr(connection, read)(number)))
    return found


def _rows(connection: Any, query: str) -> list[Any]:
    cursor = connection.cursor()
    cursor.row_factory = None
    return sorted(cursor.execute(query).fetchall(), key=repr)


def _content(connection: Any) -> str:
    """Return a digest of what a connection reads, which is no more the file at its path if that was replaced.

    SQLite reads it: whoever else closes the file takes all locks from those who have it open in this process.
    """
    return xxh3_128(connection.serialize()).hexdigest()


def _reading(name: str, options: dict[str, Any]) -> Any:
    """Return a connection that has begun to read, so that no other process can keep this one waiting.

    Raises:
        sqlite3.Error: another process has locked the file.
    """
    connection = _open(name, options)
    try:
        ((patience,),) = _rows(connection, "PRAGMA busy_timeout")
        for each in ("PRAGMA busy_timeout = 0", "BEGIN", "SELECT 1 FROM sqlite_master"):
            _rows(connection, each)
        _rows(connection, f"PRAGMA busy_timeout = {patience}")
    except BaseException:
        connection.close()
        raise
    return connection


def _open(name: str, options: dict[str, Any]) -> Any:
    return _sqlite3().connect(name, **options)


def file_of(database: OpenDatabase) -> str:
    """Return the path of the file."""
    return absolute(database.name)


_refusal: ContextVar[Callable[[str], Exception] | None] = ContextVar("refusal", default=None)


@block
def none_opened(refusal: Callable[[str], Exception]) -> Iterator[None]:
    """Make `database_again` raise an error, made of the name of the file."""
    token = _refusal.set(refusal)
    try:
        yield
    finally:
        _refusal.reset(token)


def database_again(*found: Any) -> Any:
    """Return a connection that is an `OpenDatabase`, given as its attributes.

    Raises:
        ValueError: the file is gone, or holds something else by now.
    """
    there = OpenDatabase(*found)
    if (refusal := _refusal.get()) is not None:
        raise refusal(there.name)
    try:
        Path(there.name).stat()  # opening it would make it
        with closing(_reading(there.name, there.options)) as fresh:
            content = _content(fresh)
    except (OSError, _sqlite3().Error) as error:
        raise ValueError(f"the database {there.name} cannot be opened as before ({error})") from error
    if content != there.content:
        raise ValueError(f"the database {there.name} has changed since")
    connection = _open(there.name, there.options)
    _opened[id(connection)] = _Opening(absolute(there.name), dict(there.options))
    for name, value in there.settings.items():
        setattr(connection, name, value)
    if not is_opening():
        connection.close()
    return connection
