"""Owns the command `secret`: secrets that users set by name, for options of components that refer to them."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Command, verb
from zennb.components.secret_store import (
    KEYRING,
    checked_secret_name,
    delete_secret,
    keep_secret,
    keyring_problem,
    secret_names,
)
from zennb.errors import UsageError
from zennb.views.table import Column, Table
from zennb.views.text import listing

if TYPE_CHECKING:
    from zennb.core.records.records import ComponentSpec

__all__ = ["PARTS"]

NAME = Argument("NAME", "the name of the secret", required=True)
_WHERE = {KEYRING: "the system keyring", "process": "this kernel, until it ends"}
_NONE = "no secrets yet; `secret set NAME` asks for one"


@verb(
    "ask for a secret, and keep it in the system keyring or, without one, in this kernel until it ends",
    NAME,
    # Taken only to be refused: the usual message of a word too many repeats it, and it may be the secret.
    Argument("VALUE", "not taken: the value is asked for, and not saved in the notebook", type=list),
    examples=("secret set SLACK_URL",),
)
def _set(context: Context, name: str, value: list[str]) -> Outcome:
    checked_secret_name("" if value else name)
    problem = keyring_problem()
    if problem and context.interface is Interface.TERMINAL:
        raise UsageError(
            f"A command in a terminal keeps secrets in the system keyring only, and {problem}. Or set an environment "
            f"variable, and refer to it as `env:{name}`."
        )
    secret = _asked(context, f"Secret {name}: ")
    if not secret:
        raise UsageError(f"Nothing was typed, so `{name}` was not set.")
    where = keep_secret(name, secret)
    if where == KEYRING:
        kept = "in the system keyring, for all your kernels"
    else:
        kept = f"by this kernel only, until it ends, because {problem or 'the keyring did not take it'}"
    sentence = f"Secret `{name}` is kept {kept}. Options of components refer to it as `secret:{name}`."
    return Outcome(view=message_view(sentence), data={"name": name, "kept": where}, sentence=sentence)


def _asked(context: Context, prompt: str) -> str:
    """Return what the user types, which neither the notebook nor the terminal shows."""
    try:
        if context.interface is Interface.TERMINAL and not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\r\n")  # `pass show slack | zennb secret set SLACK_URL`
        return getpass.getpass(prompt)
    except (RuntimeError, EOFError):  # what kernels raise whose frontend takes no input
        raise UsageError(
            "Nobody can be asked for a secret here, so nothing was set. Set it where somebody can type, or set an "
            "environment variable and refer to it as `env:NAME`."
        ) from None


@verb("list the names of the secrets, where each is kept, and what refers to it", examples=("secret list",))
def _list(context: Context) -> Outcome:
    components = context.workspace.metadata.components()
    rows = [
        {"name": name, "kept": where, "used_by": _users(components, name)}
        for name, where in secret_names().items()
    ]
    columns = (
        Column.of("name", "name", "secret"),
        Column.of("names", "kept", "kept in", show=lambda where: _WHERE.get(str(where), "")),
        Column.of("names", "used_by", "used by"),
    )
    return Outcome(view=Table(columns=columns, data=rows, empty=_NONE), data=rows)


@verb("delete a secret", NAME, examples=("secret delete SLACK_URL",))
def _delete(context: Context, name: str) -> Outcome:
    delete_secret(checked_secret_name(name))
    users = _users(context.workspace.metadata.components(), name)
    more = f" It is still referred to by {listing(users)}." if users else ""
    sentence = f"Secret `{name}` is deleted.{more}"
    return Outcome(view=message_view(sentence), data={"name": name, "used_by": users}, sentence=sentence)


def _users(components: list[ComponentSpec], name: str) -> list[str]:
    return [
        f"{each.type.replace('_', ' ')} {each.name}"
        for each in components
        if f"secret:{name}" in each.config.values()
    ]


PARTS = (
    Command(
        name="secret",
        help="set, list and delete secrets that options of components refer to",
        default="list",
        examples=(
            "secret set SLACK_URL",
            "alerter register team --flavor=apprise --url=secret:SLACK_URL",
            "secret list",
        ),
        parts=(_set, _list, _delete),
    ),
)
