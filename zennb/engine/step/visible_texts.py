"""Owns the texts that a step can see, some of which name files: in its code, in code it reaches, and in its inputs."""

from __future__ import annotations

import ast
import functools
import io
import pickle
import re
import sys
from contextlib import suppress
from pathlib import PurePath
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from zennb.compat.instances import (
    attributes_of,
    class_attributes,
    elements_of,
    is_a,
    is_one_of,
    length_of,
    module_name,
    path_text,
    plain,
)
from zennb.compat.slot_names import slots_unnoticed
from zennb.core.reading.joined_texts import joined, with_holes
from zennb.core.reading.tree import nodes_in
from zennb.digests.bytecode import nested
from zennb.digests.classes import functions_in
from zennb.digests.function_source import function_node
from zennb.packages.origin import module_of, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.dependencies.dependencies import Dependencies
    from zennb.engine.step.definition import StepDefinition

__all__ = ["texts_in_code", "texts_in_values"]

_MOST = 5_000
"""Values that are looked at; more than that are data, not names of files."""

_LARGEST = 1 << 20
"""Bytes of a lazy value's plan."""

_SMALL = 1 << 14
"""Bytes of a plan in which each word may be a name; in larger ones a name has a dot or slash."""

_PLAIN = frozenset({bool, int, float, complex, type(None), bytes, bytearray, memoryview})
_LAZY = ("collect", "compute", "execute", "fetchall", "scan", "scanner", "to_batches")
"""Methods of values that read their files only when they are asked for rows."""

_CBOR = re.compile(b"(?=([\x63-\x77]|\x78[\x18-\xff]))")
_TEXT = re.compile("[^\x00-\x1f\x7f-\x9f\ufffd]{3,1024}")

_trees: WeakKeyDictionary[ast.AST, frozenset[str]] = WeakKeyDictionary()
_codes: WeakKeyDictionary[CodeType, frozenset[str]] = WeakKeyDictionary()


def texts_in_code(definition: StepDefinition, dependencies: Dependencies) -> frozenset[str]:
    """Return the texts in a step's code and in the functions, classes and constants that it reaches.

    A text with parts that are only known when it runs (`f"part{i}.csv"`) has a `HOLE` in their place.
    """
    found, values = set(_texts_of_tree(definition.tree)), list[object]()
    names = [name for name in (*dependencies.code, *dependencies.constants) if "." in name]
    for value in (*dependencies.definitions.values(), *map(_at, names)):
        if value is None or is_a(value, ModuleType):
            continue
        for function in _functions(value):
            found |= _texts_of_function(function)
            values += [function.__defaults__, function.__kwdefaults__, *_closed_over(function)]
        values.append(value)
    return frozenset(found | texts_in_values(values))


def texts_in_values(values: Iterable[object]) -> set[str]:
    """Return the texts and paths in values: in containers, attributes, columns, and in the plans of lazy values."""
    found, waiting, met, left = set[str](), list(values), set[int](), _MOST
    while waiting and left:
        value, left = waiting.pop(), left - 1
        if is_a(value, str):
            found.add(plain(value))
        elif is_one_of(value, _PLAIN) or is_a(value, ModuleType | FunctionType) or id(value) in met:
            continue
        else:
            met.add(id(value))
            try:  # the user's objects may raise whatever they are asked
                waiting += _parts(value, left)
            except Exception:  # noqa: BLE001 - then there are no names of files in it
                continue
    return found


def _parts(value: Any, most: int) -> Iterable[object]:
    """Return what a value consists of, where that may be names of files."""
    cls = type(value)
    if is_a(value, PurePath):
        return [path_text(value)]
    if is_a(value, dict):
        return [part for pair in elements_of(value) for part in pair] if length_of(value) <= most else ()
    if is_a(value, list | tuple | set | frozenset):
        return list(elements_of(value)) if length_of(value) <= most else ()
    if is_a(value, functools.partial):
        return [value.args, value.keywords]
    if is_a(value, type):
        return (
            [part for name, part in class_attributes(value).items() if not name.startswith("__")]
            if _is_users(value)
            else ()
        )
    top = top_level(module_name(cls))
    if top in {"numpy", "pandas"}:
        return _of_table(value, most)
    if any(hasattr(cls, name) for name in _LAZY):
        return _of_lazy(value)
    # Of instances of packages only plain ones, such as `argparse.Namespace`: others are searched for names in vain.
    is_plain = _is_users(cls) or top in {"argparse", "types", "omegaconf", "collections"}
    return list(attributes_of(value).values()) if is_plain else ()


def _is_users(cls: type) -> bool:
    return origin(module_of(cls)).is_users


def _of_table(value: Any, most: int) -> Iterable[object]:
    """Return the texts in a small array, column or frame."""
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        columns = [value[name] for name in value.columns] if value.columns.is_unique else []
        return [column for column in columns if _holds_texts(column, most)]
    return value.tolist() if _holds_texts(value, most) else ()


def _holds_texts(column: Any, most: int) -> bool:
    dtype = getattr(column, "dtype", None)
    return getattr(dtype, "kind", "") in {"O", "U", "T"} and column.size <= most


def _of_lazy(value: Any) -> Iterable[str]:
    """Return the texts in what a lazy value would be stored as, which holds the names of the files it will read."""
    stream = _Bounded()
    with (
        slots_unnoticed(),
        suppress(Exception),
    ):  # what cannot be stored, or is large, is no plan; names may have come first
        pickle.Pickler(stream, protocol=5, buffer_callback=lambda _buffer: None).dump(value)
    data = stream.getvalue()
    found = _after_their_length(data)
    for text in _TEXT.findall(data.decode("utf-8", "replace")):
        # The bytes around a text may happen to be letters: its length, or what follows.
        found += [text, text[1:], text[:-1], text[1:-1]]
    return found


def _after_their_length(data: bytes) -> list[str]:
    """Return the short texts of a stream of CBOR, in which they follow each other without a byte between them.

    A text of up to 23 bytes follows a byte that is 0x60 and its length, a longer one follows 0x78 and a byte that is
    its length (RFC 8949, section 3). Polars 1.16 keeps plans so. What is no text may look like one.
    """
    found = list[str]()
    for at in _CBOR.finditer(data):
        head, start = at[1], at.end(1)
        length = head[1] if len(head) > 1 else head[0] - 0x60
        text = data[start : start + length].decode("utf-8", "replace")
        if _TEXT.fullmatch(text) and ("." in text or "/" in text or len(data) < _SMALL):
            found.append(text)
    return found


class _Bounded(io.BytesIO):
    """Takes what is written, up to a limit."""

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > _LARGEST:
            raise OverflowError
        return super().write(data)


def _at(name: str) -> object:
    """Return what a dotted name of a local module stands for; None if it is not found."""
    module, rest = name, list[str]()
    while module and module not in sys.modules:
        module, _, last = module.rpartition(".")
        rest.insert(0, last)
    found: object = sys.modules.get(module) if module and origin(module).is_users else None
    for part in rest:
        found = _member(found, part)
    return found


def _member(holder: object, name: str) -> object:
    if is_a(holder, ModuleType):
        return vars(holder).get(name)
    return class_attributes(holder).get(name) if is_a(holder, type) else attributes_of(holder).get(name)


def _functions(value: object) -> Iterator[FunctionType]:
    parts = class_attributes(value).values() if is_a(value, type) and _is_users(value) else (value,)
    for part in parts:
        inner: object = part
        if is_a(part, functools.partial):
            inner = part.func
        elif is_a(part, MethodType | staticmethod | classmethod):
            inner = part.__func__
        yield from functions_in(inner)
        wrapped = attributes_of(inner).get("__wrapped__")
        yield from functions_in(wrapped)


def _closed_over(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not bound yet
            continue


def _texts_of_function(function: FunctionType) -> frozenset[str]:
    code = function.__code__
    found = _codes.get(code)
    if found is None:
        node = function_node(code)
        if node is None:
            constants = (each for one in nested(code) for each in one.co_consts)
            found = frozenset(texts_in_values(each for each in constants if not isinstance(each, CodeType)))
        else:
            found = _texts_of_tree(node)
        _codes[code] = found
    return found


def _texts_of_tree(tree: ast.AST) -> frozenset[str]:
    found = _trees.get(tree)
    if found is None:
        found = _trees[tree] = frozenset(_texts_in(tree))
    return found


def _texts_in(tree: ast.AST) -> Iterator[str]:
    for node in nodes_in(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
            if marked := with_holes(node.value):
                yield marked
        elif isinstance(node, ast.JoinedStr | ast.BinOp | ast.Call):
            yield joined(node)
