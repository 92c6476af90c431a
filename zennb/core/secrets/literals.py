"""Owns secrets that are written out in code: finding them, and showing or digesting the code without them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from zennb.core.reading.normal_form import normal_form
from zennb.core.reading.tree import nodes_in
from zennb.core.secrets.names import DOTS, Suspicion, is_secret, suspicion
from zennb.core.secrets.texts import has_token, mask_command, mask_text, may_hold_secrets

__all__ = ["NO_SECRETS", "CodeSecrets", "mask_source", "split_secrets"]

Code: TypeAlias = ast.AST | Sequence[ast.AST]

_LINE = re.compile(r"^(?P<indent>[ \t]*)[%!][^\n]*$", re.MULTILINE)
_VALUE = re.compile(r"=[ \t]*[%!][^\n]*$", re.MULTILINE)
_LOOKUPS = frozenset({"get", "getenv", "pop", "putenv", "set", "setattr", "setdefault", "setenv"})
_MAKERS = frozenset({"SecretBytes", "SecretStr", "bytes", "str"})
_MAGICS = frozenset({"getoutput", "run_cell_magic", "run_line_magic", "system"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSecrets:
    """The secrets that are written out in a piece of code.

    Attributes:
        names: the names they go under; "a token" for one known by its form.
        values: their texts.
        content: all of them, to be sealed: equal for equal secrets; "" for none.
    """

    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    content: str = ""


NO_SECRETS = CodeSecrets()


@dataclass(frozen=True, slots=True)
class _Literal:
    """One of them: the constant or the f-string around it, and what stands in its place."""

    name: str
    node: ast.Constant | ast.JoinedStr
    value: str
    shown: str = DOTS


def split_secrets(tree: Code, text: str | None = None) -> tuple[Code, CodeSecrets]:
    """Return code with dots in place of the secrets written out in it, for digests only, and these secrets.

    Code without secrets comes back as it is.

    Args:
        tree: its syntax.
        text: the text it was read from, if it is at hand: most need not be looked through.
    """
    found = _literals(tree) if text is None or may_hold_secrets(text) else []
    if not found:
        return tree, NO_SECRETS
    secrets = CodeSecrets(
        names=tuple(dict.fromkeys(each.name for each in found)),
        values=tuple(dict.fromkeys(each.value for each in found)),
        # Of an f-string the whole counts, with the names in it, because dots take the place of the whole.
        content="".join(normal_form([each.node for each in found])),
    )
    return _without(tree, found), secrets


def _literals(tree: Code) -> list[_Literal]:
    """Return the secrets in code in a fixed order, each constant once; none inside an f-string that is one."""
    roots = [tree] if isinstance(tree, ast.AST) else list(tree)
    found: dict[int, _Literal] = {}
    inside: set[int] = set()
    for node in (each for root in roots for each in nodes_in(root)):
        for name, expression in _named(node):
            if suspicion(name) is Suspicion.NONE:
                continue
            for constant, value in _constants(expression):
                if is_secret(name, value):
                    found.setdefault(id(constant), _Literal(name, constant, _text(value)))
        for literal in _by_form(node):
            found.setdefault(id(literal.node), literal)
    for each in found.values():
        if isinstance(each.node, ast.JoinedStr):
            inside.update(id(part) for part in nodes_in(each.node) if part is not each.node)
    return [each for key, each in found.items() if key not in inside]


def _without(tree: Code, found: Iterable[_Literal]) -> Code:
    # `deepcopy` takes what is in the memo for the copy.
    memo: dict[int, Any] = {id(each.node): ast.Constant(value=each.shown) for each in found}
    return deepcopy(tree, memo)


@lru_cache(maxsize=512)
def mask_source(source: str) -> str:
    """Return the text of a cell with the secrets that are written out in it masked; doing so twice changes nothing.

    Python stays Python, so that a recorded cell can still be read; of magics and shell lines, options and variables
    are masked too.
    """
    if not may_hold_secrets(source):
        return source
    python = _VALUE.sub("= None", _LINE.sub(r"\g<indent>pass", source))
    try:
        found = _literals(ast.parse(python))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(mask_command(line) for line in mask_text(source).split("\n"))
    text = _replaced(source, found)
    lines = [
        mask_command(line) if re.match(r"\s*[%!]|.*=\s*[%!]", line) else line for line in text.split("\n")
    ]
    return mask_text("\n".join(lines), is_code=True)


def _replaced(source: str, found: Iterable[_Literal]) -> str:
    lines = source.encode().split(b"\n")  # columns of the syntax tree count bytes
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    content = source.encode()
    spans = {
        (
            starts[each.node.lineno - 1] + each.node.col_offset,
            starts[(each.node.end_lineno or 1) - 1] + (each.node.end_col_offset or 0),
        ): each
        for each in found
    }
    for (start, end), each in sorted(spans.items(), key=lambda item: item[0], reverse=True):
        is_bytes = isinstance(each.node, ast.Constant) and isinstance(each.node.value, bytes)
        shown = repr(each.shown)
        content = content[:start] + (f"{shown}.encode()" if is_bytes else shown).encode() + content[end:]
    return content.decode()


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield names of values in a node of code, each with the expression of the value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _targets(target, value)
        case (
            ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.AugAssign(target=target, value=value)
            | ast.NamedExpr(target=target, value=value)
        ):
            yield from _targets(target, value)
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Call(func=func, args=[*before, ast.Constant(value=str(name)), value]) if len(before) <= 1:
            if _called(func) in _LOOKUPS:
                yield name, value
        case ast.arguments():
            yield from _defaults(node)
        case ast.Dict(keys=keys, values=values):
            named = zip(keys, values, strict=True)
            yield from ((name, each) for key, each in named if key is not None and (name := _string(key)))
        case ast.Compare(left=left, comparators=others):
            yield from ((name, each) for name in _names(left) for each in others)
            yield from ((name, left) for each in others for name in _names(each))


def _defaults(node: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*node.posonlyargs, *node.args]
    yield from ((a.arg, d) for a, d in zip(positional[::-1], node.defaults[::-1], strict=False))
    yield from ((a.arg, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True) if d)


def _called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _targets(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Tuple | ast.List):
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
            for one, each in zip(target.elts, value.elts, strict=True):
                yield from _targets(one, each)
        return
    yield from ((name, value) for name in _names(target))


def _names(node: ast.expr) -> Iterator[str]:
    match node:
        case (
            ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name)))
        ):
            yield name


def _constants(node: ast.expr) -> Iterator[tuple[ast.Constant | ast.JoinedStr, object]]:
    """Yield the constants that make up a value; not those that only say where it is looked up."""
    match node:
        case ast.Constant(value=str() | bytes() | int() as value):
            yield node, value
        case ast.JoinedStr(values=values) if any(map(_string, values)):
            yield node, "".join(map(_string, values))
        case ast.Call(func=func, args=[ast.Constant() as only], keywords=[]) if _called(func) in _MAKERS:
            yield from _constants(only)
        case _:
            for each in _operands(node):
                yield from _constants(each)


def _operands(node: ast.expr) -> list[ast.expr]:
    """Return the expressions that give a value: both sides of `or`, the items of a list, `x` of `x.strip()`."""
    match node:
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            return [left, right]
        case ast.BoolOp(values=parts) | ast.Dict(values=parts):
            return parts
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return parts
        case ast.Subscript(value=inner) | ast.Call(func=ast.Attribute(value=inner), args=[] | [_]):
            return [inner]
    return []


def _by_form(node: ast.AST) -> Iterator[_Literal]:
    """Yield a constant that holds a token of known form, and the text of a magic that holds a secret."""
    match node:
        case ast.JoinedStr(values=values):
            # Of the whole, because a piece of an f-string, or of a format in it, is no string that stands by itself.
            text = "".join(_string(each) or "{}" for each in values)
            pieces = [text, *(_string(each) for each in nodes_in(node) if isinstance(each, ast.Constant))]
            if found := [each for each in pieces if has_token(each)]:
                yield _Literal("a token", node, found[0])
        case ast.Constant(value=str() as text) if len(text) >= 8 and has_token(text):
            yield _Literal("a token", node, text)
        case ast.Call(func=ast.Attribute(attr=name), args=arguments) if name in _MAGICS:
            texts = [each for each in arguments if isinstance(each, ast.Constant) and _string(each)]
            command = "%" + " ".join(map(_string, texts))
            if texts and mask_command(command) != command:
                yield _Literal("a magic", texts[-1], _string(texts[-1]), mask_command(command))


def _string(node: ast.expr) -> str:
    """Return the text that a constant is; "" for any other expression."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
