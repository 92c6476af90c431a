"""Owns the choice of the digest handler for a type, and the types that cannot be digested (locks, open files)."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING

from zennb.compat.instances import bases_of, class_attributes
from zennb.digests import code as digest_code
from zennb.digests import containers as digest_plain
from zennb.digests import files as digest_files
from zennb.digests import objects as digest_objects
from zennb.digests.charts import CHARTS
from zennb.digests.copy_effects import effects_of_copies
from zennb.digests.drawings import DRAWINGS
from zennb.digests.expressions import EXPRESSIONS
from zennb.digests.hooks import hook_of
from zennb.digests.networks import NETWORKS
from zennb.digests.plugins import by_library, by_type, refusing
from zennb.packages.origin import full_name, module_of, public_name

if TYPE_CHECKING:
    from zennb.digests.walker import Handler

__all__ = ["find"]

CONTENTLESS = {
    "builtins.async_generator": "an async generator",
    "builtins.coroutine": "a coroutine",
    "builtins.frame": "a stack frame",
    "builtins.generator": "a generator",
    "builtins.traceback": "a traceback",
    "concurrent.futures._base.Executor": "a pool of workers",
    "concurrent.futures._base.Future": "a future",
    "_asyncio.Future": "a future",
    "_asyncio.Task": "a task",
    "asyncio.events.AbstractEventLoop": "an event loop",
    "diskcache.core.Cache": "a cache on disk",
    "diskcache.fanout.FanoutCache": "a cache on disk",
    "diskcache.persistent.Deque": "a cache on disk",
    "diskcache.persistent.Index": "a cache on disk",
    "mmap.mmap": "a memory map",
    "multiprocessing.managers.BaseManager": "a process with objects",
    "multiprocessing.managers.BaseProxy": "an object of another process",
    "multiprocessing.process.BaseProcess": "a process",
    "multiprocessing.shared_memory.ShareableList": "shared memory",
    "multiprocessing.shared_memory.SharedMemory": "shared memory",
    "socket.socket": "a socket",
    "_socket.socket": "a socket",
    "sqlite3.Connection": digest_files.CONNECTION,
    "sqlite3.Cursor": "a database cursor",
    "subprocess.Popen": "a process",
    "tempfile._TemporaryFileWrapper": "an open file",
    "tempfile.TemporaryDirectory": "a temporary directory",
    "_thread.RLock": "a lock",
    "_thread.lock": "a lock",
    "_thread._local": "data of a thread",
    "threading.Barrier": "a barrier between threads",
    "threading.Condition": "a lock",
    "threading.Event": "an event between threads",
    "threading.Semaphore": "a lock",
    "threading.Thread": "a thread",
    "ipywidgets.widgets.widget.Widget": "a widget",
    "weakref.CallableProxyType": "a weak reference",
    "weakref.ProxyType": "a weak reference",
    "weakref.ReferenceType": "a weak reference",
    "_io._IOBase": digest_files.OPEN_FILE,
}
"""Types and base types whose instances cannot be digested → what to call them."""

IN_MEMORY = {"_io.BytesIO", "_io.StringIO"}
"""Files in memory, which can be digested."""


def find(cls: type) -> Handler:
    """Return the handler of a type.

    What Python itself defines comes first, then what the user said of the type (`zennb.digest`), a package that names
    exactly this type, the kinds of types zennb knows, and libraries: our own modules for some, packages for others.
    """
    known = digest_plain.HANDLERS.get(cls)
    if known is not None:
        return known
    name = full_name(cls)
    # The order matters: a digest function of the user must win over our own handler for a library, but not change
    # what a list or a function is.
    return (
        digest_objects.HANDLERS.get(name)
        or digest_code.HANDLERS.get(name)
        or hook_of(cls)
        or by_type(cls)
        or _by_copies(cls)
        or _by_kind(cls)
        or by_library(cls)
        or digest_objects.changeable
    )


def _by_copies(cls: type) -> Handler | None:
    """Refuse what does something for each copy: to look inside is to take it apart as for a copy."""
    found = effects_of_copies(cls)
    return refusing(f"an object of type {public_name(cls)} whose {found}") if found else None


def _by_kind(cls: type) -> Handler | None:
    names = {full_name(base) for base in bases_of(cls)}
    for base, phrase in CONTENTLESS.items():
        # By name, so that no module has to be imported to rule its types out.
        if base in names and not names & IN_MEMORY:
            if base == "_io._IOBase":
                return digest_files.file
            otherwise = digest_files.database if base == "sqlite3.Connection" else refusing(phrase)
            ends = base.startswith("concurrent.") or base in {"sqlite3.Connection", "threading.Thread"}
            return digest_files.finished_or(otherwise) if ends else otherwise
    for base in _BY_BASE.keys() & names:
        return _BY_BASE[base]
    if issubclass(cls, type):
        return digest_code.class_
    if issubclass(cls, Enum):
        return digest_objects.enumerated
    if issubclass(cls, PurePath) and type(cls) is type and module_of(cls).startswith("pathlib"):
        return digest_objects.path
    if issubclass(cls, set | frozenset):
        return digest_objects.set_of
    if issubclass(cls, tuple) and _is_plain_tuple(cls):
        return digest_objects.named_tuple
    return None


def _is_plain_tuple(cls: type) -> bool:
    """Say whether instances are pickled the plain way and cannot have attributes."""
    own = any(
        next(held[name] for base in bases_of(cls) if name in (held := class_attributes(base)))
        is not vars(object)[name]
        for name in ("__reduce_ex__", "__reduce__", "__getstate__")
    )
    return not own and not cls.__dictoffset__


_BY_BASE = {
    **CHARTS,
    **EXPRESSIONS,
    **DRAWINGS,
    **NETWORKS,
    "_csv.reader": digest_files.csv_object,
    "_csv.writer": digest_files.csv_object,
    "h5py._hl.files.File": digest_files.finished_or(digest_objects.changeable),
    "scipy.spatial._ckdtree.cKDTree": digest_objects.tree,
    "tqdm.std.tqdm": digest_files.finished_or(digest_objects.changeable),
    "zipfile.ZipFile": digest_files.finished_or(digest_files.archive),
}
"""Handlers of types of libraries by the name of a base, so that none of them has to be imported."""
