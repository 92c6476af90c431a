"""Owns `Frontend`, which formats the values that a step displays, and `PlainFrontend`, which needs no IPython."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from zennb.engine.step.recording import Recording

__all__ = ["Frontend", "PlainFrontend"]


class Frontend(Protocol):
    """Formats and captures what a step displays.

    Attributes:
        elsewhere: `module:name` of a factory of such a frontend, and of the shell's settings, for workers; "" for
            plain text.
    """

    elsewhere: str

    @property
    def records_shell(self) -> bool:
        """Whether what `!shell` lines print is recorded; a terminal prints it directly."""

    @property
    def interactivity(self) -> str:
        """Which expressions of a cell are shown, as IPython's `ast_node_interactivity` says."""

    def format(self, value: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the mime bundle of a cell's last value, and its metadata."""

    def shown(self, recording: Recording, namespace: dict[str, Any]) -> AbstractContextManager[object]:
        """Return a context in which displays go to `recording` and magics see `namespace`."""


class PlainFrontend:
    """Formats values without IPython: as text, and in the rich representations that they define."""

    elsewhere = ""
    records_shell = True
    interactivity = "last_expr"
    _METHODS = (
        ("_repr_html_", "text/html"),
        ("_repr_markdown_", "text/markdown"),
        ("_repr_svg_", "image/svg+xml"),
    )

    def format(self, value: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the value's text and the rich representations it offers."""
        data: dict[str, Any] = {"text/plain": repr(value)}
        for name, mime in self._METHODS:
            # Asked of the type: an object that makes up attributes (a mock, a proxy) would
            # claim every representation.
            method = getattr(type(value), name, None)
            if method is not None and (shown := method(value)) is not None:
                data[mime] = shown
        return data, {}

    def shown(
        self,
        recording: Recording,  # noqa: ARG002 - nothing is displayed but through streams
        namespace: dict[str, Any],  # noqa: ARG002 - no magics to serve here
    ) -> AbstractContextManager[object]:
        """Return a context that does nothing."""
        return nullcontext()
