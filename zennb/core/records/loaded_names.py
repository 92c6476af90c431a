"""Owns how records note what a step loaded by name: `zennb.load('x')`, as one of the settings that it depended on."""

from __future__ import annotations

from ast import literal_eval

__all__ = ["LOADING", "load_call", "loaded_name"]

LOADING = "zennb.load("
"""Begins the names of these settings; no setting of the process is called so."""


def load_call(name: str) -> str:
    """Return what stands for a name that a step loaded, among the settings it depended on."""
    return f"{LOADING}{name!r})"


def loaded_name(setting: str) -> str | None:
    """Return the name that a step loaded; None for any other setting."""
    if not setting.startswith(LOADING):
        return None
    try:
        found = literal_eval(setting.removeprefix(LOADING).removesuffix(")"))
    except (ValueError, SyntaxError):
        return None
    return found if isinstance(found, str) else None
