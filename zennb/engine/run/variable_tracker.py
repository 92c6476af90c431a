"""Owns `VariableTracker`: which artifact each variable of the notebook is, and its latest digest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.digests.digest import ValueDigest, digest_value
from zennb.digests.immutable import is_immutable
from zennb.digests.reachability import Search
from zennb.digests.references import held_by_nobody_else
from zennb.digests.stretches import is_in, ranges
from zennb.engine.step.shared_state import forget, searched_state, share
from zennb.errors import CannotDigest
from zennb.packages.origin import module_of, top_level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from zennb.core.records.records import Artifact

__all__ = ["KnownOutput", "TrackedVariable", "VariableTracker"]

_SWEPT = 100  # variables checked per cell


SHELL = frozenset({"In", "Out", "exit", "get_ipython", "quit"})
"""IPython's own names, among them its history of displayed values."""

_GROWING = frozenset({"In", "Out", "_ih", "_oh"})
"""Those that every cell adds to, also one that is reused."""


_LENDERS = frozenset({"numpy", "pandas"})
"""Libraries of which one value is often a part of another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedVariable:
    """One variable: its value, the artifact it is (None if it is none), its digest, and when that was computed."""

    value: Any
    artifact: Artifact | None
    digest: ValueDigest
    moment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOutput:
    """An output of a step, and the state of the variable that held it.

    Attributes:
        artifact: the artifact.
        digest: its content.
        place: `id` of the object, which is not kept alive.
        moment: when the variable was last known to be the artifact.
        made_at: when it became the artifact.
    """

    artifact: Artifact
    digest: ValueDigest
    place: int
    moment: int
    made_at: int


class VariableTracker:
    """Tracks what the variables of one namespace hold.

    A variable is unchanged if it is the same object with the same digest. The digest of a mutable object is computed
    again whenever code has run since.
    """

    def __init__(self) -> None:
        self._tracked: dict[str, TrackedVariable] = {}
        self._outputs: dict[str, KnownOutput] = {}
        self._moment = 0
        self._unswept = 0

    @property
    def moment(self) -> int:
        """How often code has run (`code_ran`)."""
        return self._moment

    def made(self) -> Mapping[str, KnownOutput]:
        """Return the latest output under each name, as it was when produced or last found unchanged.

        The mapping is live: copying it for each step of a long pipeline would take longer than planning it.
        """
        return MappingProxyType(self._outputs)

    def code_ran(self) -> None:
        """Note that code ran, which may have changed any mutable object."""
        self._moment += 1
        forget()

    def sweep(self, namespace: Mapping[str, Any]) -> None:
        """Drop values that the namespace no longer holds under their name.

        Call it after every cell; with very many variables it skips most calls, so that cells stay fast.
        """
        # So a sweep through n variables is paid for by n / 100 cells.
        self._unswept += _SWEPT
        if self._unswept < len(self._tracked):
            return
        self._unswept, absent = 0, object()
        gone = [n for n, tracked in self._tracked.items() if namespace.get(n, absent) is not tracked.value]
        for name in gone:
            del self._tracked[name]

    def bind(self, name: str, value: Any, artifact: Artifact | None, seen: ValueDigest) -> None:
        """Note that a variable holds `value`, which is `artifact` and has just been digested."""
        self._tracked[name] = TrackedVariable(
            value=value, artifact=artifact, digest=seen, moment=self._moment
        )
        if artifact is not None and artifact.is_output:
            before = self._outputs.get(name)
            is_same = before is not None and before.artifact.id == artifact.id and artifact.id is not None
            self._outputs[name] = KnownOutput(
                artifact=artifact,
                digest=seen,
                # Only its id: keeping outputs alive would keep the memory of every large one that was rebound.
                place=id(value),
                moment=self._moment,
                made_at=before.made_at if before is not None and is_same else self._moment,
            )

    def forget(self, names: Iterable[str]) -> None:
        """Forget that variables were outputs of steps: they hold what plain cells made."""
        for name in names:
            self._outputs.pop(name, None)

    def forget_records(self) -> None:
        """Forget which records the artifacts have: the next step that reads one records it again."""
        for name, tracked in self._tracked.items():
            if tracked.artifact is not None:
                self._tracked[name] = replace(tracked, artifact=tracked.artifact.unrecorded())
        for name, known in self._outputs.items():
            self._outputs[name] = replace(known, artifact=known.artifact.unrecorded())

    def digest(self, name: str, value: Any) -> tuple[ValueDigest, Artifact | None]:
        """Return the current digest of a variable, and the artifact it is (None if it is none, or no longer).

        The digest is that of the object in this kernel; to compare across kernels, use the artifact's digest.

        Raises:
            CannotDigest: the value has no digest.
        """
        tracked = self._tracked.get(name)
        artifact = None
        if tracked is not None and tracked.value is value:
            # Somebody else may have changed a file that is open in it, though no code ran here.
            may_differ = bool(tracked.digest.files) or name in _GROWING
            if (tracked.moment == self._moment and not may_differ) or is_immutable(value):
                return tracked.digest, tracked.artifact
            artifact = tracked.artifact
        seen = digest_value(value, name=name)
        # The same object with another content is no longer what the step put out.
        if tracked is not None and seen.digest != tracked.digest.digest:
            artifact = None
        self._tracked[name] = TrackedVariable(
            value=value, artifact=artifact, digest=seen, moment=self._moment
        )
        return seen, artifact

    def partners(
        self,
        digests: Mapping[str, ValueDigest],
        namespace: Mapping[str, Any],
        searches: list[Search] | None = None,
    ) -> dict[str, Any]:
        """Return the variables that share mutable state with those in `digests`, without those themselves.

        They include values without a digest (a generator over a list): what they yield depends on that state.

        Args:
            digests: the content of the variables.
            namespace: the notebook's variables.
            searches: those made before, since when nothing has changed; this one is added. They keep alive what they
                went through.
        """
        inside, memory = searched_state(digests.values())
        if not memory and not inside:
            return {}
        collected = not memory and all(each.collected for each in digests.values() if each.mutable)
        others = {
            name: value
            for name, value in list(namespace.items())  # a panel reads it from another thread
            if name not in digests and name not in SHELL and not name.startswith("_")
            if not is_immutable(value)
        }
        known = {name: seen for name, value in others.items() if (seen := self._seen_now(name, value))}
        unknown = {name: value for name, value in others.items() if name not in known}
        # A look into a value is much cheaper than its digest. Mostly there is nothing, which one look at all tells.
        search = Search(inside, memory, collected=collected)
        known_apart = any(
            each.has_ruled_out(unknown.values(), inside, memory, collected=collected)
            for each in searches or ()
        )
        if unknown and (known_apart or not search.finds(list(unknown.values()), beyond=True)):
            unknown.clear()
        addresses = ranges(memory)
        found = {
            name: value
            for name, value in others.items()
            if (
                _may_share(known[name], inside, addresses)
                if name in known
                else name in unknown and search.finds(value)
            )
            and self._shares(name, value, digests)
        }
        if searches is not None:
            searches.append(search)
        return found

    def partners_unless_alone(
        self,
        digests: Mapping[str, ValueDigest],
        namespace: Mapping[str, Any],
        holders: Collection[Any],
        searches: list[Search] | None = None,
    ) -> dict[str, Any] | None:
        """Return the same as `partners`; None if the number of references tells that nobody else holds a part of them.

        Args:
            digests: the content of the variables.
            namespace: the notebook's variables.
            holders: containers that hold the values beside the namespace, and count as nobody.
            searches: as for `partners`.
        """
        if self._are_alone(digests, namespace, holders):
            return None
        return self.partners(digests, namespace, searches)

    def _are_alone(
        self, digests: Mapping[str, ValueDigest], namespace: Mapping[str, Any], holders: Collection[Any]
    ) -> bool:
        ids, memory = searched_state(digests.values())
        if not ids and not memory:
            return False
        values = [namespace[name] for name in digests if name in namespace]
        hidden = [value for name, value in list(namespace.items()) if name.startswith("_")]
        own = [tracked for name in digests if (tracked := self._tracked.get(name)) is not None]
        # What was shown of a table or array is often a view of it.
        views = {id(value): value for value in hidden if top_level(module_of(type(value))) in _LENDERS}
        inside = [*values, *views.values()]
        # The two lists once for themselves, and once for the namespace.
        known = [values, values, hidden, hidden, views, inside, namespace.get("Out"), *own, *holders]
        return held_by_nobody_else(inside, ids, memory, known)

    def _seen_now(self, name: str, value: Any) -> ValueDigest | None:
        """Return the digest of a variable if it has been taken since code ran last."""
        tracked = self._tracked.get(name)
        is_new = tracked is not None and tracked.value is value and tracked.moment == self._moment
        return tracked.digest if tracked is not None and is_new else None

    def _shares(self, name: str, value: Any, digests: Mapping[str, ValueDigest]) -> bool:
        try:
            seen, _ = self.digest(name, value)
        except CannotDigest:
            return True
        return any(share(seen, other) for other in digests.values())


def _may_share(known: ValueDigest, inside: frozenset[int], addresses: Sequence[tuple[int, int]]) -> bool:
    return not inside.isdisjoint(known.mutable) or any(
        is_in(addresses, each.start, each.end) for each in known.memory
    )
