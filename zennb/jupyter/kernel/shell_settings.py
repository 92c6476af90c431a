"""Owns the settings of the shell that cells change for all that follow: what is displayed, and how precisely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.core.records.observed import UNTOUCHED

if TYPE_CHECKING:
    from zennb.engine.environment.settings import Setting

__all__ = ["shell_settings"]

_START = ("last_expr", "", False)


class _Display:
    """Which expressions of a cell are displayed, and how (a `Setting`).

    Args:
        shell: the shell.
    """

    name = "display of values"
    modules: frozenset[str] = frozenset()
    matters = True
    is_per_context = False

    def __init__(self, shell: Any) -> None:  # Any: IPython leaves much of the shell untyped
        self._shell = shell

    def read(self) -> tuple[Any, ...]:
        """Return what is displayed, the precision of floats, and whether printing is pretty."""
        plain = self._shell.display_formatter.formatters["text/plain"]
        return (self._shell.ast_node_interactivity, plain.float_precision, not plain.pprint)

    def digest(self, seen: tuple[Any, ...]) -> str:
        """Return the settings as text; `UNTOUCHED` for what a shell starts with."""
        return UNTOUCHED if seen == _START else repr(seen)

    def change(self, _before: object, after: tuple[Any, ...]) -> list[Any]:
        """Return the settings as plain data."""
        return list(after)

    def apply(self, change: list[Any]) -> None:
        """Set them."""
        plain = self._shell.display_formatter.formatters["text/plain"]
        self._shell.ast_node_interactivity, plain.float_precision = change[0], change[1]
        plain.pprint = not change[2]


def shell_settings(shell: Any) -> tuple[Setting, ...]:  # Any: as above
    """Return the settings of a shell."""
    return (_Display(shell),)
