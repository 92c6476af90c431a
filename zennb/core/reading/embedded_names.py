"""Owns names inside strings: IPython's `{x}` and `$x`, pandas' `@x`, tables in SQL, and formulas."""

from __future__ import annotations

import ast
import re
from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["expanded", "named_by_call"]

_DOLLAR = re.compile(r"\$(\$?[\w.]+)(?=(?:[^']*'[^']*')*[^']*$)")
_AT = re.compile(r"(?<![\w.])@([A-Za-z_]\w*)")
_TABLE = re.compile(r"\b(?:from|join)\s+([A-Za-z_]\w*)", re.IGNORECASE)
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_FORMULAS = frozenset(
    {"ols", "wls", "gls", "rlm", "glm", "gee", "logit", "probit", "poisson", "mixedlm", "quantreg", "mnlogit"}
    | {"negativebinomial", "phreg", "from_formula", "dmatrix", "dmatrices"}
)


def expanded(text: str) -> list[ast.expr]:
    """Return the expressions IPython evaluates to expand `text`, a shell command or the line of a magic.

    IPython leaves the whole text as it is when a part of it cannot be evaluated (`awk '{print $1}'`), so
    then there are none.
    """
    try:
        sources = [source for source in _fields(text) if source.strip()]
        return [ast.parse(source.strip(), mode="eval").body for source in sources]
    except (SyntaxError, ValueError):
        return []


def _fields(text: str) -> Iterator[str]:
    """Yield the source of each expression in `text`, in order."""
    for literal, field, specification, _ in Formatter().parse(text):
        yield from (name for name in _DOLLAR.findall(literal) if not name.startswith("$"))
        if field is not None:
            yield f"{field}:{specification}" if specification else field


def named_by_call(call: ast.Call) -> Iterator[str]:
    """Yield the names that libraries look up in the caller's scope when `call` hands them a literal string.

    `df.query("x > @limit")` reads `limit`, `duckdb.sql("select * from df")` reads `df`, `ols("y ~ scale(x)",
    d)` reads `scale` (and `x` and `y`, should the notebook have them).
    """
    function = call.func
    verb = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    pattern = None
    if verb in {"query", "eval"} and isinstance(function, ast.Attribute):
        pattern = _AT
    elif verb in _FORMULAS:
        pattern = _WORD
    for text in _literals(call):
        # Without a tilde it is no formula, but the name of a column or a method.
        if pattern is _WORD and "~" not in text:
            continue
        if pattern is not None:
            yield from pattern.findall(text)
        if _speaks_sql(function, verb):
            yield from _TABLE.findall(text)


def _speaks_sql(function: ast.expr, verb: str) -> bool:
    """Say whether strings given to this function are SQL over the caller's variables."""
    root = function.value if isinstance(function, ast.Attribute) else None
    return verb in {"sql", "sqldf", "query"} or (isinstance(root, ast.Name) and root.id == "duckdb")


def _literals(call: ast.Call) -> Iterator[str]:
    """Yield the text of each literal string among the arguments, of f-strings the literal parts."""
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
        text = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
        if text:
            yield " ".join(text)
