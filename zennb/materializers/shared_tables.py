"""Owns the pickling of pandas' frames and series where a write to one copies the memory that it shares with others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zennb.compat.frames import (
    blocks_with_references,
    copies_on_write,
    detached,
    is_references,
    new_references,
    with_references,
)
from zennb.compat.instances import is_a
from zennb.digests.stretches import stretches

if TYPE_CHECKING:
    from zennb.materializers.views import SharedMemory

__all__ = ["table_reduction"]


def table_reduction(value: Any, shared: SharedMemory | None) -> tuple[Any, ...] | None:
    """Return the recipe of a frame or series that shares nothing with others but `shared` memory; None for the rest.

    Tables over shared memory keep the list of those that use it, too: before a write they still copy it.
    """
    if is_references(value):
        return new_references, ()
    pd = sys.modules["pandas"]
    if not is_a(value, pd.DataFrame | pd.Series) or not copies_on_write():
        return None
    is_shared = shared is not None and any(
        shared.is_written((each.start, each.end)) for each, _ in stretches(value)
    )
    # What only read-only arrays share with a table that copies before it writes: from now on each has its own.
    copied = (
        shared is not None
        and not is_shared
        and any((each.start, each.end) in shared for each, _ in stretches(value))
    )
    table = detached(value, deep=not is_shared, copied=copied)
    if table is None:
        return None
    make, args, state, *rest = table.__reduce_ex__(5)
    if not is_shared:
        return make, args, state, *rest
    sharers = [references for _, references in blocks_with_references(value)]
    return make, args, (state, sharers), None, None, with_references
