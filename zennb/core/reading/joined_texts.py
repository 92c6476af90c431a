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

FIELD = re.compile(
    r"%(?:\(\w+\))?[-+#0]*(?:[1-9]\d*)?(?:\.\d+)?[a-zA-Z]"
    r"|% [-+#0]*(?:[1-9]\d*)?(?:\.\d+)?[a-zA-Z](?!\w)"  # and not the `% m` in `5% more`
    r"|\$?\{[^{}\n]*\}|\$[A-Za-z_]\w*"
)
"""What `%`, `str.format` and `string.Template` fill in."""

_LONGEST = 100_000
"""Characters that a text may grow to by a replacement that is worked out."""

_HOLES = re.compile(f"{HOLE}+")

_PURE = frozenset({"capitalize", "casefold", "lower", "lstrip", "removeprefix", "removesuffix", "replace"})
_PURE |= {"rstrip", "strip", "swapcase", "title", "upper"}
"""Methods of texts whose result is a text that can be told from the arguments."""


def joined(node: ast.expr) -> str:
    """Return the text that an expression is put together to, with holes; "" for no text."""
    match node:
        case ast.Constant():
            return node.value if isinstance(node.value, str) else ""
        case ast.FormattedValue(value=ast.Constant(value=str() as text), conversion=-1, format_spec=None):
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
        if method == "replace" and len(text) * max(map(len, map(str, given)), default=0) > _LONGEST:
            return HOLE
        with suppress(TypeError, ValueError, OverflowError):
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
        first, *middle, last = _HOLES.split(pattern)
        is_telling = sum(map(str.isalnum, pattern)) > 1
        for name in names:
            # Not by a regular expression, which would try every way to share a name out among many holes.
            rest = name[len(first) : len(name) - len(last)]
            if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
                continue
            if _holds(rest, middle) if is_telling else _is_known(rest, middle, words):
                yield name


def _holds(text: str, parts: Iterable[str]) -> bool:
    """Whether a text has these parts in this order."""
    place = 0
    for part in parts:
        place = text.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def _is_known(text: str, parts: Iterable[str], words: Collection[str]) -> bool:
    """Whether known words and numbers, joined by `_` and by the one letter that may be among the parts, make a text."""
    letter = "".join(filter(str.isalnum, "".join(parts)))
    if not letter:
        return bool(text) and _are_words(text, words)
    places = [at for at, each in enumerate(text) if each == letter]
    return any(_are_words(text[:at], words) and _are_words(text[at + 1 :], words) for at in places)


def _are_words(text: str, words: Collection[str]) -> bool:
    return text in words or all(each in words or each.isdigit() for each in text.split("_") if each)
