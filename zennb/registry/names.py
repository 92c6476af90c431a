"""Owns the names that stacks and components may have, and the messages about others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.secrets.held import HELD
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT", "LONGEST_NAME", "checked_name", "listed", "name_problem"]

DEFAULT = "default"
"""The name of the stack and of the components that exist from first use and cannot be changed."""

LONGEST_NAME = 100
"""Characters."""


def checked_name(what: str, name: str) -> str:
    """Return `name` if it is allowed for a stack or component.

    Args:
        what: what is named, as in a sentence: `stack`, `artifact store`.
        name: printable text that does not begin with a dash.

    Raises:
        UsageError: it is not allowed.
    """
    if not name.strip():
        raise UsageError(f"a {what} needs a name; give one, e.g. `my_{what.replace(' ', '_')}`.")
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"the {what} name '{name[:30]}...' has {len(name)} characters; use {LONGEST_NAME} at most."
        )
    if name.startswith("-"):
        raise UsageError(
            f"the {what} name '{name}' begins with a dash and would be read as an option; leave the dash out."
        )
    if not name.isprintable():
        raise UsageError(
            f"the {what} name {name!a} has characters that cannot be shown; use letters, digits and signs."
        )
    if HELD.mask_known(name) != name:
        raise UsageError(
            f"the name of the {what} would hold a secret value, and names are shown; use another one."
        )
    return name


def name_problem(what: str, name: str) -> str:
    """Return the message of `checked_name` for a name that is not allowed; "" for one that is."""
    try:
        checked_name(what, name)
    except UsageError as error:
        return error.message
    return ""


def listed(names: Iterable[str]) -> str:
    """Return names in a sentence: `'a', 'b' and 'c'`."""
    quoted = [f"'{name}'" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
