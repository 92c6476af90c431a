"""Owns `LazyOutputs`: large outputs and figures of reused steps, which are loaded when a cell first names them.

The notebook's namespace is a plain dictionary, so zennb cannot intercept the read of a variable. But the code that
reads it was typed into a cell. So before a cell runs, the outputs that its text names are loaded. A large one whose
name occurs in a cell that ran earlier, where a function may still read it, is never deferred.

Outputs that cannot be stored wait as well: to have one, its step is run again. That may take long, so only code that
reads the name counts, not comments, `dir()` or `del`; and if a function that was defined earlier reads it, the next
cell that runs anything does.
"""

from __future__ import annotations

import re
from symtable import symtable
from typing import TYPE_CHECKING, Any

from zennb.engine.run.run_context import LARGE
from zennb.errors import LostOutput, StoreError
from zennb.packages.origin import top_level

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
    from symtable import SymbolTable

    from zennb.core.reading.source import Analysis
    from zennb.core.records.records import Artifact
    from zennb.engine.run.artifact_repository import ArtifactRepository

__all__ = ["PLACEHOLDER", "LazyOutputs", "identifiers", "may_read_all", "only_bound"]

_WORD = re.compile(r"[^\W\d]\w*")
_DYNAMIC = frozenset({"dir", "eval", "exec", "globals", "locals", "user_ns", "vars", "__main__"})
_DYNAMIC_MAGIC = re.compile(
    r"%\s*(?:load|recall|rep|rerun|reset|reset_selective|run|store|who|who_ls|whos|xdel)\b"
)
"""Words and magics with which code may read variables that its text does not name."""

_EXECUTES = re.compile(r"\b(?:eval|exec|__main__)\b|%\s*(?:load|recall|rep|rerun|run)\b")
"""Those of them that run other code. The others list names, or find what the text names."""


_ASKS_NAME = re.compile(r"""__name__\s*==\s*["']__main__["']""")
_FROM_MAIN = re.compile(r"from\s+__main__\s+import\s+(?=[\w(])")
"""What names the module `__main__`, but reads no variable that the text does not name."""

_DEFERS = re.compile(r"\b(?:def|class|lambda|for)\b")
_LINE = re.compile(r"(?m)^([ \t]*)[%!].*$")
"""Magic and shell lines."""

_AT_ONCE = frozenset({"listcomp", "setcomp", "dictcomp"})
"""Names of the scopes of comprehensions that are evaluated where they stand."""


class _Placeholder:
    """What `del bar` deletes, where making `bar` again would be for nothing."""

    def __repr__(self) -> str:
        return "an output that cannot be stored, and that no cell has read yet"


PLACEHOLDER = _Placeholder()


def identifiers(text: str) -> set[str]:
    """Return all words in a text that could be names, also in strings and comments."""
    return set(_WORD.findall(text))


def may_read_all(text: str) -> bool:
    """Whether code of this text may read variables that it does not name."""
    return not identifiers(text).isdisjoint(_DYNAMIC) or _DYNAMIC_MAGIC.search(text) is not None


def only_bound(analysis: Analysis) -> set[str]:
    """Return the names that a cell always binds without reading their value before."""
    return set(analysis.surely) - analysis.reads.keys()


_FUNCTIONS = frozenset({"function", "functools._lru_cache_wrapper"})
_DRAWING = frozenset({"matplotlib", "seaborn"})
"""Libraries whose objects have few bytes, but many parts: to load a figure and to digest it takes 50 to 200 ms."""


class LazyOutputs:
    """The outputs that are not loaded yet.

    Args:
        namespace: the notebook's variables.
        bound: called with name, value, artifact and step when a name has been bound.
        is_ours: whether a cell consists of our own magics, which read no variable.
    """

    def __init__(
        self,
        namespace: MutableMapping[str, Any],
        bound: Callable[[str, Any, Artifact, str], None],
        is_ours: Callable[[ast.Module], bool] = lambda _tree: False,
    ) -> None:
        self._namespace, self._bound, self._is_ours = namespace, bound, is_ours
        self._waiting: dict[str, tuple[Artifact, ArtifactRepository, str, Collection[str]]] = {}
        self._exposed: set[str] = set()
        self._read_later: set[str] = set()
        self._placed: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._waiting

    @property
    def names(self) -> list[str]:
        """The pending names."""
        return list(self._waiting)

    def artifacts(self, names: Iterable[str]) -> dict[str, Artifact]:
        """Return the artifacts of those names that are pending, and of all outputs stored in the same blob."""
        asked = {self._waiting[name][0].blob for name in names if name in self._waiting}
        return {name: artifact for name, (artifact, *_) in self._waiting.items() if artifact.blob in asked}

    def deferrable(
        self, outputs: Mapping[str, Artifact], unstored: Collection[str] = frozenset()
    ) -> set[str]:
        """Return what is large or a figure, and what no earlier cell may read; outputs in one blob go together.

        Args:
            outputs: name → artifact.
            unstored: names of blobs that are in no store, and cannot be loaded later.
        """
        # Of values in one blob, which share state, either all are loaded or none: loaded at two
        # times they would not share it.
        figures = {each.blob for each in outputs.values() if top_level(each.type) in _DRAWING}
        read = {*unstored}
        for name, artifact in outputs.items():
            # Texts that libraries evaluate may name a table, but no figure.
            if name in (self._read_later if artifact.blob in figures else self._exposed):
                read.add(artifact.blob)
        # What a function reaches can be told only from the function itself.
        read |= {artifact.blob for artifact in outputs.values() if artifact.type in _FUNCTIONS}
        found = {
            name
            for name, artifact in outputs.items()
            if not artifact.is_stored
            or ((artifact.size >= LARGE or artifact.blob in figures) and read.isdisjoint(artifact.blobs))
        }
        # A part is there as soon as the whole is.
        return {
            name
            for name in found
            if not (whole := outputs[name].part_of) or whole in self._waiting or whole in found
        }

    def defer(
        self,
        outputs: Mapping[str, Artifact],
        repository: ArtifactRepository,
        *,
        step: str,
        modules: Collection[str] = (),
    ) -> None:
        """Leave outputs of a step in the store; their names are unbound until a cell names them."""
        for name, artifact in outputs.items():
            self._namespace.pop(name, None)
            self._waiting[name] = (artifact, repository, step, modules)

    def step_of(self, name: str) -> str:
        """Return the step that makes a pending name."""
        return self._waiting[name][2]

    def forget(self, names: Iterable[str]) -> None:
        """Drop names that were bound by other means, or deleted."""
        for name in names:
            self._waiting.pop(name, None)

    def forget_records(self) -> None:
        """Forget which records the artifacts have; their bytes are looked for where they were."""
        self._waiting = {
            name: (artifact.unrecorded(), repository, step, modules)
            for name, (artifact, repository, step, modules) in self._waiting.items()
        }

    def mark_used(self, text: str) -> None:
        """Note that a cell ran whose functions may read what its text names from now on."""
        self._exposed |= identifiers(text)
        self._read_later |= _names_read_later(text)

    def needed(self, text: str, tree: ast.Module, analysis: Analysis) -> set[str]:
        """Return the pending names that a cell may read when it runs.

        Args:
            text: the cell.
            tree: it as Python.
            analysis: what it does with names.
        """
        if not self._waiting:
            return set()
        unstored, text = self.unstored, _ASKS_NAME.sub("", text)
        # What a cell imports from `__main__` it binds, and reads before.
        bound = set[str]() if "__main__" in text else only_bound(analysis)
        named = self.named_in(text) - bound
        if not unstored or (
            self._is_ours(tree) and not analysis.reads
        ):  # `v?` is no magic of ours, and reads `v`
            return named - unstored
        words = set(analysis.reads)
        if analysis.magics or may_read_all(text) or "@" in text:  # then texts may name variables
            words |= identifiers(text) - (analysis.deletes - analysis.reads.keys())
        if _EXECUTES.search(_FROM_MAIN.sub("", text)):
            words |= unstored
        return (named - unstored) | (unstored & (words | self._read_later) - bound)

    def named_in(self, text: str) -> set[str]:
        """Return the pending names that code of this text may read."""
        if not self._waiting:
            return set()
        # Any word counts, also in strings and comments: a name too many only costs time, one too few a NameError.
        words = identifiers(text)
        return set(self._waiting) if may_read_all(text) else words & self._waiting.keys()

    def named_in_definitions(self, text: str) -> set[str]:
        """Return the pending names that imports and definitions of this text may read, now or when they are called."""
        named = self.named_in(text)
        unstored = named & self.unstored
        if not unstored or may_read_all(text) or "get_ipython" in text:  # a magic names variables in texts
            return named
        return (named - unstored) | (unstored & _globals_in(symtable(text, "<cell>", "exec"), is_later=True))

    @property
    def unstored(self) -> set[str]:
        """The pending names whose value only running their step again makes."""
        return {name for name, (artifact, *_) in self._waiting.items() if not artifact.is_stored}

    def let_delete(self, names: Collection[str]) -> None:
        """Let a cell delete names that are pending; those that it leaves are pending again afterwards."""
        for name in self.unstored.intersection(names):
            self._namespace.setdefault(name, PLACEHOLDER)
            self._placed.add(name)

    def after_cell(self) -> None:
        """Forget the pending names that a cell has bound or deleted."""
        for name in self._placed:
            if self._namespace.get(name) is PLACEHOLDER:
                del self._namespace[name]
            elif name not in self._namespace:
                self.forget([name])
        self._placed.clear()
        self.forget([name for name in self._waiting if name in self._namespace])

    def load(self, names: Iterable[str]) -> None:
        """Bind names that are pending.

        Raises:
            LostOutput: what is stored under a name is missing or damaged.
            UntrustedArtifact, MissingDefinition: as `ArtifactRepository.load` says.
        """
        for name in self.artifacts(names):
            if name not in self._waiting:  # bound with another one of its group
                continue
            group = self.artifacts([name])
            step = self._waiting[name][2]
            for each, value in self._fetch(name, group).items():
                # Bound one by one: what an interrupt prevents stays pending, and is loaded by
                # the next cell that names it.
                self._namespace[each] = value
                del self._waiting[each]
                self._bound(each, value, group[each], step)

    def _fetch(self, name: str, group: Mapping[str, Artifact]) -> dict[str, Any]:
        artifact, repository, step, modules = self._waiting[name]
        try:
            return repository.load(group, modules)
        except StoreError as error:
            raise LostOutput(
                f"`{artifact.label}`, which this cell reads, is not there any more: {error.message.rstrip('.')}. "
                f"Nothing else is touched; run the cell of step '{step}' again, which makes it anew.",
                step=step,
            ) from error


def _names_read_later(text: str) -> set[str]:
    """Return the names that a cell's functions, classes and generators may read after the cell has ended."""
    if not _DEFERS.search(text):
        return set()
    try:
        table = symtable(_LINE.sub(r"\1pass", text), "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return identifiers(text)
    return _globals_in(table)


def _globals_in(table: SymbolTable, *, is_later: bool = False) -> set[str]:
    """Return the names of the notebook that the functions in a scope read.

    Args:
        table: the scope.
        is_later: whether it is inside a function, so that its classes and lists are made later too.
    """
    found = {each.get_name() for each in table.get_symbols() if each.is_global()} if is_later else set[str]()
    for inner in table.get_children():
        is_at_once = inner.get_type() == "class" or inner.get_name() in _AT_ONCE
        found |= _globals_in(inner, is_later=is_later or not is_at_once)
    return found
