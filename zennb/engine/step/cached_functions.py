"""Owns `CachedFunctions`: functions behind `functools.lru_cache` that a step calls, and so fills their caches.

A reused step calls no function, so it fills no cache: a later call computes once more. That shows if the function does
more than compute, and if what it returned is changed, or asked for by identity.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import class_attributes, is_a
from zennb.compat.python import CachedFunction
from zennb.dependencies.resolver import DependencyResolver
from zennb.digests.reachability import is_reachable
from zennb.engine.step.outcome import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from zennb.digests.digest import ValueDigest

__all__ = ["CachedFunctions"]


class CachedFunctions:
    """The functions with a cache among the notebook's names, as they are before a step runs."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._before = {id(each): each.cache_info() for _, each in _found(namespace)}

    def reasons(
        self,
        namespace: Mapping[str, Any],
        *,
        values: Mapping[str, tuple[Any, ValueDigest]],
        changed: Collection[str],
        draws: bool,
    ) -> list[Reason]:
        """Return why a later call would do something else after reuse, as reasons against it.

        Args:
            namespace: where the step ran.
            values: what it has made and changed.
            changed: what it has changed of what was there before.
            draws: whether it drew random numbers.
        """
        found, shared = list[str](), list[str]()
        for name, each in _found(namespace):
            before, now = self._before.get(id(each)), each.cache_info()
            if before is None or now.misses != before.misses:
                found += _troubles(name, each, namespace, changed=changed, draws=draws) if now.misses else ()
            if now != before:
                shared += _shared(name, each, values)
        return [
            *(Reason(each, "and reuse would compute it once more") for each in found),
            *(Reason(each, "so reuse would give a copy") for each in shared),
        ]


def _troubles(
    name: str,
    cached: Any,
    namespace: Mapping[str, Any],
    *,
    changed: Collection[str],
    draws: bool,
) -> Iterator[str]:
    reached = DependencyResolver(namespace)
    reached.push(cached.__wrapped__, frozenset())
    reached.run()
    if draws and any("random" in use for use in reached.uses):
        yield f"`{name}` remembers what it has drawn at random"
    for other in sorted(reached.data.keys() & set(changed)):
        yield f"`{name}` remembers results, and `{other}`, which it reads, is changed"


def _shared(name: str, cached: Any, values: Mapping[str, tuple[Any, ValueDigest]]) -> Iterator[str]:
    held = _remembered(cached)
    for output, (_, seen) in values.items():
        if (seen.mutable or seen.memory) and is_reachable(held, seen.mutable, seen.memory):
            yield f"`{name}` remembers a part of `{output}`"


def _found(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in list(namespace.items()):
        if type(value) is CachedFunction:
            yield name, value
        elif is_a(value, type) and not name.startswith("_"):
            for key, part in class_attributes(value).items():
                if type(part) is CachedFunction:
                    yield f"{name}.{key}", part


def _remembered(cached: Any) -> list[Any]:
    """Return what a cache holds, keys and results."""
    own = (cached.__wrapped__, vars(cached))
    return [part for part in gc.get_referents(cached) if not any(part is each for each in own)]
