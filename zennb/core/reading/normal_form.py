"""Owns the normal form of code: one digest for one syntax tree, on every Python version and in any layout."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128_hexdigest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["normal_digest", "normal_form"]

_SKIPPED = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}
"""Node class → the fields that count, looked up once."""


def normal_digest(node: ast.AST | Sequence[ast.AST]) -> str:
    """Return the digest of a syntax tree, or of a list of statements: xxh3-128, 32 hexadecimal characters.

    Positions, comments, the spelling of literals and the docstrings of functions and classes do not count.
    """
    return xxh3_128_hexdigest("".join(normal_form(node)).encode("utf-8", "surrogatepass"))


def normal_form(node: ast.AST | Sequence[ast.AST]) -> list[str]:
    """Return the normal form as pieces of text that, joined, can be read back in one way only.

    A node is its class name and `(`, each field that is not empty as `.name=` and its value, then `)`; a
    list is `[`, its length, `:` and its items (`-` where one is absent); a string is `'`, its length, `:`
    and its text. An empty field is left out, since newer Pythons add fields.
    """
    pieces: list[str] = []
    # A stack instead of recursion: long chains of operators nest deeper than Python's own stack allows.
    pending: list[Any] = [list(node) if not isinstance(node, ast.AST) else node]
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is _Mark:
            pieces.append(item)
        elif kind is list:
            pieces.append(f"[{len(item)}:")
            pending += item[::-1]
        elif kind is ast.Constant:
            pieces.append(_constant(item.value))
        elif isinstance(item, ast.AST):
            pieces.append(f"{kind.__name__}(")
            pending += _parts(item)
        elif item is None:
            # An absent item of a list, as the key of `{**a}`; the constant is `None;`.
            pieces.append("-")
        else:
            pieces.append(_constant(item))
    return pieces


class _Mark(str):
    """A piece of the form itself, as opposed to a string that stands in the code."""

    __slots__ = ()


_MARKS: dict[str, _Mark] = {}
_END = _Mark(")")


def _parts(node: ast.AST) -> list[Any]:
    """Return the fields of `node` and their marks, last first."""
    kind = type(node)
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = _FIELDS[kind] = tuple(name for name in reversed(kind._fields) if name not in _SKIPPED)
        _MARKS.update((name, _Mark(f".{name}=")) for name in fields)
    parts: list[Any] = [_END]
    for name in fields:
        value = getattr(node, name, None)
        if value is None or value == []:
            continue
        if name == "body" and isinstance(node, _DOCUMENTED):
            value = _without_docstring(value)
        elif kind is ast.JoinedStr:
            value = list(_merged(value))
        # `f"{x:}"` and `f"{x}"` are one thing, which only some Pythons write in one way.
        elif name == "format_spec" and not any(_merged(value.values)):
            continue
        parts += (value, _MARKS[name])
    return parts


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a body without its docstring; nothing else left is the same as `pass`."""
    match body:
        case [ast.Expr(value=ast.Constant(value=str()))]:
            return [ast.Pass()]
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _merged(values: list[ast.expr]) -> Iterator[ast.expr]:
    """Yield the parts of an f-string, literal text in one piece: Pythons cut it differently."""
    text = ""
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            text += value.value
            continue
        if text:
            yield ast.Constant(text)
        text = ""
        yield value
    if text:
        yield ast.Constant(text)


def _constant(value: object) -> str:
    """Return a constant with its type: `1`, `True`, `1.0`, `'1'` and `b'1'` all differ."""
    match value:
        case str():
            return f"'{len(value)}:{value}"
        case bool() | None:
            return f"{value};"
        case int():
            # hex() has no limit on digits, as str() has.
            return f"i{value:x};"
        case float():
            return f"f{value!r};"
        case complex():
            return f"c{value.real!r},{value.imag!r};"
        case bytes():
            return f"b{len(value)}:{value.hex()};"
        case tuple() | frozenset():
            items = [_constant(item) for item in value]
            kind = "t" if isinstance(value, tuple) else "s"
            return f"{kind}{len(items)}:{''.join(items if kind == 't' else sorted(items))}"
        case _:
            return f"{type(value).__name__};"
