"""Owns the command `stack`: what is registered, which one is active, and every change to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.commands.data import stack_data
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.step_options import named
from zennb.commands.syntax import Argument, Command, Verb
from zennb.core.records.component_types import REQUIRED_TYPES
from zennb.errors import StoreError, UsageError, ZennbError
from zennb.registry.flavors import check_stack
from zennb.views import stack as stack_view
from zennb.views.markup import block
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.parsed_arguments import ParsedArguments
    from zennb.core.records.records import ComponentType, StackSpec

__all__ = ["stack_command"]

SHORT = {
    "orchestrator": "-o",
    "artifact_store": "-a",
    "experiment_tracker": "-e",
    "step_operator": "-s",
    "container_registry": "-c",
    "model_deployer": "-d",
    "image_builder": "-i",
    "feature_store": "-f",
}
"""ZenML's one-letter options for component types."""


def _list(context: Context, arguments: ParsedArguments) -> Outcome:
    del arguments
    found, active = context.workspace.registry.stacks(), context.workspace.active
    data = [stack_data(spec, active=spec.name == active) for spec in found]
    return Outcome(view=stack_view.stacks(found, active=active), data=data)


def _describe(context: Context, arguments: ParsedArguments) -> Outcome:
    workspace = context.workspace
    name = arguments.optional("name")
    spec = workspace.snapshot() if name is None else workspace.registry.stack(name)
    return _card(context, spec)


def _card(context: Context, spec: StackSpec, note: str = "") -> Outcome:
    active = spec.name == context.workspace.active
    unfit = _unfit(spec)
    view = stack_view.stack(spec, active=active, unfit=unfit, note=note)
    return Outcome(view=view, data=stack_data(spec, active=active, unfit=unfit), sentence=note)


def _unfit(spec: StackSpec) -> str:
    try:
        check_stack(spec)
    except ZennbError as error:
        return error.message
    return ""


def _set(context: Context, arguments: ParsedArguments) -> Outcome:
    return _card(context, context.workspace.set(arguments.text("name")))


@dataclass(frozen=True, slots=True)
class _Parts:
    """The verbs that take one component per type."""

    kinds: Sequence[ComponentType]

    def register(self, context: Context, arguments: ParsedArguments) -> Outcome:
        workspace = context.workspace
        spec, new = workspace.registry.register_stack(arguments.text("name"), self._given(arguments))
        if arguments.flag("set"):
            workspace.set(spec.name)
        use = (
            " It is active from now on."
            if arguments.flag("set")
            else f" Use it with `{arguments.command_line.replace(' register', ' set')} {spec.name}`."
        )
        done = f"registered.{use}" if new else "is registered already, just so; nothing changed."
        return _card(context, spec, note=f"stack '{spec.name}' {done}")

    def update(self, context: Context, arguments: ParsedArguments) -> Outcome:
        found = context.workspace.registry.update_stack(
            arguments.text("name"), self._given(arguments), remove=named(arguments.list("remove"))
        )
        done = (
            f"updated: {'; '.join(found.differences)}"
            if found.differences
            else "is so already; nothing changed"
        )
        return _card(context, found.after, note=f"stack '{found.after.name}' {done}.")

    def _given(self, arguments: ParsedArguments) -> dict[str, str]:
        named = {kind.name: arguments.optional(kind.name) for kind in self.kinds}
        return {kind: name for kind, name in named.items() if name is not None}


def _copy(context: Context, arguments: ParsedArguments) -> Outcome:
    source = arguments.text("source")
    spec = context.workspace.registry.copy_stack(source, arguments.text("target"))
    return _card(context, spec, note=f"a copy of stack '{source}'.")


def _rename(context: Context, arguments: ParsedArguments) -> Outcome:
    old = arguments.text("old")
    spec = context.workspace.registry.rename_stack(old, arguments.text("new"))
    return _card(
        context, spec, note=f"stack '{old}' is now called '{spec.name}'; runs of the past keep the old name."
    )


def _delete(context: Context, arguments: ParsedArguments) -> Outcome:
    spec = context.workspace.registry.delete_stack(arguments.text("name"))
    sentence = f"stack '{spec.name}' deleted; its components, artifacts and runs stay."
    return Outcome(view=message_view(sentence), data=stack_data(spec), sentence=sentence)


def _picker(context: Context, arguments: ParsedArguments) -> Outcome:
    if context.session is None:
        raise UsageError(f"{arguments.command_line} needs a notebook; here, type `stack list`.")
    return Outcome(view=context.session.panel("picker"))


def _export(context: Context, arguments: ParsedArguments) -> Outcome:
    text = context.workspace.registry.export_stack(arguments.text("name"))
    data = json.loads(text)
    if arguments.optional("file") is None:
        return Outcome(view=View(text.rstrip(), block(text.rstrip())), data=data)
    file = Path(arguments.text("file")).expanduser()
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{file} cannot be written ({error.strerror}); give another file name.") from error
    return Outcome(view=message_view(f"stack '{arguments.text('name')}' written to {file}."), data=data)


def _import(context: Context, arguments: ParsedArguments) -> Outcome:
    file = Path(arguments.text("file")).expanduser()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said_why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"{file} cannot be read ({said_why}); give a file that `stack export` wrote."
        ) from error
    spec, new = context.workspace.registry.import_stack(text)
    done = "imported" if new else "is registered already, just so; nothing changed"
    return _card(context, spec, note=f"stack '{spec.name}' {done}.")


def _part(kind: ComponentType, *, required: bool) -> Argument:
    flags = (*([SHORT[kind.name]] if kind.name in SHORT else []), f"--{kind.command}")
    return Argument(
        flags=flags, kind=kind.name, required=required, help=f"the {kind.title}, which {kind.purpose}"
    )


NAME = Argument(flags=("NAME",), kind="stack", required=True, help="the stack's name")
OLD_STACK = Argument(flags=("OLD",), kind="stack", required=True, help="its name")
FILE = Argument(flags=("FILE",), kind="path", required=True, help="a JSON file that `stack export` wrote")
YES = Argument(flags=("--yes", "-y"), switch=True, help="no-op, for ZenML compatibility: zennb never prompts")


def stack_command(kinds: Sequence[ComponentType]) -> Command:
    """Return the command for stacks of these component types."""
    parts = _Parts(kinds)
    arguments = [_part(kind, required=kind.name in REQUIRED_TYPES) for kind in kinds]
    changed = [_part(kind, required=False) for kind in kinds]
    return Command(
        name="stack",
        help="stacks: named combinations of components that steps run on",
        default="describe",
        examples=(
            "stack",
            "stack list",
            "stack register my_stack -o default -a my_artifact_store",
            "stack set my_stack",
        ),
        parts=(
            Verb(name="list", help="list the stacks", run=_list, examples=("stack list",)),
            Verb(
                name="describe",
                help="show a stack and its components; the active one when none is named",
                run=_describe,
                arguments=(Argument(flags=("NAME",), kind="stack", help="the stack's name"),),
                examples=("stack describe", "stack describe my_stack"),
            ),
            Verb(
                name="set",
                help="make a stack the active one, here and in kernels started later",
                run=_set,
                arguments=(NAME,),
                examples=("stack set my_stack",),
            ),
            Verb(
                name="register",
                help="register a stack; doing so again with the same components changes nothing",
                run=parts.register,
                arguments=(
                    Argument(flags=("NAME",), required=True, help="what to call the stack"),
                    *arguments,
                    Argument(flags=("--set",), switch=True, help="make it the active stack at once"),
                ),
                examples=(
                    "stack register my_stack -o default -a my_artifact_store",
                    "stack register my_stack -o default -a my_artifact_store --set",
                ),
            ),
            Verb(
                name="update",
                help="exchange components of a stack; it runs with them from its next run on",
                run=parts.update,
                arguments=(
                    NAME,
                    *changed,
                    Argument(
                        flags=("--remove",),
                        many=True,
                        word="TYPE",
                        kind="component type",
                        help="leave out this type",
                    ),
                ),
                examples=("stack update my_stack -a my_artifact_store",),
            ),
            Verb(
                name="copy",
                help="register a stack of the same components under another name",
                run=_copy,
                arguments=(
                    Argument(flags=("SOURCE",), kind="stack", required=True, help="the stack to copy"),
                    Argument(flags=("TARGET",), required=True, help="what to call the copy"),
                ),
                examples=("stack copy my_stack other_stack",),
            ),
            Verb(
                name="rename",
                help="rename a stack; runs of the past keep the old name",
                run=_rename,
                arguments=(OLD_STACK, Argument(flags=("NEW",), required=True, help="its new name")),
                examples=("stack rename my_stack our_stack",),
            ),
            Verb(
                name="delete",
                help="delete a stack; its components, artifacts and runs stay",
                run=_delete,
                arguments=(NAME, YES),
                examples=("stack delete my_stack",),
            ),
            Verb(
                name="picker",
                help="open the panel of all stacks: look at them, change them, activate one",
                run=_picker,
                arguments=(),
                examples=("stack picker",),
                faces=frozenset({Interface.MAGIC}),
            ),
            Verb(
                name="export",
                help="write a stack with its components as JSON; secrets are references only",
                run=_export,
                arguments=(
                    NAME,
                    Argument(flags=("FILE",), kind="path", help="where to write it; else it is shown"),
                ),
                examples=("stack export my_stack my_stack.json",),
            ),
            Verb(
                name="import",
                help="register an exported stack, and those of its components that are not there yet",
                run=_import,
                arguments=(FILE,),
                examples=("stack import my_stack.json",),
            ),
        ),
    )
