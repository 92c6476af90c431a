"""Owns `LibraryData`: containers and arrays of libraries that a step names, and may change through any other name.

`row = lib.TABLE[1:]`, then `row[0] = 9`: what is changed cannot be read off the code, and reuse would not change it.
"""

from __future__ import annotations

import sys
from array import array
from collections import deque
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, class_attributes, is_a
from zennb.engine.environment.held_by_libraries import HeldByLibraries
from zennb.packages.origin import origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.dependencies.library_calls import LibraryCall

__all__ = ["LibraryData", "named_data"]

_KINDS = (list, dict, set, bytearray, deque, array)

_SETTINGS = frozenset({"os", "sys", "warnings"})
"""Modules of which such data are settings, which are compared by themselves."""


class LibraryData:
    """The data of libraries that a step names, as they are before it runs.

    Args:
        uses: dotted names of what it uses of modules: `lib.TABLE`.
    """

    def __init__(self, uses: Iterable[str] = ()) -> None:
        self._held = HeldByLibraries(named_data(uses))

    def changed(self, calls: Iterable[LibraryCall]) -> list[str]:
        """Return which of them have changed, but for what a call has done that reuse makes again.

        Args:
            calls: these calls.
        """
        changed = self._held.changed(())
        again = [call.source for call in calls] if changed else []
        return [each for each in changed if not any(each.rpartition(".")[2] in text for text in again)]


def named_data(uses: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield the containers and arrays of libraries that are named, each with its name."""
    numpy = sys.modules.get("numpy")
    kinds = _KINDS if numpy is None else (*_KINDS, numpy.ndarray)
    for use in sorted(uses):
        parts = use.split(".")
        end = next((n for n in range(len(parts) - 1, 0, -1) if ".".join(parts[:n]) in sys.modules), 0)
        module = ".".join(parts[:end])
        if not end or parts[0] in _SETTINGS or origin(module).is_users:
            continue
        found: Any = sys.modules[module]
        for name in parts[end:]:
            found = (class_attributes(found) if is_a(found, type) else attributes_of(found)).get(name)
        if type(found) in kinds:
            yield use, found
