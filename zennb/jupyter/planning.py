"""Owns the plan of the steps of one kernel: what each reads and binds as the notebook stands, and their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.ordering import ordering
from zennb.core.plan import Outline, Plan, plan
from zennb.core.reach import reach
from zennb.engine.collect import is_code
from zennb.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records import Step
    from zennb.engine.definition import Definition
    from zennb.jupyter.session import KernelSession

__all__ = ["Planning"]


class Planning:
    """Draws plans.

    Args:
        session: the kernel's session.
    """

    def __init__(self, session: KernelSession) -> None:
        self._session = session

    def plan(
        self,
        definitions: Mapping[str, Definition],
        previous: Mapping[str, Step],
        *,
        side_by_side: bool = False,
    ) -> Plan:
        """Return the plan of the steps, with the order that files and settings ask for where that makes no cycle."""
        outlines = self._outlines(definitions, previous)
        after = ordering(list(definitions), previous, all_of_it=side_by_side)
        ordered = [replace(each, after=(*each.after, *after.get(each.name, ()))) for each in outlines]
        try:
            return plan(ordered)
        except PlanError:
            return plan(outlines)

    def _outlines(self, definitions: Mapping[str, Definition], previous: Mapping[str, Step]) -> list[Outline]:
        binds = {name: self.binds(definition, previous.get(name)) for name, definition in definitions.items()}
        bound = frozenset().union(*binds.values()) if binds else frozenset()
        return [
            Outline(
                name=name,
                reads=self.reads(definition, bound),
                binds=binds[name],
                after=definition.options.after,
            )
            for name, definition in definitions.items()
        ]

    def reads(self, definition: Definition, bound: frozenset[str]) -> frozenset[str]:
        """Return the data a step reads, itself or through functions; also names that other steps will bind."""
        reached, made = reach(definition.analysis, self._session.namespace), self._session.holdings.made()
        functions = {
            n for n, value in reached.definitions.items() if n in made and made[n].place == id(value)
        }
        data = {*reached.data, *functions}
        with self._session.lock:
            partners = self._session.holdings.partners(
                self._session.holdings.looks(data), self._session.namespace
            )
        return (
            frozenset(data)
            | frozenset(partners)
            | (frozenset(definition.analysis.reads) & bound)
            | frozenset(definition.options.inputs)
        )

    def binds(self, definition: Definition, previous: Step | None) -> frozenset[str]:
        """Return what a step binds or changes: by its code, and by what its latest run was seen to change."""
        namespace = self._session.namespace
        if definition.options.outputs is not None:
            by_code = set(definition.options.outputs)
        else:
            by_code = {name for name in definition.analysis.binds if not name.startswith("_")}
        by_code = {name for name in by_code if not is_code(namespace.get(name))} - definition.analysis.imports
        seen = (
            set(previous.outputs) if previous is not None and previous.source == definition.source else set()
        )
        return frozenset(by_code | seen)
