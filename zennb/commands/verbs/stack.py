"""Owns the command `stack`: lists, shows, changes and activates stacks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import read_file
from zennb.commands.data import stack_data
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import YES, Argument, Command, verb
from zennb.core.records.component_types import REQUIRED_TYPES
from zennb.errors import StoreError, UsageError
from zennb.registry.flavors import why_unfit
from zennb.registry.home import abbreviated
from zennb.views import stack as stack_view
from zennb.views.markup import block
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.component_types import ComponentType
    from zennb.core.records.records import StackSpec

__all__ = ["stack_command"]

_LARGEST = 1_000_000
"""Bytes of an exported stack."""

SHORT = {
    "orchestrator": "-o",
    "artifact_store": "-a",
    "experiment_tracker": "-e",
    "step_operator": "-s",
    "container_registry": "-c",
    "model_registry": "-r",
    "model_deployer": "-d",
    "image_builder": "-i",
    "feature_store": "-f",
}
"""ZenML's one-letter options for component types."""


NAME = Argument("NAME", "the stack's name", required=True, kind="stack")


@verb("list the stacks", examples=("stack list",))
def _list(context: Context) -> Outcome:
    found, active = context.workspace.registry.stacks(), context.workspace.active
    data = [stack_data(spec, active=spec.name == active) for spec in found]
    return Outcome(view=stack_view.stacks(found, active=active), data=data)


@verb(
    "show a stack and its components; the active one when none is named",
    Argument("NAME", "the stack's name", kind="stack"),
    examples=("stack describe", "stack describe my_stack"),
)
def _describe(context: Context, name: str | None) -> Outcome:
    workspace = context.workspace
    return _card(context, workspace.snapshot() if name is None else workspace.registry.stack(name))


@verb(
    "make a stack the active one, here and in kernels started later", NAME, examples=("stack set my_stack",)
)
def _set(context: Context, name: str) -> Outcome:
    spec = context.workspace.set(name)
    return _card(context, spec, note=context.workspace.why_unreachable(spec.name))


def _card(context: Context, spec: StackSpec, note: str = "") -> Outcome:
    active = spec.name == context.workspace.active
    unfit = why_unfit(spec)
    links = context.workspace.dashboards(spec)
    places = context.workspace.places(spec)
    view = stack_view.stack(
        spec, active=active, unfit=unfit, note=note, links=links, places=abbreviated(places)
    )
    return Outcome(view=view, data=stack_data(spec, active=active, unfit=unfit, places=places), sentence=note)


def _register(context: Context, name: str, **components: Any) -> Outcome:
    activate = components.pop("set")
    spec, new = context.workspace.registry.register_stack(name, _named(components))
    use = f"Use it with `{context.command_line.replace(' register', ' set')} {spec.name}`."
    if activate:
        context.workspace.set(spec.name)
        use = "It is active from now on."
    done = f"registered. {use}" if new else "is already registered with these components; nothing changed."
    return _card(context, spec, note=_tried(context, spec, f"stack '{spec.name}' {done}", new or activate))


def _tried(context: Context, spec: StackSpec, note: str, changed: bool) -> str:
    """Return what was done to a stack, with what keeps its steps from running elsewhere."""
    problem = context.workspace.why_unreachable(spec.name) if changed else ""
    return f"{note} {problem}" if problem else note


def _update(context: Context, name: str, remove: tuple[str, ...], **components: str | None) -> Outcome:
    found = context.workspace.registry.update_stack(name, _named(components), remove=remove)
    changes = "; ".join(found.differences)
    done = f"updated: {changes}" if changes else "is so already; nothing changed"
    note = f"stack '{found.after.name}' {done}."
    return _card(context, found.after, note=_tried(context, found.after, note, bool(changes)))


def _named(components: Mapping[str, str | None]) -> dict[str, str]:
    """Return the components that were given: type → name."""
    return {kind: name for kind, name in components.items() if name is not None}


@verb(
    "register a stack of the same components under another name",
    Argument("SOURCE", "the stack to copy", required=True, kind="stack"),
    Argument("TARGET", "what to call the copy", required=True),
    examples=("stack copy my_stack other_stack",),
)
def _copy(context: Context, source: str, target: str) -> Outcome:
    spec = context.workspace.registry.copy_stack(source, target)
    return _card(context, spec, note=f"a copy of stack '{source}'.")


@verb(
    "rename a stack; runs of the past keep the old name",
    Argument("OLD", "its name", required=True, kind="stack"),
    Argument("NEW", "its new name", required=True),
    examples=("stack rename my_stack our_stack",),
)
def _rename(context: Context, old: str, new: str) -> Outcome:
    spec = context.workspace.registry.rename_stack(old, new)
    note = f"stack '{old}' is now called '{spec.name}'; runs of the past keep the old name."
    return _card(context, spec, note=note)


@verb(
    "delete a stack; its components, artifacts and runs stay",
    NAME,
    YES,
    examples=("stack delete my_stack",),
)
def _delete(context: Context, name: str, yes: bool) -> Outcome:
    del yes
    spec = context.workspace.registry.delete_stack(name)
    sentence = f"stack '{spec.name}' deleted; its components, artifacts and runs stay."
    return Outcome(view=message_view(sentence), data=stack_data(spec), sentence=sentence)


@verb(
    "open the panel of stacks: view, change and activate them",
    examples=("stack picker",),
    interfaces=frozenset({Interface.MAGIC}),
)
def _picker(context: Context) -> Outcome:
    if context.session is None:
        raise UsageError(f"{context.command_line} needs a notebook; here, type `stack list`.")
    return Outcome(view=context.session.panel("picker"))


@verb(
    "write a stack with its components as JSON; secrets are references only",
    NAME,
    Argument("FILE", "where to write it; by default it is shown", kind="path"),
    examples=("stack export my_stack my_stack.json",),
)
def _export(context: Context, name: str, file: str | None) -> Outcome:
    text = context.workspace.registry.export_stack(name)
    data = json.loads(text)
    if file is None:
        return Outcome(view=View(text.rstrip(), block(text.rstrip())), data=data)
    path = Path(file).expanduser()
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}); give another file name.") from error
    return Outcome(view=message_view(f"stack '{name}' written to {path}."), data=data)


@verb(
    "register an exported stack, and those of its components that are not there yet",
    Argument("FILE", "a JSON file that `stack export` wrote", required=True, kind="path"),
    examples=("stack import my_stack.json",),
)
def _import(context: Context, file: str) -> Outcome:
    path = Path(file).expanduser()
    try:
        text = read_file(path, limit=_LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"{path} cannot be read ({why}); give a file that `stack export` wrote.") from error
    spec, new = context.workspace.registry.import_stack(text)
    done = "imported" if new else "is already registered with these components; nothing changed"
    return _card(context, spec, note=f"stack '{spec.name}' {done}.")


def stack_command(kinds: Sequence[ComponentType]) -> Command:
    """Return the command for stacks of these component types."""
    components = [
        Argument(
            f"{SHORT.get(kind.name, '')} --{kind.command}".strip(),
            f"the {kind.title}, which {kind.purpose}",
            required=kind.name in REQUIRED_TYPES,
            kind=kind.name,
        )
        for kind in kinds
    ]
    register = verb(
        "register a stack; doing so again with the same components changes nothing",
        Argument("NAME", "what to call the stack", required=True),
        *components,
        Argument("--set", "make it the active stack at once", type=bool),
        examples=(
            "stack register my_stack -o default -a my_artifact_store",
            "stack register my_stack -o default -a my_artifact_store --set",
        ),
    )(_register)
    update = verb(
        "replace components of a stack, from its next run on",
        NAME,
        *(replace(each, required=False) for each in components),
        Argument("--remove", "leave out this type", type=tuple, word="TYPE", kind="component type"),
        examples=("stack update my_stack -a my_artifact_store",),
    )(_update)
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
            _list,
            _describe,
            _set,
            register,
            update,
            _copy,
            _rename,
            _delete,
            _picker,
            _export,
            _import,
        ),
    )
