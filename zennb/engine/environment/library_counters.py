"""Owns the counters of libraries as settings: what reuse brings back has numbers, which are not given again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.compat.undisturbed import COUNTERS
from zennb.engine.environment.settings import LibraryOptions

if TYPE_CHECKING:
    from zennb.compat.undisturbed import Counter

__all__ = ["COUNTS"]


def _setting(counter: Counter) -> LibraryOptions:
    def values() -> tuple[object, ...]:
        found = counter.read()
        return (counter.first if found is None else found,)

    return LibraryOptions(
        name=counter.what,
        matters=counter.matters,
        module=counter.library,
        modules=frozenset({counter.library}),
        keys=lambda: ("next",),
        values=values,
        defaults=lambda: {"next": counter.first},
        put=lambda options: counter.pass_by(options["next"]),
    )


COUNTS: tuple[LibraryOptions, ...] = tuple(map(_setting, COUNTERS))
"""Counters of the libraries that are loaded."""
