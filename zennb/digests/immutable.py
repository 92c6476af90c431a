"""Owns `is_immutable`: which values certainly never change."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from zennb.compat.instances import is_one_of, module_name, qualified_name
from zennb.digests.walker import SCALARS

__all__ = ["is_immutable"]


def is_immutable(value: Any) -> bool:
    """Whether a value is certainly immutable: a scalar, or a tuple or frozenset of such. This check is cheap."""
    cls = type(value)
    if is_one_of(value, SCALARS):
        return True
    if cls is tuple or cls is frozenset:
        with suppress(Exception):  # a class without a hash
            if set(map(type, value)) <= SCALARS:
                return True
        return _are_immutable(value)
    return f"{module_name(cls)}.{qualified_name(cls)}" in SETTLED


_NUMBERS = (
    "bool bool_ int8 int16 int32 int64 intc longlong uint8 uint16 uint32 uint64 uintc ulonglong float16 float32 "
    "float64 longdouble complex64 complex128 clongdouble str_ bytes_ datetime64 timedelta64"
)
_VALUES = (
    "datetime.date datetime.datetime datetime.time datetime.timedelta datetime.timezone decimal.Decimal "
    "fractions.Fraction re.Match re.Pattern uuid.UUID"
)
SETTLED = frozenset(_VALUES.split()).union(f"numpy.{name}" for name in _NUMBERS.split())
"""Types of the standard library and numpy, by name, whose instances are immutable (`numpy.void` can be a view)."""

DEEP = 8
"""Levels of nested tuples that are checked; deeper values do not count as immutable."""


def _are_immutable(values: Any, depth: int = 1) -> bool:
    if depth > DEEP:
        return False
    return all(
        _are_immutable(value, depth + 1) if is_one_of(value, {tuple, frozenset}) else is_immutable(value)
        for value in values
    )
