"""Owns `ComponentRegistry`: registering, updating, renaming, deleting, describing and listing components."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb import plugins
from zennb.core.records.component_types import REQUIRED_TYPES, component_type
from zennb.core.records.records import ComponentSpec
from zennb.core.secrets.held import HELD
from zennb.errors import InUse, NameTaken, UnknownName, UsageError, ZennbError
from zennb.registry.changes import Listeners, Updated
from zennb.registry.flavors import check_stack, differences, made, normal
from zennb.registry.names import DEFAULT, checked_name, listed
from zennb.registry.pool import located, place
from zennb.registry.writable import check_writable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from zennb.core.records.component_types import ComponentType
    from zennb.core.records.records import StackSpec
    from zennb.metadata.store import MetadataStore
    from zennb.plugins import FlavorInfo

__all__ = ["ComponentDescription", "ComponentRegistry", "OptionValue"]

_PROBE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionValue:
    """One option of a registered component.

    Attributes:
        name: as typed after `--`.
        value: its text now; a secret's is its reference.
        is_set: whether it differs from the default.
        help: what it does; "" when the flavor's library is not installed.
    """

    name: str
    value: str
    is_set: bool
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentDescription:
    """The description of a registered component.

    Attributes:
        spec: what is registered.
        description: one line on its flavor.
        options: every option with its value.
        stacks: names of the stacks that use it.
        reach: from where it can be reached, in words; "" when unknown.
        place: the directory of a local store; else "".
        problem: why it cannot be used now, e.g. a library that is not installed; else "".
    """

    spec: ComponentSpec
    description: str = ""
    options: tuple[OptionValue, ...] = ()
    stacks: tuple[str, ...] = ()
    reach: str = ""
    place: str = ""
    problem: str = ""


class ComponentRegistry:
    """The registered components of a home.

    Types may be written with dashes or underscores. Every method may raise `UnknownName` for a type, flavor
    or component that does not exist, `StoreBusy` and `StoreError`.

    Args:
        metadata: where they are recorded.
        home: the home directory, which contains the local stores.
    """

    def __init__(self, metadata: MetadataStore, home: Path) -> None:
        self.metadata, self.home = metadata, home
        self.listeners = Listeners()

    def components(self, type: str | None = None) -> list[ComponentSpec]:  # noqa: A002 -- ZenML's word
        """Return registered components of one type or all, by type and name."""
        return self.metadata.components(None if type is None else component_type(type).name)

    def component(self, type: str, name: str) -> ComponentSpec:  # noqa: A002 -- ZenML's word
        """Return one registered component.

        Raises:
            UnknownName: there is none of that name.
        """
        kind = component_type(type)
        known = {spec.name: spec for spec in self.metadata.components(kind.name)}
        if name not in known:
            hint = _registering(name, kind.name) or f"List them with `%{kind.command} list`."
            raise UnknownName(kind.title, name, known, hint=hint)
        return known[name]

    def step_operator(self, name: str) -> ComponentSpec:
        """Return the step operator of that name, else the orchestrator: either runs a single step.

        Raises:
            UnknownName: there is neither.
        """
        known: dict[str, ComponentSpec] = {}
        for kind in ("step_operator", "orchestrator"):
            for spec in self.metadata.components(kind):
                known.setdefault(spec.name, spec)
        if name not in known:
            usual = "List them with `%step-operator list` and `%orchestrator list`."
            hint = _registering(name, "step_operator") or usual
            raise UnknownName("step operator or orchestrator", name, known, hint=hint)
        return known[name]

    def flavors(self, type: str) -> list[FlavorInfo]:  # noqa: A002 -- ZenML's word
        """Return the flavors a component type has, by name."""
        found = plugins.flavors(component_type(type).name)
        return [found[name] for name in sorted(found)]

    def describe_component(self, type: str, name: str) -> ComponentDescription:  # noqa: A002 -- ZenML's word
        """Return the description of a component, even when its library is not installed."""
        spec = self.component(type, name)
        stacks = tuple(stack.name for stack in self.stacks_with(spec))
        try:
            component = made(located(spec, self.home))
        except ZennbError as error:
            values = tuple(
                OptionValue(name=key, value=text, is_set=True) for key, text in spec.config.items()
            )
            return ComponentDescription(spec=spec, options=values, stacks=stacks, problem=error.message)
        texts = component.config_text()
        options = tuple(
            OptionValue(
                name=option.name,
                value=texts.get(option.name, option.default),
                is_set=option.name in spec.config,
                help=option.help,
            )
            for option in component.options().values()
        )
        return ComponentDescription(
            spec=spec,
            description=component.description,
            options=options,
            stacks=stacks,
            reach=component.visibility.words,
            place=place(spec, self.home),
        )

    def stacks_with(self, spec: ComponentSpec) -> list[StackSpec]:
        """Return the stacks that use a component."""
        return [
            stack
            for stack in self.metadata.stacks()
            if spec.type in stack.components and stack.components[spec.type].name == spec.name
        ]

    def register_component(
        self,
        type: str,  # noqa: A002 -- ZenML's word
        name: str,
        flavor: str,
        config: Mapping[str, str] | None = None,
    ) -> tuple[ComponentSpec, bool]:
        """Register a component; an equal one is left alone, so that cells can be run again.

        Args:
            type: the component type.
            name: printable text.
            flavor: the implementation.
            config: options as text, as typed.

        Returns:
            What is registered, and whether it is new.

        Raises:
            UsageError: the name is not allowed.
            NameTaken: one of that name differs; the message shows how.
            InvalidConfiguration: the flavor has no such option, or the option no such value; or nothing can be
                written where the component is to keep what it stores.
            MissingExtra: the flavor's library is not installed.
        """
        kind = component_type(type)
        checked_name(kind.title, name)
        spec = normal(ComponentSpec(type=kind.name, name=name, flavor=flavor, config=config or {}))
        if directory := place(spec, self.home):
            command = f"%{kind.command} register {name} --flavor={flavor}"
            check_writable(directory, what=f"{kind.title} '{name}'", command=command)
        # Asked and written in one transaction: two kernels that register one name at the same
        # time must not both be first.
        created = self.metadata.atomically(lambda: self._put_new(spec))
        if created:
            self.listeners.notify("register", kind.name, name)
        return spec, created

    def update_component(
        self,
        type: str,  # noqa: A002 -- ZenML's word
        name: str,
        config: Mapping[str, str] | None = None,
        *,
        unset: Iterable[str] = (),
    ) -> Updated[ComponentSpec]:
        """Set and unset options of a component; stacks that use it do so from their next run on.

        Args:
            type: the component type.
            name: which component.
            config: options to set, as text.
            unset: options to reset to their defaults.

        Raises:
            InUse: it is a default component.
            InvalidConfiguration: the flavor has no such option, or the option no such value.
            UnfitStack: a stack that uses it would become invalid.
        """
        kind = component_type(type).name
        made(self.component(kind, name))  # import the flavor, which may take seconds, before the transaction
        updated = self.metadata.atomically(lambda: self._update(kind, name, config or {}, tuple(unset)))
        if updated.differences:
            self.listeners.notify("update", kind, name)
        return updated

    def why_unusable(self, spec: ComponentSpec) -> str:
        """Return why a component does not work now, as a sentence; "" when it does. This takes ten seconds at most."""
        component = made(located(spec, self.home))
        try:
            component.probe(seconds=_PROBE_SECONDS)
        except ZennbError as error:
            return HELD.mask(error.message)  # often with the address that was tried
        finally:
            component.close()
        return ""

    def rename_component(self, type: str, old: str, new: str) -> ComponentSpec:  # noqa: A002 -- ZenML's word
        """Rename a component, also in the stacks that use it; a local store keeps its directory.

        Raises:
            InUse: it is a default component.
            UsageError: the name is not allowed.
            NameTaken: there is one of the new name.
        """
        kind = component_type(type)
        checked_name(kind.title, new)
        renamed = self.metadata.atomically(lambda: self._rename(kind, old, new))
        if old != new:
            self.listeners.notify("rename", kind.name, old, new_name=new)
        return renamed

    def delete_component(self, type: str, name: str) -> ComponentSpec:  # noqa: A002 -- ZenML's word
        """Delete a component; the files of a store stay.

        Raises:
            InUse: it is a default component, or stacks use it.
        """
        kind = component_type(type)
        deleted = self.metadata.atomically(lambda: self._delete(kind, name))
        self.listeners.notify("delete", kind.name, name)
        return deleted

    # Inside the transactions

    def _put_new(self, spec: ComponentSpec) -> bool:
        """Write a component unless an equal one exists; return whether it was written."""
        known = {other.name: other for other in self.metadata.components(spec.type)}
        existing = known.get(spec.name)
        if existing is None:
            self.metadata.put_component(spec)
        elif existing != spec:
            raise NameTaken(_taken(existing, spec))
        return existing is None

    def _update(
        self, kind: str, name: str, config: Mapping[str, str], unset: tuple[str, ...]
    ) -> Updated[ComponentSpec]:
        before = self.component(kind, name)
        remaining = _without(before, unset, config)
        after = normal(replace(before, config={**remaining, **config}))
        stacks = self.stacks_with(before)
        changed = tuple(differences(before, after))
        if changed:
            _refuse_default(before, "changed")
            self.metadata.put_component(after, replace=True)
            for stack in stacks:  # a refusal rolls the transaction back
                check_stack(replace(stack, components={**stack.components, kind: after}))
        return Updated(
            before=before, after=after, differences=changed, stacks=tuple(stack.name for stack in stacks)
        )

    def _rename(self, kind: ComponentType, old: str, new: str) -> ComponentSpec:
        spec = self.component(kind.name, old)
        if old == new:
            return spec
        _refuse_default(spec, "renamed")
        if any(other.name == new for other in self.metadata.components(kind.name)):
            raise NameTaken(
                f"{kind.title} '{new}' exists already, so '{old}' keeps its name; choose another one."
            )
        directory = place(spec, self.home)
        self.metadata.rename_component(kind.name, old, new)
        renamed = replace(spec, name=new)
        if directory and place(renamed, self.home) != directory:
            # The default directory follows from the name: record the old one, so that its artifacts are found.
            renamed = replace(renamed, config={**spec.config, "path": directory})
            self.metadata.put_component(renamed, replace=True)
        return renamed

    def _delete(self, kind: ComponentType, name: str) -> ComponentSpec:
        spec = self.component(kind.name, name)
        _refuse_default(spec, "deleted")
        stacks = [stack.name for stack in self.stacks_with(spec)]
        if stacks:
            one = len(stacks) == 1
            raise InUse(
                f"{kind.title} '{name}' is used by {'stack' if one else 'stacks'} {listed(stacks)}; "
                f"give {'it' if one else 'them'} another one with "
                f"`%stack update NAME --{kind.command}=OTHER` first, or delete with `%stack delete NAME`."
            )
        self.metadata.delete_component(kind.name, name)
        return spec


def _registering(name: str, type: str) -> str:  # noqa: A002 -- ZenML's word
    """Return how to register a component of that name, if somebody typed the name of a flavor; "" otherwise."""
    if name not in plugins.flavors(type):
        return ""
    command = component_type(type).command
    return f"'{name}' is a flavor; `%{command} register {name} --flavor={name}` registers such a component."


def _refuse_default(spec: ComponentSpec, verb: str) -> None:
    if spec.name == DEFAULT and spec.type in REQUIRED_TYPES:
        kind = component_type(spec.type)
        raise InUse(
            f"{kind.title} 'default' belongs to the stack 'default' and cannot be {verb}; register one "
            f"of your own with `%{kind.command} register NAME --flavor={spec.flavor}`."
        )


def _taken(existing: ComponentSpec, wanted: ComponentSpec) -> str:
    kind = component_type(existing.type)
    difference = "; ".join(differences(existing, wanted))
    if existing.flavor != wanted.flavor or (existing.name == DEFAULT and existing.type in REQUIRED_TYPES):
        advice = "choose another name"
    else:
        advice = f"choose another name, or change it with `%{kind.command} update`"
    return f"{kind.title} '{existing.name}' exists with another configuration ({difference}); {advice}."


def _without(spec: ComponentSpec, unset: tuple[str, ...], config: Mapping[str, str]) -> dict[str, str]:
    """Return the options of `spec` but for those to unset, which must exist and must not be set as well."""
    options = plugins.load(spec.type, spec.flavor).options()
    for option in unset:
        if option not in options:
            raise UnknownName(f"option of flavor '{spec.flavor}'", option, options)
        if option in config:
            raise UsageError(
                f"the option `{option}` is to be set and unset at once; type only one of the two."
            )
    return {option: text for option, text in spec.config.items() if option not in unset}
