"""Owns the state of the files that a step reads and writes; only the user's files count, not those of libraries."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import stat
import sys
import sysconfig
import tempfile
import time
from contextlib import suppress
from functools import cache, lru_cache
from importlib.util import source_from_cache
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

import xxhash

from zennb.compat.locked_files import reading
from zennb.core.records.observed import ABSENT, NOTHING
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = [
    "CHANGED",
    "TIMED",
    "Signature",
    "asked_state",
    "counts",
    "database_at",
    "file_digest",
    "fixed_part",
    "keepable",
    "listing",
    "matches",
    "matching",
    "merged",
    "resolved",
    "shown",
    "signature",
    "small_text",
    "source_of",
    "state",
]

_CHUNK = 1 << 20
_SMALL, _ALL = (
    1 << 20,
    8 << 20,
)  # bytes of one file, and of all files of a step, that are stored to be restored
_SECRET = (".pem", ".key", ".p12", ".pfx")
_SETTLING = (
    100_000_000  # nanoseconds after a change during which a file system's clock may not tell the next one
)

_PACKAGES = ("/site-packages/", "/dist-packages/", "/joblib_memmapping_folder_")
"""Parts of paths of packages, and of what joblib passes to its processes."""

_PASSING = ("ipykernel_", "matplotlib-", "pymp-")
"""How names of tools' folders in the temporary folder begin."""

_MOUNTED = ("/dev/shm/", "/run/media/")
"""Folders of the system in which users put data: in memory, and on disks that they plug in."""

CHANGED = "changed while it was read"
"""State of a file that was no more what the step had read when it ended: no file is ever found so."""

TIMED = "file, changed at "
"""How the state of a file begins whose content and time both count."""

Signature = tuple[int, int, int, int]
"""Size, time of the last change of content, of the last change at all, and inode: equal for equal content."""


def source_of(path: str) -> str:
    """Return the source file of compiled code in Python's cache; any other path as it is."""
    try:
        return source_from_cache(path)
    except ValueError:
        return path


def resolved(path: object) -> str:
    """Return a path as given to `open` as an absolute one; "" for what is no path (a file descriptor)."""
    if isinstance(path, int) or path is None:
        return ""
    try:
        return os.path.abspath(os.fsdecode(path))  # type: ignore[arg-type]  # anything else raises TypeError
    except (TypeError, ValueError, OSError):
        return ""


def database_at(address: str) -> tuple[str, bool]:
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


def shown(path: str, folder: str) -> str:
    """Return a path as it is recorded: relative to the working folder when it lies in it, so that both can move."""
    if path == folder:
        return "."
    prefix = folder.rstrip(os.sep) + os.sep
    return path.removeprefix(prefix)


def counts(path: str) -> bool:
    """Whether a file is the user's: not part of Python, a package, the system or a tool."""
    if not path or "__pycache__" in path or "/.zennb/" in path or path.endswith((".pyc", ".so", ".pyd")):
        return False
    if path.startswith(_foreign()) and not path.startswith(_MOUNTED):
        return False
    return not path.startswith(_passing()) and not any(part in path for part in _PACKAGES)


def matching(folder: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the paths that a shell line names; for a wildcard (`*.csv`) the folders it looks through as well."""
    for name in names:
        parts = os.path.join(glob.escape(folder), name).split(os.sep)
        wild = (
            [at for at, part in enumerate(parts) if re.search(r"[*?]", part)] if glob.has_magic(name) else []
        )
        if not wild:
            yield os.path.join(folder, name)
        for end in (*wild, len(parts)) if wild else ():
            yield from glob.glob(os.sep.join(parts[:end]) or os.sep)


def signature(path: str) -> Signature | None:
    """Return a cheap fingerprint of a file; None when there is no such file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def state(path: str, recorded: str = "", *, largest: float = inf) -> str:
    """Return the state of a file or folder: `absent`, `folder`, `other`, or `file` with the xxh3-128 of its content.

    Args:
        path: absolute, or relative to the working folder.
        recorded: a state to be compared with; a listing is compared with a listing, size and time with size and time.
        largest: bytes from which on a file is compared by size and time.
    """
    if recorded.startswith("names "):
        return listing(path, frozenset(filter(None, recorded.split("/")[1:])))
    if recorded.startswith("matches "):
        return matches(path, frozenset(recorded.split("\n")[1:]))
    asked, _, _ = recorded.partition(" ")
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return NOTHING if asked == "is" else ABSENT
    if asked in _ASKED:
        return asked_state(found, asked)
    if stat.S_ISDIR(found.st_mode):
        return "folder"
    if not stat.S_ISREG(found.st_mode):
        return "other"
    if found.st_size > largest or asked == "size":
        return asked_state(found, "size")
    where = os.path.abspath(path)
    mark = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    try:
        is_settling = time.time_ns() - found.st_ctime_ns < _SETTLING
        content = _content(where, mark) if is_settling else _known_content(where, mark)
    except OSError:
        return "unreadable"
    return f"{content}, changed at {found.st_mtime_ns}" if ", changed at " in recorded else content


_ASKED = frozenset({"is", "bytes", "time"})


def asked_state(found: os.stat_result | None, asked: str) -> str:
    """Return the state of a file of which only one thing was asked: `is` (its kind), `bytes`, `time`, `size` (both)."""
    if found is None:
        return NOTHING if asked == "is" else ABSENT
    if asked == "is":
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "file" if stat.S_ISREG(found.st_mode) else "other"
        return f"is {kind}"
    if asked == "bytes":
        return f"bytes {found.st_size}"
    return (
        f"time {found.st_mtime_ns}"
        if asked == "time"
        else f"size {found.st_size}, changed at {found.st_mtime_ns}"
    )


def merged(asked: Mapping[str, str]) -> str:
    """Return one state for all that was asked of a file: what → state."""
    if "size" not in asked and {"bytes", "time"} <= asked.keys():
        return f"size {asked['bytes'].partition(' ')[2]}, changed at {asked['time'].partition(' ')[2]}"
    return next(asked[one] for one in ("size", "time", "bytes", "is") if one in asked)


def listing(path: str, without: frozenset[str] = frozenset()) -> str:
    """Return the state of a folder as a list of names, leaving out those that the step itself made."""
    try:
        names = sorted(set(os.listdir(path)) - without - {".ipynb_checkpoints", ".zennb", "__pycache__"})
    except OSError:
        return ABSENT
    digest = xxhash.xxh3_128_hexdigest("\0".join(names).encode("utf-8", "surrogateescape"))
    return "/".join([f"names {digest}", *sorted(without)])


def matches(pattern: str, without: frozenset[str] = frozenset()) -> str:
    """Return the state of a pattern as the paths that match it, leaving out those that the step itself made."""
    folder = fixed_part(pattern) or os.curdir
    names = {os.path.relpath(path, folder) for path in glob.iglob(pattern, recursive=True)} - without
    digest = xxhash.xxh3_128_hexdigest("\0".join(sorted(names)).encode("utf-8", "surrogateescape"))
    return "\n".join([f"matches {digest}", *sorted(without)])


def fixed_part(pattern: str) -> str:
    """Return the folder in which the wildcards of a pattern begin; "" for the working folder."""
    while glob.has_magic(pattern):
        pattern = os.path.dirname(pattern)
    return pattern


def keepable(
    written: Mapping[str, str],
    folder: str,
    allowed: Callable[[str], bool],
    *,
    read: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, bytes | str | None]:
    """Return the content of the files that are stored with a step and restored on reuse.

    Large files are not stored; they must still exist. Neither are files that are likely to hold secrets. None stands
    for a folder; the state of a file for one that the step removed, which reuse removes if it is as it was then.

    Args:
        written: path → state, as recorded.
        folder: the folder that paths are relative to.
        allowed: whether reuse may write a path.
        read: path → state of what was there before.
    """
    found: dict[str, bytes | str | None] = {}
    left = _ALL
    for path, mark in written.items():
        where = os.path.join(folder, path)
        if not allowed(path):
            continue
        before = read.get(path, "")
        if mark == "folder" or mark.startswith("names "):
            found[path] = None
        elif mark == ABSENT and before.startswith("file "):
            found[path] = before
        elif mark.startswith("file ") and not path.endswith(_SECRET):
            with suppress(OSError):  # somebody else may have removed it just now
                size = os.stat(where).st_size
                if size <= min(_SMALL, left):
                    found[path] = _bytes(where)
                    left -= size
    return found


def _bytes(path: str) -> bytes:
    with reading(path) as file:
        return file.read()


def _content(path: str, _mark: Signature) -> str:
    digest = xxhash.xxh3_128()
    with reading(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return f"file {digest.hexdigest()}"


_known_content = lru_cache(maxsize=8192)(_content)


@cache
def _foreign() -> tuple[str, ...]:
    """Return the folders whose files do not count, each with its closing slash."""
    home = Path.home()
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")}
    folders |= {sys.prefix + "/lib", sys.base_prefix + "/lib", sys.prefix + "/share", sys.prefix + "/etc"}
    folders |= {"/proc", "/sys", "/dev", "/run", "/usr", "/lib", "/lib64", "/etc", "/bin", "/sbin"}
    folders |= {
        str(home / name) for name in (".cache", ".config", ".ipython", ".jupyter", ".local", ".matplotlib")
    }
    folders |= {os.environ[name] for name in _TOOL_FOLDERS if os.environ.get(name)}
    found = {os.path.abspath(folder) + os.sep for folder in folders if folder}
    found |= {os.path.realpath(folder) + os.sep for folder in folders if folder}
    # A tool's folder may be the temporary folder itself (`MPLCONFIGDIR=/tmp`), where files of the user are as well.
    return tuple(found - {os.sep, os.path.abspath(tempfile.gettempdir()) + os.sep})


@cache
def _passing() -> tuple[str, ...]:
    """Return how paths of tools' files in the temporary folder begin, and of the memory that processes share."""
    return (*(os.path.join(tempfile.gettempdir(), name) for name in _PASSING), "/dev/shm/pym-")


_TOOL_FOLDERS = (
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "MPLCONFIGDIR",
)


def file_digest(path: str, step: str) -> str:
    """Return the sha-256 of a file, or of the sorted names and contents below a directory."""
    root = Path(path).expanduser()
    if not root.exists():
        raise StepRefused(f"step '{step}' has `--depends-on {path}`, but there is no such file.")
    digest = hashlib.sha256()
    files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
    for file in files:
        # Names count as well: a renamed file is another input, even with the same content.
        digest.update(str(file.relative_to(root)).encode() + b"\0")
        with reading(file) as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def small_text(path: str, largest: int = 1 << 14) -> str:
    """Return the text of a file; "" where it is large, or no text."""
    try:
        with reading(path) as file:
            data = file.read(largest + 1)
        return data.decode() if len(data) <= largest else ""
    except (OSError, ValueError):
        return ""
