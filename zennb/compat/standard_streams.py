"""Owns the standard streams, which each process has under the same names: a value that holds one gets another one's."""

from __future__ import annotations

import sys
from typing import Any

from zennb.compat.instances import module_name

__all__ = ["standard_stream", "stream_name"]

_PYTHONS = {"stdout": "__stdout__", "stderr": "__stderr__"}
"""Streams → the name of the one that Python itself has opened."""

_KERNELS = "ipykernel.iostream"
"""Where the class is of which a kernel puts its own in their place."""


def stream_name(value: object) -> str:
    """Return the name of a standard stream in `sys`; "" for anything else, as for a file that stands in its place."""
    if value is None:  # as they are without a console
        return ""
    for name, pythons in _PYTHONS.items():
        opened = getattr(sys, pythons, None)
        if getattr(sys, name, None) is value and (value is opened or module_name(type(value)) == _KERNELS):
            return name
        if value is opened:
            return pythons
    return ""


def standard_stream(name: str) -> Any:
    """Return the stream of that name in this process."""
    return getattr(sys, name)
