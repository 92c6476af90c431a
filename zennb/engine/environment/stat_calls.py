"""Owns the notice of files whose existence, size or time is asked for, which raises no audit event.

While somebody watches, `os.stat`, `os.lstat` and `os.access` are functions of this module. What was asked is told from
who asked: `os.path.exists` needs to know less than `os.path.getmtime`.
"""

from __future__ import annotations

import os
import sys
from functools import wraps
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any

from zennb.digests.bytecode import nested
from zennb.packages.origin import origin

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import FrameType

__all__ = ["ALL", "KIND", "put_back", "unwatch", "wanted", "watch"]


KIND, SIZE, TIME, ALL = "is", "bytes", "time", "size"
"""What can be asked about a file; see `files.asked_state`."""

_PATHS = frozenset(
    {"genericpath", "posixpath", "ntpath", "pathlib", "pathlib._abc", "pathlib._local", "pathlib._os"}
)
_IGNORED = frozenset(
    {"linecache", "inspect", "importlib", "pkgutil", "zipimport", "tempfile", "IPython", "ipykernel"}
    | {"importlib_metadata", "importlib_resources", "pkg_resources"}  # the same for older versions of Python
    | {"PIL"}  # whether a picture that it saves is new, so that it can remove half of one
)
"""Modules that look for files of their own: source for tracebacks, modules, temporary folders."""

_OWN = frozenset(
    {"zennb.components.artifact_stores.local", "zennb.packages.entry_points", "zennb.sqlite_files"}
    | {"linecache"}
)
"""Modules of zennb that look at files of a home, or for installed packages, two dozen times for each step; and what
looks at every file of source for a traceback, thousands of times."""

_RESOLVING = frozenset({"realpath", "_joinrealpath", "resolve", "samefile", "ismount"})
_SIZES = frozenset({"st_size", "st_blocks"})
_TIMES = frozenset({"st_mtime", "st_mtime_ns", "st_ctime", "st_ctime_ns", "st_atime", "st_atime_ns"})

_report: list[Callable[[Any, str, os.stat_result | None], None]] = []


def watch(report: Callable[[Any, str, os.stat_result | None], None]) -> None:
    """Report questions from now on: the path, what was asked, and what was found (None for nothing)."""
    _report[:] = [report]
    for name, (plain, noted) in _FUNCTIONS.items():
        if getattr(os, name) is plain:  # else somebody else has replaced it
            setattr(os, name, noted)


def unwatch() -> None:
    """Leave everything as it was before `watch`."""
    for name, (plain, noted) in _FUNCTIONS.items():
        if getattr(os, name) is noted:
            setattr(os, name, plain)
    _report.clear()  # somebody may have kept one of the functions


def _noted(plain: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(plain)
    def ask(path: Any, *more: Any, **named: Any) -> Any:
        try:
            found = plain(path, *more, **named)
        except OSError:
            _tell(path, None, named.get("dir_fd"))
            raise
        _tell(path, found, named.get("dir_fd"))
        return found

    ask.__module__ = "os"  # `posix` has the plain one, and nobody could pickle this
    return ask


def put_back(namespace: MutableMapping[str, Any]) -> None:
    """Bind the plain functions to names that a cell gave to those of this module: `from os import stat`."""
    plain_of = {id(noted): plain for plain, noted in _FUNCTIONS.values()}
    for name, value in list(namespace.items()):
        if (plain := plain_of.get(id(value))) is not None:
            namespace[name] = plain


def _tell(path: Any, found: Any, folder: int | None) -> None:
    # Who asked is the question. First of all our own work: what follows would take a millisecond of each step.
    frame = sys._getframe(2)  # noqa: SLF001
    if isinstance(path, int) or frame.f_globals.get("__name__") in _OWN:
        return
    is_file = isinstance(found, os.stat_result) and not S_ISDIR(found.st_mode)
    asked = _asked(frame, is_file=is_file)
    if asked is None:
        return
    if folder is not None:
        path = _in_folder(path, folder)
    if isinstance(found, bool):  # `os.access`
        asked = KIND
        try:
            found = _STAT(path) if found else None
        except OSError:
            found = None
    for report in _report:
        report(path, asked, found)


def _in_folder(path: Any, folder: int) -> Any:
    """Return a path that is relative to an open folder; as it is where the system does not say which that is."""
    try:
        return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path))
    except OSError:
        return path


def _asked(frame: FrameType | None, *, is_file: bool) -> str | None:
    """Return what the caller wants to know; None for what is none of the step's business."""
    asked = ""
    while frame is not None and frame.f_globals.get("__name__") in _PATHS:
        name = frame.f_code.co_name
        if name in _RESOLVING:
            return None
        asked = asked or {"getsize": SIZE, "getmtime": TIME, "getctime": TIME}.get(name, "")
        if name not in {"stat", "lstat", "_stat"}:
            asked = asked or KIND
        frame = frame.f_back
    if frame is None:
        return asked or None
    module = str(frame.f_globals.get("__name__", ""))
    if module.partition(".")[0] in _IGNORED or frame.f_code.co_filename.startswith("<frozen importlib"):
        return None
    if asked:
        return asked
    # What hands the answer on may want all of it: `pool.map(os.stat, files)` is a call of a library. The time of a
    # folder changes with whatever is put there, so only what the user asks for counts.
    is_users = module != "os" and origin(module).is_users
    return wanted(frame) or (ALL if is_file or is_users else KIND)


def wanted(frame: FrameType) -> str:
    """Return what code wants to know of the result of `stat`, by its names of fields; "" if it hands it on."""
    names = frozenset(name for code in nested(frame.f_code) for name in code.co_names)
    wants_size, wants_time = not names.isdisjoint(_SIZES), not names.isdisjoint(_TIMES)
    if wants_size or wants_time:
        return ALL if wants_size and wants_time else SIZE if wants_size else TIME
    return KIND if any(name.startswith("st_") for name in names) else ""


_STAT = os.stat
_FUNCTIONS = {
    name: (plain, _noted(plain))
    for name, plain in (("stat", os.stat), ("lstat", os.lstat), ("access", os.access))
}

# `shutil` asks whether a function can do this by looking it up among those that can.
for _able in (os.supports_dir_fd, os.supports_effective_ids, os.supports_fd, os.supports_follow_symlinks):
    for _plain, _other in _FUNCTIONS.values():
        if _plain in _able:
            _able.add(_other)
