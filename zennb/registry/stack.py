"""Owns `Stack`: a registered stack opened for use."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zennb.core.records.component_types import component_type
from zennb.errors import UnknownName
from zennb.registry.flavors import check_stack
from zennb.registry.pool import Pool

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.components.component import ArtifactStore, Component, Orchestrator
    from zennb.core.records.records import StackSpec

__all__ = ["Stack", "open_stack"]


class Stack:
    """The components of a stack, each opened at first use.

    Args:
        spec: what is registered; later changes of the registry do not reach an opened stack.
        pool: where its components are kept open.
        owns_pool: whether closing the stack closes them, because no other stack uses the pool.
    """

    def __init__(self, spec: StackSpec, pool: Pool, *, owns_pool: bool = False) -> None:
        self.spec = spec
        self._pool, self._owns_pool = pool, owns_pool
        self._components: dict[str, Component] = {}

    @property
    def name(self) -> str:
        """The name it is registered under."""
        return self.spec.name

    @property
    def store(self) -> ArtifactStore:
        """The component that keeps the outputs."""
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

    def close(self) -> None:
        """Close what only this stack has open; components shared with others stay open for them."""
        self._components.clear()
        if self._owns_pool:
            self._pool.close()

    def __repr__(self) -> str:
        return f"<Stack {self.name!r}>"


def open_stack(spec: StackSpec, home: Path, *, pool: Pool | None = None) -> Stack:
    """Return a stack ready for use; files, threads and connections open when they are first needed.

    Args:
        spec: the stack on paper.
        home: the directory of the home, where local stores live.
        pool: where open components are shared with other stacks; one of its own when None.

    Raises:
        UnfitStack: its orchestrator runs steps farther away than its artifact store reaches.
        UsageError: it has no orchestrator or no artifact store.
        UnknownName, MissingExtra, InvalidConfiguration: one of the two cannot be made.
    """
    check_stack(spec)
    return Stack(spec, pool or Pool(home), owns_pool=pool is None)
