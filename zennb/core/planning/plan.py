"""Owns the plan of a pipeline: which step feeds which, and an order that respects the edges."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from zennb.errors import PlanError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["Outline", "Plan", "plan", "same_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One step as the plan sees it: its name, what it reads, and what it binds or changes, in notebook order.

    Attributes:
        name: the step's name.
        aliases: other names that stand for it, unless they are names of steps or stand for several.
        reads: names it takes from the notebook.
        binds: names it binds or changes in place.
        deletes: names it may delete: it comes after the steps that bind them, and before those below that read them.
        after: names of steps that must come before it although no value flows (`--after`).
        captured: names known to come from plain cells, so that steps below it which bind them do not give them.
    """

    name: str
    aliases: tuple[str, ...] = ()
    reads: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    after: tuple[str, ...] = ()
    captured: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps in an order that can be run, and the edges between them.

    Attributes:
        order: step names; each comes after all steps it depends on.
        edges: (from, to) → the names that flow.
        sources: step → input name → the step that binds it.
        aliases: other name of a step → its name.
        reads: step → names it takes from the notebook or another step.
    """

    order: tuple[str, ...] = ()
    edges: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _parents: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _children: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        place = {name: at for at, name in enumerate(self.order)}
        known = [(a, b) for a, b in self.edges if a in place and b in place]
        object.__setattr__(self, "_parents", _grouped(((b, a) for a, b in known), place))
        object.__setattr__(self, "_children", _grouped(known, place))

    def before(self, step: str) -> frozenset[str]:
        """Return every step that `step` depends on, directly or not."""
        return _reachable(step, self._parents)

    def after(self, step: str) -> frozenset[str]:
        """Return every step that depends on `step`, directly or not."""
        return _reachable(step, self._children)

    def parents(self, step: str) -> tuple[str, ...]:
        """Return the steps that feed `step` directly, in order."""
        return self._parents.get(step, ())

    def children(self, step: str) -> tuple[str, ...]:
        """Return the steps that `step` feeds directly, in order."""
        return self._children.get(step, ())

    def narrow(self, *, start: str | None = None, only: str | None = None) -> tuple[str, ...]:
        """Return the steps to run: all, those from `start` on (it and what depends on it), or `only` one.

        Raises:
            UnknownName: there is no such step.
        """
        first = None if start is None else _named(start, self.order, self.aliases)
        if only is not None:
            return (_named(only, self.order, self.aliases),)
        if first is not None:
            kept = self.after(first) | {first}
            return tuple(name for name in self.order if name in kept)
        return self.order


def _grouped(pairs: Iterable[tuple[str, str]], place: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Return first → seconds, those in the order of `place`."""
    found: dict[str, list[str]] = {}
    for first, second in pairs:
        found.setdefault(first, []).append(second)
    return {first: tuple(sorted(seconds, key=place.__getitem__)) for first, seconds in found.items()}


def _reachable(step: str, near: Mapping[str, Sequence[str]]) -> frozenset[str]:
    found: set[str] = set()
    todo = [step]
    while todo:
        news = [name for name in near.get(todo.pop(), ()) if name not in found]
        found.update(news)
        todo += news
    return frozenset(found)


def plan(steps: Sequence[Outline]) -> Plan:
    """Link each step that reads a name to the latest step before it that binds the name, in notebook order.

    A name that only later steps bind comes from the first of them, when that makes no cycle: cells may stand
    below their readers. A name that no step binds is the notebook's own.

    A step that changes or rebinds a name also comes after the steps before it that read the earlier value; no
    value flows there, and with inputs loaded from the store no order is needed: such pairs make no edge.

    Raises:
        PlanError: two steps have one name, `after` names an unknown step, or the steps wait for each other.
    """
    names = [step.name for step in steps]
    aliases = _aliases(steps)
    doubled = sorted(name for name, times in Counter(names).items() if times > 1)
    if doubled:
        raise same_name(doubled[0])
    flows: dict[tuple[str, str], list[str]] = {}
    sources: dict[str, dict[str, str]] = {}
    binders = _places(step.binds for step in steps)
    changers = _places(step.binds | step.deletes for step in steps)
    for place, step in enumerate(steps):
        sources[step.name] = {}
        for name in sorted(step.reads):
            giver = _binder(steps, place, name, changers.get(name, ()))
            if giver is not None:
                flows.setdefault((giver, step.name), []).append(name)
                sources[step.name][name] = giver
        for name in step.deletes - step.reads:
            if (giver := _binder(steps, place, name, binders.get(name, ()))) is not None:
                flows.setdefault((giver, step.name), [])
        for other in step.after:
            flows.setdefault((_named(other, names, aliases), step.name), [])
    edges = {pair: tuple(found) for pair, found in flows.items()}
    reads = {step.name: step.reads for step in steps}
    return Plan(order=_sorted(names, edges), edges=edges, sources=sources, aliases=aliases, reads=reads)


def same_name(name: str) -> PlanError:
    """Return the error for two steps of one name."""
    return PlanError(f"two steps are called '{name}'; give one of them another name after %%step.")


def _aliases(steps: Sequence[Outline]) -> dict[str, str]:
    """Return alias → step, where it stands for one."""
    times = Counter(alias for step in steps for alias in {step.name, *step.aliases})
    return {
        alias: step.name
        for step in steps
        for alias in step.aliases
        if times[alias] == 1 and alias != step.name
    }


def _named(name: str, steps: Collection[str], aliases: Mapping[str, str]) -> str:
    """Return the name of a step that is called so.

    Raises:
        UnknownName: there is none.
    """
    found = name if name in steps else aliases.get(name)
    if found is None:
        raise UnknownName("step", name, steps)
    return found


def _places(changed: Iterable[Collection[str]]) -> dict[str, list[int]]:
    """Return name → places of the steps that change it."""
    found: dict[str, list[int]] = {}
    for place, names in enumerate(changed):
        for name in names:
            found.setdefault(name, []).append(place)
    return found


def _binder(steps: Sequence[Outline], place: int, name: str, binders: Sequence[int]) -> str | None:
    # The last one above, if there is one: as in a notebook that runs from top to bottom.
    at = bisect_left(binders, place)
    if at > 0:
        return steps[binders[at - 1]].name
    # A step that changes `df` in place, and has none above it, starts from the notebook's
    # `df`, not from a later step's.
    if name in steps[place].binds or name in steps[place].captured:
        return None  # a variable of the notebook's own
    return steps[binders[0]].name if binders else None


def _sorted(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the names so that each comes after those it waits for, and else as given."""
    waiting = dict.fromkeys(names, 0)
    children: dict[str, list[str]] = {}
    for a, b in edges:
        waiting[b] += 1
        children.setdefault(a, []).append(b)
    place = {name: at for at, name in enumerate(names)}
    # A heap of places, so that of several steps that could come next it is always the upper one.
    ready = [place[name] for name, number in waiting.items() if not number]
    order: list[str] = []
    while ready:
        name = names[heappop(ready)]
        order.append(name)
        del waiting[name]
        for child in children.get(name, ()):
            waiting[child] -= 1
            if not waiting[child]:
                heappush(ready, place[child])
    if waiting:
        circle = ", ".join(sorted(waiting))
        raise PlanError(
            f"these steps wait for each other: {circle}; move the cell that makes the first value up, "
            "or give one of the variables another name."
        )
    return tuple(order)
