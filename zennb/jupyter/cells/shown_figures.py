"""Owns `ShownFigures`: the pictures of figures that a step showed last of all, which are then their previews.

To draw a figure again for its preview takes 50 to 250 ms, more than most cells that make one.
"""

from __future__ import annotations

import ast
import base64
import sys
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.core.reading.scopes import last_name
from zennb.materializers.previews import is_figure, pictures_known
from zennb.packages.origin import origin
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["ShownFigures"]

_AT_END, _ELSEWHERE = 0, -1
_FLUSHING = ("zennb.jupyter.kernel.frontend", "flush_figures")
"""What shows figures after all lines of a cell."""

_SHOWS = frozenset({"display", "show"})


class ShownFigures:
    """The figures that were shown while a step ran.

    Args:
        shell: the kernel's shell.
    """

    def __init__(self, shell: Any) -> None:  # Any: IPython leaves much of the shell untyped
        self._shell = shell
        self._shown: list[tuple[Any, bytes, int]] = []
        """A figure, its picture in PNG, and the line of the cell that showed it.

        `_AT_END` after all lines, `_ELSEWHERE` when a function of the user showed it, which may go on.
        """

    @block
    def noted(self) -> Iterator[None]:
        """Note the figures that are shown in this block."""
        formatter = self._shell.display_formatter
        # Another extension may have put its own there, in the attributes of this object as we do.
        form, before = formatter.format, formatter.__dict__.get("format")
        self._shown.clear()

        def noting(value: Any, *args: Any, **more: Any) -> Any:
            found = form(value, *args, **more)
            if is_figure(value) and (png := _png(found)):
                self._shown.append((value, png, self._line()))
            return found

        formatter.format = noting
        try:
            yield
        finally:
            if formatter.__dict__.get("format") is noting:  # else the cell has put another one there
                del formatter.format
                if before is not None:
                    formatter.format = before

    @block
    def as_previews(self, tree: ast.Module) -> Iterator[None]:
        """Use as previews the pictures of figures that could not change after they were shown.

        Args:
            tree: the step.
        """
        *earlier, last = tree.body or [ast.Pass(lineno=0)]
        is_last = _only_shows(last) and not any(each.end_lineno == last.lineno for each in earlier)
        lines = range(last.lineno, (last.end_lineno or 0) + 1) if is_last else ()
        found = {id(each): png for each, png, line in self._shown if line == _AT_END or line in lines}
        try:
            with pictures_known(found):
                yield
        finally:
            self._shown.clear()

    def _line(self) -> int:
        """Return the line of the running cell that shows a figure just now."""
        frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - who asked for the picture
        while frame is not None:
            if (frame.f_globals.get("__name__"), frame.f_code.co_name) == _FLUSHING:
                return _AT_END
            if frame.f_globals is self._shell.user_ns and frame.f_code.co_name == "<module>":
                return frame.f_lineno
            if origin(str(frame.f_globals.get("__name__"))).is_users:
                return _ELSEWHERE
            frame = frame.f_back
        return _ELSEWHERE


def _png(found: Any) -> bytes:
    """Return the picture of a mime bundle; nothing when it has none, or another thing than IPython puts there."""
    data = found[0].get("image/png") if is_a(found, tuple) and found and is_a(found[0], dict) else None
    if is_a(data, str):
        return base64.b64decode(data)
    return bytes(data) if is_a(data, bytes) else b""


def _only_shows(statement: ast.stmt) -> bool:
    """Whether a statement does nothing after it has shown something: `fig`, `plt.show()`."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        return last_name(value.func) in _SHOWS
    return isinstance(value, ast.Name)
