"""Owns which words libraries look up in text that only running shows: what they compile, and queries in files.

Reading the code of a step shows the texts that are written out in it. Others come from files, from the environment, or
are worked out. pandas, numexpr and the libraries of formulas hand them to Python's compiler; engines for SQL do not.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from zennb.engine.environment.callers import module_name
from zennb.packages.origin import top_level

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

__all__ = ["QUERY_FILES", "words_looked_up", "words_of_queries"]

QUERY_FILES = (".cfg", ".conf", ".env", ".ini", ".json", ".md", ".sql", ".toml", ".txt", ".yaml", ".yml")
"""Ends of the names of files that may hold queries."""

_EVALUATORS = frozenset({"formulae", "formulaic", "numexpr", "pandas", "patsy", "plotnine"})
"""Packages that compile texts whose names they look up in the notebook."""

_ENGINES = frozenset({"_duckdb", "chdb", "datafusion", "duckdb", "pandasql", "polars"})
"""Packages that look up tables in the notebook."""

_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_MARK = "__pd_eval_local_"
"""What pandas writes for an `@`."""

_NEAR = 30
"""Frames between a method of a data frame and the compiler."""


def words_looked_up(source: object) -> frozenset[str]:
    """Return the words of a text that is being compiled, if the library that does so looks them up in the notebook."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - who compiles is the question
    while frame is not None and module_name(frame).partition(".")[0] in {"ast", "zennb"}:
        frame = frame.f_back
    package = "" if frame is None else top_level(module_name(frame))
    if package not in _EVALUATORS or not isinstance(source, str | bytes):
        return frozenset()
    words = _WORD.findall(source if isinstance(source, str) else source.decode("utf-8", "replace"))
    marked = frozenset(word.removeprefix(_MARK) for word in words if word.startswith(_MARK))
    if marked or _is_of_frame(frame):  # other words are columns
        return marked
    return frozenset(words)


def _is_of_frame(frame: FrameType | None) -> bool:
    """Whether a data frame evaluates a text: its names are columns, unless they are marked."""
    for _ in range(_NEAR):
        if frame is None:
            return False
        if module_name(frame) == "pandas.core.frame" and frame.f_code.co_name in {"eval", "query"}:
            return True
        frame = frame.f_back
    return False


def words_of_queries(used: Iterable[str], texts: Iterable[str]) -> frozenset[str]:
    """Return the words of texts that a step has read, where it uses an engine that looks up tables."""
    if _ENGINES.isdisjoint(map(top_level, used)):
        return frozenset()
    return frozenset(word for text in texts for word in _WORD.findall(text))
