"""Owns `AccessTracer`: which files and environment variables running code accesses, as `active_tracers` reports it."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from contextlib import suppress
from math import inf
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any

from zennb.compat.started_processes import processes_made
from zennb.core.records.observed import ABSENT, NOTHING
from zennb.engine.environment import stat_calls
from zennb.engine.environment.active_tracers import LOCK, activate, active, deactivate
from zennb.engine.environment.callers import (
    INSIDE,
    caller,
    first_outside,
    is_for_a_traceback,
    is_import,
    is_imported,
    is_users,
    module_name,
)
from zennb.engine.environment.compiled_texts import QUERY_FILES, words_looked_up
from zennb.engine.environment.file_events import CLOSE, MOVE, REMOVE
from zennb.engine.environment.files import (
    CHANGED,
    TIMED,
    Signature,
    asked_state,
    counts,
    database_at,
    fixed_part,
    listing,
    matching,
    merged,
    resolved,
    shown,
    signature,
    small_text,
    source_of,
    state,
)
from zennb.engine.environment.main_reads import note_words
from zennb.engine.environment.own_files import NO_FILES, OwnFiles
from zennb.engine.environment.variable_reads import ALL
from zennb.engine.environment.worker_processes import asks_about_files, may_use_workers
from zennb.engine.environment.written_files import WrittenFiles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from zennb.engine.environment.named_paths import NamedAccess
    from zennb.engine.environment.writer_watch import WriterWatch

__all__ = ["AccessTracer"]

_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


class AccessTracer:
    """Records what one step accesses between `start` and `stop`.

    Args:
        ignored: files that do not count, in addition to those of Python, packages and tools.
        texts: what the step can see, and in which files may be named.
        in_background: whether it traces a plain cell; steps that run at the same time still count as alone.

    Attributes:
        folder: the working folder at the start.
        environment: variables that the user's own code read → value at that time; None when unset.
        sets: environment variables that were set or deleted, other than by an import.
        sets_itself: those of them that the user's own code set.
        programs: programs that the user's own code started.
        altered: links that were made, and files whose mode or times were set, as clauses.
        continued: files that did not exist, and where it would have gone on with what they hold, or may have.
        is_alone: whether no other tracer was active at the same time.
        reads_all: whether the user's own code iterated over the whole environment.
    """

    def __init__(
        self, *, ignored: OwnFiles = NO_FILES, texts: Iterable[str] = (), in_background: bool = False
    ) -> None:
        self.environment: dict[str, str | None] = {}
        self.sets: set[str] = set()
        self.sets_itself: set[str] = set()
        self.programs: list[str] = []
        self.altered: dict[str, str] = {}
        self._links = set[str]()
        self.continued: set[str] = set()
        self.reads_all = False
        self.is_alone = True
        self._texts, self._beside = frozenset(texts), set[str]()
        self._written_beside = list[WrittenFiles]()
        self._ignored = ignored
        self.folder = os.getcwd()
        self._reads: dict[str, str | Signature | None] = {}
        self._lists: dict[str, str] = {}
        self._asked: dict[str, dict[str, str]] = {}
        self._written = WrittenFiles()
        self._processes: object = None
        self._thread = 0
        self._in_background = in_background
        self._outer: AccessTracer | None = None

    def start(self) -> None:
        """Trace this thread, and threads that no other tracer covers."""
        self._thread = threading.get_ident()
        self._processes = processes_made()
        # An interrupt may have kept our own work from ending it, and then nothing would be traced any more.
        INSIDE.busy = False
        with LOCK:
            # A step inside a plain cell that is traced: accesses of the step are the step's alone.
            self._outer = activate(self, self._thread)
            for other in active():
                if other is not self and not (self._in_background or other._in_background):  # noqa: SLF001 - one of us
                    other.is_alone = self.is_alone = False
                    self._beside |= other._texts  # noqa: SLF001
                    other._beside |= self._texts  # noqa: SLF001
                    self._written_beside.append(other._written)  # noqa: SLF001
                    other._written_beside.append(self._written)  # noqa: SLF001

    def stop(self) -> None:
        """Stop tracing; calling it twice is fine."""
        with LOCK:
            outer = self._outer
            has_stopped = outer is None or not outer._thread  # noqa: SLF001 - as above
            deactivate(self, self._thread, None if has_stopped else outer)
            self._thread = 0

    def read_unseen(self, paths: Iterable[str]) -> None:
        """Record files and folders that another program read for the step; names may have wildcards."""
        for where in matching(self.folder, paths):
            if os.path.isdir(where):
                self.listed(where)
            elif self.counts_here(where):
                self._read(os.path.normpath(where))

    def files(self, *, largest: float = inf) -> dict[str, str]:
        """Return path → state then of everything that was read: of files from `largest` bytes on, size and time."""
        found = {path: merged(asked) for path, asked in self._asked.items()} | self._lists
        for path, mark in self._reads.items():
            # Reading costs one `stat` while the step runs; the content is digested now, if it is what the step read.
            if not isinstance(mark, str):
                timed = TIMED if {"time", "size"} & self._asked.get(path, {}).keys() else ""
                was = ABSENT if mark is None else state(path, timed, largest=largest)
                mark = was if signature(path) == mark else CHANGED  # noqa: PLW2901 - settled now
            found[path] = mark
        return {shown(path, self.folder): mark for path, mark in found.items()}

    def written(self, modules: Iterable[str] = ()) -> dict[str, str]:
        """Return path → current state of everything that was created, changed or removed; see `WrittenFiles.states`."""
        return {shown(path, self.folder): mark for path, mark in self._written.states(modules).items()}

    def disturbed(self, writers: WriterWatch) -> set[str]:
        """End watching, and return what somebody else wrote as well; asked after the files were read."""
        return {shown(path, self.folder) for path in self._written.disturbed(writers, beside=self._beside)}

    def note_named(self, access: NamedAccess, *, uses: Collection[str] = ()) -> set[str]:
        """Note what happened to named files besides what Python reported; return those that reuse must not make.

        Args:
            access: what happened to them.
            uses: the names of libraries that the step uses.
        """
        for path, mark in access.read.items():
            self._read(path, mark)
        for path in access.listed:
            self.listed(path)
        for path, found in access.matched.items():
            if fixed_part(path) not in self._lists:
                self._lists[path] = found
        unseen = {path for path in access.extended | access.removed if not self._written.covers(path)}
        self._reads.update(dict.fromkeys((access.updated | unseen) - self._reads.keys(), CHANGED))
        fresh, unsure = map(self._possibly_own, (access.created, access.overwritten))
        for path in fresh | unsure:
            # What it read there afterwards is its own; that there was nothing before counts where it asked.
            self._reads.pop(path, None)
            self.continued.add(path)
            if path in access.created and self._asked.get(path, {}).get("is", NOTHING) != NOTHING:
                del self._asked[path]
        self._written.update(fresh | unsure, beside=self._beside)
        if may_use_workers(uses, before=self._processes):
            self._ask_as_workers(access, missing=asks_about_files(uses))
        return {shown(path, self.folder) for path in unsure}

    def _ask_as_workers(self, access: NamedAccess, *, missing: bool) -> None:
        """Note named files as asked for: a worker process may have done that, which tells its own Python."""
        known = self._reads.keys() | self._asked.keys()
        for path in {path for path in access.untouched if not path.endswith(".py")} - known:
            with suppress(OSError):
                found = os.stat(path)
                self.asked_for(path, "is" if S_ISDIR(found.st_mode) else "size", found)
        for path in access.missing - known if missing else ():
            self.asked_for(path, "is", None)

    def _possibly_own(self, paths: Iterable[str]) -> set[str]:
        """Return the paths that this step may have written, besides what Python reported of it."""
        return {
            path
            for path in paths
            if path not in self._written and not any(each.accounts_for(path) for each in self._written_beside)
        }

    def opened(self, path: object, _mode: object, flags: object) -> None:
        """Note that a file was opened."""
        where = resolved(path)
        flags = flags if isinstance(flags, int) else 0
        if flags == 0:  # Python opens code
            source = source_of(where)
            if self.counts_here(source) and not is_imported():  # a module counts as code
                self._read(source)
            return
        if not self.counts_here(where):
            return
        if where.endswith(".py") and (is_for_a_traceback() or is_imported()):  # a module counts as code
            return
        if not flags & _CHANGES:
            self._read(where)
            return
        # A file opened to be written from scratch is no input; one opened to append or update is. `O_EXCL` means that
        # it must not exist yet: whether it did is an input, except for temporary files with random names.
        is_fresh = flags & os.O_TRUNC or (flags & os.O_EXCL and where.startswith(tempfile.gettempdir()))
        if not is_fresh and (flags & os.O_EXCL or os.path.exists(where)):
            self._read(where)
        elif not is_fresh and where not in self._written:
            self.continued.add(where)
        self._write(where, CLOSE)

    def connected(self, database: object, *_more: object) -> None:
        """Note that SQLite opened a file."""
        if database in {"", ":memory:", b"", b":memory:"}:
            return
        where, is_changed = resolved(database), True
        if isinstance(database, str) and database.startswith("file:") and not os.path.exists(where):
            where, is_changed = database_at(database)
        if self.counts_here(where):
            if os.path.exists(where):
                self._read(where)
            elif where not in self._written:
                self.continued.add(where)
            if is_changed:
                self._write(where, CLOSE)

    def listed(self, path: object = None, *_more: object) -> None:
        """Note that a folder was listed."""
        where = self.folder if path is None else resolved(path)
        if not where or not self.counts_here(where + os.sep) or is_import():
            return
        # A folder that the step made is no input: it is empty, or holds what the step put there.
        if self._written.is_new(where):
            return
        # What the step itself made in a folder before it listed it depends on the step alone.
        made = self._written.names_in(where) | self._ignored.names_in(where)
        # Later listings show what the step has made of the folder itself.
        self._lists.setdefault(where, listing(where, made))

    def scanned(self, path: object = None, *_more: object) -> None:
        """Note that a folder was listed with `os.scandir`, whose entries tell size and time as well."""
        self.listed(path)
        frame = first_outside()
        wanted = stat_calls.wanted(frame) if frame is not None and is_users(module_name(frame)) else ""
        where = self.folder if path is None else resolved(path)
        for each in (os.path.join(where, name) for name in (os.listdir(where) if wanted and where else ())):
            self.asked_for(each, wanted, os.stat(each))

    def made_folder(self, path: object, *_more: object) -> None:
        """Note that a folder was created, or that creating it failed because it exists."""
        where = resolved(path)
        if self.counts_here(where):
            self._written.note_folder(where)
            self._write(where)

    def truncated(self, path: object, _length: object) -> None:
        """Note that a file was cut off."""
        self.removed(path, how=CLOSE)

    def removed(self, path: object, folder: object = -1, *, how: int = REMOVE) -> None:
        """Note that a file or folder was removed."""
        where = resolved(path)
        # A path in an open folder (`dir_fd`) cannot be told; `shutil.rmtree` uses them inside what it reports itself.
        if folder in {-1, None} and self.counts_here(where):
            if os.path.lexists(where):
                self._read(where)
            else:
                self.asked_for(where, stat_calls.KIND, None)
            self._write(where, how)

    def moved(self, source: object, target: object, from_folder: object = -1, to_folder: object = -1) -> None:
        """Note that a file was moved."""
        self.removed(source, from_folder)
        where = resolved(target)
        if to_folder in {-1, None} and self.counts_here(where):
            self._write(where, MOVE)
            self._written.moved(resolved(source), where)

    def linked(self, source: object, target: object, *_more: object) -> None:
        """Note that a file got another name."""
        for path, note in ((source, self._read), (target, self._write)):
            if self.counts_here(where := resolved(path)):
                note(where)
        self._alter("makes the link", target)
        self._links.add(resolved(target))

    def described(self, path: object, *given: object) -> None:
        """Note that the mode, owner or times of a file were set; not to now, and not those of a copy by a library."""
        if given[:2] != (None, None) and is_users(caller()):
            self._alter("sets the mode, owner or times of", path)

    def _alter(self, verb: str, path: object) -> None:
        if self.counts_here(where := resolved(path)):
            self.altered[where] = f"it {verb} {shown(where, self.folder)}"

    def alterations(self) -> list[str]:
        """Return what was altered and is still there, as clauses; a file that has lost its other name is no link."""
        return [
            what
            for path, what in self.altered.items()
            if os.path.lexists(path)
            if not (path in self._links and _is_sole(os.lstat(path)))
        ]

    def ran(self, program: object, arguments: object = None, *_more: object) -> None:
        """Note that a program was started."""
        if not is_users(caller()):
            return
        line = arguments if isinstance(arguments, list | tuple) and arguments else [program]
        words = (os.fsdecode(part) for part in line if isinstance(part, str | bytes | os.PathLike))
        self.programs.append(" ".join(words))

    def compiled(self, source: object, *_more: object) -> None:
        """Note that a text was compiled, perhaps by a library that looks up the names in it."""
        if words := words_looked_up(source):
            note_words(words)

    def texts_read(self) -> Iterator[str]:
        """Yield the texts in small files that were read, and in environment variables, that may hold queries."""
        yield from (small_text(path) for path in self._reads if path.endswith(QUERY_FILES))
        yield from filter(None, self.environment.values())

    def set(self, name: object, *_value: object) -> None:
        """Note that an environment variable was set or taken away."""
        if isinstance(name, str | bytes) and not is_import():
            self.sets.add(os.fsdecode(name))
            if is_users(caller()):
                self.sets_itself.add(os.fsdecode(name))

    def asked(self, what: Any, value: str | None) -> None:
        """Note that a variable was read, or all of them."""
        if what is ALL:
            self.reads_all = True
        elif what not in self.sets:
            self.environment.setdefault(what, value)

    def asked_for(self, path: object, asked: str, found: Any) -> None:
        """Note that existence, size or time of a file was asked for."""
        where = resolved(path)
        if self.counts_here(where) and where not in self._written and not self._written.is_new(where):
            self._asked.setdefault(where, {}).setdefault(asked, asked_state(found, asked))

    def ignores(self, event: str, arguments: tuple[Any, ...]) -> bool:
        """Whether an audit event is of what zennb itself does in its home."""
        return self._ignored.is_own_work(event, arguments)

    def counts_here(self, path: str) -> bool:
        """Whether a file counts for this step."""
        return counts(path) and path not in self._ignored

    def _read(self, path: str, mark: Signature | None = None) -> None:
        # Read after it was written: the step reads its own output.
        if path in self._written or path in self._reads or self._written.is_new(path):
            return
        self._reads[path] = mark or signature(path)

    def _write(self, path: str, how: int = 0) -> None:
        """Note that a path is about to change, and digest what was read there; `how` as for `WrittenFiles.add`."""
        for known, mark in self._reads.items():
            if not isinstance(mark, str) and (known == path or known.startswith(path + os.sep)):
                self._reads[known] = ABSENT if mark is None else state(known)
        others = [each for each in active() if each is not self]
        beside = [each._written for each in others if not each._in_background]  # noqa: SLF001 - as above
        self._written.add(path, *(() if self._in_background else (how, beside)))


def _is_sole(found: os.stat_result) -> bool:
    """Whether this is a file with one name."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1
