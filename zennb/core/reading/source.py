"""Owns `analyse`: the names that a cell or function reads, binds, deletes and defines, from its source."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from zennb.compat.python import deep_recursion
from zennb.core.reading.definitions import definitions
from zennb.core.reading.names import CellScope
from zennb.core.reading.normal_form import normal_digest
from zennb.core.reading.scopes import definitions_in
from zennb.core.reading.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from zennb.core.magic_lines.effects import Effect
    from zennb.core.reading.binding_log import NameUsage

__all__ = ["Analysis", "MagicLine", "analyse", "analyse_function", "definitions", "normal_digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MagicLine:
    """A `%magic` or `!shell` line inside a cell: its line number in the cell (from 1), its text, its effect."""

    line: int
    text: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one cell, or the body of one function, does with names.

    Attributes:
        reads: name that may be read before the code itself has bound it → the names the code has surely bound
            before *every* such read (so `K = 3; f()` reads `f` with `K` bound).
        doubtful: the subset of `reads` read only where the code may have bound the name itself before: after
            a branch, a call, a loop that may be empty. They are reads of the notebook only where it did not.
        chains: dotted uses that start at a read name: `np.linalg.norm(x)` gives `("np", "linalg", "norm")`
            and `("x",)`. A name used whole (passed on, subscripted, called) gives the 1-tuple or the chain
            so far.
        modules: dotted paths that its own import statements name, and the uses made of them: `import numpy
            as np` with `np.linalg.norm` gives `("numpy",)` and `("numpy", "linalg", "norm")`; `from m import
            x` gives `("m", "x")`. A `"*"` at the end stands for any other use: `f(np)`, a star import. The
            first part of a relative import starts with its dots.
        binds: names it may bind in the notebook, in order of first binding, private ones included.
        surely: the subset bound on every path that ends normally; empty when none does.
        deletes: names it may delete (`del x`) that it has not bound again afterwards.
        imports: the subset of `binds` bound by import statements.
        defines: the subset of `binds` bound by `def` and `class` statements.
        stars: modules imported with `from m import *`, in order.
        magics: magic and shell lines, those inside functions included.
        dynamic: uses that reading cannot see through, as short phrases (`exec(...)`, `globals()`); empty as a
            rule. The builtin is among `reads` too, in case the notebook has its own of that name.
        texts: string constants, without docstrings.
        docstrings: those.
        lookups: uses that find more than the code names, in text (`embedded_names`) or code (`reflection`) → the
            names surely bound before: `("df", "query")`. "" stands for a value without a name, "*" begins the path
            of something it imports itself.
        hidden: names that do not count when they occur in text.
        awaits: whether it uses top-level `await`, `async for` or `async with`.
    """

    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    doubtful: frozenset[str] = frozenset()
    chains: frozenset[tuple[str, ...]] = frozenset()
    modules: frozenset[tuple[str, ...]] = frozenset()
    binds: tuple[str, ...] = ()
    surely: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    defines: frozenset[str] = frozenset()
    stars: tuple[str, ...] = ()
    magics: tuple[MagicLine, ...] = ()
    dynamic: tuple[str, ...] = ()
    texts: frozenset[str] = frozenset()
    docstrings: frozenset[str] = frozenset()
    lookups: Mapping[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    awaits: bool = False

    def uses(self) -> dict[str, list[tuple[str, ...]]]:
        """Return the chains of each name that is read, in order."""
        found: dict[str, list[tuple[str, ...]]] = {name: [] for name in sorted(self.reads)}
        for chain in sorted(self.chains):
            if chain[0] in found:
                found[chain[0]].append(chain)
        return {name: chains or [(name,)] for name, chains in found.items()}


def analyse(tree: ast.Module, *, star: Callable[[str], Iterable[str]] | None = None) -> Analysis:
    """Read a cell, following every path of execution through it.

    The reads of a function count from the point where other code can call it: its name is loaded, or a decorator
    receives it. A function that nothing in the cell loads reads nothing here.

    Args:
        tree: the cell after IPython's input transformation, parsed: magics are `get_ipython()` calls.
        star: gives the names that `from module import *` binds; without it they are unknown.
    """
    if len(tree.body) == 1:
        found = _of_statement(tree.body[0])
        if star is None or not found.stars:
            return found
    return _of_cell(tree, star)


@lru_cache(maxsize=64)
def _of_statement(node: ast.stmt) -> Analysis:
    """Read a cell of one statement, which is read as the cell that it is, and as a statement of a cell."""
    return _of_cell(ast.Module(body=[node], type_ignores=[]), None)


def _of_cell(tree: ast.Module, star: Callable[[str], Iterable[str]] | None) -> Analysis:
    cell = CellScope(
        star=star, late_annotations=_late_annotations(tree), definitions=definitions_in(tree.body)
    )
    reader = Statements(cell)
    with deep_recursion():
        reader.block(tree.body)
    end = reader.path
    return _analysis(
        reader.record,
        cell,
        surely=frozenset() if end is None else frozenset(end.bound),
        deletes=frozenset() if end is None else frozenset(end.deleted),
    )


def analyse_function(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef) -> Analysis:
    """Read what using a function or class may do with names of the module it stands in.

    Functions defined inside count as called. Of a function the body counts: its decorators, defaults and
    annotations were evaluated when it was defined, and the function object holds what came of them. Of a
    class everything counts: decorators, bases, body and methods.
    """
    cell = CellScope()
    reader = Statements(cell, called=True)
    with deep_recursion():
        record = _usage(reader, node)
    return _analysis(record, cell, surely=frozenset(), deletes=frozenset(record.deletes))


def _usage(
    reader: Statements, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
) -> NameUsage:
    if isinstance(node, ast.ClassDef):
        reader.visit(node)
        record = reader.record
        record.binds.pop(node.name, None)
        record.defines.discard(node.name)
        return record
    return reader.summary(node, None)


def _analysis(
    record: NameUsage, cell: CellScope, *, surely: frozenset[str], deletes: frozenset[str]
) -> Analysis:
    return Analysis(
        reads=record.reads,
        doubtful=frozenset(record.reads) - record.firm,
        chains=frozenset(record.chains),
        modules=frozenset(record.modules),
        binds=tuple(record.binds),
        surely=surely,
        deletes=deletes,
        imports=frozenset(record.imports),
        defines=frozenset(record.defines),
        stars=tuple(record.stars),
        magics=tuple(
            MagicLine(line=line, text=text, effect=effect)
            for line, text, effect in sorted(cell.magics.values())
        ),
        # A cell that defines its own `eval` does not call the builtin.
        dynamic=tuple(phrase for phrase, builtin in record.phrases.items() if builtin not in record.binds),
        texts=frozenset(cell.texts),
        docstrings=frozenset(cell.docstrings),
        lookups=record.lookups,
        awaits=record.awaits,
    )


def _late_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(statement, ast.ImportFrom)
        and statement.module == "__future__"
        and any(alias.name == "annotations" for alias in statement.names)
        for statement in tree.body
    )
