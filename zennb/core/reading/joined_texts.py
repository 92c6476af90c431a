"""Owns texts that are put together while code runs, and the names that can come of them.

`f"part{i}.csv"`, `"part%d" % i`, `"_".join(parts)`: what is not written out is a `HOLE` in the text.
"""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["FIELD", "HOLE", "completed", "joined", "with_holes"]

HOLE = "\0"
"""Stands in a text for a part that is not written out."""

FIELD = re.compile(r"%(?:\(\w+\))?[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]|\$?\{[^{}\n]*\}|\$[A-Za-z_]\w*")
"""What `%`, `str.format` and `string.Template` fill in."""

_PURE = frozenset({"capitalize", "casefold", "lower", "lstrip", "removeprefix", "removesuffix", "replace"})
_PURE |= {"rstrip", "strip", "swapcase", "title", "upper"}
"""Methods of texts whose result is a text that can be told from the arguments."""


def joined(node: ast.expr) -> str:
    """Return the text that an expression is put together to, with holes; "" for no text."""
    match node:
        case ast.Constant():
            return node.value if isinstance(node.value, str) else ""
        case ast.FormattedValue(value=ast.Constant(value=str() as text), format_spec=None):
            return text
        case ast.JoinedStr():
            return "".join(map(joined, node.values))
        case ast.BinOp(op=ast.Add() | ast.Div()):
            parts = list[str]()
            while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
                parts.append(joined(node.right))
                if isinstance(node.op, ast.Div):  # `folder / "d.csv"`
                    parts.append("/")
                node = node.left
            return "".join([joined(node), *reversed(parts)])
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr=method)):
            return _called(text, method, node)
    return HOLE


def _called(text: str, method: str, call: ast.Call) -> str:
    """Return what a method of a text that is written out gives."""
    given = [each.value for each in call.args if isinstance(each, ast.Constant)]
    if method == "join" and len(call.args) == 1:
        if isinstance(call.args[0], ast.List | ast.Tuple):
            return text.join(map(joined, call.args[0].elts))
        return f"{HOLE}{text}{HOLE}"
    if method in _PURE and len(given) == len(call.args) and not call.keywords:
        with suppress(TypeError, ValueError):
            return str(getattr(text, method)(*given))
    return FIELD.sub(HOLE, text) if method == "format" else HOLE


def with_holes(text: str) -> str:
    """Return a text with a hole for each field that may be filled in; "" where it has neither fields nor holes."""
    marked = FIELD.sub(HOLE, text)
    return marked if HOLE in marked else ""


def completed(patterns: Iterable[str], names: Collection[str], words: Collection[str]) -> Iterator[str]:
    """Yield the names that can come of words with holes.

    Args:
        patterns: such words.
        names: which names there are.
        words: what may fill the holes where little else is known of a name, besides numbers.
    """
    for pattern in dict.fromkeys(patterns):
        parts = pattern.split(HOLE)
        is_telling = sum(map(str.isalnum, "".join(parts))) > 1
        fill = r"(\w*)" if is_telling else r"(\w+?)"
        shape = re.compile(fill.join(map(re.escape, parts)))
        for name in names:
            found = shape.fullmatch(name)
            if found and (is_telling or all(_is_known(part, words) for part in found.groups())):
                yield name


def _is_known(part: str, words: Collection[str]) -> bool:
    return part in words or all(each in words or each.isdigit() for each in part.split("_") if each)
