"""Owns which functions and methods are known, by name, to change something, or to give something else each time."""

from __future__ import annotations

import ast
import logging
from typing import TYPE_CHECKING

from zennb.compat.instances import is_a

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CHANGING",
    "DATA",
    "DIFFERING",
    "EFFECTIVE",
    "FILLING",
    "OUTWARD",
    "READING",
    "SEEDED",
    "SETTING",
    "SHOWING",
    "WRITING",
    "logs_something",
    "opens_to_write",
]

DIFFERING = (
    *("random.", "numpy.random.", "secrets.", "tempfile.", "time.", "torch.nn.", "torch.rand"),
    *("uuid.uuid1", "uuid.uuid4", "os.urandom", "os.getpid"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
)
"""What begins the names of functions that give something else each time they are called."""

SEEDED = frozenset({"default_rng", "Generator", "RandomState", "Random", "SeedSequence", "PCG64", "MT19937"})
"""Names among them that always give the same when they are given a seed."""

EFFECTIVE = frozenset({"delattr", "eval", "exec", "input", "next", "open", "setattr"})
"""Builtin functions that change something or depend on more than what they are given."""

CHANGING = frozenset(
    {"add", "append", "appendleft", "clear", "close", "discard", "drop", "extend", "fill", "insert", "pop"}
    | {
        "popitem",
        "put",
        "register",
        "remove",
        "resize",
        "reverse",
        "sample",
        "send",
        "setdefault",
        "setfield",
    }
    | {"setflags", "shuffle", "sort", "subscribe", "update", "write"}
)
"""Names of methods that change what they belong to."""

SETTING = frozenset({"__delattr__", "__delitem__", "__setattr__", "__setitem__"})
"""Methods that set or remove a part of what they belong to."""

DATA = frozenset(
    {"builtins", "collections", "datetime", "decimal", "fractions"} | {"numpy", "pandas", "pathlib"}
)
DATA |= {"polars", "re"}
"""Packages of types whose other methods only give values, except for `numpy.random`."""

READING = frozenset({"copy", "get", "items", "keys", "values"})
"""Methods of mappings that only read, whatever package the mapping is of (`os.environ`)."""

FILLING = frozenset(
    {
        "copyto",
        "heappop",
        "heappush",
        "iadd",
        "insort",
        "insort_left",
        "insort_right",
        "put",
        "setitem",
        "shuffle",
    }
)
"""Functions of libraries that change the first thing that they are given."""

SHOWING = frozenset({"display", "print"})
"""Functions that show something, which is not shown for a copy."""

WRITING = frozenset(
    {"dump", "mkdir", "rename", "rmdir", "save", "savefig", "savetxt", "symlink_to", "to_csv", "to_excel"}
    | {"to_parquet", "to_pickle", "touch", "unlink", "write_bytes", "write_text"}
)
"""Methods and functions that write, move or remove files."""

OUTWARD = (
    *("logging.", "shutil.", "subprocess.", "urllib.request."),
    *(f"os.{name}" for name in ("chdir", "kill", "make", "mkdir", "putenv", "remove", "rename", "replace")),
    *(f"os.{name}" for name in ("rmdir", "symlink", "system", "truncate", "unlink", "unsetenv", "write")),
)
"""What begins the names of functions that others notice: they write files, run programs or log."""


def logs_something(owner: object, method: str) -> bool:
    """Whether a method of a logger logs something, as loggers are set now."""
    if not is_a(owner, logging.Logger) or method not in _LOGGING:
        return False
    level = logging.getLevelName({"exception": "ERROR"}.get(method, method.upper()))
    return type(owner) is not logging.Logger or not is_a(level, int) or owner.isEnabledFor(level)


_LOGGING = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})


def opens_to_write(call: ast.Call, modes: Iterable[ast.expr]) -> bool:
    """Whether a call opens a file to write; a mode that is computed counts as one."""
    given = [*modes, *(each.value for each in call.keywords if each.arg == "mode")]
    return any(
        not isinstance(each, ast.Constant) or not set(str(each.value)) <= set("rbtU") for each in given
    )
