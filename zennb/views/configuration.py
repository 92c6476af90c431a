"""Owns how a component's configuration is shown: as typed, with anything that could be a secret masked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from zennb.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["masked", "options"]

REFERENCE = re.compile(r"(env|keyring):\S+")
SECRETIVE = re.compile(
    r"(^|[_-])(secret|password|passwd|passphrase|token|credentials?|(api|access|account|private)_?key)($|[_-])",
    re.IGNORECASE,
)
IN_ADDRESS = re.compile(r"(?P<scheme>\w+://)(?P<user>[^/@:\s]*):(?P<password>[^/@\s]+)@")
DOTS = "••••"


def masked(option: str, value: str) -> str:
    """Return an option's value fit for showing.

    A secret is kept as a reference (`env:NAME`), and the reference is what is shown. Should a secret have
    slipped in as a value, by an option's name or inside an address, dots stand in its place.
    """
    if REFERENCE.fullmatch(value):
        return f"{DOTS} ({clean(value)})"
    if SECRETIVE.search(option) and value:
        return DOTS
    return clean(IN_ADDRESS.sub(rf"\g<scheme>\g<user>:{DOTS}@", value))


def options(config: Mapping[str, str]) -> list[str]:
    """Return `name=value` for each option, in the order given."""
    return [f"{clean(option)}={masked(option, value)}" for option, value in config.items()]
