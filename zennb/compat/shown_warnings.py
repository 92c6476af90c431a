"""Owns what Python remembers of the warnings that it has shown: it is forgotten whenever filters change.

Most warnings are shown once for each line of code. pandas, numpy and others set filters for a moment inside of calls as
plain as `df["a"]`, so a look at a value of the user would have old warnings shown again.
"""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any

from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["warnings_remembered"]

_FORGET: dict[str, Any] = {
    name: vars(warnings)[name]
    for name in ("_filters_mutated", "_filters_mutated_lock_held")  # the latter since Python 3.14
    if name in vars(warnings)
}
"""The functions by which Python forgets, as they are before anybody puts others in their place."""

_lock = threading.Lock()
_inside: list[list[Any]] = []
"""For each block that has not ended, in any thread, the filters that it found."""


@block
def warnings_remembered() -> Iterator[None]:
    """Keep in memory which warnings have been shown, although code in the block changes filters for a moment."""
    with _lock:
        _inside.append(list(warnings.filters))
        vars(warnings).update(dict.fromkeys(_FORGET, _keep))
    try:
        yield
    finally:
        with _lock:
            before = _inside.pop()
            if not _inside:
                vars(warnings).update(_FORGET)
            if before != warnings.filters and not _inside:
                with warnings.catch_warnings():  # makes it forget: other filters hold from now on
                    pass


def _keep() -> None:
    """Do nothing."""
