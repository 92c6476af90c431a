"""Owns `digest_value`: the digest of any value, equal content, equal digest, in every process. Cache keys use it."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128

from zennb.compat.instances import error_line, is_one_of
from zennb.compat.slot_names import slots_unnoticed
from zennb.digests.stretches import TEXTS, compact
from zennb.digests.types import find
from zennb.digests.walker import SCALARS, DigestResult, DigestWalker, scalar
from zennb.errors import CannotDigest
from zennb.packages.origin import module_of
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zennb.digests.stretches import Stretch

__all__ = [
    "SCALARS",
    "ValueDigest",
    "contents",
    "digest",
    "digest_cache",
    "digest_class_shell",
    "digest_value",
]

_NOTHING: frozenset[Any] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueDigest:
    """The result of digesting a value.

    Attributes:
        digest: 32 hex characters: xxh3-128 of a tagged, length-prefixed, structural stream (docs/hashing.md).
        code: functions, classes and modules of the notebook or of local files met inside the value.
        packages: import names of the packages whose types or functions were met: `{"numpy", "sklearn"}`.
        mutable: `id()` of every lasting mutable object inside, and of the owners of memory that parts of the value
            are views of; for closure variables also the negative id. Two values with an id in common share state.
        memory: the memory that it stands on.
        root: `id()` of the value itself; 0 when it is unknown.
        files: the files that are open in it, absolute. Somebody else may change them, and so the digest.
        collected: whether the garbage collector looks into all of the mutable objects, as far as that is known.
    """

    digest: str
    code: tuple[object, ...]
    packages: frozenset[str]
    mutable: frozenset[int]
    memory: tuple[Stretch, ...] = ()
    root: int = 0
    files: frozenset[str] = frozenset()
    collected: bool = False


def digest_value(value: object, *, name: str = "value") -> ValueDigest:
    """Digest a value, and collect the code, packages and mutable objects inside.

    Args:
        value: anything.
        name: the name of the value in error messages.

    Raises:
        CannotDigest: part of the value has no content (a generator, a lock); its path is in the message.
    """
    if is_one_of(value, SCALARS):  # a fast path with the same result
        return ValueDigest(
            digest=xxh3_128(scalar(value)).hexdigest(), code=(), packages=_NOTHING, mutable=_NOTHING
        )
    found = _visited(value, name)
    return ValueDigest(
        digest=found.digest.hex(),
        code=tuple(found.code.values()),
        packages=found.packages,
        mutable=found.mutable,
        memory=found.memory,
        root=id(value),
        files=found.files,
        collected=found.collected,
    )


@block
def digest_cache() -> Iterator[None]:
    """Cache the digests of figures while this context lasts. No value may change meanwhile."""
    known = _visits.get()
    token = _visits.set({} if known is None else known)
    try:
        yield
    finally:
        _visits.reset(token)


_visits: ContextVar[dict[int, tuple[Any, DigestResult]] | None] = ContextVar("visits", default=None)
"""Cached results by id, with the value itself to keep it alive; each thread has its own."""

_LARGE = "matplotlib.figure"


def _visited(value: object, name: str) -> DigestResult:
    """Visit a value, or return the cached result. Only figures are cached: all their parts ask for them."""
    visits = _visits.get()
    known = visits.get(id(value)) if visits else None
    if known is not None and known[0] is value:
        return known[1]
    walker = _walk(value, name)
    # Held once each, or an array that a recipe made for this visit would seem to live on. Lenders come after the views
    # of them, which hold them as well.
    for met in walker.globals:
        walker.mutables.pop(met, None)
    lending = frozenset(walker.lenders)
    for met in lending & walker.mutables.keys():
        del walker.lenders[met]
    lasting = _lasting(walker.mutables)
    lenders = lasting | _lasting(walker.lenders)
    result = DigestResult(
        digest=walker.sink.digest(),
        code=walker.code,
        packages=frozenset(walker.packages),
        mutable=(lasting | walker.owners) - (lending - lenders),
        memory=compact(each for each in walker.memory if each.owner in {0, TEXTS} or each.owner in lenders),
        places=walker.places,
        files=frozenset(walker.files),
        collected=_are_collected(walker),
    )
    if visits is not None and module_of(type(value)) == _LARGE:
        visits[id(value)] = (value, result)
    return result


def _are_collected(walker: DigestWalker) -> bool:
    """Whether the garbage collector looks into all mutable objects that were met; False where that is not known."""
    if walker.apart or walker.opened or walker.owners or walker.memory:
        return False
    return all(cls in SCALARS or cls.__flags__ & _COLLECTED for cls in walker.handlers)


_COLLECTED = 1 << 14
"""The flag of classes whose instances the garbage collector looks into."""


def digest(value: object) -> str:
    """Return the digest of a value alone (see `digest_value`)."""
    return _walk(value, "value").sink.digest().hex()


def digest_class_shell(cls: type, *, name: str) -> ValueDigest:
    """Digest a class without the code of its methods: only their names count, and their code is digested one by one."""
    walker = _walk(cls, name, shell=cls)
    return ValueDigest(
        digest=walker.sink.digest().hex(),
        code=tuple(walker.code.values()),
        packages=frozenset(walker.packages),
        mutable=frozenset(),
    )


def _walk(value: object, name: str, *, shell: type | None = None) -> DigestWalker:
    walker = DigestWalker(find, shell=shell, visit=_visited)
    try:
        with slots_unnoticed():
            walker.run(value, name)
    except (CannotDigest, KeyboardInterrupt):
        raise
    # A library may raise anything while it is taken apart. For the user it is one thing: the value has no digest.
    except BaseException as error:
        why = f"something that cannot be read ({error_line(error)})"
        raise CannotDigest(walker.path(), why) from error
    return walker


def _lasting(mutables: dict[int, Any], alone: int = 0) -> frozenset[int]:
    """Empty `mutables`, and return the ids of objects that live on.

    Temporary objects made by `__reduce__` end with the walk, and Python reuses their ids. Containers come before
    their parts, so the parts of a temporary container have lost its reference when their turn comes.

    Args:
        mutables: the objects by id.
        alone: what `sys.getrefcount` returns here for an object without other references; 0 for what was found.
    """
    alone = alone or _ALONE
    lasting = set()
    for key in list(mutables):
        value = mutables.pop(key)
        if sys.getrefcount(value) > alone:
            lasting.add(key)
    return frozenset(lasting)


# The variable counts, and before Python 3.14 the argument, too. So the number is found with an object that nobody else
# has, by the very code that uses it: with one too many, values that share state would seem to share none.
_ALONE = next(number for number in (1, 2) if not _lasting({0: object()}, number))


def contents(values: Mapping[str, Any]) -> dict[str, tuple[Any, ValueDigest]]:
    """Return name → value and digest; values without a digest are left out."""
    found = {}
    for name, value in values.items():
        try:
            found[name] = (value, digest_value(value, name=name))
        except CannotDigest:
            continue
    return found
