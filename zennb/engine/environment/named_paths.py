"""Owns `NamedPaths`: the files that texts name, so that those count which other code than Python's opens.

Compiled libraries open files without telling Python (pyarrow, polars, duckdb, HDF5), and worker processes tell a Python
of their own. But the name has to come from somewhere: it stands in a text that the step can see, whole or in parts.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from zennb.compat.locked_files import reading
from zennb.compat.python import environment_data
from zennb.core.reading.joined_texts import HOLE
from zennb.engine.environment.file_events import FolderWatch
from zennb.engine.environment.files import Signature, fixed_part, matches, signature, small_text
from zennb.engine.environment.writer_watch import WriterWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["NamedAccess", "NamedPaths"]

_LONGEST = 1024
_LARGEST = 1 << 16
"""Characters of the longest name of a file, and of the longest text that is searched for names."""

_MOST = 20_000
"""Names that are tried."""

_WIDE, _FEW, _DEEP = 2_000, 50, 4
"""Entries of folders that are looked at, folders in which names are tried, and texts that a path is joined from."""

_MANY = 200
"""Names of files that do not exist."""

_TAIL = 32
"""Bytes at the end of a file, by which one that grew is told from one that was written anew."""

_QUOTED = re.compile(r"'([^'\n]{1,300})'|\"([^\"\n]{1,300})\"")
_WORD = re.compile(r"[^\s'\"(),;<>|{}`]+")
_UP = os.path.join(os.pardir, "")
_SCHEME = re.compile(r"^(?:file|local)(?:://|:)(?=\S)")
_MAGIC = re.compile(r"[*?\[]")
_GLOB = re.compile(r"[\w./ *?\[\]~-]*[\w./~-][\w./ *?\[\]~-]*")
_IS_PLACE = re.compile(r".*[\w.~]|[^/]+/[^/]")
_SUFFIX = re.compile(r"\.\w{1,12}$")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass(slots=True)
class NamedAccess:
    """What happened to named files and folders while a step ran.

    Attributes:
        read: files that were opened and not changed → their signature.
        listed: folders that were opened, or files in them that no text names.
        matched: patterns whose folder was opened, or files that match them → what matched.
        updated: files that were read and then changed.
        extended: files that only grew.
        removed: files and folders that are gone.
        created: files and folders that were not there before.
        overwritten: files that were written anew, and files of unknown names in folders that were there before.
        untouched: files and folders that names stand for, and that are as they were.
        missing: names of files that exist neither before nor after.
    """

    read: dict[str, Signature] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    matched: dict[str, str] = field(default_factory=dict)
    updated: set[str] = field(default_factory=set)
    extended: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)
    overwritten: set[str] = field(default_factory=set)
    untouched: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Found:
    """Paths that exist, at one moment.

    Attributes:
        named: files and folders that texts name → signature.
        inside: the same of files and folders in them.
        folders: named folders and those inside.
    """

    named: dict[str, Signature] = field(default_factory=dict)
    inside: dict[str, Signature] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


class NamedPaths:
    """The files and folders that some texts name, as they are before a step and after it.

    Args:
        texts: what the step can see.
        folder: the working folder.
        counts: whether a file counts.

    Attributes:
        writers: tells which processes change files in the folders of these names; whoever asks it, stops it.
    """

    def __init__(self, texts: Iterable[str], folder: str, *, counts: Callable[[str], bool]) -> None:
        self._folder, self._counts = folder, counts
        self._words, self._patterns, self._globs = set[str](), set[str](), set[str]()
        self._note_all(texts, _MOST)
        self._watch, self.writers = FolderWatch(), WriterWatch()
        self._before, self._ends = _Found(), dict[str, bytes]()
        self._matched: dict[str, str] = {}

    def start(self) -> None:
        """Note what exists, and watch it."""
        if not (self._words or self._patterns):
            return
        self._before = self._find()
        lists = [path for path in self._before.named if path not in self._before.folders]
        if texts := list(filter(None, map(small_text, lists[:_WIDE]))):  # a list of files, or settings
            self._note_all(texts, _WIDE)
            self._before = self._find()
        self.writers.start(islice(self._places(), _FEW))
        self._ends = {path: _end(path) for path in islice(self._before.named, _FEW)}
        for pattern in self._globs:
            where = os.path.join(self._folder, pattern)
            if "**" not in pattern or len(self._walked(fixed_part(where))) < _WIDE:
                self._matched[where] = matches(where)
        files = [
            path for path in {**self._before.named, **self._before.inside} if path not in self._before.folders
        ]
        folders = {os.path.dirname(os.path.realpath(path)) for path in files} | self._before.folders
        if files or self._before.folders or self._globs:
            self._watch.start(islice(folders | set(map(fixed_part, self._matched)), _WIDE))

    def stop(self, *, is_alone: bool) -> NamedAccess:
        """Return what happened since `start`.

        Args:
            is_alone: whether no other step ran meanwhile, which may have written to a named folder.
        """
        self._watch.stop()  # first of all: what follows opens folders itself
        found = NamedAccess()
        if self._words or self._patterns:
            self._compare(found, self._find(), is_alone=is_alone)
        return found

    def _places(self) -> Iterator[str]:
        """Yield the folders in which files of these names are, or may be made."""
        places = dict.fromkeys(self._before.folders)
        for name in (*self._words, *self._patterns):
            if _SUFFIX.search(name):
                places[os.path.dirname(os.path.join(self._folder, name))] = None
        yield from filter(os.path.isdir, places)

    def _files(self) -> Iterator[str]:
        """Yield the paths that names of files stand for, whether they exist or not."""
        names = (word for word in self._words if _SUFFIX.search(word) and not re.search(r"\s", word))
        for name in islice(names, _MANY):
            yield os.path.normpath(os.path.join(self._folder, name))

    def _compare(self, found: NamedAccess, now: _Found, *, is_alone: bool) -> None:
        before = {**self._before.inside, **self._before.named}
        after = {**now.inside, **now.named}
        for folder in self._before.folders & now.folders:
            if self._watch.was_opened(folder) and folder not in map(os.path.abspath, sys.path):
                found.listed.add(folder)
        found.removed |= before.keys() - after.keys()
        found.untouched = {path for path in self._before.named if after.get(path) == before[path]}
        found.missing = {path for path in self._files() if path not in before and path not in after}
        for path in before.keys() - self._before.folders:
            if after.get(path) == before[path]:
                is_code = path.endswith(".py")  # counts as a module
                if not is_code and self._watch.was_opened(os.path.realpath(path)):
                    found.read[path] = before[path]
            elif path in after and (is_alone or path in self._before.named):
                is_read = self._watch.was_read_first(os.path.realpath(path))
                kind = (
                    found.updated
                    if is_read
                    else found.extended
                    if self._was_extended(path)
                    else found.overwritten
                )
                kind.add(path)
        made = {path for path in now.named if path not in before and path in now.folders}
        for path in after.keys() - before.keys():
            if path in now.named or any(path.startswith(folder + os.sep) for folder in made):
                found.created.add(path)
            elif is_alone:
                found.overwritten.add(path)
        # A lazy frame lists its folder once, perhaps before the step: what is read of it tells that it was listed.
        listed = found.read.keys() & self._before.inside.keys()
        found.listed |= self._before.folders & {str(up) for path in listed for up in PurePath(path).parents}
        found.matched = {
            pattern: seen
            for pattern, seen in self._matched.items()
            if self._watch.was_opened(fixed_part(pattern)) or fnmatch.filter(found.read, pattern)
        }

    def _was_extended(self, path: str) -> bool:
        """Whether a file still has its end where it was, and more behind it."""
        end, was = self._ends.get(path, b""), self._before.named.get(path, (0,))[0]
        if not end or os.path.getsize(path) <= was:
            return False
        with reading(path) as file:
            file.seek(was - len(end))
            return file.read(len(end)) == end

    # Names

    def _note_all(self, texts: Iterable[str], most: int) -> None:
        for name in islice(dict.fromkeys(_names(texts)), most):
            for each in _from_inside(name):
                self._note(each)

    def _note(self, name: str) -> None:
        """Note a name: a word, or a pattern where it has holes or wildcards."""
        name = _SCHEME.sub("", name)
        if HOLE in name:
            name = name.removeprefix(HOLE + "/")
            literal = name.replace(HOLE, "")
            if sum(map(str.isalnum, literal)) > 1 and ("." in literal or "/" in literal):
                self._patterns.add(HOLE.join(map(glob.escape, name.split(HOLE))).replace(HOLE, "*"))
        elif _MAGIC.search(name):
            # `/*` and `*/` are comments of other languages, and would list every folder of the machine. `*/*` lists
            # the folders of this one.
            if _GLOB.fullmatch(name) and _IS_PLACE.match(name):
                self._globs.add(name)
                self._patterns.add(name)
        else:
            self._words.add(name)
            if "$" in name or name.startswith("~"):
                self._words.add(_expanded(name))
            if name.isupper() and (value := _variable(name)) is not None:  # which may hold the folder
                self._words.add(value)

    def _find(self) -> _Found:
        """Return what there is: each name in the working folder, and in each folder that was found so."""
        found, bases = _Found(), [self._folder]
        for depth in range(_DEEP):
            named = {
                path
                for base in bases
                for path in self._in(base, is_first=not depth)
                if path not in found.named
            }
            bases = []
            for path in named:
                mark = signature(path)
                if mark is None or not self._counts(path):
                    continue
                is_folder = os.path.isdir(path)
                if is_folder:
                    bases.append(path)
                if not is_folder or not self._is_wide(path):
                    found.named[path] = mark
                if is_folder and not self._is_wide(path):
                    found.folders.add(path)
            bases = bases[:_FEW]
        for folder in [folder for folder in found.folders if os.path.dirname(folder) not in found.folders]:
            self._expand(folder, found)
        return found

    def _in(self, base: str, *, is_first: bool) -> Iterator[str]:
        """Yield the paths below a folder that names stand for, whether they exist or not."""
        try:
            entries = frozenset(os.listdir(base))
        except OSError:
            return
        for word in self._words:
            if word in entries:
                yield os.path.join(base, word)
            elif ("/" in word or word in {os.curdir, os.pardir}) and (is_first or not os.path.isabs(word)):
                yield os.path.normpath(os.path.join(base, word))
        yield from self._matching(base, entries, is_first=is_first)

    def _matching(self, base: str, entries: frozenset[str], *, is_first: bool) -> Iterator[str]:
        """Yield the paths below a folder that match patterns."""
        is_wide = not is_first and self._is_wide(base)
        for pattern in self._patterns:
            if "/" not in pattern:
                yield from (os.path.join(base, name) for name in fnmatch.filter(entries, pattern))
            elif "**" in pattern and not is_wide:
                # A star of `fnmatch` stands for slashes as well, so this gives too much rather than too little.
                found = fnmatch.filter(
                    self._walked(base), os.path.join(glob.escape(base), pattern.replace("**/", "*"))
                )
                yield from found
            elif (is_first or not os.path.isabs(pattern)) and "**" not in pattern and not is_wide:
                where = os.path.join(glob.escape(base), pattern)
                yield from map(os.path.normpath, islice(glob.iglob(where), _WIDE))

    def _walked(self, base: str) -> list[str]:
        """Return the paths of files below a folder, up to a limit."""
        found = list[str]()
        for number, (folder, folders, names) in enumerate(os.walk(base or self._folder)):
            folders[:] = [each for each in folders if not each.startswith(".")]
            found += [os.path.join(folder, name) for name in names]
            if len(found) >= _WIDE or number >= _WIDE:
                break
        return found[:_WIDE]

    def _expand(self, folder: str, found: _Found) -> None:
        """Add what is in a folder."""
        waiting = [folder]
        while waiting and len(found.inside) < _WIDE:
            one = waiting.pop()
            found.folders.add(one)
            try:
                entries = sorted(os.listdir(one))
            except OSError:
                continue
            for name in entries:
                path = os.path.join(one, name)
                mark = signature(path)
                if name.startswith(".") or mark is None or not self._counts(path):
                    continue
                if path not in found.named:
                    found.inside[path] = mark
                if os.path.isdir(path):
                    waiting.append(path)

    def _is_wide(self, folder: str) -> bool:
        """Whether a folder holds all sorts of things, so that naming it says little."""
        around = (self._folder, _expanded("~"), tempfile.gettempdir())
        return any(f"{place}/".startswith(folder.rstrip("/") + "/") for place in around)


def _names(texts: Iterable[str]) -> Iterator[str]:
    """Yield what may be the name of a file: whole texts, what is quoted in them, and words with a dot or slash."""
    for text in texts:
        if not text or len(text) > _LARGEST:
            continue
        is_name = len(text) <= _LONGEST and "\n" not in text
        if is_name:
            yield text
        if not is_name or " " in text or "'" in text or '"' in text or "(" in text:
            yield from (one or other for one, other in _QUOTED.findall(text))
            yield from (word for word in _WORD.findall(text) if "." in word or "/" in word)


def _from_inside(name: str) -> Iterator[str]:
    """Yield a name, and what it stands for in a folder that the step makes and enters: `../a.txt` in `made` is `a.txt`.

    Without these, such a file would first be found afterwards, and be taken for one that the step has made.
    """
    yield name
    rest = name.removeprefix(HOLE + "/")
    rest = os.path.normpath(rest) if os.pardir in rest else rest
    while rest.startswith(_UP):
        rest = rest.removeprefix(_UP)
        yield rest


def _end(path: str) -> bytes:
    try:
        with reading(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return file.read(_TAIL)
    except OSError:  # a folder, or a file of somebody else's
        return b""


def _expanded(name: str) -> str:
    """Return a name with `~` and variables filled in, without the access being noted."""
    name = _VARIABLE.sub(lambda found: _variable(found[1] or found[2]) or found[0], name)
    return (_variable("HOME") or "~") + name[1:] if name == "~" or name.startswith("~/") else name


def _variable(name: str) -> str | None:
    value = environment_data().get(os.environ.encodekey(name))
    return None if value is None else os.environ.decodevalue(value)
