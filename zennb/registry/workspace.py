"""Owns `Workspace`: the home that a process uses, and its active stack."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

from zennb.core.records.component_types import component_type
from zennb.core.records.records import ComponentSpec
from zennb.errors import UnknownName
from zennb.materializers.signer import Signer
from zennb.metadata.store import MetadataStore
from zennb.registry.flavors import check_reach, check_stack
from zennb.registry.home import check_records, claim
from zennb.registry.live_probe import why_unreachable
from zennb.registry.names import DEFAULT
from zennb.registry.pool import Pool, place
from zennb.registry.stack import Stack
from zennb.registry.stack_registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from zennb.components.component import Component, Orchestrator
    from zennb.core.records.records import StackSpec
    from zennb.registry.changes import Change

__all__ = ["Workspace"]


class Workspace:
    """The metadata store, the registry and the open stacks of a home; thread-safe.

    Attributes:
        home: its directory.
        identity: its uuid, the same for every process that uses it.
        metadata: the records of runs, and what is registered.
        signer: signs its records, and checks the signatures of others.
        registry: registers and changes stacks and components.

    Args:
        home: the directory; made when missing. See `registry.home.find_home`.
        deadline: seconds to wait for another process that holds the metadata store.
        stack: the stack active in this process only, until another is set; the default one when None.

    Raises:
        UnknownName: there is no such stack.
        StoreError: the home cannot be made or read.
        ForeignStore: it was written by a newer zennb, or by another program.
    """

    def __init__(self, home: Path, *, deadline: float = 10.0, stack: str | None = None) -> None:
        self.home = home.absolute()
        self.identity = claim(self.home)
        check_records(self.home)
        self.signer = Signer()
        self.metadata = MetadataStore(
            self.home / "metadata.db",
            deadline=deadline,
            sign=self.signer.sign_record,
            countersign=self.signer.countersign,
        )
        try:
            self.registry = Registry(self.metadata, self.home, active=self._in_use)
            self._active = self.registry.stack(stack).name if stack else self.registry.default_stack_name()
        except BaseException:
            self.metadata.close()
            raise
        self._pool = Pool(self.home, self.metadata.models)
        self._lock = threading.RLock()
        self._opened: dict[str, Stack] = {}
        self._override: ContextVar[str | None] = ContextVar("zennb_stack", default=None)
        self._borrowed: list[str] = []
        self.registry.listeners.add(self._follow)

    @property
    def active(self) -> str:
        """Name of the stack that steps run on: that of `using` in this thread, else the one that was set."""
        return self._override.get() or self._active

    def set(self, name: str) -> StackSpec:
        """Make a stack the active one of this process and of processes that start later.

        Raises:
            UnknownName: there is no such stack.
            UnfitStack, MissingExtra, InvalidConfiguration: it cannot be used; nothing was changed.
        """
        spec = self.registry.stack(name)
        check_stack(spec)
        # Written first: if that fails, this process keeps its stack, too.
        self.registry.set_default(name)
        with self._lock:
            changed, self._active = self._active != name, name
        if changed:
            self.registry.listeners.notify("set", "stack", name)
        return spec

    def use(self, name: str) -> None:
        """Make a stack the active one of this process only.

        Raises:
            UnknownName: there is no such stack.
        """
        with self._lock:
            self._active = self.registry.stack(name).name

    @contextmanager
    def using(self, name: str) -> Iterator[Stack]:
        """Make a stack the active one for a `with` block, in this thread only.

        Raises:
            UnknownName, UnfitStack, MissingExtra, InvalidConfiguration: it cannot be used.
        """
        stack = self.open(name)
        token = self._override.set(name)
        with self._lock:
            # So that nobody deletes the stack in the meantime, in this or another thread.
            self._borrowed.append(name)
        try:
            yield stack
        finally:
            with self._lock:
                self._borrowed.remove(name)
            self._override.reset(token)

    def snapshot(self, name: str | None = None) -> StackSpec:
        """Return a stack as it is registered now; the active one when None.

        Raises:
            UnknownName: there is no such stack, e.g. because another kernel has deleted it.
        """
        return self.registry.stack(name or self.active, hint="Choose one with `%stack set NAME`.")

    def open(self, name: str | None = None) -> Stack:
        """Return a stack as it is registered now, opened for use; the active one when None.

        Raises:
            UnknownName: there is no such stack.
            UnfitStack, MissingExtra, InvalidConfiguration: it cannot be used.
        """
        spec = self.snapshot(name)
        with self._lock:
            stack = self._opened.get(spec.name)
            if stack is None or stack.spec != spec:
                stack = self._opened[spec.name] = Stack(spec, self._pool)
            return stack

    def opened(self, name: str | None = None) -> Stack:
        """Return a stack as it was last opened, without checking whether its registration has changed.

        For callers that check it themselves, together with another query.

        Raises:
            UnknownName, UnfitStack, MissingExtra, InvalidConfiguration: as `open` does, the first time.
        """
        with self._lock:
            found = self._opened.get(name or self.active)
        return found or self.open(name)

    def step_operator(self, stack: Stack, name: str) -> tuple[ComponentSpec, Orchestrator]:
        """Return what `--on NAME` runs a step of a stack on, as registered and opened for use.

        The stack's own step operator comes first, then any that is registered, then any orchestrator.

        Raises:
            UnknownName: nothing of that name runs steps.
            UnfitStack: its workers cannot reach the artifact store of the stack.
            MissingExtra, InvalidConfiguration: it cannot be made.
        """
        spec = stack.spec.components.get("step_operator")
        if spec is None or spec.name != name:
            spec = self.registry.step_operator(name)
        component = cast("Orchestrator", self._pool.get(spec))
        whose = f"the {component_type(spec.type).title}"
        check_reach(stack.spec, component, stack.store, whose=whose)
        return spec, component

    def places(self, stack: StackSpec) -> dict[str, str]:
        """Return where a stack keeps things on this machine: `home`, and component type → directory."""
        found = {kind: place(spec, self.home) for kind, spec in stack.components.items()}
        return {"home": str(self.home), **{kind: where for kind, where in found.items() if where}}

    def component(self, type: str, name: str, stack: Stack | None = None) -> Component:  # noqa: A002 -- ZenML's word
        """Return a component of an optional type, opened for use: that of a stack, else any that is registered.

        The name `default` stands for the flavor `local`, which needs nothing, unless a component is called so.

        Raises:
            UnknownName: there is none of that name.
            MissingExtra, InvalidConfiguration: it cannot be made.
        """
        spec = None if stack is None else stack.spec.components.get(type)
        if spec is None or spec.name != name:
            try:
                spec = self.registry.component(type, name)
            except UnknownName:
                if name != DEFAULT:
                    raise
                spec = ComponentSpec(type=type, name=DEFAULT, flavor="local")
        return self._pool.get(spec)

    def own_component(self, type: str) -> Component:  # noqa: A002 -- ZenML's word
        """Return the component of an optional type that the active stack has; without one, that of the flavor `local`.

        Raises:
            UnknownName: the active stack does not exist any more.
            MissingExtra, InvalidConfiguration: it cannot be made.
        """
        spec = self.snapshot().components.get(type)
        return self._pool.get(spec or ComponentSpec(type=type, name=DEFAULT, flavor="local"))

    def dashboards(self, stack: StackSpec) -> dict[str, str]:
        """Return component type → address of the page that shows what it runs, of components that are connected."""
        found = {kind: self._pool.opened(spec) for kind, spec in stack.components.items()}
        links = {kind: str(getattr(component, "dashboard", "")) for kind, component in found.items()}
        return {kind: link for kind, link in links.items() if link}

    def why_unreachable(self, name: str) -> str:
        """Return why steps of a stack would not find their inputs on other machines; see `live_probe`."""
        return why_unreachable(self.registry.stack(name), self.home)

    def on_change(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Call `callback` after each change made through this workspace, on the thread that made it.

        Returns:
            A function that stops it.
        """
        return self.registry.listeners.add(callback)

    def close(self) -> None:
        """Close every opened component and the metadata store; twice is fine."""
        with self._lock:
            self._opened.clear()
        self._pool.close()
        self.metadata.close()

    def _in_use(self) -> frozenset[str]:
        with self._lock:
            return frozenset({self._active, *self._borrowed})

    def _follow(self, change: Change) -> None:
        """Keep the active stack active when it is renamed."""
        with self._lock:
            if (change.verb, change.type, change.name) == ("rename", "stack", self._active):
                self._active = change.new_name
