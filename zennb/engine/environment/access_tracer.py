"""Owns `AccessTracer`: which files and environment variables running code accesses, as Python reports them.

Python's audit hook reports files that any code opens, lists, renames or removes. A hook cannot be removed again, so the
process gets one, which does nothing while no tracer is active. Variables that are read are noticed by `variable_reads`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from zennb.core.records.observed import ABSENT
from zennb.engine.environment.files import Signature, counts, listing, resolved, shown, signature, state
from zennb.engine.environment.variable_reads import ALL, unwatch, watch
from zennb.packages.origin import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

__all__ = ["AccessTracer"]

_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
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
)
"""Modules of Python that read the environment for whoever calls them: `os.path.expandvars`."""

_tracers: dict[int, AccessTracer] = {}
"""Thread → its active tracer."""

_lock = threading.Lock()
_inside = threading.local()


class AccessTracer:
    """Records what one step accesses between `start` and `stop`.

    Args:
        ignored: folders whose files do not count, in addition to those of Python, packages and tools.
        in_background: whether it traces a plain cell; steps that run at the same time still count as alone.

    Attributes:
        folder: the working folder at the start.
        environment: variables that the user's own code read → value at that time; None when unset.
        sets: environment variables that were set or deleted, other than by an import.
        sets_itself: those of them that the user's own code set.
        programs: programs that the user's own code started.
        is_alone: whether no other tracer was active at the same time.
        reads_all: whether the user's own code iterated over the whole environment.
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
        """Trace this thread, and threads that no other tracer covers."""
        self._thread = threading.get_ident()
        with _lock:
            _install()
            # A step inside a plain cell that is traced: accesses of the step are the step's alone.
            self._outer = _tracers.pop(self._thread, None)
            for other in _tracers.values():
                if not (self._in_background or other._in_background):  # noqa: SLF001 - another of this class
                    other.is_alone = self.is_alone = False
            _tracers[self._thread] = self
            watch(_note)

    def stop(self) -> None:
        """Stop tracing; calling it twice is fine."""
        with _lock:
            if _tracers.get(self._thread) is self:
                del _tracers[self._thread]
                if self._outer is not None:
                    _tracers[self._thread] = self._outer
            if not _tracers:
                unwatch()

    def read_unseen(self, paths: Iterable[str]) -> None:
        """Record files and folders that another program read for the step."""
        for path in paths:
            where = os.path.join(self.folder, path)
            if os.path.isdir(where):
                self.listed(where)
            elif self._counts(where):
                self._read(os.path.normpath(where))

    def files(self, *, largest: float = inf) -> dict[str, str]:
        """Return path → state of everything that was read, as it was at that time.

        Args:
            largest: bytes from which on a file is compared by size and time, because reading it would be slow.
        """
        found = {}
        for path, mark in self._reads.items():
            # Reading a file costs one `stat` while the step runs. Its content is digested only at the end, and counts
            # only if the signature says that it is still what the step read.
            if not isinstance(mark, str):
                was = ABSENT if mark is None else state(path, largest=largest)
                mark = was if signature(path) == mark else "changed while it was read"  # noqa: PLW2901 - settled now
            found[path] = mark
        return {shown(path, self.folder): mark for path, mark in {**self._lists, **found}.items()}

    def written(self) -> dict[str, str]:
        """Return path → current state of everything that was created, changed or removed."""
        return {shown(path, self.folder): state(path) for path in self._written}

    # Audit events

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
        # A file that is opened to be written from scratch is no input; one that is opened to append or
        # update is. `O_EXCL` means that it must not exist yet: whether it did is an input, except for
        # temporary files with random names.
        is_fresh = flags & os.O_TRUNC or (flags & os.O_EXCL and where.startswith(tempfile.gettempdir()))
        if not is_fresh and (flags & os.O_EXCL or os.path.exists(where)):
            self._read(where)
        self._write(where)

    def connected(self, database: object, *_more: object) -> None:
        """Note that SQLite opened a file."""
        if database in {"", ":memory:", b"", b":memory:"}:
            return
        where, is_changed = resolved(database), True
        if isinstance(database, str) and database.startswith("file:") and not os.path.exists(where):
            where, is_changed = _database_at(database)
        if self._counts(where):
            if os.path.exists(where):
                self._read(where)
            if is_changed:
                self._write(where)

    def listed(self, path: object = None, *_more: object) -> None:
        """Note that a folder was listed."""
        where = self.folder if path is None else resolved(path)
        if not where or not self._counts(where + os.sep) or _is_import():
            return
        # A folder that the step made is no input: it is empty, or holds what the step put there.
        if where in self._new or self._is_in_new_folder(where):
            return
        # What the step itself made in a folder before it listed it will be there again, or not,
        # depending on the step alone.
        made = frozenset(os.path.basename(each) for each in self._written if os.path.dirname(each) == where)
        # The first listing counts: later ones show what the step has made of the folder itself.
        self._lists.setdefault(where, listing(where, made))

    def made(self, path: object, *_more: object) -> None:
        """Note that a file or folder was created or replaced."""
        where = resolved(path)
        if self._counts(where):
            self._write(where)

    def made_folder(self, path: object, *_more: object) -> None:
        """Note that a folder was created, or that creating it failed because it exists."""
        where = resolved(path)
        if self._counts(where):
            if not os.path.isdir(where):
                self._new.add(where)
            self._write(where)

    def removed(self, path: object, folder: object = -1) -> None:
        """Note that a file or folder was removed or truncated."""
        where = resolved(path)
        # A path relative to an open folder (`dir_fd`) cannot be told from here. `shutil.rmtree` uses such paths
        # inside the folder that it reports itself.
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

    def asked(self, what: Any, value: str | None) -> None:
        """Note that a variable was read, or all of them."""
        if what is ALL:
            self.reads_all = True
        elif what not in self.sets:
            self.environment.setdefault(what, value)

    # Bookkeeping

    def _counts(self, path: str) -> bool:
        return counts(path) and not path.startswith(self._ignored)

    def _read(self, path: str) -> None:
        # Read after it was written: the step reads its own output.
        if path in self._written or path in self._reads or self._is_in_new_folder(path):
            return
        self._reads[path] = signature(path)

    def _write(self, path: str) -> None:
        """Note that a path is about to change."""
        # Digest what was read there before it is overwritten: afterwards its content is gone.
        for known, mark in self._reads.items():
            if not isinstance(mark, str) and (known == path or known.startswith(path + os.sep)):
                self._reads[known] = ABSENT if mark is None else state(known)
        self._written[path] = None

    def _is_in_new_folder(self, path: str) -> bool:
        return any(path.startswith(made + os.sep) for made in self._new)


def _database_at(address: str) -> tuple[str, bool]:
    """Return the file that an address of SQLite names, "" for one in memory, and whether it can be changed there."""
    place, _, query = address.removeprefix("file:").partition("#")[0].partition("?")
    if place.startswith("//"):
        place = (
            "/" + place[2:].partition("/")[2]
        )  # behind the name of the machine, which is empty or `localhost`
    options = dict(parse_qsl(query))
    if options.get("mode") == "memory" or place in {"", ":memory:"}:
        return "", False
    return resolved(unquote(place)), options.get("mode") != "ro" and options.get("immutable") != "1"


def _note(what: Any, value: str | None) -> None:
    """Report a read of the environment to the tracers if the user's own code did it."""
    # Our own code reads the environment and opens files too. The flag is per thread: other
    # threads go on being traced.
    if getattr(_inside, "busy", False) or not _tracers:
        return
    _inside.busy = True
    try:
        if _is_users(_caller()):
            for tracer in _concerned():
                tracer.asked(what, value)
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
    _active: dict[int, AccessTracer] = _tracers,
) -> None:
    # Python calls this for far more than files (even for `id`), so the fast exit comes first.
    if event not in _reports or not _active or getattr(_inside, "busy", False):
        return
    _inside.busy = True
    try:
        for tracer in _concerned():
            _reports[event](tracer, *arguments)
    except Exception:  # noqa: BLE001 - what is raised here would break the user's own call
        for tracer in _concerned():
            # Counts as a program: effects that were missed rule out reuse just the same.
            tracer.programs.append("something that could not be followed")
    finally:
        _inside.busy = False


@cache
def _install() -> None:
    sys.addaudithook(_hook)  # a hook cannot be removed, so it is added only once


def _concerned() -> list[AccessTracer]:
    """Return the tracer of this thread; for a thread without one (a step started it), return all tracers."""
    own = _tracers.get(threading.get_ident())
    return list(_tracers.values()) if own is None else [own]


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - who called is the question
    while frame is not None:
        yield frame
        frame = frame.f_back


def _caller() -> str:
    """Return the module that reads the environment or starts a program, skipping Python's own modules and this one."""
    for frame in _frames():
        name = str(frame.f_globals.get("__name__", ""))
        if name not in {__name__, watch.__module__} and name not in _PLUMBING:
            return name
    return ""


def _is_users(module: str) -> bool:
    return bool(module) and origin(module).is_users


def _is_import() -> bool:
    """Whether the import system is looking for modules or packages, which usually starts in the working folder."""
    return any(
        frame.f_code.co_filename.startswith(_IMPORT)
        or str(frame.f_globals.get("__name__", "")).startswith(("importlib", "pkgutil"))
        for frame in _frames()
    )


def _is_for_a_traceback() -> bool:
    return any(frame.f_globals.get("__name__") == "linecache" for frame in _frames())
