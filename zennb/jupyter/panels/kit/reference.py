"""Owns `SecretField`: a line of text that takes a reference to a secret, and never becomes anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import Text
from traitlets import Bool, validate

from zennb.components.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SecretField"]


class SecretField(Text):  # type: ignore[misc]  # ipywidgets ships no types
    """A line whose value is `env:NAME`, `keyring:SERVICE/NAME` or nothing.

    What else is typed is taken out of the page again when the line is left, and never becomes the value: widgets'
    values are saved into notebooks.

    Attributes:
        refused: whether what was typed last was no reference.
    """

    refused = Bool(False)

    def __init__(self, **more: Any) -> None:
        super().__init__(continuous_update=False, placeholder="env:NAME or keyring:SERVICE/NAME", **more)

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Take in what the page sends; what is no reference is dropped before anything else sees it."""
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
