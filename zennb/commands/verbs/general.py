"""Owns the commands about zennb itself: `dashboard`, `version`, `init`, `components`, `autostep`, `help`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.commands.verbs.component import active_components, flavor_view
from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.errors import UsageError
from zennb.plugins import all_flavors
from zennb.views import component as component_view
from zennb.views.component_type import component_types
from zennb.views.page import page

if TYPE_CHECKING:
    from zennb.views.table import Table

__all__ = ["PARTS", "types_view"]

MAGIC = frozenset({Interface.MAGIC})

_ON = (
    "Every cell from the next one on is a step, named after the first name it binds. Leave one out with "
    "`#| step: off` on top of it; name one with `#| step: NAME`."
)
_OFF = "A cell is a step when it says so: `%%step` or `#| step: NAME` on top of it."


@verb(
    "open the panel of stacks, runs, artifacts and this notebook's pipeline",
    examples=("dashboard",),
    interfaces=MAGIC,
)
def _dashboard(context: Context) -> Outcome:
    if context.session is None:
        raise UsageError(f"{context.command_line} needs a notebook; here, type `%runs` or `%artifacts`.")
    return Outcome(view=context.session.panel("dashboard"))


@verb("show the version of zennb", examples=("version",))
def _version(context: Context) -> Outcome:
    del context
    number = version("zennb")
    return Outcome(view=message_view(f"zennb {number}"), data={"version": number})


@verb(
    "create `.zennb` in a folder: the home of all notebooks in it and below",
    Argument("FOLDER", "the folder; this one by default", default=".", kind="path"),
    examples=("init",),
    interfaces=frozenset({Interface.TERMINAL}),
)
def _init(context: Context, folder: str) -> Outcome:
    del context
    from zennb.registry.home import initialise

    home = initialise(Path(folder))
    sentence = (
        f"{home} is the home of all notebooks in {Path(folder).absolute()} and below; it is ignored by git."
    )
    return Outcome(view=message_view(sentence), data={"home": str(home)})


@verb(
    "list all component types with their flavors, and the components registered",
    examples=("components",),
)
def _components(context: Context) -> Outcome:
    types, found = types_view(), context.workspace.registry.components()
    here = component_view.components(found, active=active_components(context.workspace))
    view = page([("component types", types), ("registered here", here)])
    return Outcome(view=view, data={"types": types.rows(), "components": plain(found)})


def types_view() -> Table:
    """Return all component types with the flavors installed here, and what each flavor needs to be imported."""
    found = {
        kind: [flavor_view(known[name]) for name in sorted(known)] for kind, known in all_flavors().items()
    }
    return component_types(COMPONENT_TYPES, found)


@verb(
    "make every following cell a step, or stop doing so; without STATE, show the current setting",
    Argument("STATE", "the new setting", choices=("on", "off")),
    examples=("autostep on", "autostep off"),
    interfaces=MAGIC,
)
def _autostep(context: Context, state: str | None) -> Outcome:
    if context.session is None:
        raise UsageError("there is no notebook session here yet; type `%load_ext zennb` first.")
    if state is not None:
        context.session.autostep = state == "on"
    is_on = context.session.autostep
    sentence = f"Autostep is {'on' if is_on else 'off'}. {_ON if is_on else _OFF}"
    return Outcome(view=message_view(sentence), data={"autostep": is_on})


@verb(
    "show the help of a command",
    Argument("COMMAND", "the command", type=list),
    examples=("help stack register",),
)
def _help(context: Context, command: list[str]) -> Outcome:
    del context, command
    raise AssertionError("`dispatch.run` answers `help` itself, since it needs the whole tree")


PARTS = (_dashboard, _version, _init, _components, _autostep, _help)
