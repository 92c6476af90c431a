"""Owns `UntrackedChanges`: outputs of steps that plain cells rebound, changed or deleted, and which cell did it."""

from __future__ import annotations

import ast
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT
from zennb.core.magic_lines.effects import Effect
from zennb.core.reading.cell_heading import is_only_magics
from zennb.core.reading.definitions import flattened
from zennb.core.reading.source import analyse
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.errors import CannotDigest
from zennb.jupyter.cells.mutation import changes_in_place

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from IPython.core.interactiveshell import ExecutionResult

    from zennb.core.records.records import Artifact
    from zennb.engine.run.variable_tracker import KnownOutput, VariableTracker

__all__ = ["UntrackedChange", "UntrackedChanges", "is_ours"]

_OURS = MAGICS | {ROOT}
_REMEMBERED = 500
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class UntrackedChange:
    """An output of a step that a plain cell has changed.

    Attributes:
        artifact: what the step made.
        description: what happened to it and which cell did it: "changed by a plain cell [7]".
    """

    artifact: Artifact
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlainCell:
    """A plain cell that ran: its number, its text as Python, and `VariableTracker.moment` after it."""

    number: int | None
    text: str
    moment: int

    @property
    def tree(self) -> ast.Module | None:
        """Its syntax tree, with the Python that `%%time` and similar magics run; None if it cannot be parsed."""
        try:
            tree = ast.parse(self.text)
        except (SyntaxError, ValueError):
            return None
        return ast.Module(body=list(flattened(tree.body)), type_ignores=[])

    def may_bind(self, name: str) -> bool:
        """Whether it binds or deletes a name, or may do so in ways its text does not show."""
        tree = self.tree
        if tree is None:
            return True
        found = analyse(tree)
        is_seen_through = not found.dynamic and not found.stars
        is_seen_through &= all(
            line.effect is not Effect.UNSEEN or _is_ours(line.text) for line in found.magics
        )
        return not is_seen_through or name in found.binds or name in found.deletes


class UntrackedChanges:
    """The plain cells that ran in this kernel, and how they changed the outputs of steps.

    Outputs are not compared while cells run, but only when `changes` is called.

    Args:
        variables: what the variables are known to hold.
        namespace: the notebook's variables.
        pending: names that are bound once a cell names them: what a plain cell deletes is none of these any more.
    """

    def __init__(
        self, variables: VariableTracker, namespace: Mapping[str, Any], pending: Container[str]
    ) -> None:
        self._variables, self._namespace, self._pending = variables, namespace, pending
        self._cells: deque[_PlainCell] = deque(maxlen=_REMEMBERED)

    def note(self, result: ExecutionResult | None) -> None:
        """Note that a plain cell has run."""
        info = getattr(result, "info", None)
        number = getattr(result, "execution_count", None) if getattr(info, "store_history", False) else None
        text = getattr(info, "transformed_cell", None) or ""
        self._cells.append(_PlainCell(number=number, text=text, moment=self._variables.moment))

    def may_bind(self, name: str, *, since: int) -> bool:
        """Whether a plain cell that ran after a moment may bind a variable; cells that are forgotten may have."""
        if len(self._cells) == self._cells.maxlen and self._cells[0].moment > since:
            return True
        return any(cell.moment > since and cell.may_bind(name) for cell in self._cells)

    def changes(self) -> dict[str, UntrackedChange]:
        """Return the outputs of steps that plain cells have changed since they were made, by name."""
        found = {}
        # A copy: asking for digests may note new outputs in the mapping.
        for name, made in dict(self._variables.made()).items():
            cells = [cell for cell in self._cells if cell.moment > made.moment]
            if cells and (verb := self._what_happened(name, made)):
                found[name] = UntrackedChange(
                    artifact=made.artifact, description=f"{verb} by {self._who(cells, name, made)}"
                )
        return found

    def _what_happened(self, name: str, made: KnownOutput) -> str:
        value = self._namespace.get(name, _ABSENT)
        if value is _ABSENT:
            return "" if name in self._pending else "deleted"
        try:
            value_digest, artifact = self._variables.digest(name, value)
        except CannotDigest:
            return "changed"
        is_same = artifact is not None and artifact.digest == made.artifact.digest
        return "" if is_same or value_digest.digest == made.digest.digest else "changed"

    def _who(self, cells: Sequence[_PlainCell], name: str, made: KnownOutput) -> str:
        """Name the cell that bound the variable, else those that clearly change its value, else all that could."""
        trees = [(cell, tree) for cell in cells if (tree := cell.tree) is not None]
        # The same object with another content: it was changed in place, perhaps through a variable that shares it.
        if id(self._namespace.get(name, _ABSENT)) == made.place:
            names = {name, *self._variables.partners({name: made.digest}, self._namespace)}
            found = [cell for cell, tree in trees if changes_in_place(tree, names)]
        else:
            names = {name}
            found = [cell for cell, tree in trees if name in _touched(tree)][-1:]
        if found:
            return _which(found, "and")
        # No cell clearly did it, e.g. because a function did: all that could have are named.
        mention = [cell for cell, tree in trees if not names.isdisjoint(_mentioned(tree, self._namespace))]
        others = [cell for cell in cells if (tree := cell.tree) is None or not is_ours(tree)]
        return _which(mention or others, "or")


def is_ours(tree: ast.Module) -> bool:
    """Whether a cell consists of our own magics."""
    return is_only_magics(tree, _OURS)


def _is_ours(line: str) -> bool:
    return line.lstrip("%").partition(" ")[0] in _OURS


def _touched(tree: ast.Module) -> set[str]:
    analysis = analyse(tree)
    return {*analysis.binds, *analysis.deletes}


def _mentioned(tree: ast.Module, namespace: Mapping[str, Any]) -> set[str]:
    """Return the names that code uses, itself or through functions."""
    analysis = analyse(tree)
    reached = resolve_dependencies(analysis, namespace)
    return {*analysis.reads, *analysis.binds, *reached.data, *reached.writes}


def _which(cells: Sequence[_PlainCell], word: str) -> str:
    numbers = [f"[{cell.number}]" for cell in cells if cell.number is not None]
    if not numbers or len(numbers) > 3:
        return "a plain cell"
    if len(numbers) == 1:
        return f"a plain cell {numbers[0]}"
    return f"plain cells {', '.join(numbers[:-1])} {word} {numbers[-1]}"
