"""Owns how a kernel's variables are told: plain text that is equal exactly when nobody could tell them apart."""

from __future__ import annotations

import calendar
import csv
import decimal
import enum
import functools
import hashlib
import logging
import mimetypes
import os
import random
import re
import signal
import socket
import sys
import time
import types
import weakref
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LOCAL", "PROXIES", "Content", "code_text", "folder", "random_state", "settings", "surroundings"]

ADDRESS = re.compile(r"0x[0-9a-f]{6,}")

PLAIN = (int, float, complex, str, bytes, bool, type(None), range, slice)

PROXIES = (weakref.ProxyType, weakref.CallableProxyType)

UNSAID = frozenset(
    {"__annotations__", "__dict__", "__doc__", "__module__", "__qualname__", "__slotnames__", "__weakref__"}
)


class Content:
    """One telling of a namespace: mutable objects are numbered, so that sharing is part of what is told."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._labels: dict[int, str] = {}
        self._root = ""
        self._kept: list[Any] = []

    def of(self, names: Mapping[str, Any]) -> dict[str, str]:
        """Return the text of each variable, and which arrays look into one memory."""
        told = {}
        for name in sorted(names):
            self._root = name
            told[name] = self.text(names[name])
        arrays = sorted(name for name, value in names.items() if issubclass(type(value), np.ndarray))
        told |= {
            f"{one} and {other}": "share memory"
            for one, other in combinations(arrays, 2)
            if np.shares_memory(names[one], names[other])
        }
        return told

    def text(self, value: Any) -> str:
        """Return the text of one value."""
        if type(value) in PROXIES:
            return "a proxy"  # a dead one raises at every look
        if isinstance(value, enum.Enum):
            return f"{self._class_of(value)} {value.name}"
        if type(value) in PLAIN:
            return f"{type(value).__name__} {ADDRESS.sub('0x', repr(value))}"  # a text may be a function's
        if type(value) in {tuple, frozenset}:
            parts = [self.text(part) for part in value]
            return f"{type(value).__name__}({', '.join(parts if type(value) is tuple else sorted(parts))})"
        if isinstance(value, types.ModuleType):
            return f"module {value.__name__}"
        if isinstance(value, np.generic | pd.Timestamp | types.BuiltinFunctionType):
            return f"{type(value).__name__} {ADDRESS.sub('0x', repr(value))}"
        if isinstance(value, types.FunctionType) and _is_stateless(value):
            return self._function(value)  # which object it is could only be told by `is`
        if id(value) in self._labels:
            return f"same as {self._labels[id(value)]}"
        count = sum(label.startswith(self._root + "#") for label in self._labels.values())
        self._labels[id(value)] = f"{self._root}#{count}"
        self._kept.append(value)
        return f"#{count} {self._changeable(value)}"

    def _changeable(self, value: Any) -> str:
        kind = type(value)
        if kind is list:
            return f"[{', '.join(map(self.text, value))}]"
        if kind is dict:
            return "{" + ", ".join(f"{self.text(k)}: {self.text(v)}" for k, v in value.items()) + "}"
        if kind is set:
            return "{" + ", ".join(sorted(map(self.text, value))) + "}"
        if isinstance(value, np.ndarray):
            flag = "" if value.flags.writeable else " read-only"
            return f"array {value.dtype} {value.shape} {self.text(value.tolist())}{flag}"
        if isinstance(value, pd.DataFrame):
            columns = [self.text(value[name]) for name in value.columns] if value.columns.is_unique else value
            return f"frame {value.columns!r} {columns} {value.attrs}"
        if isinstance(value, pd.Series):
            return f"series {value.name!r} {value.dtype} {value.index!r} {self.text(value.tolist())}"
        if (torch := sys.modules.get("torch")) is not None and issubclass(kind, torch.Tensor):
            grad = value.grad if value.is_leaf else None
            return f"tensor {value.dtype} {value.requires_grad} {value.detach().tolist()} {self.text(grad)}"
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(
            value, weakref.WeakKeyDictionary | types.MemberDescriptorType | types.GetSetDescriptorType
        ):
            return kind.__name__
        if isinstance(value, types.MethodType):
            return f"method {self.text(value.__func__)} of {self.text(value.__self__)}"
        if isinstance(value, functools.partial):
            return f"partial {self.text(value.func)} {self.text(value.args)} {self.text(value.keywords)}"
        if isinstance(value, functools._lru_cache_wrapper):
            return f"cached {self.text(value.__wrapped__)}"
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.GeneratorType | types.CoroutineType):
            return kind.__name__
        return self._object(value)

    def _function(self, function: types.FunctionType) -> str:
        home = function.__globals__.get("__name__")
        if home not in {"__main__", *LOCAL} and "<locals>" not in function.__qualname__:
            return f"function {home}.{function.__qualname__}"
        live = self._namespace if home == "__main__" else vars(sys.modules[str(home)])
        cells = [self.text(cell.cell_contents) for cell in function.__closure__ or ()]
        return (
            f"function {function.__qualname__} of {home}{'' if function.__globals__ is live else ' (a copy)'} "
            f"{code_text(function.__code__)} {self.text(function.__defaults__)} "
            f"{self.text(function.__kwdefaults__)} {cells} {self.text(function.__dict__) if function.__dict__ else ''}"
        )

    def _class(self, cls: type) -> str:
        if cls.__module__ not in {"__main__", *LOCAL}:
            return f"class {cls.__module__}.{cls.__qualname__}"
        held = [
            f"{name}: {self._attribute(name, part)}"
            for name, part in sorted(vars(cls).items())
            if name not in UNSAID
        ]
        bases = [self.text(base) for base in cls.__bases__]
        return f"class {cls.__module__}.{cls.__qualname__} {bases} {held}"

    def _attribute(self, name: str, part: Any) -> str:
        if isinstance(part, property):
            return f"property {self.text(part.fget)}"
        if isinstance(part, classmethod | staticmethod):
            return f"{type(part).__name__} {self.text(part.__func__)}"
        if isinstance(part, types.FunctionType) and part.__code__.co_filename == "<string>":
            return "made by dataclass"
        if type(part) in {*PLAIN, tuple, list, dict, set, types.FunctionType} and not name.startswith(
            "__dataclass"
        ):
            return self.text(part)
        return type(part).__name__

    def _class_of(self, value: Any) -> str:
        cls = type(value)
        found = self._namespace if cls.__module__ == "__main__" else vars(sys.modules[cls.__module__])
        live = "" if found.get(cls.__qualname__) is cls or "." in cls.__qualname__ else " (not the live one)"
        return self.text(cls) + live

    def _object(self, value: Any) -> str:
        slots = [name for base in type(value).__mro__ for name in vars(base).get("__slots__", ())]
        held = {name: getattr(value, name) for name in slots if hasattr(value, name)}
        held |= getattr(value, "__dict__", {})
        inside = ", ".join(f"{name}: {self.text(part)}" for name, part in held.items())
        return f"object of {self._class_of(value)} ({inside})"


def _is_stateless(function: types.FunctionType) -> bool:
    carried = (function.__defaults__, function.__kwdefaults__, function.__closure__, function.__dict__)
    return not any(carried)


LOCAL = frozenset(
    {
        "lib",
        "low",
        "mod_a",
        "mod_b",
        "mod_c",
        "mod_d",
        "mod_e",
        "mod_f",
        "one",
        "pack",
        "pack.low",
        "pkg_l",
        "pkg_l.extra",
        "pkg_l.inner",
        "two",
    }
)
"""Names of the local modules that the notebook uses."""


def code_text(code: types.CodeType) -> str:
    """Return a digest of what a code object does, its docstring included, wherever it stands."""
    parts = [code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, code.co_flags]
    parts += [
        code_text(one) if isinstance(one, types.CodeType) else (type(one).__name__, repr(one))
        for one in code.co_consts
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


class _NoFigures:
    figs: ClassVar[dict[int, Any]] = {}


def settings() -> str:
    """Return the settings and registries of libraries that cells of the notebook change."""
    known = (
        np.get_printoptions(),
        pd.get_option("display.precision"),
        [(name, csv.get_dialect(name).delimiter) for name in csv.list_dialects()],
        calendar.firstweekday(),
        logging.getLogger("reuse").level,
        socket.getdefaulttimeout(),
        decimal.getcontext().prec,
        mimetypes.guess_type("a.reuse"),
        time.localtime(0).tm_hour,
        signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN,
        hasattr(pd.Series, "reuse"),
        getattr(sys.modules.get("matplotlib._pylab_helpers"), "Gcf", _NoFigures).figs.keys(),
    )
    return " ".join(map(str, known))


def folder() -> str:
    """Return the working folder, seen from the kernel's own."""
    return os.path.relpath(Path.cwd(), os.environ.get("TOP_FOLDER", Path.cwd()))


def random_state() -> str:
    """Return a digest of the global random states."""
    states = repr(random.getstate()), np.random.get_state()[1].tobytes(), np.random.get_state()[2:]  # type: ignore[index]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:12]


def surroundings() -> dict[str, str]:
    """Return what a cell may change besides variables: settings, random state, environment, folder and files."""
    files = sorted(file for file in Path().rglob("*.txt"))
    return {
        "(settings)": settings(),
        "(random state)": random_state(),
        "(environment)": str({name: text for name, text in os.environ.items() if name.startswith("REUSE")}),
        "(folder)": folder(),
        "(files)": str({str(file): file.read_text() for file in files if "site-packages" not in str(file)}),
    }
