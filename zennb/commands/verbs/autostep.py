"""Owns the command `autostep`: whether every cell of this kernel's notebook is a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.errors import UsageError

if TYPE_CHECKING:
    from zennb.commands.parsed_arguments import ParsedArguments

__all__ = ["AUTOSTEP"]

_ON = (
    "Every cell from the next one on is a step, named after the first name it binds. Leave one out with "
    "`#| step: off` on top of it; name one with `#| step: NAME`."
)
_OFF = "A cell is a step when it says so: `%%step` or `#| step: NAME` on top of it."


def _autostep(context: Context, arguments: ParsedArguments) -> Outcome:
    if context.session is None:
        raise UsageError("there is no notebook session here yet; type `%load_ext zennb` first.")
    asked = arguments.optional("state")
    if asked is not None:
        context.session.autostep = asked == "on"
    is_on = context.session.autostep
    told = f"Autostep is {'on' if is_on else 'off'}. {_ON if is_on else _OFF}"
    return Outcome(view=message_view(told), data={"autostep": is_on})


AUTOSTEP = Verb(
    name="autostep",
    help="make every following cell a step, or stop that; alone, say how it stands",
    run=_autostep,
    arguments=(Argument(flags=("STATE",), choices=("on", "off"), help="what it is to be"),),
    examples=("autostep on", "autostep off"),
    faces=frozenset({Interface.MAGIC}),
)
