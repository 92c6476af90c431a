"""Owns names inside strings: IPython's `{x}` and `$x`, and what libraries look up: `@x`, tables in SQL, formulas.

Libraries look such names up in the frames of their callers. The text may come from anywhere, so a name that any text
within reach contains may be looked up.
"""

from __future__ import annotations

import ast
import re
from enum import StrEnum
from string import Formatter
from typing import TYPE_CHECKING

from zennb.core.reading.joined_texts import HOLE, completed, with_holes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from collections.abc import Set as AbstractSet

__all__ = ["EVALUATES", "LOOKUPS", "Lookup", "expanded", "lookup_of", "named_by_call", "names_in_texts"]

_DOLLAR = re.compile(r"\$(\$?[\w.]+)(?=(?:[^']*'[^']*')*[^']*$)")
_AT = re.compile(r"(?<![\w.])@([A-Za-z_]\w*)")
_TABLES = re.compile(
    r"\b(?:from|join)\s+((?:\"?[A-Za-z_]\w*\"?(?:\s+(?:as\s+)?\w+)?\s*,\s*)*\"?[A-Za-z_]\w*)", re.IGNORECASE
)
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_COLUMNS = re.compile(r"\bselect\b.*?\bfrom\b", re.IGNORECASE | re.DOTALL)
_SPEAKS_SQL = re.compile(
    r"\b(?:from|join|into|table|describe|summarize|pivot|unpivot|update)\b", re.IGNORECASE
)
_ALONE = re.compile(r"[\"'`\s]*[^\W\d]\w*(?:[\"'`\s,]+[^\W\d]\w*)?[\"'`\s,]*")
"""One name, perhaps with an alias, quoted or followed by a comma: what a query is put together from."""

_HOLED = re.compile(rf"(?<![\w.{HOLE}])[\w{HOLE}]*{HOLE}[\w{HOLE}]*")
_HOLED_AT = re.compile(rf"(?<![\w.{HOLE}])@([\w{HOLE}]+)")
_HOLED_ALONE = re.compile(rf"[\"'`\s]*[\w{HOLE}]+[\"'`\s,]*")

_END, _TAIL = re.compile(r"(?:^|@|\s)([^\W\d]\w*)$"), re.compile(rf"{HOLE}(\w+)")

_FORMULAS = frozenset(
    {"ols", "wls", "gls", "glsar", "rlm", "glm", "gee", "logit", "probit", "poisson", "mixedlm", "quantreg"}
    | {"mnlogit", "negativebinomial", "phreg", "ordinal_gee", "nominal_gee", "conditional_logit", "glmgam"}
    | {"from_formula"}
)
_MATRICES = frozenset({"aes", "dmatrix", "dmatrices", "get_model_matrix", "incr_dbuilder", "model_matrix"})
_TABLE_VERBS = frozenset({"SQLContext", "sql", "sqldf"})
_FRAME_VERBS = frozenset({"__globals__", "currentframe", "f_globals", "_getframe"})
"""What code of the user's own looks names up with."""

_IMPORTED = frozenset({"evaluate", "re_evaluate", "validate"})
"""Functions of numexpr; methods of these names are something else (`model.evaluate`)."""

_STATEMENTS = frozenset({("cProfile", "run"), ("profile", "run"), ("timeit", "repeat"), ("timeit", "timeit")})
"""Functions of Python that run a text in the notebook."""

LOOKUPS = _FORMULAS | _MATRICES | _TABLE_VERBS | _FRAME_VERBS | _IMPORTED | {"duckdb", "eval", "query"}
LOOKUPS |= {path[-1] for path in _STATEMENTS}
"""Names of functions and methods that may look names up in text; `lookup_of` says what they look up."""


EVALUATES = "eval(...)"
"""The phrase for a call of `eval`. What the text names is found like a name in a formula; only running shows all."""


class Lookup(StrEnum):
    """Which words of a text are looked up: all, those of a formula, names of tables, those after `@`.

    A query is an expression for a frame, or SQL.
    """

    ALL = "all"
    FORMULA = "formula"
    TABLES = "tables"
    MARKED = "marked"
    QUERY = "query"


def lookup_of(chain: tuple[str, ...], *, is_imported: bool) -> Lookup | None:
    """Return what a dotted use looks up in text; None for nothing.

    Args:
        chain: the use: `("df", "query")`; "" stands for what is no name. Or the path of something imported.
        is_imported: whether the chain starts at a module, or is a function of a package.
    """
    verb = next((each for each in reversed(chain) if each in LOOKUPS), "")
    if verb in _MATRICES or verb in _FRAME_VERBS:
        return Lookup.ALL
    if verb in _FORMULAS:
        return Lookup.FORMULA
    if verb in _TABLE_VERBS or (is_imported and "duckdb" in chain):
        return Lookup.TABLES
    if (
        verb == "eval" and is_imported and "DataFrame" not in chain
    ):  # `pd.eval`; the frame's own knows its columns
        return Lookup.ALL
    if verb in {"eval", "query"}:  # `model.eval()` is something else, but then no text has an `@`
        return Lookup.MARKED if verb == "eval" else Lookup.QUERY
    is_known = (is_imported and verb in _IMPORTED) or chain[-2:] in _STATEMENTS
    return Lookup.ALL if is_known else None


def names_in_texts(
    texts: Collection[str], lookups: Iterable[Lookup], names: Collection[str] = ()
) -> set[str]:
    """Return the words that may be looked up as names, given all texts within reach.

    A text may be put together from several, so a single word counts wherever a query is made.

    Args:
        texts: with holes for what is not written out (`joined_texts`).
        lookups: what is looked up.
        names: names that may come of words with holes.
    """
    wanted, found = set(lookups), set[str]()
    marked = set(filter(None, map(with_holes, texts))) if names else set[str]()
    words: set[str] | None = None
    if marked:
        tails = {tail[1] for text in marked if (tail := _TAIL.match(text))}
        found.update(f"{end[1]}{tail}" for text in texts if (end := _END.search(text)) for tail in tails)
        found &= set(names)
    if marked and (patterns := set(_patterns(texts, marked, wanted))):
        words = {word for text in texts for word in _WORD.findall(text)}
        found.update(completed(sorted(patterns), names, words))
    if Lookup.ALL in wanted or (Lookup.FORMULA in wanted and any("~" in text for text in texts)):
        words = {word for text in texts for word in _WORD.findall(text)} if words is None else words
        return found | words
    queries = [text for text in texts if _SPEAKS_SQL.search(text)]
    if Lookup.TABLES in wanted:
        found.update(word for text in texts for word in _WORD.findall(_COLUMNS.sub(" ", text)))
    if not wanted.isdisjoint({Lookup.MARKED, Lookup.QUERY}):
        queries = queries if Lookup.QUERY in wanted else []
        for text in texts:
            found.update(_AT.findall(text))
        if queries or _names_come_later(texts, marked):
            pieces = [*queries, *(text for text in texts if _ALONE.fullmatch(text))]
            found.update(word for text in pieces for word in _WORD.findall(_COLUMNS.sub(" ", text)))
    return found


def _names_come_later(texts: Collection[str], marked: Collection[str]) -> bool:
    """Whether a text goes on with a name behind an `@`."""
    return any(text.rstrip().endswith("@") for text in texts) or any(f"@{HOLE}" in text for text in marked)


def _patterns(texts: Collection[str], marked: Collection[str], wanted: AbstractSet[Lookup]) -> Iterator[str]:
    """Yield the words with holes that may become names that are looked up."""
    if Lookup.ALL in wanted or (Lookup.FORMULA in wanted and any("~" in text for text in texts)):
        pieces, marks = list(marked), False
    elif Lookup.TABLES in wanted:
        pieces, marks = [_COLUMNS.sub(" ", text) for text in marked], True
    else:
        is_sql = Lookup.QUERY in wanted and any(map(_SPEAKS_SQL.search, texts))
        pieces = [_COLUMNS.sub(" ", text) for text in marked if is_sql and _SPEAKS_SQL.search(text)]
        if is_sql or _names_come_later(texts, marked):
            pieces += filter(_HOLED_ALONE.fullmatch, marked)
        marks = not wanted.isdisjoint({Lookup.MARKED, Lookup.QUERY})
    if marks:
        found = (each for text in marked for each in _HOLED_AT.findall(text))
        yield from (each for each in found if HOLE in each and each.strip(HOLE))
    yield from (each for text in pieces for each in _HOLED.findall(text) if each.strip(HOLE))


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
    """Yield the names that are surely looked up when `call` hands over a literal string.

    `df.query("x > @limit")` reads `limit`, `duckdb.sql("select * from df")` reads `df`, `ols("y ~ scale(x)",
    d)` reads `scale` (and `x` and `y`, should the notebook have them).
    """
    function = call.func
    verb = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    pattern = None
    if verb in {"query", "eval"} and isinstance(function, ast.Attribute):
        pattern = _AT
    elif verb in _FORMULAS | _MATRICES:
        pattern = _WORD
    for text in _literals(call):
        # Without a tilde it is no formula, but the name of a column or a method.
        if pattern is _WORD and "~" not in text:
            continue
        if pattern is not None:
            yield from pattern.findall(text)
        if _speaks_sql(function, verb):
            for tables in _TABLES.findall(text):
                yield from (_WORD.findall(table)[0] for table in tables.split(","))


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
