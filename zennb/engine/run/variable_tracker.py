"""Owns what is known of the notebook's variables: which artifact each one is, and its content at the last look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.digests.digest import ValueDigest, digest_value, is_immutable
from zennb.digests.reachability import is_reachable
from zennb.engine.step.shared_state import forget, share
from zennb.errors import CannotDigest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Artifact

__all__ = ["KnownOutput", "TrackedVariable", "VariableTracker"]

_SWEPT = 100  # variables looked through per cell


SHELL = frozenset({"In", "Out", "exit", "get_ipython", "quit"})
"""Names of IPython's own, among them its memory of every value shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedVariable:
    """One variable: its value, the artifact it is (None for the notebook's own), its look, and when that was taken."""

    value: Any
    artifact: Artifact | None
    digest: ValueDigest
    moment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOutput:
    """What a step made, and what the variable was then.

    Attributes:
        artifact: the artifact.
        digest: its content.
        place: `id` of the object, which is let go of.
        moment: when the variable was last known to be the artifact.
        made_at: when it became the artifact.
    """

    artifact: Artifact
    digest: ValueDigest
    place: int
    moment: int
    made_at: int


class VariableTracker:
    """What the variables of one namespace are known to hold.

    A variable counts as untouched when it still is the same object and its content still is the same. The content
    of a mutable object is looked at again whenever code has run since the last look.
    """

    def __init__(self) -> None:
        self._held: dict[str, TrackedVariable] = {}
        self._made: dict[str, KnownOutput] = {}
        self._moment = 0
        self._unswept = 0

    @property
    def moment(self) -> int:
        """How often code has run (`code_ran`)."""
        return self._moment

    def made(self) -> Mapping[str, KnownOutput]:
        """Return the latest output of a step under each name, as it was when made or last proven unchanged.

        It follows what happens later: copying it for each step of a long pipeline would take more than planning it.
        """
        return MappingProxyType(self._made)

    def code_ran(self) -> None:
        """Note that code ran which may have changed any mutable object."""
        self._moment += 1
        forget()

    def sweep(self, namespace: Mapping[str, Any]) -> None:
        """Let go of values that the namespace no longer holds under their name.

        Called after every cell; of very many variables only after every few, so that a cell takes no longer.
        """
        self._unswept += _SWEPT
        if self._unswept < len(self._held):
            return
        self._unswept, absent = 0, object()
        gone = [n for n, held in self._held.items() if namespace.get(n, absent) is not held.value]
        for name in gone:
            del self._held[name]

    def bind(self, name: str, value: Any, artifact: Artifact | None, seen: ValueDigest) -> None:
        """Note that a variable holds `value`, which is `artifact` and was just looked at."""
        self._held[name] = TrackedVariable(value=value, artifact=artifact, digest=seen, moment=self._moment)
        if artifact is not None and artifact.kind == "output":
            before = self._made.get(name)
            is_same = before is not None and before.artifact.id == artifact.id and artifact.id is not None
            self._made[name] = KnownOutput(
                artifact=artifact,
                digest=seen,
                place=id(value),
                moment=self._moment,
                made_at=before.made_at if before is not None and is_same else self._moment,
            )

    def digest(self, name: str, value: Any) -> tuple[ValueDigest, Artifact | None]:
        """Return the content of a variable now, and the artifact it is (None when it is none, or not any more).

        The look is that of the object at hand; for what compares across kernels, the artifact's digest counts.

        Raises:
            CannotDigest: the value has no content.
        """
        held = self._held.get(name)
        if held is None or held.value is not value:
            seen = digest_value(value, name=name)
            self._held[name] = TrackedVariable(value=value, artifact=None, digest=seen, moment=self._moment)
            return seen, None
        if held.moment == self._moment or is_immutable(value):
            return held.digest, held.artifact
        seen = digest_value(value, name=name)
        same = seen.digest == held.digest.digest
        held = replace(held, digest=seen, artifact=held.artifact if same else None, moment=self._moment)
        self._held[name] = held
        return seen, held.artifact

    def partners(self, digests: Mapping[str, ValueDigest], namespace: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables that share mutable state with those in `looks`, and are not among them.

        Those without content (a generator over a list) are among them: what they will do depends on that state.
        """
        if not any(value_digest.mutable for value_digest in digests.values()):
            return {}
        inside = frozenset[int]().union(*(each.mutable for each in digests.values()))
        near = {
            name: value
            for name, value in list(namespace.items())  # a panel looks from another thread
            if inside and name not in digests and name not in SHELL and not name.startswith("_")
            if not is_immutable(value) and is_reachable(value, inside)
        }
        return {name: value for name, value in near.items() if self._shares(name, value, digests)}

    def _shares(self, name: str, value: Any, digests: Mapping[str, ValueDigest]) -> bool:
        try:
            seen, _ = self.digest(name, value)
        except CannotDigest:
            return True
        return any(share(seen, other) for other in digests.values())
