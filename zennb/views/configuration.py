"""Owns the text of a component's configuration, in which everything that could be a secret is masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.secrets.names import DOTS, REFERENCE, Suspicion, suspicion
from zennb.core.secrets.texts import mask_text
from zennb.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["masked", "options"]


def masked(option: str, value: str) -> str:
    """Return an option's value with secrets masked.

    References to secrets (`env:NAME`) are shown. A value that looks like a secret, by the option's name or as a
    password in an address, is replaced by dots.
    """
    if REFERENCE.fullmatch(value):
        return f"{DOTS} ({clean(value)})"
    if suspicion(option) is not Suspicion.NONE and value:
        return DOTS
    return clean(mask_text(value))


def options(config: Mapping[str, str]) -> list[str]:
    """Return `name=value` for each option, in the order given."""
    return [f"{clean(option)}={masked(option, value)}" for option, value in config.items()]
