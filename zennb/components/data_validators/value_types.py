"""Owns the types that schemas name: which values each takes, and bounds written as text."""

from __future__ import annotations

import datetime as dt
import decimal
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ValueType", "bound_for", "type_named", "words_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueType:
    """A type that a schema names.

    Attributes:
        name: `int`.
        types: values of these classes are of that type.
        refused: but none of these.
        kinds: the letters by which numpy calls types of arrays that hold such values.
    """

    name: str
    types: tuple[type, ...]
    refused: tuple[type, ...] = ()
    kinds: str = ""

    def takes(self, value: object) -> bool:
        """Whether a value is of that type."""
        if type(value).__module__ == "numpy":
            kind = getattr(getattr(value, "dtype", None), "kind", "")
            if kind:
                return kind in self.kinds
        return is_a(value, self.types) and not is_a(value, self.refused)

    def takes_kind(self, kind: str) -> bool:
        """Whether the values of an array are of that type."""
        return kind in self.kinds


_TYPES: Mapping[str, ValueType] = {
    each.name: each
    for each in (
        ValueType(name="int", types=(numbers.Integral,), refused=(bool,), kinds="iu"),
        # As in Python's type hints, a whole number will do where a float is asked for.
        ValueType(name="float", types=(numbers.Real, decimal.Decimal), refused=(bool,), kinds="iuf"),
        ValueType(name="bool", types=(bool,), kinds="b"),
        ValueType(name="str", types=(str,), kinds="U"),
        ValueType(name="bytes", types=(bytes, bytearray), kinds="S"),
        ValueType(name="date", types=(dt.date,), refused=(dt.datetime,)),
        ValueType(name="datetime", types=(dt.datetime,), kinds="M"),
        ValueType(name="timedelta", types=(dt.timedelta,), kinds="m"),
        ValueType(name="list", types=(list, tuple)),
        ValueType(name="dict", types=(dict,)),
    )
}


def type_named(wanted: object, whose: str) -> ValueType:
    """Return the type that a schema names, by its name or by Python's class.

    Raises:
        UsageError: there is none.
    """
    name = wanted.__name__ if is_a(wanted, type) else wanted
    found = _TYPES.get(name) if isinstance(name, str) else None
    if found is None:
        close = nearest(str(name), _TYPES)
        advice = f"did you mean '{close}'?" if close else f"there are: {', '.join(_TYPES)}."
        raise UsageError(f"{whose} is not a type: {name!r:.40}; {advice}")
    return found


def bound_for(bound: Any, value: object) -> Any:
    """Return a bound in a form that can be compared with a value: a text stands for a date, where the value is one."""
    if isinstance(bound, str) and is_a(value, dt.date):
        found = dt.datetime.fromisoformat(bound)
        return found if is_a(value, dt.datetime) else found.date()
    return bound


def words_of(value: object) -> str:
    """Return what kind of value it is: `a list`, `an int`."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
