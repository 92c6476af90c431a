"""Owns the commands about zennb itself: `dashboard`, `version`, `init`, `components`, `trust`, `help`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from zennb import api
from zennb.commands.data import artifact_data, plain
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.commands.verbs.component import active_components, flavor_view
from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.errors import UsageError
from zennb.plugins import all_flavors
from zennb.views import component as component_view
from zennb.views.component_type import component_types
from zennb.views.page import page

if TYPE_CHECKING:
    from zennb.commands.parsed_arguments import ParsedArguments
    from zennb.views.table import Table

__all__ = ["COMPONENTS", "DASHBOARD", "HELP", "INIT", "TRUST", "VERSION", "types_view"]


def _dashboard(context: Context, arguments: ParsedArguments) -> Outcome:
    if context.session is None:
        raise UsageError(f"{arguments.command_line} needs a notebook; here, type `%runs` or `%artifacts`.")
    return Outcome(view=context.session.panel("dashboard"))


def _version(context: Context, arguments: ParsedArguments) -> Outcome:
    del context, arguments
    number = version("zennb")
    return Outcome(view=message_view(f"zennb {number}"), data={"version": number})


def _init(context: Context, arguments: ParsedArguments) -> Outcome:
    del context
    from zennb.registry.home import initialise

    folder = Path(arguments.optional("folder") or ".")
    home = initialise(folder)
    sentence = f"{home} is the home of all notebooks in {folder.absolute()} and below; it is ignored by git."
    return Outcome(view=message_view(sentence), data={"home": str(home)})


def _components(context: Context, arguments: ParsedArguments) -> Outcome:
    del arguments
    types, found = types_view(), context.workspace.registry.components()
    here = component_view.components(found, active=active_components(context.workspace))
    view = page([("component types", types), ("registered here", here)])
    return Outcome(view=view, data={"types": types.rows(), "components": plain(found)})


def types_view() -> Table:
    """Return all component types with the flavors installed here; importing each flavor tells what it needs."""
    found = {
        kind: [flavor_view(known[name]) for name in sorted(known)] for kind, known in all_flavors().items()
    }
    return component_types(COMPONENT_TYPES, found)


def _trust(context: Context, arguments: ParsedArguments) -> Outcome:
    from zennb.materializers.signer import Signer

    found = api.find_artifact(context.workspace, arguments.text("name"), version=arguments.integer("version"))
    Signer().trust(found.blob)
    sentence = f"{found.label} is trusted by you from now on: loading it may run code that its maker wrote."
    return Outcome(view=message_view(sentence), data=artifact_data(found))


def _help(context: Context, arguments: ParsedArguments) -> Outcome:
    del context, arguments
    raise AssertionError("`dispatch.run` answers `help` itself, since it needs the whole tree")


DASHBOARD = Verb(
    name="dashboard",
    help="open the panel of stacks, runs, artifacts and this notebook's pipeline",
    run=_dashboard,
    examples=("dashboard",),
    faces=frozenset({Interface.MAGIC}),
)
VERSION = Verb(name="version", help="show the version of zennb", run=_version, examples=("version",))
INIT = Verb(
    name="init",
    help="make `.zennb` in a folder: the home of all notebooks in it and below",
    run=_init,
    arguments=(Argument(flags=("FOLDER",), kind="path", help="the folder; this one by default"),),
    examples=("init",),
    faces=frozenset({Interface.TERMINAL}),
)
COMPONENTS = Verb(
    name="components",
    help="list all component types with their flavors, and the components registered",
    run=_components,
    examples=("components",),
)
TRUST = Verb(
    name="trust",
    help="trust a pickled artifact from another user (loading it can run code)",
    run=_trust,
    arguments=(
        Argument(flags=("NAME",), kind="artifact", required=True, help="the artifact's name"),
        Argument(
            flags=("--version",),
            number=int,
            word="N",
            help="this version; by default what the name stands for now",
        ),
    ),
    examples=("trust model",),
)
HELP = Verb(
    name="help",
    help="show the help of a command",
    run=_help,
    arguments=(Argument(flags=("COMMAND",), many=True, help="the command"),),
    examples=("help stack register",),
)
