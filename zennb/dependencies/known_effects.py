"""Owns the names of functions and methods that are known to change something, or to give something else each time."""

from __future__ import annotations

__all__ = ["CHANGING", "DATA", "DIFFERING", "EFFECTIVE", "READING", "SEEDED"]

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

DATA = frozenset(
    {"builtins", "collections", "datetime", "decimal", "fractions"} | {"numpy", "pandas", "pathlib"}
)
DATA |= {"polars", "re"}
"""Packages of types whose other methods only give values, except for `numpy.random`."""

READING = frozenset({"copy", "get", "items", "keys", "values"})
"""Methods of mappings that only read, whatever package the mapping is of (`os.environ`)."""
