"""Owns `Registry`: registering, changing, deleting, exporting and importing stacks, and the stack `default`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.component_types import COMPONENT_TYPES, REQUIRED_TYPES, component_type
from zennb.core.records.records import ComponentSpec, StackSpec
from zennb.errors import InUse, NameTaken, UnknownName, UsageError
from zennb.registry.changes import Updated
from zennb.registry.component_registry import ComponentRegistry
from zennb.registry.flavors import check_stack, differences, normal
from zennb.registry.names import DEFAULT, checked_name
from zennb.registry.portable import read_stack, write_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from zennb.metadata.store import MetadataStore

__all__ = ["Registry"]

_DEFAULT_SETTING = "default_stack"
_ORDER = {kind.name: place for place, kind in enumerate(COMPONENT_TYPES)}


class Registry(ComponentRegistry):
    """The registered stacks and components of a home; the stack `default` exists from first use.

    Every method may raise `UnknownName` for a stack or component that does not exist, `StoreBusy` and
    `StoreError`.

    Args:
        metadata: where they are recorded.
        home: the home directory, which contains the local stores.
        active: returns the stacks that are active in this process and must not be deleted.
    """

    def __init__(
        self, metadata: MetadataStore, home: Path, *, active: Callable[[], Collection[str]] = frozenset
    ) -> None:
        super().__init__(metadata, home)
        self._active = active
        if metadata.stack(DEFAULT) is None:
            metadata.atomically(self._put_default)

    def stacks(self) -> list[StackSpec]:
        """Return all stacks, by name."""
        return self.metadata.stacks()

    def stack(self, name: str, *, hint: str = "List them with `%stack list`.") -> StackSpec:
        """Return one stack; `hint` ends the message when it is missing.

        Raises:
            UnknownName: there is none of that name.
        """
        found = self.metadata.stack(name)
        if found is None:
            known = [stack.name for stack in self.metadata.stacks()]
            raise UnknownName("stack", name, known, hint=hint)
        return found

    def default_stack_name(self) -> str:
        """Return the name of the stack that new kernels use."""
        name = self.metadata.setting(_DEFAULT_SETTING) or DEFAULT
        return name if self.metadata.stack(name) is not None else DEFAULT

    def set_default(self, name: str) -> None:
        """Make a stack the one that new kernels use; running kernels keep theirs."""
        self.metadata.atomically(lambda: self.metadata.set_setting(_DEFAULT_SETTING, self.stack(name).name))

    def register_stack(self, name: str, components: Mapping[str, str]) -> tuple[StackSpec, bool]:
        """Register a stack; an equal one is left alone, so that cells can be run again.

        Args:
            name: printable text.
            components: component type → name of a registered component.

        Returns:
            What is registered, and whether it is new.

        Raises:
            UsageError: the name is not allowed, or has no orchestrator or artifact store.
            NameTaken: one of that name differs; the message shows how.
            UnfitStack: its orchestrator runs steps where its artifact store cannot be reached.
        """
        self.check(name, components)  # import flavors, which may take seconds, before the transaction
        return self._register(lambda: self._assembled(name, components))

    def check(self, name: str, components: Mapping[str, str]) -> StackSpec:
        """Return the stack that `register_stack` would register, without registering it; raises as that does.

        Does not check whether the name is taken.
        """
        checked_name("stack", name)
        spec = self._assembled(name, components)
        check_stack(spec)
        return spec

    def update_stack(
        self, name: str, components: Mapping[str, str], *, remove: Iterable[str] = ()
    ) -> Updated[StackSpec]:
        """Exchange, add and remove components of a stack, from its next run on.

        Args:
            name: which stack.
            components: component type → name of a registered component.
            remove: component types to remove.

        Raises:
            InUse: it is the stack `default`.
            UsageError: it would be without orchestrator or artifact store.
            UnfitStack: its orchestrator would run steps where its artifact store cannot be reached.
        """
        without = [component_type(kind).name for kind in remove]
        check_stack(self._exchanged(name, components, without))  # import flavors first, as above
        updated = self.metadata.atomically(lambda: self._update_stack(name, components, without))
        if updated.differences:
            self.listeners.notify("update", "stack", name)
        return updated

    def copy_stack(self, source: str, target: str) -> StackSpec:
        """Register a stack of the same components under another name.

        Raises:
            UsageError: the name is not allowed.
            NameTaken: there is a different one of that name.
        """
        checked_name("stack", target)
        return self._register(lambda: replace(self.stack(source), name=target))[0]

    def rename_stack(self, old: str, new: str) -> StackSpec:
        """Rename a stack; records of past runs keep the old name.

        Raises:
            InUse: it is the stack `default`.
            UsageError: the name is not allowed.
            NameTaken: there is one of the new name.
        """
        checked_name("stack", new)
        renamed = self.metadata.atomically(lambda: self._rename_stack(old, new))
        if old != new:
            self.listeners.notify("rename", "stack", old, new_name=new)
        return renamed

    def delete_stack(self, name: str) -> StackSpec:
        """Delete a stack; its components, and the records of its runs, stay.

        Raises:
            InUse: it is the stack `default`, the active one, or the one that new kernels start with.
        """
        active = self._active()
        deleted = self.metadata.atomically(lambda: self._delete_stack(name, active))
        self.listeners.notify("delete", "stack", name)
        return deleted

    def export_stack(self, name: str) -> str:
        """Return a stack with its components as JSON text; secrets remain references."""
        return write_stack(self.stack(name))

    def import_stack(self, text: str) -> tuple[StackSpec, bool]:
        """Register an exported stack and those of its components that are missing.

        Returns:
            What is registered, and whether the stack is new.

        Raises:
            UsageError: the text is no exported stack.
            NameTaken: the stack, or components, exist with another configuration; all are named.
            UnknownName, MissingExtra, InvalidConfiguration, UnfitStack: it could not be used here.
        """
        found = read_stack(text)
        checked_name("stack", found.name)
        for kind, part in found.components.items():
            checked_name(component_type(kind).title, part.name)
        # Options in their normal form: the text of an export may write one value in another way.
        spec = replace(found, components={kind: normal(part) for kind, part in found.components.items()})
        check_stack(spec)
        created, fresh = self.metadata.atomically(lambda: self._import(spec))
        for part in fresh:
            self.listeners.notify("register", part.type, part.name)
        if created:
            self.listeners.notify("register", "stack", spec.name)
        return spec, created

    def _register(self, make: Callable[[], StackSpec]) -> tuple[StackSpec, bool]:
        spec, created = self.metadata.atomically(lambda: self._put_stack(make()))
        if created:
            self.listeners.notify("register", "stack", spec.name)
        return spec, created

    # Inside the transactions

    def _put_default(self) -> None:
        parts = {kind: ComponentSpec(type=kind, name=DEFAULT, flavor="local") for kind in REQUIRED_TYPES}
        for part in parts.values():
            self.metadata.put_component(part, replace=True)
        self.metadata.put_stack(StackSpec(name=DEFAULT, components=parts), replace=True)

    def _assembled(self, name: str, components: Mapping[str, str]) -> StackSpec:
        parts = [self.component(kind, part) for kind, part in components.items()]
        return StackSpec(name=name, components={part.type: part for part in _in_order(parts)})

    def _exchanged(self, name: str, components: Mapping[str, str], remove: Collection[str]) -> StackSpec:
        before, wanted = self.stack(name), self._assembled(name, components).components
        contradicted = next((kind for kind in remove if kind in wanted), None)
        if contradicted is not None:
            title = component_type(contradicted).title
            raise UsageError(
                f"the {title} of stack '{name}' is to be set and removed at once; type only one of the two."
            )
        parts = {**before.components, **wanted}
        return replace(
            before,
            components={part.type: part for part in _in_order(parts.values()) if part.type not in remove},
        )

    def _put_stack(self, spec: StackSpec) -> tuple[StackSpec, bool]:
        check_stack(spec)
        existing = self.metadata.stack(spec.name)
        if existing is None:
            self.metadata.put_stack(spec)
        elif existing != spec:
            difference, advice = "; ".join(_changes(existing, spec)), "choose another name"
            if spec.name != DEFAULT:
                advice += ", or change it with `%stack update`"
            raise NameTaken(f"stack '{spec.name}' exists with other components ({difference}); {advice}.")
        return spec, existing is None

    def _update_stack(
        self, name: str, components: Mapping[str, str], remove: Collection[str]
    ) -> Updated[StackSpec]:
        before, after = self.stack(name), self._exchanged(name, components, remove)
        changed = tuple(_changes(before, after))
        if changed:
            _refuse_default(name, "changed")
            check_stack(after)
            self.metadata.put_stack(after, replace=True)
        return Updated(before=before, after=after, differences=changed, stacks=(name,))

    def _rename_stack(self, old: str, new: str) -> StackSpec:
        spec = self.stack(old)
        if old == new:
            return spec
        _refuse_default(old, "renamed")
        if self.metadata.stack(new) is not None:
            raise NameTaken(f"stack '{new}' exists already, so '{old}' keeps its name; choose another one.")
        self.metadata.rename_stack(old, new)
        if self.metadata.setting(_DEFAULT_SETTING) == old:
            self.metadata.set_setting(_DEFAULT_SETTING, new)
        return replace(spec, name=new)

    def _delete_stack(self, name: str, active: Collection[str]) -> StackSpec:
        spec = self.stack(name)
        _refuse_default(name, "deleted")
        if name in active:
            raise InUse(f"stack '{name}' is active; activate another one first, e.g. `%stack set default`.")
        if self.default_stack_name() == name:
            raise InUse(
                f"stack '{name}' is the one that new kernels start with; choose another one for them first, "
                "e.g. `%stack set default`."
            )
        self.metadata.delete_stack(name)
        return spec

    def _import(self, spec: StackSpec) -> tuple[bool, list[ComponentSpec]]:
        known = {(part.type, part.name): part for part in self.metadata.components()}
        parts = spec.components.values()
        conflicts = [
            f"{component_type(part.type).title} '{part.name}' ({'; '.join(differences(known[key], part))})"
            for part in parts
            if (key := (part.type, part.name)) in known and known[key] != part
        ]
        if conflicts:
            raise NameTaken(
                f"stack '{spec.name}' cannot be imported: {', '.join(conflicts)} differ from what is "
                "registered here; change the names in the exported text, or rename yours first."
            )
        fresh = [part for part in parts if (part.type, part.name) not in known]
        for part in fresh:
            self.metadata.put_component(part)
        return self._put_stack(spec)[1], fresh


def _refuse_default(name: str, verb: str) -> None:
    if name == DEFAULT:
        raise InUse(
            f"the stack 'default' cannot be {verb}; make one of your own with "
            "`%stack copy default NAME`, then work on that."
        )


def _in_order(parts: Iterable[ComponentSpec]) -> list[ComponentSpec]:
    """Return components in the order of their types, the two that every stack has first."""
    return sorted(parts, key=lambda part: _ORDER[part.type])


def _changes(before: StackSpec, after: StackSpec) -> list[str]:
    """Return what differs, type by type: `orchestrator: default → threads`."""
    found = []
    for kind in sorted({*before.components, *after.components}, key=_ORDER.__getitem__):
        old, new = (
            spec.components[kind].name if kind in spec.components else "none" for spec in (before, after)
        )
        if old != new:
            found.append(f"{component_type(kind).title}: {old} → {new}")
    return found
