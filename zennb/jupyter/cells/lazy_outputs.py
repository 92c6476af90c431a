"""Owns `LazyOutputs`: large outputs of reused steps, which are loaded when a cell first names them.

The notebook's namespace is a plain dictionary, so zennb cannot intercept the read of a variable. But the code that
reads it was typed into a cell. So before a cell runs, the outputs that its text names are loaded. A name that occurs
in a cell that ran earlier, where a function may still read it, is never deferred.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from zennb.engine.run.run_context import LARGE
from zennb.errors import LostOutput, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping

    from zennb.core.reading.source import Analysis
    from zennb.core.records.records import Artifact
    from zennb.engine.run.artifact_repository import ArtifactRepository

__all__ = ["LazyOutputs", "identifiers", "may_read_all", "only_bound"]

_WORD = re.compile(r"[^\W\d]\w*")
_DYNAMIC = frozenset({"dir", "eval", "exec", "globals", "locals", "user_ns", "vars", "__main__"})
_DYNAMIC_MAGIC = re.compile(
    r"%\s*(?:load|recall|rep|rerun|reset|reset_selective|run|store|who|who_ls|whos|xdel)\b"
)
"""Words and magics with which code may read variables that its text does not name."""


def identifiers(text: str) -> set[str]:
    """Return all words in a text that could be names, also in strings and comments."""
    return set(_WORD.findall(text))


def may_read_all(text: str) -> bool:
    """Whether code of this text may read variables that it does not name."""
    return not identifiers(text).isdisjoint(_DYNAMIC) or _DYNAMIC_MAGIC.search(text) is not None


def only_bound(analysis: Analysis) -> set[str]:
    """Return the names that a cell always binds without reading their value before."""
    return set(analysis.surely) - analysis.reads.keys()


class LazyOutputs:
    """The outputs that are not loaded yet.

    Args:
        namespace: the notebook's variables.
        bound: called with name, value, artifact and step when a name has been bound.
    """

    def __init__(
        self, namespace: MutableMapping[str, Any], bound: Callable[[str, Any, Artifact, str], None]
    ) -> None:
        self._namespace, self._bound = namespace, bound
        self._waiting: dict[str, tuple[Artifact, ArtifactRepository, str, Collection[str]]] = {}
        self._exposed: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._waiting

    @property
    def names(self) -> list[str]:
        """The pending names."""
        return list(self._waiting)

    def artifacts(self, names: Iterable[str]) -> dict[str, Artifact]:
        """Return the artifacts of those names that are pending, and of all outputs stored in the same blob."""
        asked = {self._waiting[name][0].blob for name in names if name in self._waiting}
        return {name: artifact for name, (artifact, *_) in self._waiting.items() if artifact.blob in asked}

    def deferrable(self, outputs: Mapping[str, Artifact]) -> set[str]:
        """Return the outputs that are large and occur in no earlier cell; those in one blob go together."""
        # Of values in one blob, which share state, either all are loaded or none: loaded at two
        # times they would not share it.
        read = {artifact.blob for name, artifact in outputs.items() if name in self._exposed}
        return {
            name for name, artifact in outputs.items() if artifact.size >= LARGE and artifact.blob not in read
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

    def named_in(self, text: str) -> set[str]:
        """Return the pending names that code of this text may read."""
        if not self._waiting:
            return set()
        # Any word counts, also in strings and comments: a name too many only costs time, one too few a NameError.
        words = identifiers(text)
        return set(self._waiting) if may_read_all(text) else words & self._waiting.keys()

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
