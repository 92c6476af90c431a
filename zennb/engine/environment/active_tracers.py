"""Owns which tracers are active in which thread, and Python's audit hook, which reports to them.

A hook cannot be removed again, so the process gets one, which does nothing while no tracer is active. Variables that
are read are noticed by `variable_reads`, and questions about files (`os.path.exists`) by `stat_calls`.
"""

from __future__ import annotations

import sys
import threading
from functools import cache
from typing import Any, Protocol

from zennb.compat.open_databases import note_connection, note_name
from zennb.engine.environment import stat_calls
from zennb.engine.environment.callers import INSIDE, caller, is_users
from zennb.engine.environment.variable_reads import unwatch, watch

__all__ = ["LOCK", "Tracer", "activate", "active", "deactivate"]

LOCK = threading.Lock()
"""Held while a tracer begins or ends."""


class Tracer(Protocol):
    """What takes the reports: it has the methods of `_REPORTS` besides."""

    programs: list[str]

    def asked(self, what: Any, value: str | None) -> None:
        """Take the read of an environment variable."""

    def asked_for(self, path: object, asked: str, found: Any) -> None:
        """Take a question about a file."""

    def ignores(self, event: str, arguments: tuple[Any, ...]) -> bool:
        """Whether an audit event is of what zennb itself does in its home."""


_tracers: dict[int, Any] = {}
"""Thread → its active tracer."""

_REPORTS = {
    "compile": "compiled",
    "open": "opened",
    "sqlite3.connect": "connected",
    "os.listdir": "listed",
    "os.scandir": "scanned",
    "os.mkdir": "made_folder",
    "os.truncate": "truncated",
    "os.remove": "removed",
    "os.rmdir": "removed",
    "shutil.rmtree": "removed",
    "os.rename": "moved",
    "os.link": "linked",
    "os.symlink": "linked",
    "os.chmod": "described",
    "os.chown": "described",
    "os.utime": "described",
    "subprocess.Popen": "ran",
    "os.system": "ran",
    "os.exec": "ran",
    "os.posix_spawn": "ran",
    "os.putenv": "set",
    "os.unsetenv": "set",
}
"""Audit event → the method of the tracer that takes it."""


def active() -> list[Any]:
    """Return the active tracers."""
    return list(_tracers.values())


def activate(tracer: Tracer, thread: int) -> Any:
    """Let a tracer trace a thread, and threads that no other one covers; return the one that did so before, or None."""
    _install()
    before = _tracers.get(thread)
    _tracers[thread] = tracer
    watch(_note)
    stat_calls.watch(_note_question)
    return before


def deactivate(tracer: Tracer, thread: int, before: Tracer | None) -> None:
    """End what `activate` began, and let the one from before go on."""
    if _tracers.get(thread) is tracer:
        del _tracers[thread]
        if before is not None:
            _tracers[thread] = before
    if not _tracers:
        unwatch()
        stat_calls.unwatch()


def _note(what: Any, value: str | None) -> None:
    """Report a read of the environment to the tracers if the user's own code did it."""
    if getattr(INSIDE, "busy", False) or not _tracers:
        return
    INSIDE.busy = True
    try:
        if is_users(caller()):
            for tracer in _concerned():
                tracer.asked(what, value)
    finally:
        INSIDE.busy = False


def _note_question(path: Any, asked: str, found: Any) -> None:
    """Report a question about a file to the tracers."""
    if getattr(INSIDE, "busy", False) or not _tracers:
        return
    INSIDE.busy = True  # no `with`: an interrupt at its end would leave the rest of the step untraced
    try:
        for tracer in _concerned("os.stat", (path,)):
            tracer.asked_for(path, asked, found)
    finally:
        INSIDE.busy = False


def _hook(
    event: str,
    arguments: tuple[Any, ...],
    _reports: dict[str, str] = _REPORTS,
    _active: dict[int, Any] = _tracers,
) -> None:
    # Python calls this for far more than files (even for `id`), so the fast exit comes first.
    if event == "sqlite3.connect":
        note_name(*arguments)
    if event not in _reports or not _active or getattr(INSIDE, "busy", False):
        if event == "sqlite3.connect/handle":
            note_connection(arguments[0], sys._getframe(1))  # noqa: SLF001 - the call says how it is opened
        return
    INSIDE.busy = True
    try:
        for tracer in _concerned(event, arguments):
            getattr(tracer, _reports[event])(*arguments)
    except Exception:  # noqa: BLE001 - what is raised here would break the user's own call
        for tracer in _concerned():
            # Counts as a program: effects that were missed rule out reuse just the same.
            tracer.programs.append("something that could not be followed")
    finally:
        INSIDE.busy = False


@cache
def _install() -> None:
    sys.addaudithook(_hook)  # a hook cannot be removed, so it is added only once


def _concerned(event: str = "", arguments: tuple[Any, ...] = ()) -> list[Tracer]:
    """Return the tracer of this thread, else (a step started it) all; none for what zennb itself does in its home."""
    own = _tracers.get(threading.get_ident())
    found = list(_tracers.values()) if own is None else [own]
    return [each for each in found if not each.ignores(event, arguments)]
