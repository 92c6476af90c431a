"""Owns what a cell truly depends on, found from the bytecode of what is live in a kernel without zennb.

The notebook's cells have no dead code, so a name in the bytecode is a name that is used, and a digest of all that the
names lead to changes exactly when the cell may do something else.
"""

from __future__ import annotations

import builtins
import dis
import functools
import hashlib
import os
import re
import sqlite3
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.reuse.content import LOCAL, PROXIES, Content, code_text, folder, random_state, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Truth"]

LOADS = frozenset({"LOAD_NAME", "LOAD_GLOBAL"})
FOLLOWS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
OWN = frozenset({"__main__", *LOCAL})

Chain = tuple[str, ...]


def _file_of(connection: sqlite3.Connection) -> str:
    path = Path(connection.execute("pragma database_list").fetchone()[2])
    return path.read_bytes().hex() if path.is_file() else ""


class Truth:
    """What one cell depends on in a namespace."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._found: dict[str, str] = {}
        self._seen: set[tuple[int, int]] = set()

    def of(self, code: types.CodeType) -> str:
        """Return a digest of a cell's code and of everything that it leads to."""
        self._found["code"] = _code(code)
        self._surroundings(code)
        self._follow(code, self._namespace, None)
        return hashlib.sha256(repr(sorted(self._found.items())).encode()).hexdigest()[:16]

    def _follow(self, code: types.CodeType, scope: Mapping[str, Any], me: Any) -> None:
        for chain in sorted(set(_chains(code))):
            start = me if chain[0] == "self" else scope.get(chain[0], getattr(builtins, chain[0], None))
            if chain[0] == "self" and me is None:
                continue
            self._take(f"{scope.get('__name__')}:{chain[0]}", start, chain[1:])
        for package in _imports(code):
            self._import(package)

    def _surroundings(self, code: types.CodeType) -> None:
        """Note the files, environment variables, random states and settings that a cell speaks of."""
        for text in code.co_consts:
            if isinstance(text, str):
                self._names_in(text)
            if isinstance(text, str) and Path(text).is_file():
                self._found[f"file {text}"] = Path(text).read_bytes().hex()
            elif isinstance(text, str) and Path(text).is_dir():
                self._found[f"folder {text}"] = str(sorted(file.name for file in Path(text).iterdir()))
            elif isinstance(text, str) and text.startswith("REUSE"):
                self._found[f"variable {text}"] = str(os.environ.get(text))
        if not {"random", "sample"}.isdisjoint(code.co_names):
            self._found["random state"] = random_state()
        self._found["settings"] = settings()
        self._found["folder"] = folder()

    def _names_in(self, text: str) -> None:
        """Note what the variables hold that a text may name."""
        for name in sorted(set(re.findall(r"[a-z]\w*", text)) & self._namespace.keys()):
            self._take(f"text {name}", self._namespace[name], ())

    def _import(self, path: str) -> None:
        module, _, name = path.partition(":")
        loaded = sys.modules.get(module)
        if loaded is None:
            self._found[path] = "not imported yet"
        elif name:
            self._take(path, getattr(loaded, name, None), ())
        else:
            self._take(path, loaded, ())

    def _take(self, name: str, value: Any, rest: Chain) -> None:
        """Note what a name stands for: of a module or an object as much as is used of it."""
        if type(value) in PROXIES:
            self._found[name] = "a proxy"
        elif isinstance(value, types.ModuleType):
            self._found[name] = f"module {value.__name__} {vars(value).get('__version__', '')}"
            if rest and value.__name__ in {*OWN, "fakepkg"}:
                self._take(f"{value.__name__}.{rest[0]}", getattr(value, rest[0], None), rest[1:])
        elif isinstance(value, type) or _is_code(value):
            self._code(name, value, None, rest)
        else:
            self._found[name] = Content(self._namespace).text(value)
            if isinstance(value, sqlite3.Connection):
                self._found[name] += f" {value.row_factory} {value.total_changes} {_file_of(value)}"
            self._inside(name, value, rest)

    def _inside(self, name: str, value: Any, rest: Chain) -> None:
        """Follow the method of an object that is called, and the functions in a container."""
        if isinstance(value, dict):
            for key, part in value.items():
                if _is_code(part):
                    self._code(f"{name}[{key!r}]", part, None, ())
        if type(value).__module__ not in {*OWN, "fakepkg"}:
            return
        if not rest:
            self._code(f"type of {name}", type(value), None, ())
            return
        found = getattr(value, rest[0], None)
        if _is_code(found):
            self._code(f"{name}.{rest[0]}", getattr(found, "__func__", found), value, rest[1:])
        else:
            self._found[f"{name}.{rest[0]}"] = Content(self._namespace).text(found)
            for cls in type(value).__mro__:
                self._member(f"{name}.{rest[0]}", vars(cls).get(rest[0]), value)

    def _code(self, name: str, value: Any, me: Any, rest: Chain) -> None:
        if isinstance(value, functools.partial):
            self._found[name] = f"partial {value.args} {value.keywords}"
            self._code(f"{name}.func", value.func, None, ())
        elif isinstance(value, functools._lru_cache_wrapper):
            self._found[name] = "cached"
            self._code(f"{name}.__wrapped__", value.__wrapped__, None, ())
        elif isinstance(value, types.MethodType):
            self._code(name, value.__func__, value.__self__, ())
        elif isinstance(value, types.FunctionType):
            self._function(name, value, me)
        elif isinstance(value, type):
            self._class(name, value, rest)
        else:
            self._found[name] = repr(value)

    def _function(self, name: str, function: types.FunctionType, me: Any) -> None:
        if function.__globals__.get("__name__") not in {*OWN, "fakepkg"}:
            self._found[name] = f"{function.__module__}.{function.__qualname__}"
            return
        tell = Content(self._namespace).text
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        told = [tell(each) for each in cells if not _is_code(each) and not isinstance(each, type)]
        self._found[name] = (
            f"{_code(function.__code__)} {tell(function.__defaults__)} {tell(function.__kwdefaults__)} {told}"
        )
        if (id(function), id(me)) in self._seen:
            return
        self._seen.add((id(function), id(me)))
        for place, each in enumerate(cells):
            if _is_code(each):
                self._code(f"{name}<{place}>", each, None, ())
        self._follow(function.__code__, function.__globals__, me)

    def _class(self, name: str, cls: type, rest: Chain) -> None:
        if cls.__module__ not in {*OWN, "fakepkg"}:
            self._found[name] = f"{cls.__module__}.{cls.__qualname__}"
            return
        self._found[name] = f"class {cls.__qualname__}"
        if rest:
            for base in cls.__mro__:
                self._member(f"{name}.{rest[0]}", vars(base).get(rest[0]), None)
            return
        for base in cls.__mro__:
            if base.__module__ in {*OWN, "fakepkg"}:
                self._found[f"{name}({base.__qualname__})"] = str(
                    [each.__qualname__ for each in base.__bases__]
                )
                for member, part in vars(base).items():
                    self._member(f"{name}({base.__qualname__}).{member}", part, None)

    def _member(self, name: str, part: Any, me: Any) -> None:
        part = getattr(part, "fget", None) or getattr(part, "__func__", part)
        if isinstance(part, types.FunctionType) and part.__code__.co_filename != "<string>":
            self._code(name, part, me, ())
        elif isinstance(part, int | float | str | list | tuple | dict | set) and not name.endswith("__"):
            self._found[name] = Content(self._namespace).text(part)


def _is_code(value: Any) -> bool:
    kinds = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, functools.partial)
    return isinstance(value, (*kinds, functools._lru_cache_wrapper))


def _code(code: types.CodeType) -> str:
    """Return a digest of code without its docstring and annotations' places."""
    documented = code.co_consts and isinstance(code.co_consts[0], str) and code.co_flags & 2
    return code_text(code.replace(co_consts=(None, *code.co_consts[1:])) if documented else code)


def _chains(code: types.CodeType) -> Iterator[Chain]:
    """Yield the names that code reads from outside itself, each with the attributes taken of it."""
    stored: set[str] = set()
    chain: Chain = ()
    for step in dis.get_instructions(code):
        if step.opname in FOLLOWS and chain:
            chain = (*chain, step.argval)
            continue
        if chain:
            yield chain
        chain = ()
        if step.opname in LOADS and step.argval not in stored:
            chain = (step.argval,)
        elif step.opname.startswith("LOAD_FAST") and step.argval == "self":
            chain = ("self",)
        elif step.opname in {"STORE_NAME", "STORE_GLOBAL"}:
            stored.add(step.argval)
    if chain:
        yield chain
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from (each for each in _chains(const) if each[0] not in stored)


def _imports(code: types.CodeType) -> Iterator[str]:
    """Yield what import statements name: `module`, or `module:name`."""
    module = ""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            module = step.argval
            yield module
        elif step.opname == "IMPORT_FROM":
            yield f"{module}:{step.argval}"
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _imports(const)
