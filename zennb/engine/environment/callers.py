"""Owns who is calling: the user's own code, a library, the import system, or a traceback in the making."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from zennb.packages.origin import origin
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = [
    "INSIDE",
    "caller",
    "first_outside",
    "is_for_a_traceback",
    "is_import",
    "is_imported",
    "is_ours",
    "is_users",
    "module_name",
    "traced",
    "untraced",
]

_IMPORT = "<frozen importlib"
_PLUMBING = frozenset(
    {"os", "_collections_abc", "collections.abc", "subprocess", "contextlib", "functools"}
    | {
        "posixpath",
        "ntpath",
        "genericpath",
        "pathlib",
        "pathlib._abc",
        "pathlib._local",
        "pathlib._os",
        "glob",
        "string",
        "re",
    }
    | {"getpass", "gettext", "locale"}
)
"""Modules of Python that read the environment for whoever calls them: `os.path.expandvars`, `getpass.getuser`."""

INSIDE = threading.local()
"""`busy` while a thread does our own work, which is not traced."""

_OURS = __name__.rpartition(".")[0]


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - who called is the question
    while frame is not None:
        yield frame
        frame = frame.f_back


@block
def untraced() -> Iterator[None]:
    """Do something in this thread that is no step's doing."""
    before, INSIDE.busy = getattr(INSIDE, "busy", False), True
    try:
        yield
    finally:
        INSIDE.busy = before


@block
def traced() -> Iterator[None]:
    """Do something in this thread that is a step's doing, within our own work."""
    before, INSIDE.busy = getattr(INSIDE, "busy", False), False
    try:
        yield
    finally:
        INSIDE.busy = before


def module_name(frame: FrameType) -> str:
    """Return the name of the module whose code a frame runs."""
    return str(frame.f_globals.get("__name__", ""))


def first_outside() -> FrameType | None:
    """Return the frame that called Python's function."""
    frames = (frame for frame in _frames() if not module_name(frame).startswith(_OURS))
    return next(frames, None)


def caller() -> str:
    """Return the module that reads the environment or starts a program, skipping Python's own modules and this one."""
    for frame in _frames():
        name = module_name(frame)
        if not name.startswith(_OURS) and name not in _PLUMBING:
            return name
    return ""


def is_users(module: str) -> bool:
    """Whether a module is the notebook or a local file."""
    return bool(module) and origin(module).is_users


def is_ours() -> bool:
    """Whether zennb itself is at work, and not code of the user that it has called."""
    names = (name for frame in _frames() if not (name := module_name(frame)).startswith(_OURS))
    return next((name for name in names if name.startswith("zennb.") or is_users(name)), "").startswith(
        "zennb."
    )


def is_import() -> bool:
    """Whether the import system is looking for modules or packages, which usually starts in the working folder."""
    return any(
        frame.f_code.co_filename.startswith(_IMPORT)
        or module_name(frame).startswith(("importlib", "pkgutil"))
        for frame in _frames()
    )


def is_imported() -> bool:
    """Whether code is being opened because a module is imported by its name, or imported again."""
    for frame in _frames():
        if not module_name(frame).startswith((_OURS, "importlib", "_frozen_importlib")):
            return False
        if frame.f_code.co_name in {"_find_and_load", "reload"}:
            return True
    return False


def is_for_a_traceback() -> bool:
    """Whether source is being read to be shown in a traceback or warning."""
    return any(frame.f_globals.get("__name__") == "linecache" for frame in _frames())
