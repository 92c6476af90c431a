"""Owns `MainReads`: which variables a running step reads, and does not name.

`getattr(sys.modules["__main__"], name)` may be said by a library, of any name, and no audit event tells it. While a
step runs, the module has a class of its own. What reads the variables as global names does not come here. Libraries
that look names up in text compile it, or get it from a file that was read (`compiled_texts`).
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from zennb.compat.instances import is_a
from zennb.engine.environment.callers import INSIDE, module_name
from zennb.engine.environment.compiled_texts import words_of_queries
from zennb.packages.origin import top_level
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["ALL", "MISSING", "MainReads", "note_read", "note_words"]

ALL, MISSING = "*", object()

_LOOK_UP_TYPES = frozenset(
    {"IPython", "annotationlib", "attr", "cloudpickle", "copyreg", "dataclasses", "dill", "enum"}
    | {"functools", "importlib", "inspect", "ipykernel", "joblib", "loky", "multiprocessing", "pickle"}
    | {"pydantic", "typing", "typing_extensions"}
)
"""Packages that look up, by their names, classes and functions that they have in hand, and names in annotations."""

_MEMBERS = frozenset({"_getmembers", "getattr_static", "getmembers", "getmembers_static"})
"""Functions of `inspect` that read what they are given."""

_KEEPING = frozenset({("doctest", "find"), ("numba", "lookup_globals")})
"""What takes the variables along, for the examples that it finds in what it is given, or for a function it compiles."""

_active: dict[int, MainReads] = {}
"""Thread → what records it."""

_lock = threading.Lock()


class MainReads:
    """Records reads of this thread and of those that nobody else records.

    Args:
        namespace: the variables of the step.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace, self._before = namespace, dict(namespace)
        self._found: dict[str, None] = {}
        self._sought: dict[str, None] = {}
        self._ids = {name: id(value) for name, value in namespace.items() if not is_a(value, ModuleType)}
        self._thread = 0
        self._outer: MainReads | None = None

    @block
    def recording(self) -> Iterator[Self]:
        """Record in this block, which ends also when an interrupt comes before its end has done anything."""
        self._thread = threading.get_ident()
        self._outer = _active.get(self._thread)
        try:
            with _lock:
                _active[self._thread] = self
                _give_class(_Watched)
            yield self
        finally:
            with _lock:
                if self._outer is None:
                    _active.pop(self._thread, None)
                else:
                    _active[self._thread] = self._outer
                if not _active:
                    _give_class(ModuleType)
            self._before = {}  # holds values that the notebook may have let go of

    def note(self, name: str, value: object) -> None:
        """Note that a variable was read; `ALL` for the whole module, and `MISSING` for one that does not exist."""
        is_own = self._namespace.get(name, MISSING) is value is not MISSING
        if not is_own or self._before.get(name, MISSING) is value:
            self._found[name] = None

    def note_sought(self, words: Iterable[str]) -> None:
        """Note words that a library may look up; what the step has bound itself is its own."""
        for name in words:
            if name in self._ids and id(self._namespace.get(name)) == self._ids[name]:
                self._sought[name] = None

    def note_queries(self, used: Iterable[str], texts: Iterable[str]) -> None:
        """Note the words of texts that the step has read, if what it uses looks up tables."""
        self.note_sought(words_of_queries(used, texts))

    def unseen(self, names: Iterable[str], reached: Iterable[str]) -> str:
        """Return what was read besides what the step is known to depend on, as a clause; "" for nothing.

        Args:
            names: names of the notebook.
            reached: other things that its code reaches, as `function clean`.
        """
        known = {*names, *(each.rpartition(" ")[2].removeprefix("__main__.") for each in reached)}
        found = [name for name in self._found if name not in known]
        sought = [name for name in self._sought if name not in known and not name.startswith("_")]
        if sought and not found:
            return f"it looks up `{sought[0]}`, which no text that it can see contains"
        if not found:
            return ""
        what = "all variables of the notebook" if ALL in found else f"`{found[0]}`"
        return f"it reads {what} from the module `__main__`"


def note_read(name: str, value: object) -> None:
    """Note that whoever called the caller of this read a variable of `__main__`; `__dict__` counts as all of them."""
    is_all = name == "__dict__"
    if not _active or getattr(INSIDE, "busy", False) or (name.startswith("__") and not is_all):
        return
    frame = sys._getframe(2)  # noqa: SLF001 - who reads is the question
    package = top_level(module_name(frame))
    function = frame.f_code.co_name
    if package == "zennb" or (package in _LOOK_UP_TYPES and function not in _MEMBERS):
        return
    if (package, function) in _KEEPING:
        return
    own = _active.get(threading.get_ident())
    for each in [own] if own is not None else list(_active.values()):
        each.note(ALL if is_all else name, MISSING if is_all else value)


def note_words(words: Iterable[str]) -> None:
    """Note words that a library may look up, for the step of this thread, or for all where it has none."""
    own = _active.get(threading.get_ident())
    for each in [own] if own is not None else list(_active.values()):
        each.note_sought(words)


class _Watched(ModuleType):
    """The module `__main__` while somebody records what is read of it."""

    def __getattribute__(self, name: str) -> Any:
        try:
            value = super().__getattribute__(name)
        except AttributeError:
            note_read(name, MISSING)
            raise
        note_read(name, value)
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        return __import__, (self.__name__,)


def _give_class(cls: type) -> None:
    """Give the module `__main__` a class, unless it has one of somebody else's."""
    main: Any = sys.modules.get("__main__")
    if type(main) in (ModuleType, _Watched):
        main.__class__ = cls
