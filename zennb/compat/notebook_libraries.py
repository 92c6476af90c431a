"""Owns how nbformat and nbclient are loaded quickly."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

__all__ = ["load_quickly"]

_GRAMMARS = "rfc3987_syntax"


def load_quickly() -> None:
    """Load jsonschema, which nbformat and nbclient need, without the grammars that it compiles when it is loaded.

    Where JupyterLab is installed, jsonschema can check that a text is an internationalized address (RFC 3987). For that
    it imports a package that compiles 39 grammars, which takes ten times as long as all the rest, and which no notebook
    needs. Here they are compiled when such an address is first checked.
    """
    if "jsonschema" in sys.modules or _GRAMMARS in sys.modules or find_spec(_GRAMMARS) is None:
        return
    later = ModuleType(_GRAMMARS)
    later.is_valid_syntax = _is_valid_syntax  # type: ignore[attr-defined]
    sys.modules[_GRAMMARS] = later
    try:
        import_module("jsonschema")  # which takes what it needs of this module
    finally:
        del sys.modules[_GRAMMARS]


def _is_valid_syntax(term: str, value: str) -> bool:
    found: bool = import_module(_GRAMMARS).is_valid_syntax(term, value)
    return found
