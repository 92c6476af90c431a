"""Owns the commands of component types: `orchestrator`, `artifact-store`, and every other type with a flavor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb import plugins
from zennb.commands.data import component_data, plain
from zennb.commands.messages import article, message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import YES, Argument, Command, verb
from zennb.errors import MissingExtra
from zennb.views import component as component_view
from zennb.views.configuration import masked
from zennb.views.view import join

if TYPE_CHECKING:
    from zennb.core.records.component_types import ComponentType
    from zennb.core.records.records import ComponentSpec
    from zennb.plugins import FlavorInfo
    from zennb.registry.component_registry import ComponentDescription
    from zennb.registry.workspace import Workspace
    from zennb.views.view import View

__all__ = ["active_components", "component_command", "flavor_view"]


USUAL = {
    "orchestrator": "threads",
    "artifact_store": "local",
    "step_operator": "processes",
    "experiment_tracker": "local",
    "data_validator": "local",
    "alerter": "local",
    "annotator": "local",
}
"""Flavors used in examples."""


@dataclass(frozen=True, slots=True)
class _Verbs:
    """The verbs for components of one type."""

    kind: ComponentType

    def list(self, context: Context) -> Outcome:
        found = context.workspace.registry.components(self.kind.name)
        active = active_components(context.workspace)
        empty = "" if found else self._none(context)
        view = component_view.components(found, active=active, empty=empty)
        return Outcome(view=view, data=plain(found))

    def _none(self, context: Context) -> str:
        """Return the sentence for a type without components: what there is, and how to get one."""
        flavors = [flavor_view(each) for each in context.workspace.registry.flavors(self.kind.name)]
        known = [f"{each.name} (to be installed)" if each.needs else each.name for each in flavors]
        ready = next((each.name for each in flavors if not each.needs), "FLAVOR")
        line = f"`%{self.kind.command} register NAME --flavor={ready}`"
        told = f"no {self.kind.title} is registered; supported: {', '.join(known)}. Type {line} for one."
        return context.interface.adapt(told)

    def describe(self, context: Context, name: str) -> Outcome:
        found = context.workspace.registry.describe_component(self.kind.name, name)
        view = join([_card(found), *(message_view(each) for each in _notes(found))], gap=0)
        more = {
            "description": found.description,
            "options": [{**plain(each), "value": masked(each.name, each.value)} for each in found.options],
            "stacks": list(found.stacks),
            "reach": found.reach,
            "place": found.place,
            "problem": found.problem,
        }
        return Outcome(view=view, data=component_data(found.spec, **more))

    def register(self, context: Context, name: str, flavor: str, free: dict[str, str]) -> Outcome:
        spec, new = context.workspace.registry.register_component(self.kind.name, name, flavor, free)
        if not new:
            return self._done(spec, "is already registered with these settings; nothing changed")
        return self._done(spec, f"registered (flavor {spec.flavor})", problem=_problem(context, spec))

    def update(self, context: Context, name: str, remove: tuple[str, ...], free: dict[str, str]) -> Outcome:
        found = context.workspace.registry.update_component(self.kind.name, name, free, unset=remove)
        if not found.differences:
            return self._done(found.after, "is so already; nothing changed")
        used = f"; stacks that use it: {', '.join(found.stacks)}" if found.stacks else ""
        done = f"updated ({', '.join(found.differences)}){used}"
        return self._done(found.after, done, problem=_problem(context, found.after))

    def rename(self, context: Context, old: str, new: str) -> Outcome:
        spec = context.workspace.registry.rename_component(self.kind.name, old, new)
        return self._done(spec, f"is now called '{spec.name}'", name=old)

    def delete(self, context: Context, name: str, yes: bool) -> Outcome:
        del yes
        return self._done(context.workspace.registry.delete_component(self.kind.name, name), "deleted")

    def flavors(self, context: Context) -> Outcome:
        shown = [flavor_view(each) for each in context.workspace.registry.flavors(self.kind.name)]
        return Outcome(view=component_view.flavors(shown), data=plain(shown))

    def _done(self, spec: ComponentSpec, what: str, *, name: str = "", problem: str = "") -> Outcome:
        sentence = f"{self.kind.title} '{name or spec.name}' {what}."
        if problem:
            sentence += f" It does not work yet: {problem}"
        return Outcome(view=message_view(sentence), data=component_data(spec), sentence=sentence)


def _problem(context: Context, spec: ComponentSpec) -> str:
    """Return what a component that was just registered or updated lacks; "" when it works."""
    return context.workspace.registry.why_unusable(spec)


def _card(found: ComponentDescription) -> View:
    options = [
        component_view.OptionHelp(name=each.name, default="" if each.is_set else each.value, help=each.help)
        for each in found.options
    ]
    return component_view.component(
        found.spec, description=found.description, choices=options, used_by=found.stacks, reach=found.reach
    )


def _notes(found: ComponentDescription) -> list[str]:
    notes = [f"It keeps its artifacts in {found.place}"] if found.place else []
    return [*notes, *([f"It cannot be used now: {found.problem}"] if found.problem else [])]


def active_components(workspace: Workspace) -> list[ComponentSpec]:
    """Return the components of the active stack; none if another kernel deleted it."""
    stack = workspace.metadata.stack(workspace.active)
    return [] if stack is None else list(stack.components.values())


def flavor_view(info: FlavorInfo) -> component_view.Flavor:
    """Return a flavor for views: with the description of its class, or what has to be installed first."""
    try:
        description, needs = str(plugins.load(info.type, info.name).description), ""
    except MissingExtra as error:
        description, needs = info.description, error.message
    return component_view.Flavor(type=info.type, name=info.name, description=description, needs=needs)


def component_command(kind: ComponentType) -> Command:
    """Return the command of one component type."""
    verbs, noun, title, a_noun = _Verbs(kind), kind.command, kind.title, article(kind.title)
    name = Argument("NAME", f"the {title}'s name", required=True, kind=kind.name)
    mine, usual = f"my_{kind.name}", USUAL.get(kind.name, "FLAVOR")
    listing = verb(f"list the {kind.titles} registered", examples=(f"{noun} list",))
    describe = verb(
        f"show {a_noun}: flavor, options, and the stacks that use it",
        name,
        examples=(f"{noun} describe default",),
    )
    register = verb(
        f"register {a_noun}; doing so again with the same options changes nothing",
        Argument("NAME", f"what to call the {title}", required=True),
        Argument(
            "-f --flavor",
            "the implementation; see `flavor list`",
            required=True,
            kind=f"flavor:{kind.name}",
        ),
        free="an option of the flavor",
        examples=(
            f"{noun} register {mine} --flavor={usual}",
            f"{noun} register {mine} -f {usual} --key=value",
        ),
    )
    update = verb(
        "set options, or reset them to their defaults",
        name,
        Argument(
            "--remove",
            "an option to reset to its default",
            type=tuple,
            word="KEY",
            kind=f"option:{kind.name}",
        ),
        free="an option of the flavor",
        examples=(f"{noun} update {mine} --key=value", f"{noun} update {mine} --remove key"),
    )
    rename = verb(
        f"rename {a_noun}, in the stacks that use it too",
        Argument("OLD", "its name", required=True, kind=kind.name),
        Argument("NEW", "its new name", required=True),
        examples=(f"{noun} rename {mine} other_{kind.name}",),
    )
    delete = verb(f"delete {a_noun} that no stack uses", name, YES, examples=(f"{noun} delete {mine}",))
    flavors = verb(
        f"list the flavors of {kind.titles}, and what each needs",
        name="list",
        examples=(f"{noun} flavor list",),
    )
    return Command(
        name=noun,
        help=f"{kind.titles}: {a_noun} {kind.purpose}",
        default="list",
        examples=(f"{noun} list", f"{noun} register {mine} --flavor={usual}", f"{noun} describe {mine}"),
        parts=(
            listing(verbs.list),
            describe(verbs.describe),
            register(verbs.register),
            update(verbs.update),
            rename(verbs.rename),
            delete(verbs.delete),
            Command(
                name="flavor",
                help=f"the implementations of {kind.titles}",
                default="list",
                parts=(flavors(verbs.flavors),),
            ),
        ),
    )
