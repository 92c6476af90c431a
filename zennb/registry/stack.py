"""Owns `Stack`: a registered stack opened for use."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zennb.core.records.component_types import component_type
from zennb.errors import UnknownName
from zennb.registry.flavors import check_stack

if TYPE_CHECKING:
    from zennb.components.component import ArtifactStore, Component, Orchestrator
    from zennb.core.records.records import StackSpec
    from zennb.registry.pool import Pool

__all__ = ["Stack"]


class Stack:
    """The components of a stack; files, threads and connections open at first use.

    Args:
        spec: what is registered; later changes of the registry do not affect an opened stack.
        pool: the open components, shared with other stacks.

    Raises:
        UnfitStack: its orchestrator runs steps where its artifact store cannot be reached.
        UsageError: it has no orchestrator or no artifact store.
        UnknownName, MissingExtra, InvalidConfiguration: one of the two cannot be made.
    """

    def __init__(self, spec: StackSpec, pool: Pool) -> None:
        check_stack(spec)
        self.spec = spec
        self._pool = pool
        self._components: dict[str, Component] = {}

    @property
    def name(self) -> str:
        """The name it is registered under."""
        return self.spec.name

    @property
    def store(self) -> ArtifactStore:
        """The component that stores the outputs."""
        return cast("ArtifactStore", self.component("artifact_store"))

    @property
    def orchestrator(self) -> Orchestrator:
        """The component that runs the steps."""
        return cast("Orchestrator", self.component("orchestrator"))

    def component(self, type: str) -> Component:  # noqa: A002 -- ZenML's word
        """Return the component of one type.

        Raises:
            UnknownName: the stack has none of that type.
            MissingExtra, InvalidConfiguration: it cannot be made.
        """
        found = self._components.get(type)
        if found is not None:
            return found
        kind = component_type(type)
        if kind.name not in self.spec.components:
            raise UnknownName(
                "component type in this stack",
                kind.command,
                self.spec.components,
                hint=f"Add one with `%stack update NAME --{kind.command}=COMPONENT`.",
            )
        found = self._components[type] = self._pool.get(self.spec.components[kind.name])
        return found

    def __repr__(self) -> str:
        return f"<Stack {self.name!r}>"
