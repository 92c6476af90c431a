"""Owns `digest_value`: the digest of any value, equal content, equal digest, in every process. Cache keys use it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128

from zennb.digests.objects import HANDLERS
from zennb.digests.types import find
from zennb.digests.walker import SCALARS, DigestResult, DigestWalker, scalar
from zennb.errors import CannotDigest
from zennb.packages.origin import full_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "SCALARS",
    "ValueDigest",
    "digest",
    "digest_cache",
    "digest_class_shell",
    "digest_value",
    "is_immutable",
]

_NOTHING: frozenset[Any] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueDigest:
    """What was seen in one look at a value.

    Attributes:
        digest: 32 hex characters: xxh3-128 of a tagged, length-prefixed, structural stream (docs/hashing.md).
        code: functions, classes and modules of the notebook or of local files met inside the value.
        packages: import names of the packages whose types or functions were met: `{"numpy", "sklearn"}`.
        mutable: `id()` of every lasting object met that could be changed in place, and of the owners of memory
            that parts of the value look into; of variables that functions keep from the one around them also the
            negative id. Two values with an id in common share state.
        root: `id()` of the value itself; 0 when it was not at hand.
    """

    digest: str
    code: tuple[object, ...]
    packages: frozenset[str]
    mutable: frozenset[int]
    root: int = 0


def digest_value(value: object, *, name: str = "value") -> ValueDigest:
    """Digest a value and tell what is in it.

    Args:
        value: anything.
        name: how the value is called in error messages.

    Raises:
        CannotDigest: part of the value has no content (a generator, a lock); its path is in the message.
    """
    if type(value) in SCALARS:  # what the walk would come to, without its machinery
        return ValueDigest(
            digest=xxh3_128(scalar(value)).hexdigest(), code=(), packages=_NOTHING, mutable=_NOTHING
        )
    found = _visited(value, name)
    return ValueDigest(
        digest=found.digest.hex(),
        code=tuple(found.code.values()),
        packages=found.packages,
        mutable=found.mutable,
        root=id(value),
    )


@contextmanager
def digest_cache() -> Iterator[None]:
    """While this lasts nothing changes: figures are visited once, for all that are parts of them."""
    known = _visits.get()
    token = _visits.set({} if known is None else known)
    try:
        yield
    finally:
        _visits.reset(token)


_visits: ContextVar[dict[int, tuple[Any, DigestResult]] | None] = ContextVar("visits", default=None)
"""What was visited while nothing changes, by id, with the value itself; each thread has its own."""

_LARGE = "matplotlib.figure"


def _visited(value: object, name: str) -> DigestResult:
    """Visit a value, or recall the visit; only figures are remembered, since only they are visited for others."""
    visits = _visits.get()
    known = visits.get(id(value)) if visits else None
    if known is not None and known[0] is value:
        return known[1]
    walker = _walk(value, name)
    result = DigestResult(
        digest=walker.sink.digest(),
        code=walker.code,
        packages=frozenset(walker.packages),
        mutable=_lasting(walker.mutables) | walker.owners,
        places=walker.places,
    )
    if visits is not None and type(value).__module__ == _LARGE:
        visits[id(value)] = (value, result)
    return result


def digest(value: object) -> str:
    """Return the digest of a value alone (see `digest_value`)."""
    return _walk(value, "value").sink.digest().hex()


def digest_class_shell(cls: type, *, name: str) -> ValueDigest:
    """Look at a class without its own methods, whose names count but whose code is looked at one by one."""
    walker = _walk(cls, name, shell=cls)
    return ValueDigest(
        digest=walker.sink.digest().hex(),
        code=tuple(walker.code.values()),
        packages=frozenset(walker.packages),
        mutable=frozenset(),
    )


def is_immutable(value: object) -> bool:
    """Say cheaply whether a value surely cannot change: a plain scalar, or a tuple or frozenset of such."""
    cls = type(value)
    if cls in SCALARS:
        return True
    if cls is tuple or cls is frozenset:
        return set(map(type, value)) <= SCALARS or _are_immutable(value)  # type: ignore[call-overload] # iterable
    return full_name(cls) in SETTLED


SETTLED = frozenset(
    name for name in HANDLERS if name.startswith(("datetime.", "decimal.", "fractions.", "uuid.", "re."))
)
"""Types of Python's own, by name, whose instances cannot change."""

DEEP = 8
"""Levels of tuples that are looked through; what lies deeper is not surely immutable."""


def _are_immutable(values: Any, depth: int = 1) -> bool:
    if depth > DEEP:
        return False
    return all(
        _are_immutable(value, depth + 1) if type(value) in {tuple, frozenset} else is_immutable(value)
        for value in values
    )


def _walk(value: object, name: str, *, shell: type | None = None) -> DigestWalker:
    walker = DigestWalker(find, shell=shell, visit=_visited)
    try:
        walker.run(value, name)
    except CannotDigest:
        raise
    except Exception as error:
        why = f"something that cannot be read ({type(error).__name__}: {error})"
        raise CannotDigest(walker.path(), why) from error
    return walker


ALONE = 2
"""References that `sys.getrefcount` counts for an object nobody else holds: the variable and the argument."""


def _lasting(mutables: dict[int, Any]) -> frozenset[int]:
    """Empty `kept`, and return the ids of objects that live on.

    Parts that pickling made for the occasion end with the walk, and their ids will be given to other objects.
    Wholes come before their parts, so a part of a passing whole is seen alone in its turn.
    """
    lasting = set()
    for key in list(mutables):
        value = mutables.pop(key)
        if sys.getrefcount(value) > ALONE:
            lasting.add(key)
    return frozenset(lasting)
