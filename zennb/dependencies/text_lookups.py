"""Owns `TextLookups`: which names code may look up in text, given the texts that it can see; and what it reads of code.

`df.query(expr)`, `duckdb.sql(query)` and formulas find names in the frames of their callers. Which text they get is
known only when they run. So every name that occurs in any text within reach counts.
"""

from __future__ import annotations

import re
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, is_one_of, plain
from zennb.core.reading.embedded_names import EVALUATES, Lookup, lookup_of, names_in_texts
from zennb.core.reading.reflection import SHOW_DOCSTRINGS, Reflection, name_docstrings, reflections
from zennb.dependencies.callables import is_code, is_users_code
from zennb.packages.frame_access import looks_into_frames
from zennb.packages.origin import module_of, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from zennb.core.reading.source import Analysis

__all__ = ["TextLookups", "texts_in"]

_SHELL = re.compile(r"In|Out|exit|quit|get_ipython|open|display|_+|_i*\d*|_[dio]h|_exit_code|__\w+__")
"""Names that IPython gives to every notebook."""

_PLACES = frozenset({"_duckdb", "duckdb"})
"""Packages that look tables up in the notebook, whatever is used of them."""

_FAR = 20_000
_MANY = 1_000
"""Objects that are searched for text, and elements of an array or series."""


class TextLookups:
    """The lookups of one search for dependencies.

    Args:
        namespace: the notebook's variables.

    Attributes:
        reflections: what of code is read as a value.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._hidden: frozenset[str] = frozenset()
        self._texts: set[str] = set()
        self._values: list[object] = []
        self._lookups: dict[Lookup, frozenset[str]] = {}
        self._scopes: dict[int, Mapping[str, Any]] = {}
        self._searched: set[int] = set()
        self.reflections: set[Reflection] = set()
        self._yielded: set[tuple[int, str]] = set()

    def read(self, analysis: Analysis, scope: Mapping[str, Any], bound: frozenset[str]) -> None:
        """Add what a cell or a function looks up, and its texts.

        Args:
            analysis: what its code does.
            scope: its global variables.
            bound: names that are surely bound before it runs.
        """
        self._texts |= analysis.texts
        self._hidden |= analysis.hidden
        self.reflections |= reflections(analysis.lookups)
        if name_docstrings(analysis.texts):
            self.reflections.add(Reflection.DOCSTRINGS)
        if EVALUATES in analysis.dynamic:
            self._note(Lookup.ALL, bound)
            if not self._is_notebooks(scope):
                self._scopes[id(scope)] = scope
        for chain, own in analysis.lookups.items():
            root = scope.get(chain[0])
            is_imported = chain[0] == "*" or is_a(root, ModuleType) or _is_of_package(root)
            lookup = lookup_of(chain, is_imported=is_imported)
            is_notebooks = self._is_notebooks(scope)
            self._note(lookup, own | bound if is_notebooks else bound)
            if lookup is not None and not is_notebooks:
                self._scopes[id(scope)] = scope

    def _is_notebooks(self, scope: Mapping[str, Any]) -> bool:
        return scope is self._namespace or scope.get("__name__") == self._namespace.get("__name__")

    def words(self) -> frozenset[str]:
        """Return all words of the texts that were found."""
        return frozenset(names_in_texts(self._texts, [Lookup.ALL]))

    def use(self, path: str, bound: frozenset[str]) -> None:
        """Add a function of a package, whatever name the notebook gave it."""
        chain = tuple(path.split("."))
        self.reflections |= reflections([chain])
        self._note(lookup_of(chain, is_imported=True), bound)

    def see(self, *values: object) -> None:
        """Add values that may hold text; they are searched only if something looks names up."""
        self._values += values

    def names(
        self, packages: Iterable[str], values: Mapping[str, Any]
    ) -> Iterator[tuple[Mapping[str, Any], str, frozenset[str]]]:
        """Yield names that may be looked up, each once: where, the name, and what is surely bound before.

        Args:
            packages: import names of the packages that the code uses.
            values: the data that it reads.
        """
        texts = [value for value in values.values() if is_a(value, str)]
        if not SHOW_DOCSTRINGS.isdisjoint(packages) or name_docstrings(map(plain, texts)):
            self.reflections.add(Reflection.DOCSTRINGS)
        if not _PLACES.isdisjoint(packages):
            self._note(Lookup.TABLES, frozenset())
        if any(map(looks_into_frames, packages)):
            self._note(Lookup.ALL, frozenset())
        if not self._lookups:
            return
        for value in [*self._values, *values.values()]:
            if id(value) not in self._searched:
                self._searched.add(id(value))
                self._texts.update(texts_in(value))
        for lookup, bound in self._lookups.items():
            words = names_in_texts(self._texts, [lookup], self._namespace.keys())
            yield from self._new(words - bound - self._hidden, self._namespace, bound)
            for scope in self._scopes.values():
                yield from self._new(names_in_texts(self._texts, [lookup], scope.keys()), scope, bound)

    def _new(
        self, words: set[str], scope: Mapping[str, Any], bound: frozenset[str]
    ) -> Iterator[tuple[Mapping[str, Any], str, frozenset[str]]]:
        for name in sorted(words & scope.keys()):
            if (id(scope), name) not in self._yielded and not _SHELL.fullmatch(name):
                self._yielded.add((id(scope), name))
                yield scope, name, bound

    def _note(self, lookup: Lookup | None, bound: frozenset[str]) -> None:
        if lookup is not None:
            self._lookups[lookup] = self._lookups.get(lookup, bound) & bound


def _is_of_package(value: object) -> bool:
    return is_code(value) and not is_users_code(value) and not origin(module_of(value)).is_users


def texts_in(value: object) -> set[str]:
    """Return the texts in a value: of containers, of arrays and series of text, and of objects of the user's own.

    Only what Python itself keeps is looked at: no code of the value runs.
    """
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [value]
    for one in waiting:
        if len(seen) > _FAR:
            break
        if issubclass(type(one), str):
            found.add(str.__str__(one))
        elif not is_one_of(one, _PLAIN) and id(one) not in seen:
            seen.add(id(one))
            waiting.extend(_parts(one))
    return found


_PLAIN = frozenset({bool, bytes, complex, float, int, type(None)})


def _parts(value: Any) -> Iterable[Any]:
    cls = type(value)
    if issubclass(cls, dict):
        return [*dict.keys(value), *dict.values(value)]
    for kind in (list, tuple, set, frozenset):
        if issubclass(cls, kind):
            return list(kind.__iter__(value))
    if issubclass(cls, FunctionType):
        return (
            value.__defaults__,
            value.__kwdefaults__,
            value.__dict__,
            *map(_content, value.__closure__ or ()),
        )
    home = module_of(cls)
    if top_level(home) in {"numpy", "pandas"} and cls.__name__ in {"Index", "Series", "ndarray"}:
        return _elements(value)
    if not issubclass(cls, type | ModuleType) and (origin(home).is_users or home in _HOLDERS):
        slots = [vars(each).get(name) for each in cls.__mro__ for name in _slots(each)]
        return [*_dictionary(value).values(), *(_slot(each, value) for each in slots)]
    return ()


_HOLDERS = frozenset({"types", "string", "argparse"})
"""Modules of Python with types that hold what the user puts into them: `SimpleNamespace`, `Template`."""


def _elements(value: Any) -> Iterable[Any]:
    is_text = str(value.dtype) in {"object", "str", "string"}
    return value[:_MANY].tolist() if is_text and value.ndim == 1 else ()


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # nothing has been bound yet
        return None


def _dictionary(value: object) -> dict[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def _slots(cls: type) -> Iterable[str]:
    found = vars(cls).get("__slots__", ())
    return (found,) if isinstance(found, str) else [each for each in found if isinstance(each, str)]


def _slot(member: Any, value: object) -> object:
    try:
        return member.__get__(value) if type(member) is MemberDescriptorType else None
    except AttributeError:
        return None
