"""Owns the commands of component types: `orchestrator`, `artifact-store`, and any other type that has a flavor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb import plugins
from zennb.commands.data import component_data, plain
from zennb.commands.messages import article, message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.step_options import named
from zennb.commands.syntax import Argument, Command, Verb
from zennb.errors import MissingExtra
from zennb.views import component as component_view
from zennb.views.configuration import masked
from zennb.views.view import join

if TYPE_CHECKING:
    from zennb.commands.parsed_arguments import ParsedArguments
    from zennb.core.records.records import ComponentSpec, ComponentType
    from zennb.plugins import FlavorInfo
    from zennb.registry.component_registry import ComponentDescription
    from zennb.registry.workspace import Workspace
    from zennb.views.view import View

__all__ = ["active_components", "component_command", "flavor_view"]


USUAL = {"orchestrator": "threads", "artifact_store": "local"}
"""Flavors for examples."""


@dataclass(frozen=True, slots=True)
class _Verbs:
    """What can be done with components of one type."""

    kind: ComponentType

    def list(self, context: Context, arguments: ParsedArguments) -> Outcome:
        del arguments
        found = context.workspace.registry.components(self.kind.name)
        view = component_view.components(found, active=active_components(context.workspace))
        return Outcome(view=view, data=plain(found))

    def describe(self, context: Context, arguments: ParsedArguments) -> Outcome:
        found = context.workspace.registry.describe_component(self.kind.name, arguments.text("name"))
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

    def register(self, context: Context, arguments: ParsedArguments) -> Outcome:
        spec, new = context.workspace.registry.register_component(
            self.kind.name, arguments.text("name"), arguments.text("flavor"), arguments.free
        )
        done = (
            f"registered (flavor {spec.flavor})" if new else "is registered already, just so; nothing changed"
        )
        return self._said(spec, done)

    def update(self, context: Context, arguments: ParsedArguments) -> Outcome:
        found = context.workspace.registry.update_component(
            self.kind.name, arguments.text("name"), arguments.free, unset=named(arguments.list("remove"))
        )
        if not found.differences:
            return self._said(found.after, "is so already; nothing changed")
        used = f"; stacks that use it: {', '.join(found.stacks)}" if found.stacks else ""
        return self._said(found.after, f"updated ({', '.join(found.differences)}){used}")

    def rename(self, context: Context, arguments: ParsedArguments) -> Outcome:
        old = arguments.text("old")
        spec = context.workspace.registry.rename_component(self.kind.name, old, arguments.text("new"))
        return _done(f"{self.kind.title} '{old}' is now called '{spec.name}'.", spec)

    def delete(self, context: Context, arguments: ParsedArguments) -> Outcome:
        spec = context.workspace.registry.delete_component(self.kind.name, arguments.text("name"))
        return self._said(spec, "deleted")

    def flavors(self, context: Context, arguments: ParsedArguments) -> Outcome:
        del arguments
        found = context.workspace.registry.flavors(self.kind.name)
        shown = [flavor_view(each) for each in found]
        return Outcome(view=component_view.flavors(shown), data=plain(shown))

    def _said(self, spec: ComponentSpec, what: str) -> Outcome:
        return _done(f"{self.kind.title} '{spec.name}' {what}.", spec)


def _done(sentence: str, spec: ComponentSpec) -> Outcome:
    return Outcome(view=message_view(sentence), data=component_data(spec), sentence=sentence)


def _card(found: ComponentDescription) -> View:
    options = [
        component_view.OptionHelp(name=each.name, default="" if each.is_set else each.value, help=each.help)
        for each in found.options
    ]
    return component_view.component(
        found.spec, description=found.description, choices=options, used_by=found.stacks, reach=found.reach
    )


def _notes(found: ComponentDescription) -> list[str]:
    kept = [f"It keeps its artifacts in {found.place}"] if found.place else []
    return [*kept, *([f"It cannot be used now: {found.problem}"] if found.problem else [])]


def active_components(workspace: Workspace) -> list[ComponentSpec]:
    """Return the components of the active stack; none when it was deleted by another kernel."""
    stack = workspace.metadata.stack(workspace.active)
    return [] if stack is None else list(stack.components.values())


def flavor_view(info: FlavorInfo) -> component_view.Flavor:
    """Return a flavor as views show it: with its class's description, or what has to be installed first."""
    try:
        description, needs = str(plugins.load(info.type, info.name).description), ""
    except MissingExtra as error:
        description, needs = info.description, error.message
    return component_view.Flavor(type=info.type, name=info.name, description=description, needs=needs)


def component_command(kind: ComponentType) -> Command:
    """Return the command of one component type."""
    verbs, noun, a_noun = _Verbs(kind), kind.command, article(kind.title)
    name = Argument(flags=("NAME",), kind=kind.name, required=True, help=f"the {kind.title}'s name")
    mine, usual = f"my_{kind.name}", USUAL.get(kind.name, "FLAVOR")
    flavor = Argument(
        flags=("-f", "--flavor"),
        kind=f"flavor:{kind.name}",
        required=True,
        help="the implementation; see `flavor list`",
    )
    return Command(
        name=noun,
        help=f"{kind.title}s: {a_noun} {kind.purpose}",
        default="list",
        examples=(f"{noun} list", f"{noun} register {mine} --flavor={usual}", f"{noun} describe {mine}"),
        parts=(
            Verb(
                name="list",
                help=f"list the {kind.title}s registered",
                run=verbs.list,
                examples=(f"{noun} list",),
            ),
            Verb(
                name="describe",
                help=f"show {a_noun}: flavor, options, and the stacks that use it",
                run=verbs.describe,
                arguments=(name,),
                examples=(f"{noun} describe default",),
            ),
            Verb(
                name="register",
                help=f"register {a_noun}; doing so again with the same options changes nothing",
                run=verbs.register,
                arguments=(
                    Argument(flags=("NAME",), required=True, help=f"what to call the {kind.title}"),
                    flavor,
                ),
                free="an option of the flavor",
                examples=(
                    f"{noun} register {mine} --flavor={usual}",
                    f"{noun} register {mine} -f {usual} --key=value",
                ),
            ),
            Verb(
                name="update",
                help="set options, or give them back to their defaults",
                run=verbs.update,
                arguments=(
                    name,
                    Argument(
                        flags=("--remove",),
                        many=True,
                        word="KEY",
                        kind=f"option:{kind.name}",
                        help="an option that goes back to its default",
                    ),
                ),
                free="an option of the flavor",
                examples=(f"{noun} update {mine} --key=value", f"{noun} update {mine} --remove key"),
            ),
            Verb(
                name="rename",
                help=f"rename {a_noun}, in the stacks that use it too",
                run=verbs.rename,
                arguments=(
                    Argument(flags=("OLD",), kind=kind.name, required=True, help="its name"),
                    Argument(flags=("NEW",), required=True, help="its new name"),
                ),
                examples=(f"{noun} rename {mine} other_{kind.name}",),
            ),
            Verb(
                name="delete",
                help=f"delete {a_noun} that no stack uses",
                run=verbs.delete,
                arguments=(
                    name,
                    Argument(
                        flags=("--yes", "-y"),
                        switch=True,
                        help="no-op, for ZenML compatibility: zennb never prompts",
                    ),
                ),
                examples=(f"{noun} delete {mine}",),
            ),
            _flavor(verbs),
        ),
    )


def _flavor(verbs: _Verbs) -> Command:
    noun, title = verbs.kind.command, verbs.kind.title
    return Command(
        name="flavor",
        help=f"the implementations of {title}s",
        default="list",
        parts=(
            Verb(
                name="list",
                help=f"list the flavors of {title}s, and what each needs",
                run=verbs.flavors,
                examples=(f"{noun} flavor list",),
            ),
        ),
    )
