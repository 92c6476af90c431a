"""Owns links between views: what a name stands for, as an address that a panel follows."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

from zennb.views.markup import escape

__all__ = ["LINKS", "address", "link", "parse", "version_address"]

LONGEST = 1000
"""Characters of an address."""

LINKS: Final = "_links"
"""Key of a table's row → address of each value by the key of its column; a list of values has a list of addresses."""


def address(kind: str, *parts: object) -> str:
    """Return the address of something: `run:12`, `step:12/train`; "" where a part is not known, or very long."""
    if any(part in {None, ""} for part in parts):
        return ""
    text = f"{kind}:{'/'.join(quote(str(part), safe='', errors='replace') for part in parts)}"
    return text if len(text) <= LONGEST else ""


def version_address(label: str) -> str:
    """Return the address of an artifact given as `model v3`; "" for other text."""
    name, _, version = label.rpartition(" v")
    return address("version", name, version) if version.isdecimal() else ""


def parse(text: str) -> tuple[str, list[str]]:
    """Return the kind and the parts of an address."""
    kind, _, rest = text.partition(":")
    return kind, [unquote(part) for part in rest.split("/")] if rest else []


def link(target: str, inner: str) -> str:
    """Return HTML that leads to an address in a panel; elsewhere, and without an address, it is only text.

    It is no `<a>`: without a panel around it, that would look as if it led somewhere.
    """
    return f'<span data-zennb-go="{escape(target)}">{inner}</span>' if target else inner
