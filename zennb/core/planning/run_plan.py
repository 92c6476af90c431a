"""Owns the plan of a run: whether each step would be reused, why, and what flows between the steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Edge", "Freshness", "PlannedStep", "RunPlan"]


class Freshness(StrEnum):
    """What a run would do with a step.

    FRESH: reuse its recorded results. STALE: run it, for the reason given. MAY_RUN: run it if an earlier step, which
    will run, produces something else than last time. UNKNOWN: only running the plain cells would show it; for
    notebook files only, never in a kernel.
    """

    FRESH = "fresh"
    STALE = "stale"
    MAY_RUN = "may run"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a pipeline, and what a run would do with it.

    Attributes:
        name: the step.
        state: what a run would do with it.
        reason: why, for people; for an unknown step, what would have to run.
        status: how its latest run ended, a word of `core.records.Status`; "" when it never ran.
        reads: names it takes from the notebook.
        binds: names it binds or changes in place.
        on: the step operator or orchestrator that it would run on in place of the stack's own, `big (dask)`; "" for
            none, and for a step that would be reused.
        remark: where the notebook's variables differ from what a run gives: a plain cell changed an output since, or
            another version is held; "" as a rule.
    """

    name: str
    state: Freshness = Freshness.FRESH
    reason: str = ""
    status: str = ""
    reads: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    on: str = ""
    remark: str = ""

    @property
    def reasons(self) -> str:
        """Why, and where it would run if that is not the stack's orchestrator, as one phrase."""
        return "; ".join(part for part in (self.reason, f"on {self.on}" if self.on else "") if part)

    @property
    def is_fresh(self) -> bool:
        """Whether its recorded results would be reused."""
        return self.state is Freshness.FRESH


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What flows from one step to another.

    Attributes:
        start: the step that gives.
        end: the step that takes.
        names: variables that flow; empty where only the order counts.
        files: files that the one writes and the other reads.
    """

    start: str
    end: str
    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """The steps of a notebook, in an order that can be run, and what flows between them."""

    steps: tuple[PlannedStep, ...] = ()
    edges: tuple[Edge, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other name of a step → its name."""

    def step(self, name: str) -> PlannedStep | None:
        """Return one step; None when there is none of that name."""
        found = {each.name: each for each in self.steps}
        return found.get(name) or found.get(self.aliases.get(name, ""))

    def remarks(self, name: str) -> list[str]:
        """Return the remarks on a step's own variables, and on those that it takes from other steps."""
        found = [each.remark for each in self.steps if each.name == name]
        for edge in self.edges:
            if edge.end == name and (giver := self.step(edge.start)) is not None:
                found += [giver.remark for taken in edge.names if f"`{taken}`" in giver.remark]
        return [remark for remark in dict.fromkeys(found) if remark]
