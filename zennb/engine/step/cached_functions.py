"""Owns `CachedFunctions`: functions behind `functools.lru_cache` that a step calls, and so fills their caches.

A reused step calls no function, so it fills no cache: a later call computes once more. That shows if the function does
more than compute, and if what it returned is changed, or asked for by identity. A step that finds a result in a cache
depends on the files and environment variables that the result was made from, which only the earlier step has read.
"""

from __future__ import annotations

import gc
import os
import sys
import weakref
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, class_attributes, is_a
from zennb.compat.python import CachedFunction
from zennb.core.records.observed import Observed
from zennb.dependencies.resolver import DependencyResolver
from zennb.digests.reachability import is_reachable
from zennb.engine.environment.files import shown
from zennb.engine.step.outcome import Reason
from zennb.packages.origin import module_of, origin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from zennb.digests.digest import ValueDigest

__all__ = ["CachedFunctions"]

_made_from: weakref.WeakKeyDictionary[Any, Observed] = weakref.WeakKeyDictionary()
"""Function → the files, by their full path, and environment variables that were read while its cache was filled."""

_of_packages = {"__main__"}
"""Modules that are none of the user's own, besides the notebook, whose variables are given."""


class CachedFunctions:
    """The functions with a cache among the notebook's names and in local modules, as they are before a cell runs."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._before = {id(each): each.cache_info() for _, each in _everywhere(namespace)}
        self._folder = os.getcwd()  # noqa: PTH109 - as text

    def with_sources(self, namespace: Mapping[str, Any], observed: Observed) -> Observed:
        """Return what was observed of a cell, with what the results were made from that it found in caches.

        What it has read itself is noted for those whose caches it has filled.
        """
        found = Observed()
        for _, each in _everywhere(namespace):
            before, now = self._before.get(id(each)), each.cache_info()
            hits, misses = (before.hits, before.misses) if before is not None else (0, 0)
            noted = _made_from.get(each, Observed()) if now.misses >= misses else Observed()  # it was cleared
            if now.hits != hits:
                found = _together(found, noted)
            if now.misses != misses:
                read = {os.path.join(self._folder, path): mark for path, mark in observed.files.items()}  # noqa: PTH118
                _made_from[each] = _together(noted, replace(observed, files=read))
        files = {shown(path, self._folder): mark for path, mark in found.files.items()}
        own_work = observed.written.keys() | observed.restored.keys()
        files = {path: mark for path, mark in files.items() if path not in own_work}
        both = _together(replace(found, files=files), observed)
        return replace(observed, files=both.files, environment=both.environment)

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
                part = part.__func__ if is_a(part, classmethod | staticmethod) else part  # noqa: PLW2901
                if type(part) is CachedFunction:
                    yield f"{name}.{key}", part


def _everywhere(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield those of local modules, too, but none that is a library's own: what it reads is no business of a step."""
    held: list[Mapping[str, Any]] = [namespace]
    for name in sys.modules.keys() - _of_packages:
        if not origin(name).is_users:
            _of_packages.add(name)
        elif is_a(module := sys.modules.get(name), ModuleType):
            held.append(vars(module))
    for each in held:
        yield from ((name, cached) for name, cached in _found(each) if not _is_of_library(cached))


def _is_of_library(cached: Any) -> bool:
    """Whether a library has this very cache under its name, as `urllib.parse.urlsplit` is one."""
    module = module_of(cached)
    if origin(module).is_users:
        return False
    found: Any = sys.modules.get(module)
    for name in str(getattr(cached, "__qualname__", "")).split("."):
        found = (class_attributes(found) if is_a(found, type) else attributes_of(found)).get(name)
    return (found.__func__ if is_a(found, classmethod | staticmethod) else found) is cached


def _together(first: Observed, second: Observed) -> Observed:
    """Return the files and environment variables of both; where they differ, those of the second."""
    files, environment = {**first.files, **second.files}, {**first.environment, **second.environment}
    return Observed(files=files, environment=environment)


def _remembered(cached: Any) -> list[Any]:
    """Return what a cache holds, keys and results."""
    own = (cached.__wrapped__, vars(cached))
    return [part for part in gc.get_referents(cached) if not any(part is each for each in own)]
