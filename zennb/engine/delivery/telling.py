"""Owns where a sentence about a delivery is shown while a step runs: below the cell, elsewhere among the errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["show_with", "tell"]

_show: list[Callable[[str], object]] = []


def tell(sentence: str) -> None:
    """Show a sentence: in a kernel beside the output of the step, so that reuse does not repeat it."""
    if _show:
        _show[-1](sentence)
    else:
        sys.stderr.write(f"{sentence}\n")


def show_with(show: Callable[[str], object]) -> Callable[[], None]:
    """Show sentences with `show` from now on; return a function that ends this."""
    _show.append(show)
    return lambda: _show.remove(show)
