"""Owns what is said below the error of a plain cell: which run is making a name, and which magic was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from zennb.commands.catalogue import MAGICS
from zennb.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["error_note"]

_NO_MAGIC = re.compile(r"(?:Line magic function|Cell magic) `(%%?)(\w+)` not found")


def error_note(error: BaseException | None, shell: Any, waits_for: Callable[[str], str]) -> str:
    """Return what to say below the error of a plain cell; "" for nothing.

    Args:
        error: what it raised.
        shell: the shell, whose own magics may have been meant.
        waits_for: says which background run is going to bind a name; "" for none.
    """
    if isinstance(error, NameError) and error.name and error.name not in shell.user_ns:
        said = waits_for(error.name)
        return f"{said}." if said else ""
    found = _NO_MAGIC.match(str(error)) if isinstance(error, UsageError) else None
    if found is None:
        return ""
    sign, name = found.groups()
    own = {"step"} if sign == "%%" else {*MAGICS, "zennb"}
    others = shell.magics_manager.magics["cell" if sign == "%%" else "line"]
    meant = nearest(name, {*own, *others})
    return f"did you mean `{sign}{meant}`?" if meant in own else ""
