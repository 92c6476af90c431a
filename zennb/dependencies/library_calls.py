"""Owns `LibraryCalls`: what a notebook has called for its effect on libraries, and which steps depend on that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.digests.stream import text_digest
from zennb.packages.imports import imported_by

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["EVERYTHING", "LibraryCall", "LibraryCalls", "digests_of"]

EVERYTHING = "*"
"""Among the packages of a call that any step may depend on, whatever it uses."""

_ADDING = ("add", "append", "insert", "extend", "push")
"""What begins the names of functions that do more when they are called once more with the same arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCall:
    """A call that was made for its effect on a library, or an attribute or item of a library that was set.

    Attributes:
        packages: import names of the packages it concerns.
        name: dotted name of what is called or set: `jax.config.update`.
        digest: of the code, and of all that it reads.
        slot: digest of what it sets; a later call with the same slot takes its place. "" for one that adds something.
        place: position of its statement in the cell, for a step that executes it again on reuse; -1 for others.
        classes: names of the notebook's classes that it reads, which the library may know from then on; None for a call
            that comes from a record, which does not say.
        source: code that makes the same call anywhere, where all is written out; not in records.
    """

    packages: frozenset[str]
    name: str
    digest: str
    slot: str = ""
    place: int = -1
    classes: frozenset[str] | None = field(default=None, compare=False)
    source: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """The call as text for a record."""
        packages = ",".join(sorted(self.packages))
        return f"{self.place} {packages} {self.name} {self.digest} {self.slot}".rstrip()

    @classmethod
    def parse(cls, text: str) -> LibraryCall:
        """Return the call that a record holds as text."""
        place, packages, name, digest, *slot = text.split(" ")
        return cls(
            packages=frozenset(packages.split(",")),
            name=name,
            digest=digest,
            slot=slot[0] if slot else "",
            place=int(place),
        )

    def may_know(self, cls: str) -> bool:
        """Whether the library may know a class of the notebook from it, so that a copy would be another one there."""
        return self.classes is None or cls in self.classes

    def replaces(self, earlier: LibraryCall) -> bool:
        """Whether nothing of an earlier call is left after this one."""
        if self.slot and self.slot == earlier.slot:
            return True
        return self.digest == earlier.digest and not self.name.rpartition(".")[2].startswith(_ADDING)


class LibraryCalls:
    """The calls of a notebook so far, in order, each with the code of the step that made it; "" for plain cells."""

    def __init__(self, calls: Iterable[tuple[str, LibraryCall]] = ()) -> None:
        self._calls = list(calls)

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def all(self) -> list[LibraryCall]:
        """All calls, in order."""
        return [call for _, call in self._calls]

    def copy(self) -> LibraryCalls:
        """Return another log with the same calls."""
        return LibraryCalls(self._calls)

    def note(self, calls: Iterable[LibraryCall], *, code: str = "") -> None:
        """Add calls.

        Args:
            calls: the calls, in order.
            code: digest of the code of the step that made them; "" for a plain cell.
        """
        for call in calls:
            self._calls = [each for each in self._calls if not call.replaces(each[1])]
            self._calls.append((code, call))

    def has(self, calls: Iterable[LibraryCall]) -> bool:
        """Whether these calls have been made, and are still in force."""
        made = {call.digest for _, call in self._calls}
        return all(call.digest in made for call in calls)

    def concerning(self, used: Iterable[str], *, code: str) -> list[LibraryCall]:
        """Return the calls that a step depends on, in order.

        Args:
            used: import names of the packages that the step uses.
            code: digest of its code; calls that the same code made earlier do not count.
        """
        calls = [call for maker, call in self._calls if maker != code]
        concerned = imported_by(used) | {EVERYTHING} if calls else frozenset()
        return [call for call in calls if not concerned.isdisjoint(call.packages)]


def digests_of(calls: Iterable[LibraryCall]) -> dict[str, str]:
    """Return `call jax.config.update` → digest of this call and of those before it."""
    found, sum_ = dict[str, str](), ""
    for call in calls:
        sum_ = text_digest([sum_, call.digest])
        found[f"call {call.name}"] = sum_
    return found
