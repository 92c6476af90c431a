"""Owns the digest of a function's own code, from its source if that matches the live code, else from its bytecode."""

from __future__ import annotations

import ast
import linecache
import tokenize
import weakref
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.core.reading.source import Analysis, analyse_function, normal_digest
from zennb.core.reading.tree import nodes_in
from zennb.core.secrets.literals import split_secrets
from zennb.digests.bytecode import code_digest, nested, read_code

if TYPE_CHECKING:
    from types import CodeType, FunctionType

__all__ = ["Function", "FunctionBody", "closure_of", "function_body", "function_node"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionBody:
    """What is intrinsic to a code object, whatever the names it refers to are bound to.

    Attributes:
        name: qualified name, without the module: `Model.fit`, `timed.<locals>.wrapper`.
        digest: normal digest of its definition, or a digest of its bytecode.
        analysis: names it reads and binds outside itself; variables of enclosing functions are not among them.
        secrets: texts that are written out in it and look secret, so that its digest must not be shown.
    """

    name: str
    digest: str
    analysis: Analysis
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Module:
    """A parsed text: its functions by name and first line; and what it compiles to, when that must be compared."""

    functions: dict[tuple[str, int], list[Function]]
    compiled: dict[str, list[CodeType]] | None


_bodies: dict[int, tuple[weakref.ref[CodeType], FunctionBody]] = {}
_texts: OrderedDict[tuple[object, ...], _Module | None] = OrderedDict()

TEXTS = 256
"""Parsed texts kept: cells and local files whose functions may be asked for again."""


def function_body(code: CodeType) -> FunctionBody:
    """Return the digest and analysis of a code object, cached per live object (equal ones may differ in source)."""
    known = _bodies.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    body = _body(code)
    key = id(code)
    # By id and not by the code itself: code objects are equal when they do the same, whatever their source.
    _bodies[key] = (weakref.ref(code, lambda _: _bodies.pop(key, None)), body)
    return body


def _body(code: CodeType) -> FunctionBody:
    node = function_node(code)
    if node is None:
        return FunctionBody(name=code.co_qualname, digest=code_digest(code), analysis=read_code(code))
    analysis = _without_closure(analyse_function(node), code)
    return FunctionBody(
        name=code.co_qualname,
        digest=normal_digest(node),
        analysis=analysis,
        secrets=split_secrets(node)[1].values,
    )


def _without_closure(analysis: Analysis, code: CodeType) -> Analysis:
    """Drop the variables of enclosing functions, which are in the closure of the live function."""
    free = frozenset(code.co_freevars)
    return replace(
        analysis,
        reads={name: bound for name, bound in analysis.reads.items() if name not in free},
        chains=frozenset(chain for chain in analysis.chains if chain[0] not in free),
    )


def function_node(code: CodeType) -> Function | None:
    """Return the definition that a code object was compiled from; None where its source is not known."""
    module = _cell(code.co_filename) or _file(code.co_filename)
    if module is None:
        return None
    if module.compiled is not None:
        return _same(code, module)
    return _at(module, code)


# Cells: their source is in linecache under a unique name, and never changes


def _cell(filename: str) -> _Module | None:
    entry = linecache.cache.get(filename)
    if entry is None or len(entry) != 4 or entry[1] is not None:
        return None
    lines: list[str] = entry[2]
    return _parsed((filename, len(lines), hash(tuple(lines))), "".join(lines), filename, compare=False)


# Files: they may have been edited since they were imported, so they are compared with the live code


def _file(filename: str) -> _Module | None:
    if not filename.endswith((".py", ".pyw")):
        return None
    try:
        stat = Path(filename).stat()
        key = (filename, stat.st_mtime_ns, stat.st_size)
        if (known := _texts.get(key)) is not None:
            return known
        with tokenize.open(filename) as file:
            text = file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    return _parsed(key, text, filename, compare=True)


def _parsed(key: tuple[object, ...], text: str, filename: str, *, compare: bool) -> _Module | None:
    if (known := _texts.get(key)) is not None:
        return known
    module = _texts[key] = _parse(text, filename, compare=compare)
    # Oldest first: a cell that was edited leaves its earlier texts behind.
    while len(_texts) > TEXTS:
        _texts.popitem(last=False)
    return module


def _parse(text: str, filename: str, *, compare: bool) -> _Module | None:
    try:
        tree = ast.parse(text, filename)
        compiled = _by_name(compile(text, filename, "exec", dont_inherit=True)) if compare else None
    except (SyntaxError, ValueError):
        return None
    functions: dict[tuple[str, int], list[Function]] = {}
    for node in nodes_in(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            functions.setdefault(_key(node), []).append(node)
    return _Module(functions, compiled)


def _key(node: Function) -> tuple[str, int]:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min([node.lineno, *(one.lineno for one in node.decorator_list)])


def _by_name(module: CodeType) -> dict[str, list[CodeType]]:
    found: dict[str, list[CodeType]] = {}
    for code in nested(module):
        found.setdefault(code.co_qualname, []).append(code)
    return found


def _same(code: CodeType, module: _Module) -> Function | None:
    """Return the definition in the file that compiles to the live code, wherever it has moved to."""
    twins = [one for one in (module.compiled or {}).get(code.co_qualname, ()) if one.co_name == code.co_name]
    # The one that still stands on its line first, as in a file that was not edited.
    twins.sort(key=lambda one: one.co_firstlineno != code.co_firstlineno)
    live = code_digest(code)
    for twin in twins:
        if twin == code or code_digest(twin) == live:
            return _at(module, twin)
    return None


def _at(module: _Module, code: CodeType) -> Function | None:
    """Return the definition on the code's first line; columns distinguish several lambdas there."""
    nodes = module.functions.get((code.co_name, code.co_firstlineno), [])
    if len(nodes) > 1:
        spans = set(code.co_positions())
        nodes = [node for node in nodes if _span(node) in spans]
    if len(nodes) != 1 or not _has_parameters(nodes[0], code):
        return None
    return nodes[0]


def _span(node: Function) -> tuple[int | None, int | None, int | None, int | None]:
    """Return the place of what a lambda returns: its last instruction stands there."""
    place = node.body if isinstance(node, ast.Lambda) else node
    return place.lineno, place.end_lineno, place.col_offset, place.end_col_offset


def _has_parameters(node: Function, code: CodeType) -> bool:
    """Whether a definition has the code's parameters: a cheap check that the source belongs to the code."""
    names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    taken = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    # A private name in a class is mangled in the code: `_Model__rate` ends with the `__rate` of the source.
    return len(names) == len(taken) and all(
        live == name or live.endswith(name) for live, name in zip(taken, names, strict=True)
    )


def closure_of(function: FunctionType) -> dict[str, Any]:
    """Return the variables of enclosing functions that a function uses, as far as they are bound."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found
