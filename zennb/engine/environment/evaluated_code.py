"""Owns `EvaluatedCode`: what the user's own code evaluates with `eval` while a step runs.

A step depends on every variable whose name is a word of a text that it can see. Whether what it evaluates names only
those, and does nothing that is judged by reading code, shows only while it runs. Python's audit hook reports it.
"""

from __future__ import annotations

import builtins
import dis
import sys
import threading
from functools import cache
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Self

from zennb.compat.instances import is_a
from zennb.digests.bytecode import DYNAMIC, READS, nested
from zennb.engine.environment.callers import INSIDE, is_users, module_name
from zennb.packages.origin import module_of, origin, top_level
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["EvaluatedCode"]

_MOST = 1_000
"""Different expressions that are looked at; a step that evaluates more runs every time."""

_EFFECTS = frozenset(
    {"breakpoint", "compile", "delattr", "dir", "exit", "get_ipython", "input", "quit", "setattr"}
)
"""Functions that do, or find, more than their arguments say."""

_BINDING = (
    "STORE_NAME",
    "STORE_GLOBAL",
    "DELETE_",
    "IMPORT_",
    "STORE_ATTR",
    "STORE_SUBSCR",
    "LOAD_BUILD_CLASS",
)

_COMPUTING = frozenset(
    {"builtins", "cmath", "decimal", "fractions", "math", "numpy", "operator", "scipy", "statistics"}
)
_COMPUTING_TOO = frozenset({"pandas", "sympy"})
"""Packages whose functions change nothing but their arguments, settings that are known, and random states."""

_PROCESSES = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen"})
_POOLS = frozenset(
    {"concurrent", "dask", "distributed", "joblib", "loky", "multiprocessing", "pathos", "ray"}
)
"""Packages that call functions in other processes, some of which may run already."""

_active: dict[int, EvaluatedCode] = {}
"""Thread → what records it."""


class EvaluatedCode:
    """Records the code that is evaluated in this thread and in those that nobody else records."""

    def __init__(self) -> None:
        self._codes: dict[tuple[CodeType, int], Mapping[str, Any]] = {}
        self._starts_processes = False
        self._thread = 0
        self._outer: EvaluatedCode | None = None

    @block
    def recording(self) -> Iterator[Self]:
        """Record in this block, which ends also when an interrupt comes before its end has done anything."""
        _install()
        self._thread = threading.get_ident()
        self._outer = _active.get(self._thread)
        try:
            _active[self._thread] = self
            yield self
        finally:
            if self._outer is None:
                _active.pop(self._thread, None)
            else:
                _active[self._thread] = self._outer

    def note(self, code: CodeType, scope: Mapping[str, Any]) -> None:
        """Note code that is about to run, and the global variables of the function that evaluates it."""
        if len(self._codes) <= _MOST:
            self._codes[code, id(scope)] = scope

    def note_process(self) -> None:
        """Note that a process was started, whose code is not seen."""
        self._starts_processes = True

    def unseen(self, words: AbstractSet[str], namespace: Mapping[str, Any], used: Iterable[str] = ()) -> str:
        """Return what reading the code of the step did not show of what it evaluated, as a verb phrase; "" for nothing.

        Args:
            words: those of the texts that the step sees; a variable with such a name is an input.
            namespace: the notebook's variables.
            used: dotted names of what the step uses of modules.
        """
        if self._starts_processes or not _POOLS.isdisjoint(map(top_level, used)):
            return "may be in other processes"
        if len(self._codes) > _MOST:
            return f"are more than {_MOST} different texts"
        for (code, _), scope in self._codes.items():
            steps = [step for each in nested(code) for step in dis.get_instructions(each)]
            if any(step.opname.startswith(_BINDING) for step in steps):
                return "binds or sets something"
            if _is_statements(code):
                return "is a statement"
            for name in sorted({step.argval for step in steps if step.opname in READS}):
                if name not in words:
                    return f"names `{name}`, which no text that it can see contains"
                meanings = [each.get(name) for each in (scope, namespace, vars(builtins))]
                if name in _EFFECTS | DYNAMIC or any(map(_may_have_effects, meanings)):
                    return f"uses `{name}`"
        return ""


def _may_have_effects(value: object) -> bool:
    """Whether a value is a module, function or class of a package that may change the process."""
    if is_a(value, ModuleType):
        home = str(vars(value).get("__name__", ""))
    elif is_a(value, FunctionType | BuiltinFunctionType | type):
        home = module_of(value)
    else:
        return False
    if origin(home).is_users:  # a step depends on these, with all that they use
        return False
    return top_level(home).lstrip("_") not in _COMPUTING | _COMPUTING_TOO


def _is_statements(code: CodeType) -> bool:
    """Whether code was not compiled as an expression: it then returns None, whatever it does."""
    last = list(dis.get_instructions(code))[-2:]
    return last[-1].opname == "RETURN_CONST" or (last[0].opname == "LOAD_CONST" and last[0].argval is None)


def _hook(event: str, arguments: tuple[Any, ...], _current: dict[int, EvaluatedCode] = _active) -> None:
    # Python calls this for much, and cannot take it away again, so the fast exit comes first.
    if (event != "exec" and event not in _PROCESSES) or not _current or getattr(INSIDE, "busy", False):
        return
    if event != "exec":
        for each in list(_current.values()):
            each.note_process()
        return
    caller = sys._getframe(1)  # noqa: SLF001 - `eval` itself has no frame
    if is_a(arguments[0], CodeType) and is_users(module_name(caller)):
        own = _current.get(threading.get_ident())
        for each in [own] if own is not None else list(_current.values()):
            each.note(arguments[0], caller.f_globals)


@cache
def _install() -> None:
    sys.addaudithook(_hook)
