"""Owns `RunEnvironment`: the files and variables that a run of a notebook file would find before each step."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.core.records.loaded_names import load_call
from zennb.core.records.observed import ABSENT, as_asked
from zennb.engine.environment.files import fixed_part, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.core.records.records import Step

__all__ = ["Difference", "RunEnvironment", "unclear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs, or may differ, between a record and the notebook as it is now.

    Attributes:
        reason: for a person, in the words that a kernel uses.
        is_certain: whether it surely differs, so that the record cannot be reused.
        waits: steps whose outcome decides it.
    """

    reason: str
    is_certain: bool = True
    waits: frozenset[str] = frozenset()


def unclear(reason: str, waits: frozenset[str] = frozenset()) -> Difference:
    """Return a possible difference, which only running the notebook can confirm."""
    return Difference(reason=reason, is_certain=False, waits=waits)


@dataclass(slots=True, kw_only=True)
class RunEnvironment:
    """What a run would find on disk and in its environment before a step.

    Attributes:
        folder: where the run starts.
        sealed: returns the digest that records hold instead of an environment variable's value.
        files: absolute path → state in which reused steps leave it.
        waiting: absolute path → step that will write it again.
        writers: steps that will run and whose writes are unknown.
        loaded: returns the digest of what `zennb.load` would return for a name now.
        outputs: name → digest of the output that reused steps leave under it.
        running: steps that will run.
        changes_models: whether cells of the notebook register models or change their aliases.
    """

    folder: Path
    sealed: Callable[[str, str | None], str]
    files: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    writers: list[str] = field(default_factory=list)
    loaded: Callable[[str], str] = lambda _name: ""
    outputs: dict[str, str] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)
    changes_models: bool = False

    def load(self, name: str) -> str | Difference:
        """Return the digest of what `zennb.load` will return for a name; a difference when it cannot be known."""
        if name in self.outputs:
            return self.outputs[name]
        if self.running:
            step = self.running[-1]
            why = f"needs step '{step}', which may change what {load_call(name)} returns"
            return unclear(why, frozenset(self.running))
        if self.changes_models:
            return unclear(f"cells of the notebook change what {load_call(name)} returns")
        return self.loaded(name)

    def file(self, path: str, recorded: str, *, inside: str | None) -> str | Difference:
        """Return the state of a file or folder.

        Args:
            path: as recorded.
            recorded: the state to compare with.
            inside: the working directory of the notebook by then; None when it is unknown.

        Returns:
            The state; a difference when it cannot be known before the run.
        """
        if inside is None and not os.path.isabs(path):
            return unclear(f"the notebook changes its folder, so it is open which {path} it means")
        where = self._absolute(path, inside or "")
        if where in self.waiting:
            step = self.waiting[where]
            return unclear(f"needs {path} from step '{step}'", frozenset({step}))
        # A step above that is reused leaves the file in a known state, whatever is on disk now.
        if where in self.files:
            return as_asked(self.files[where], recorded)
        folder = fixed_part(where) if recorded.startswith("matches ") else where
        is_list = recorded.startswith(("names ", "matches "))
        if is_list and (steps := self._makers_in(folder)) is not None:
            return unclear(f"the names in {path} are those that the run will leave there", steps)
        now = state(where, recorded)
        if now == recorded or not self.writers:
            return now
        return unclear(f"needs step '{self.writers[-1]}', which may write {path}", frozenset(self.writers))

    def _makers_in(self, folder: str) -> frozenset[str] | None:
        """Return the steps that add or remove names in a folder; None when the run changes none."""
        inside = folder.rstrip(os.sep) + os.sep
        steps = frozenset(step for path, step in self.waiting.items() if path.startswith(inside))
        changed = any(
            path.startswith(inside) and (mark == ABSENT) == os.path.exists(path)
            for path, mark in self.files.items()
        )
        return steps if steps or changed else None

    def folder_at(self, inside: str) -> str:
        """Return the path of the working folder, as `os.getcwd` will give it."""
        return os.path.realpath(os.path.join(self.folder, inside))

    def variable(self, name: str) -> str:
        """Return the digest of an environment variable that the notebook has not set."""
        return self.sealed(name, os.environ.get(name))

    def reused(self, step: Step, inside: str | None) -> None:
        """Note which files reusing a step restores, and what its outputs are."""
        self.outputs.update({name: output.digest for name, output in step.outputs.items()})
        for path, mark in {**step.observed.restored, **step.observed.written}.items():
            where = self._absolute(path, inside or "")
            self.files[where] = mark
            self.waiting.pop(where, None)

    def will_run(self, name: str, last: Step | None, inside: str | None, *, is_known: bool) -> None:
        """Note that a step will run, or may.

        Args:
            name: the step.
            last: its latest record.
            inside: the working directory of the notebook by then.
            is_known: whether it writes the same files as then and no more.
        """
        self.outputs.clear()
        self.running.append(name)
        written = [] if last is None else [*last.observed.restored, *last.observed.written]
        for path in written:
            where = self._absolute(path, inside or "")
            # Its state is open again: the step writes the file anew.
            self.files.pop(where, None)
            self.waiting[where] = name
        if not is_known:
            # A step whose code is new may write anything; its record knows only of the earlier code.
            self.writers.append(name)

    def _absolute(self, path: str, inside: str) -> str:
        return os.path.normpath(os.path.join(self.folder, inside, path))
