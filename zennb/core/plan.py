"""Owns the plan of a pipeline: which step feeds which, and an order that respects it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.errors import PlanError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Outline", "Plan", "plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One step as the plan sees it: its name, what it reads, and what it binds or changes, in notebook order.

    Attributes:
        name: the step's name.
        reads: names it takes from the notebook.
        binds: names it binds or changes in place.
        after: names of steps that must come before it although no value flows (`--after`).
    """

    name: str
    reads: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps in an order that can be run, and the edges between them.

    Attributes:
        order: step names; each comes after all steps it depends on.
        edges: (from, to) → the names that flow.
        sources: step → input name → the step that binds it.
    """

    order: tuple[str, ...] = ()
    edges: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def before(self, step: str) -> frozenset[str]:
        """Return every step that `step` depends on, directly or not."""
        return self._reachable(step, {(b, a) for a, b in self.edges})

    def after(self, step: str) -> frozenset[str]:
        """Return every step that depends on `step`, directly or not."""
        return self._reachable(step, set(self.edges))

    def parents(self, step: str) -> tuple[str, ...]:
        """Return the steps that feed `step` directly, in order."""
        return tuple(a for a in self.order if (a, step) in self.edges)

    def narrow(self, *, start: str | None = None, only: str | None = None) -> tuple[str, ...]:
        """Return the steps to run: all, those from `start` on (it and what depends on it), or `only` one."""
        for name in (start, only):
            if name is not None and name not in self.order:
                raise UnknownName("step", name, self.order)
        if only is not None:
            return (only,)
        if start is not None:
            kept = self.after(start) | {start}
            return tuple(name for name in self.order if name in kept)
        return self.order

    @staticmethod
    def _reachable(step: str, edges: set[tuple[str, str]]) -> frozenset[str]:
        found: set[str] = set()
        todo = [step]
        while todo:
            here = todo.pop()
            news = {b for a, b in edges if a == here} - found
            found |= news
            todo += news
        return frozenset(found)


def plan(steps: Sequence[Outline]) -> Plan:
    """Link each reader to the latest binder before it, in the order given (notebook order).

    A name that only later steps bind comes from the first of them, when that makes no cycle: cells may stand
    below their readers. A name nobody binds is the notebook's own.

    A step that changes or rebinds a name also comes after the steps before it that read the earlier value; no
    value flows there, and with inputs loaded from the store no order is needed: such pairs make no edge.

    Raises:
        PlanError: two steps have one name, `after` names an unknown step, or the steps wait for each other.
    """
    names = [step.name for step in steps]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise PlanError(f"two steps are called '{doubled[0]}'; give one of them another name after %%step.")
    flows: dict[tuple[str, str], list[str]] = {}
    sources: dict[str, dict[str, str]] = {}
    for place, step in enumerate(steps):
        sources[step.name] = {}
        for name in sorted(step.reads):
            giver = _binder(steps, place, name)
            if giver is not None:
                flows.setdefault((giver, step.name), []).append(name)
                sources[step.name][name] = giver
        for other in step.after:
            if other not in names:
                raise UnknownName("step", other, names)
            flows.setdefault((other, step.name), [])
    edges = {pair: tuple(found) for pair, found in flows.items()}
    return Plan(order=_sorted(names, edges), edges=edges, sources=sources)


def _binder(steps: Sequence[Outline], place: int, name: str) -> str | None:
    for step in reversed(steps[:place]):
        if name in step.binds:
            return step.name
    if name in steps[place].binds:
        return None  # it changes a variable of the notebook's own
    return next((step.name for step in steps[place + 1 :] if name in step.binds), None)


def _sorted(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    waiting = {name: {a for a, b in edges if b == name} for name in names}
    order: list[str] = []
    while waiting:
        ready = next((name for name in names if name in waiting and not waiting[name] - set(order)), None)
        if ready is None:
            circle = ", ".join(sorted(waiting))
            raise PlanError(
                f"these steps wait for each other: {circle}; move the cell that makes the first value up, "
                "or give one of the variables another name."
            )
        order.append(ready)
        del waiting[ready]
    return tuple(order)
