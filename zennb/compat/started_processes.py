"""Owns how many processes multiprocessing was asked to start here."""

from __future__ import annotations

import sys

__all__ = ["processes_made"]


def processes_made() -> object:
    """Return a value that is another after a process was made, also by loky; always another where that is not known."""
    module = sys.modules.get("multiprocessing.process")
    if module is None:
        return "count(1)"
    counter = getattr(module, "_process_counter", None)
    return object() if counter is None else repr(counter)
