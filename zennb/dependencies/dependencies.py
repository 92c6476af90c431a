"""Owns the dependencies of a step: the functions, classes, constants, data and packages that its code reaches."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.compat.python import CachedFunction
from zennb.core.reading.definition_checks import caches_cleared_first
from zennb.dependencies.resolver import DependencyResolver
from zennb.digests.digest import digest_value
from zennb.digests.stream import text_digest
from zennb.errors import CannotDigest

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Mapping

    from zennb.core.reading.reflection import Reflection
    from zennb.core.reading.source import Analysis
    from zennb.dependencies.patches import Patch

__all__ = [
    "Dependencies",
    "DependencySearch",
    "note_cached_functions",
    "reached_digest",
    "resolve_dependencies",
    "without_cleared",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """All dependencies of a cell, by name; resolved from the live notebook each time.

    Attributes:
        data: notebook name → value, for everything read that is neither module, function nor class: by the cell
            itself, or by a function it reaches (unless the cell surely binds the name before that).
        code: qualified name → digest of own code, of every function and class of the notebook or a local module.
            Bound methods, partials and the like that the notebook gave a name to are there under that name.
        constants: dotted name → what is found there: the digest of a value of a local module (`mylib.RATE`) or
            of a plain scalar in a package; the name of the module, function or class of a package that a name
            stands for (`np` → `numpy`).
        kinds: each name in `code` and `constants` → `function`, `class`, `constant`, `module` or `name`.
        packages: import names of the packages used.
        uses: dotted names of what is used of modules, Python's own among them: `numpy.random.seed`, `warnings`.
        definitions: notebook names bound to modules, functions and classes, that are read anywhere → the object.
        writes: notebook names that reached functions may bind through `global`.
        unclear: why the dependencies may be incomplete, in short phrases; usually empty.
        evaluates: which code calls `eval`, in short phrases. The dependencies are complete if what it evaluates names
            nothing but `words`, which only running shows (`engine/environment/evaluated_code`).
        words: the words of all texts that the code sees; empty if it evaluates none.
    """

    data: Mapping[str, Any]
    code: Mapping[str, str]
    constants: Mapping[str, str]
    kinds: Mapping[str, str]
    packages: frozenset[str]
    uses: frozenset[str]
    definitions: Mapping[str, Any]
    writes: frozenset[str]
    unclear: tuple[str, ...]
    evaluates: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()

    @property
    def digests(self) -> dict[str, str]:
        """Code and constants by kind and name: `function clean` → digest."""
        return {
            f"{self.kinds[name]} {name}": digest for name, digest in {**self.code, **self.constants}.items()
        }


def resolve_dependencies(
    analysis: Analysis,
    namespace: Mapping[str, Any],
    *,
    extra: Iterable[object] = (),
    patches: Iterable[Patch] = (),
) -> Dependencies:
    """Resolve all dependencies of a cell.

    Args:
        analysis: what the cell does with names.
        namespace: the notebook's names. Names that are not in it are ignored.
        extra: functions, classes and modules met inside data (`ValueDigest.code`), to be followed too.
        patches: what the notebook put into modules and classes of packages (`patches_in`).
    """
    search = DependencySearch(analysis, namespace, patches=patches)
    search.follow(extra)
    return search.found()


class DependencySearch:
    """A search for dependencies that can continue with code found inside the data.

    Args:
        analysis: see `resolve_dependencies`.
        namespace: see `resolve_dependencies`.
        patches: see `resolve_dependencies`.

    Attributes:
        data: see `Dependencies`; so far.
        named: names that only text names, which some code may look up.
        missing: names that functions read of the notebook, and that it does not have; so far.
        definitions: see `Dependencies`; so far.
    """

    def __init__(
        self, analysis: Analysis, namespace: Mapping[str, Any], *, patches: Iterable[Patch] = ()
    ) -> None:
        self._namespace, self._closure = namespace, DependencyResolver(namespace, patches)
        self._closure.follow_cell(analysis)
        self.data: Mapping[str, Any] = self._closure.data
        self.definitions: Mapping[str, Any] = self._closure.definitions
        self.named: frozenset[str] | set[str] = self._closure.named
        self.missing: frozenset[str] | set[str] = self._closure.missing

    def follow(self, things: Iterable[object]) -> None:
        """Continue the search with these functions, classes and modules."""
        for thing in things:
            self._closure.push(thing, frozenset())
        self._closure.run()

    @property
    def reflections(self) -> frozenset[Reflection]:
        """What the code reads of code as a value, so far."""
        return self._closure.reflections

    def found(self) -> Dependencies:
        """Return what was reached."""
        closure = self._closure
        outdated = [
            _OUTDATED.format(name=name)
            for name, cached in closure.cached.items()
            if _is_outdated(cached, self._namespace)
        ]
        return Dependencies(
            data=closure.data,
            code=closure.code(),
            constants=dict(sorted(closure.constants.items())),
            kinds=closure.kinds,
            packages=frozenset(closure.packages),
            uses=frozenset(closure.uses),
            definitions=closure.definitions,
            writes=frozenset(closure.writes),
            unclear=(*closure.unclear, *outdated),
            evaluates=tuple(closure.evaluates),
            words=closure.words,
        )


_OUTDATED = "`{name}` remembers results of code that has changed since"
"""What is unclear of a function with a cache that is older than its code."""


def without_cleared(unclear: Iterable[str], tree: ast.Module) -> list[str]:
    """Return what is unclear of a step, without functions whose caches its cell clears before it calls anything."""
    known = {_OUTDATED.format(name=name) for name in caches_cleared_first(tree)}
    return [each for each in unclear if each not in known]


def note_cached_functions(namespace: Mapping[str, Any]) -> None:
    """Record the current code of the notebook's `lru_cache` functions; results cached from now on belong to it."""
    for value in list(namespace.values()):  # digesting runs user code, which may bind names meanwhile
        if type(value) is CachedFunction:
            _is_outdated(value, namespace)


_cached_code: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
"""Function behind `functools.lru_cache` → digest of all that its code reached when its cache began to fill."""


def _is_outdated(cached: Any, namespace: Mapping[str, Any]) -> bool:
    """Say whether a function's `lru_cache` holds results of code that has changed since; note what the code is now."""
    now = _reached_digest(cached, namespace)
    # An empty cache holds no result of older code, so what it fills with belongs to the code as it is now.
    if cached.cache_info().currsize == 0:
        _cached_code[cached] = now
    return _cached_code.setdefault(cached, now) != now


def _reached_digest(cached: Any, namespace: Mapping[str, Any]) -> str:
    """Return a digest of everything that a cached function's code reaches, data included."""
    return reached_digest(digest_value(cached, name="function").code, namespace)


def reached_digest(code: Iterable[object], namespace: Mapping[str, Any]) -> str:
    """Return a digest of everything that some code reaches, and of the data that it reads.

    Args:
        code: functions, classes and modules of the user.
        namespace: the notebook's names.
    """
    closure = DependencyResolver(namespace)
    for part in code:
        closure.push(part, frozenset())
    closure.run()
    data = [f"{name} {_content(value)}" for name, value in sorted(closure.data.items())]
    return text_digest([*map(str, closure.code().items()), *map(str, closure.constants.items()), *data])


def _content(value: Any) -> str:
    try:
        return digest_value(value).digest
    except CannotDigest:
        return str(id(value))
