"""Owns `ShownValues`: IPython's `_` and `Out[n]` after a reused step, each loaded when a cell first names it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.core.reading.tree import nodes_in
from zennb.engine.step.shown_values import MISSING, NAMED, VALUE, Note, part_at
from zennb.errors import BrokenLibrary, LostOutput, ZennbError
from zennb.jupyter.cells.lazy_outputs import identifiers, may_read_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.reading.source import Analysis
    from zennb.core.records.records import Artifact
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.jupyter.cells.lazy_outputs import LazyOutputs

__all__ = ["Forgotten", "ShownValues"]

_LAST = ("_", "__", "___")
_HISTORY = ("Out", "_oh")


class Forgotten:
    """Placeholder in `_` and `Out[n]` for the value of a reused step until a cell names it.

    Args:
        step: the step's name.
    """

    def __init__(self, step: str) -> None:
        self._step = step

    def __repr__(self) -> str:
        return f"<what step '{self._step}' showed>"


@dataclass(slots=True, kw_only=True)
class _Waiting:
    placeholder: Forgotten
    number: int
    note: Note
    step: str
    repository: ArtifactRepository
    artifacts: dict[str, Artifact]
    why: str = ""
    broken: BrokenLibrary | None = None


class ShownValues:
    """The values that reused steps showed, as far as no cell has named them.

    Args:
        shell: the kernel's shell.
        lazy_outputs: the outputs that are not loaded yet.
    """

    def __init__(
        self, shell: Any, lazy_outputs: LazyOutputs
    ) -> None:  # Any: IPython leaves these parts untyped
        self._shell, self._lazy_outputs = shell, lazy_outputs
        self._namespace: dict[str, Any] = shell.user_ns
        self._waiting: list[_Waiting] = []

    def remember(self, notes: Sequence[Note], step: str, repository: ArtifactRepository) -> None:
        """Set `_`, `__` and `Out` as if values of a reused step, whose outputs are bound, had just been displayed."""
        hook = self._shell.displayhook
        for note in notes:
            value = self._at_once(note)
            if value is _LATER:
                value = Forgotten(step)
                waiting = _Waiting(
                    placeholder=value,
                    number=hook.prompt_count,
                    note=note,
                    step=step,
                    repository=repository,
                    artifacts=self._lazy_outputs.artifacts([note[1]]) if note[0] == NAMED else {},
                )
                self._waiting.append(waiting)
            hook.update_user_ns(value)

    def bound(self, name: str, value: object) -> None:
        """Note that an output that was left in the store has been loaded."""
        for waiting in [each for each in self._waiting if each.note[0] == NAMED and each.note[1] == name]:
            if name in waiting.artifacts:
                self._put(waiting, part_at(value, waiting.note[2]))

    def holders(self) -> list[Any]:
        """Return what the shell remembers shown values in, beside the notebook's variables."""
        shell = self._shell
        return [shell.user_ns_hidden, vars(shell.displayhook), vars(shell.last_execution_result or self)]

    def is_named_in(self, text: str) -> bool:
        """Whether code of this text may read a value that is not loaded yet."""
        return bool(self._waiting) and any(self._named_in(text))

    def load(self, text: str) -> None:
        """Load the values that code of this text may read; what cannot be loaded is refused when it is read."""
        for waiting in list(self._named_in(text)):
            waiting.broken = None
            try:
                value = self._value(waiting)
            except BrokenLibrary as error:
                waiting.broken = error
            except ZennbError as error:
                waiting.why = f"it cannot be loaded: {error.message.rstrip('.')}"
            else:
                if value is _LATER:
                    waiting.why = waiting.why or f"it {waiting.note[1]}"
                else:
                    self._put(waiting, value)

    def check(self, analysis: Analysis, tree: ast.Module) -> None:
        """Check that a cell reads no value that could not be stored.

        Raises:
            LostOutput: it reads one.
            BrokenLibrary: it reads one whose library is imported by half.
        """
        numbers = set(_numbers(tree)) if self._waiting else ()
        for waiting in self._waiting:
            name = next((n for n in self._names(waiting) if n in analysis.reads), "")
            if name or waiting.number in numbers:
                if waiting.broken is not None:
                    raise waiting.broken
                raise LostOutput(
                    f"`{name or f'Out[{waiting.number}]'}` is what step '{waiting.step}' showed when it ran, and was "
                    f"not stored with it: {waiting.why}. Bind it to a name in that step, or run the step with --rerun.",
                    step=waiting.step,
                )

    def _at_once(self, note: Note) -> object:
        """Return a value that costs nothing to have; `_LATER` for any other."""
        if note[0] == VALUE:
            return note[1]
        if note[0] == NAMED and note[1] in self._namespace:
            return part_at(self._namespace[note[1]], note[2])
        return _LATER

    def _value(self, waiting: _Waiting) -> object:
        kind, *rest = waiting.note
        if kind == MISSING:
            return _LATER
        if kind == NAMED:
            # As it was when the step was reused, whatever the variable holds by now.
            return (
                part_at(waiting.repository.load(waiting.artifacts)[rest[0]], rest[1])
                if waiting.artifacts
                else _LATER
            )
        return waiting.repository.load_unnamed(rest[0])

    def _named_in(self, text: str) -> list[_Waiting]:
        if not self._waiting:
            return []
        words = identifiers(text)
        if may_read_all(text) or not words.isdisjoint(_HISTORY):
            return list(self._waiting)
        return [each for each in self._waiting if not words.isdisjoint(self._names(each))]

    def _names(self, waiting: _Waiting) -> list[str]:
        """Return the variables that hold the placeholder of a value."""
        names = (*_LAST, f"_{waiting.number}")
        return [name for name in names if self._namespace.get(name) is waiting.placeholder]

    def _put(self, waiting: _Waiting, value: object) -> None:
        """Put a value wherever its placeholder is."""
        hook, history = self._shell.displayhook, self._namespace.get("_oh", {})
        for name in self._names(waiting):
            self._namespace[name] = value
            if name in self._shell.user_ns_hidden:  # or IPython would take it for a variable of the user
                self._shell.user_ns_hidden[name] = value
        for name in _LAST:
            if getattr(hook, name) is waiting.placeholder:
                setattr(hook, name, value)
        if history.get(waiting.number) is waiting.placeholder:
            history[waiting.number] = value
        self._waiting.remove(waiting)


_LATER = object()


def _numbers(tree: ast.Module) -> list[int]:
    """Return the numbers in `Out[3]`."""
    return [
        node.slice.value
        for node in nodes_in(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in _HISTORY
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, int)
    ]
