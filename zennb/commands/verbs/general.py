"""Owns the commands about zennb itself: `dashboard`, `version`, `init`, `components`, `autostep`, `help`."""

from __future__ import annotations

import contextlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from zennb import api
from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.commands.verbs.component import active_components, flavor_view
from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.errors import UsageError, ZennbError
from zennb.plugins import all_flavors
from zennb.registry.home import abbreviated
from zennb.views import component as component_view
from zennb.views.component_type import component_types
from zennb.views.markup import block
from zennb.views.page import page
from zennb.views.view import View

if TYPE_CHECKING:
    from zennb.views.table import Table

__all__ = ["PARTS", "types_view"]

MAGIC = frozenset({Interface.MAGIC})

_ON = (
    "Every cell from the next one on is a step, named after the heading above or a name it binds; cells that only "
    "import or define stay plain. Leave one out with `#| step: off` on top of it; name one with `#| step: NAME`."
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


@verb(
    "show the version of zennb, and where records and artifacts are kept",
    examples=("version",),
)
def _version(context: Context) -> Outcome:
    number, places = version("zennb"), {"home": str(api.home())}
    # Asking makes no home, and is what people do when nothing works.
    with contextlib.suppress(ZennbError):
        if api.home().is_dir():
            places = context.workspace.places(context.workspace.snapshot())
    shown = abbreviated(places)
    lines = [f"zennb {number}", f"home            {shown['home']}"]
    lines += [f"artifact store  {shown['artifact_store']}"] if "artifact_store" in shown else []
    text = "\n".join(lines)
    return Outcome(view=View(text, block(text)), data={"version": number, "places": places})


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
