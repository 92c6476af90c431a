"""Owns `with_owners`: what is stored of the memory of an array that only its parts are variables of."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from zennb.digests.stretches import ARRAY, Stretch, is_in, ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["with_owners"]

_LITTLE = 1 << 20
"""Bytes that are stored in any case with the arrays on both sides of them."""

_owner = attrgetter("owner")


def with_owners(memory: Sequence[Stretch]) -> list[Stretch]:
    """Return memory, and all that several arrays of one owner stand on, with what lies between them.

    So rows of an array that nobody else has stay rows of one: `x, y = np.mgrid[:3, :3]`. Not where that would be much,
    and not where tables or read-only arrays use it too: what these share is another matter.
    """
    found = list(memory)
    arrays = sorted((each for each in memory if each.owner and each.use == ARRAY), key=_owner)
    others = ranges(each for each in memory if each.use != ARRAY)
    for owner, group in groupby(arrays, key=_owner):
        parts = list(group)
        whole = Stretch(min(each.start for each in parts), max(each.end for each in parts), owner, ARRAY)
        is_little = whole.end - whole.start <= max(_LITTLE, 2 * sum(each.end - each.start for each in parts))
        if len(parts) > 1 and is_little and not is_in(others, whole.start, whole.end):
            found.append(whole)
    return found
