"""Owns `AccessTracer`: the files and environment variables that code touches while it runs, as Python reports them.

Python's audit hook reports what is opened, listed, renamed and removed, whoever does it. A hook cannot be taken out
again, so there is one for the process, which does nothing while nobody watches. Reading an environment variable is not
reported; while somebody watches, `os.environ` is of a class that tells.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from math import inf
from typing import TYPE_CHECKING, Any

from zennb.compat.python import Environ
from zennb.core.records.observed import ABSENT
from zennb.engine.environment.files import Signature, counts, listing, resolved, shown, signature, state
from zennb.packages.origin import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

__all__ = ["AccessTracer"]

_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_IMPORT = "<frozen importlib"
_PLUMBING = frozenset({"os", "_collections_abc", "collections.abc", "subprocess", "contextlib"})

_watches: dict[int, AccessTracer] = {}
"""Thread → who watches what it does."""

_lock = threading.Lock()
_installed = False
_inside = threading.local()


class AccessTracer:
    """What one step touches between `start` and `stop`.

    Args:
        ignored: folders whose files do not count, in addition to those of Python, packages and tools.
        in_background: whether it only takes notes of a plain cell: steps that run meanwhile are as good as alone.

    Attributes:
        folder: the working folder when it began.
        environment: variable that the user's own code read → its value then; None when it was not set.
        sets: environment variables that were set or taken away, other than by an import.
        sets_itself: those of them that the user's own code set.
        programs: programs that the user's own code started.
        is_alone: whether no other watch was on at the same time.
        reads_all: whether the user's own code went through the whole environment.
    """

    def __init__(self, *, ignored: tuple[str, ...] = (), in_background: bool = False) -> None:
        self.environment: dict[str, str | None] = {}
        self.sets: set[str] = set()
        self.sets_itself: set[str] = set()
        self.programs: list[str] = []
        self.reads_all = False
        self.is_alone = True
        self._ignored = tuple(folder.rstrip(os.sep) + os.sep for folder in ignored if folder)
        self.folder = os.getcwd()
        self._reads: dict[str, str | Signature | None] = {}
        self._lists: dict[str, str] = {}
        self._written: dict[str, None] = {}
        self._new: set[str] = set()
        self._thread = 0
        self._in_background = in_background
        self._outer: AccessTracer | None = None

    def start(self) -> None:
        """Begin to watch what this thread does, and threads that nobody else watches."""
        self._thread = threading.get_ident()
        with _lock:
            _install()
            self._outer = _watches.pop(self._thread, None)
            for other in _watches.values():
                if not (self._in_background or other._in_background):  # noqa: SLF001 - another of this class
                    other.is_alone = self.is_alone = False
            _watches[self._thread] = self
            os.environ.__class__ = _Environment

    def stop(self) -> None:
        """Watch no longer; twice is fine."""
        with _lock:
            if _watches.get(self._thread) is self:
                del _watches[self._thread]
                if self._outer is not None:
                    _watches[self._thread] = self._outer
            if not _watches:
                os.environ.__class__ = Environ

    def read_unseen(self, paths: Iterable[str]) -> None:
        """Note files and folders that another program has read for the step."""
        for path in paths:
            where = os.path.join(self.folder, path)
            if os.path.isdir(where):
                self.listed(where)
            elif self._counts(where):
                self._read(os.path.normpath(where))

    def files(self, *, largest: float = inf) -> dict[str, str]:
        """Return path → state of all that was read, as it was found.

        Args:
            largest: bytes from which on a file counts by its size and time, since reading it would take long.
        """
        found = {}
        for path, mark in self._reads.items():
            if not isinstance(mark, str):
                was = ABSENT if mark is None else state(path, largest=largest)
                mark = was if signature(path) == mark else "changed while it was read"  # noqa: PLW2901 - settled now
            found[path] = mark
        return {shown(path, self.folder): mark for path, mark in {**self._lists, **found}.items()}

    def written(self) -> dict[str, str]:
        """Return path → state of all that was made, changed or removed, as it is now."""
        return {shown(path, self.folder): state(path) for path in self._written}

    # What is reported

    def opened(self, path: object, _mode: object, flags: object) -> None:
        """Note that a file was opened."""
        where = resolved(path)
        flags = flags if isinstance(flags, int) else 0
        if not self._counts(where) or flags == 0:  # flags are 0 where Python opens code to import it
            return
        if where.endswith(".py") and (_is_for_a_traceback() or _is_import()):  # a module counts as code
            return
        if not flags & _CHANGES:
            self._read(where)
            return
        is_fresh = flags & os.O_TRUNC or (flags & os.O_EXCL and where.startswith(tempfile.gettempdir()))
        if not is_fresh and (flags & os.O_EXCL or os.path.exists(where)):
            self._read(where)
        self._write(where)

    def connected(self, database: object, *_more: object) -> None:
        """Note that SQLite opened a file."""
        where = resolved(database)
        if isinstance(database, str) and (database in {"", ":memory:"} or database.startswith("file:")):
            return
        if self._counts(where):
            if os.path.exists(where):
                self._read(where)
            self._write(where)

    def listed(self, path: object = None, *_more: object) -> None:
        """Note that a folder was listed."""
        where = self.folder if path is None else resolved(path)
        if not where or not self._counts(where + os.sep) or _is_import():
            return
        if where in self._new or self._is_in_new_folder(where):
            return
        made = frozenset(os.path.basename(each) for each in self._written if os.path.dirname(each) == where)
        self._lists.setdefault(where, listing(where, made))

    def made(self, path: object, *_more: object) -> None:
        """Note that a file or folder was made or replaced."""
        where = resolved(path)
        if self._counts(where):
            self._write(where)

    def made_folder(self, path: object, *_more: object) -> None:
        """Note that a folder was made, or was to be and is there already."""
        where = resolved(path)
        if self._counts(where):
            if not os.path.isdir(where):
                self._new.add(where)
            self._write(where)

    def removed(self, path: object, folder: object = -1) -> None:
        """Note that a file or folder was removed or cut."""
        where = resolved(path)
        if folder in {-1, None} and self._counts(where):
            self._read(where)
            self._write(where)

    def moved(
        self, source: object, target: object, source_folder: object = -1, target_folder: object = -1
    ) -> None:
        """Note that a file was moved."""
        self.removed(source, source_folder)
        if target_folder in {-1, None}:
            self.made(target)

    def linked(self, source: object, target: object, *_more: object) -> None:
        """Note that a file got another name."""
        where = resolved(source)
        if self._counts(where):
            self._read(where)
        self.made(target)

    def ran(self, program: object, arguments: object = None, *_more: object) -> None:
        """Note that a program was started."""
        if not _is_users(_caller()):
            return
        line = arguments if isinstance(arguments, list | tuple) and arguments else [program]
        self.programs.append(
            " ".join(os.fsdecode(part) for part in line if isinstance(part, str | bytes | os.PathLike))
        )

    def set(self, name: object, *_value: object) -> None:
        """Note that an environment variable was set or taken away."""
        if isinstance(name, str | bytes) and not _is_import():
            self.sets.add(os.fsdecode(name))
            if _is_users(_caller()):
                self.sets_itself.add(os.fsdecode(name))

    def asked(self, name: str, value: str | None) -> None:
        """Note that a variable was read."""
        if name not in self.sets:
            self.environment.setdefault(name, value)

    # Bookkeeping

    def _counts(self, path: str) -> bool:
        return counts(path) and not path.startswith(self._ignored)

    def _read(self, path: str) -> None:
        if path in self._written or path in self._reads or self._is_in_new_folder(path):
            return
        self._reads[path] = signature(path)

    def _write(self, path: str) -> None:
        """Note that a path is about to change; what was read there before is digested while it is still there."""
        for known, mark in self._reads.items():
            if not isinstance(mark, str) and (known == path or known.startswith(path + os.sep)):
                self._reads[known] = ABSENT if mark is None else state(known)
        self._written[path] = None

    def _is_in_new_folder(self, path: str) -> bool:
        return any(path.startswith(made + os.sep) for made in self._new)


class _Environment(Environ):  # type: ignore[misc]  # what class it is, is known at run time only
    """`os.environ` while somebody watches."""

    def __getitem__(self, key: str) -> str:
        try:
            value: str = super().__getitem__(key)
        except KeyError:
            _note(lambda watch: watch.asked(key, None))
            raise
        _note(lambda watch: watch.asked(key, value))
        return value

    def __iter__(self) -> Iterator[str]:
        _note(_all)
        found: Iterator[str] = super().__iter__()
        return found


def _all(watch: AccessTracer) -> None:
    watch.reads_all = True


def _note(tell: Callable[[AccessTracer], None]) -> None:
    """Tell the watches of a read of the environment by the user's own code."""
    if getattr(_inside, "busy", False) or not _watches:
        return
    _inside.busy = True
    try:
        if _is_users(_caller()):
            for watch in _concerned():
                tell(watch)
    finally:
        _inside.busy = False


_REPORTS: dict[str, Callable[..., None]] = {
    "open": AccessTracer.opened,
    "sqlite3.connect": AccessTracer.connected,
    "os.listdir": AccessTracer.listed,
    "os.scandir": AccessTracer.listed,
    "os.mkdir": AccessTracer.made_folder,
    "os.truncate": AccessTracer.removed,
    "os.remove": AccessTracer.removed,
    "os.rmdir": AccessTracer.removed,
    "shutil.rmtree": AccessTracer.removed,
    "os.rename": AccessTracer.moved,
    "os.link": AccessTracer.linked,
    "os.symlink": AccessTracer.linked,
    "subprocess.Popen": AccessTracer.ran,
    "os.system": AccessTracer.ran,
    "os.exec": AccessTracer.ran,
    "os.posix_spawn": AccessTracer.ran,
    "os.putenv": AccessTracer.set,
    "os.unsetenv": AccessTracer.set,
}


def _hook(
    event: str,
    arguments: tuple[Any, ...],
    _reports: dict[str, Callable[..., None]] = _REPORTS,
    _watching: dict[int, AccessTracer] = _watches,
) -> None:
    # Python calls this for much more than files (`id` among it), so the way out comes first.
    if event not in _reports or not _watching or getattr(_inside, "busy", False):
        return
    _inside.busy = True
    try:
        for watch in _concerned():
            _reports[event](watch, *arguments)
    except Exception:  # noqa: BLE001 - what is raised here would break the user's own call
        for watch in _concerned():
            watch.programs.append("something that could not be followed")
    finally:
        _inside.busy = False


def _install() -> None:
    global _installed  # noqa: PLW0603 - a hook cannot be removed, so it must not be added twice
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True


def _concerned() -> list[AccessTracer]:
    """Return who watches this thread; of a thread that a step started itself, nobody knows whose it is."""
    own = _watches.get(threading.get_ident())
    return list(_watches.values()) if own is None else [own]


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - who called is the question
    while frame is not None:
        yield frame
        frame = frame.f_back


def _caller() -> str:
    """Return the module that reads the environment or starts a program, past Python's own plumbing and this file."""
    for frame in _frames():
        name = str(frame.f_globals.get("__name__", ""))
        if name != __name__ and name not in _PLUMBING:
            return name
    return ""


def _is_users(module: str) -> bool:
    return bool(module) and origin(module).is_users


def _is_import() -> bool:
    """Whether Python looks for modules or for what is installed, which begins in the working folder as a rule."""
    return any(
        frame.f_code.co_filename.startswith(_IMPORT)
        or str(frame.f_globals.get("__name__", "")).startswith(("importlib", "pkgutil"))
        for frame in _frames()
    )


def _is_for_a_traceback() -> bool:
    return any(frame.f_globals.get("__name__") == "linecache" for frame in _frames())
