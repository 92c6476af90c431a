"""Owns the state of names at one point of the code: which are bound, may be bound, or were deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.core.reading.scopes import Definition

__all__ = ["BindingLog", "BindingState", "Frame", "NameUsage", "join"]


@dataclass(slots=True)
class BindingState:
    """The state of names at one point of the code. Unreachable code has None instead.

    Attributes:
        bound: names of the cell bound on every path that leads here.
        maybe: names of the cell bound on some path that leads here.
        deleted: names deleted on some path that leads here and not bound again since.
        inner: names of class bodies bound on every path, marked with their scope's key.
        bodies: name of the cell → the functions and classes of the cell it may stand for here.
    """

    bound: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    inner: set[str] = field(default_factory=set)
    bodies: dict[str, frozenset[Definition]] = field(default_factory=dict)

    def copy(self) -> BindingState:
        """Return an independent copy."""
        return BindingState(
            set(self.bound), set(self.maybe), set(self.deleted), set(self.inner), dict(self.bodies)
        )

    def add_bodies(self, bodies: dict[str, list[Definition]]) -> None:
        """Add functions and classes that each name may refer to."""
        for name, nodes in bodies.items():
            self.bodies[name] = self.bodies.get(name, frozenset()).union(nodes)


def join(states: Iterable[BindingState | None]) -> BindingState | None:
    """Return the state where several paths meet. Paths that cannot be reached (None) are ignored."""
    arriving = [state for state in states if state is not None]
    if not arriving:
        return None
    # A copy: the states of the paths go on being used, e.g. as those at a `break`.
    first, *others = arriving
    joined = first.copy()
    for other in others:
        joined.bound &= other.bound
        joined.inner &= other.inner
        joined.maybe |= other.maybe
        joined.deleted |= other.deleted
        for name, bodies in other.bodies.items():
            joined.bodies[name] = joined.bodies.get(name, frozenset()) | bodies
    return joined


@dataclass(slots=True)
class Frame:
    """The states at each `break` and `continue` in a block of code."""

    breaks: list[BindingState] = field(default_factory=list)
    continues: list[BindingState] = field(default_factory=list)


@dataclass(slots=True)
class BindingLog:
    """The names bound and deleted in a block of code that an exception may leave at any point."""

    bound: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    """Names of class bodies that were deleted, marked with their scope's key."""


@dataclass(slots=True)
class NameUsage:
    """What code does with the names of the cell; `source.Analysis` explains the fields.

    Attributes:
        firm: names read where no path has bound them yet.
        deletes: names deleted at some point.
        phrases: opaque use as a phrase → the builtin it stands on ("" when it stands on none).
        lookups: see `source.Analysis`.
    """

    reads: dict[str, frozenset[str]] = field(default_factory=dict)
    firm: set[str] = field(default_factory=set)
    chains: set[tuple[str, ...]] = field(default_factory=set)
    modules: set[tuple[str, ...]] = field(default_factory=set)
    binds: dict[str, None] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    defines: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    phrases: dict[str, str] = field(default_factory=dict)
    lookups: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    awaits: bool = False

    def read(self, name: str, bound: Iterable[str], *, firm: bool) -> None:
        """Record a read of `name` at a point where `bound` are certainly bound."""
        before = self.reads.get(name)
        self.reads[name] = frozenset(bound) if before is None else before.intersection(bound)
        if firm:
            self.firm.add(name)

    def look_up(self, chain: tuple[str, ...], bound: Iterable[str]) -> None:
        """Record a use that may look names up in text, at a point where `bound` are certainly bound."""
        before = self.lookups.get(chain)
        self.lookups[chain] = frozenset(bound) if before is None else before.intersection(bound)
