"""Owns keeping shared memory mapped whose variable is gone: Python crashes when an array over it is read then."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["keep_mapped"]

_kept: dict[tuple[str, str], Any] = {}


def keep_mapped(step: str, names: Iterable[str], namespace: Mapping[str, Any]) -> None:
    """Keep the shared memory that a step has bound to names, until that step binds them again.

    An array over `SharedMemory(...).buf` does not keep it, and its end unmaps it. In a plain notebook the variable
    stays; a step's private ones do not.
    """
    cls = getattr(sys.modules.get("multiprocessing.shared_memory"), "SharedMemory", None)
    if cls is not None:
        _kept.update({(step, name): namespace[name] for name in names if is_a(namespace[name], cls)})
