"""Owns `SecretField`: a line of text that accepts a reference to a secret, and never holds anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import Text
from traitlets import Bool, validate

from zennb.components.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SecretField"]


class SecretField(Text):  # type: ignore[misc]  # ipywidgets ships no types
    """A line whose value is `secret:NAME`, `env:NAME`, `keyring:SERVICE/NAME` or nothing.

    Anything else is cleared from the page when the line is left, and never becomes the value, because the values of
    widgets are saved in notebooks.

    Attributes:
        refused: whether the last input was not a reference.
    """

    refused = Bool(False)

    def __init__(self, **more: Any) -> None:
        super().__init__(
            continuous_update=False, placeholder="secret:NAME, env:NAME or keyring:SERVICE/NAME", **more
        )

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Accept a value from the page; drop it before anything else sees it if it is not a reference."""
        if "value" not in sync_data:
            super().set_state(sync_data)
            return
        reference = _reference(sync_data["value"])
        super().set_state({**sync_data, "value": reference})
        self.refused = bool(sync_data["value"]) and not reference
        if self.refused:
            self.send_state("value")  # clears the line in the page

    @validate("value")
    def _only_a_reference(self, proposal: Mapping[str, Any]) -> str:
        return _reference(proposal["value"])


def _reference(text: object) -> str:
    try:
        return Secret(str(text).strip()).reference
    except ValueError:
        return ""
