"""Owns what the text of a parameter means: its value, by the type of the value that it replaces."""

from __future__ import annotations

import ast
import datetime as dt
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "UNKNOWN",
    "LiteralText",
    "fitted_source",
    "fitted_value",
    "literal",
    "literal_value",
]


def literal(text: str) -> str:
    """Return `text` as Python source: itself when it is a literal (`0.1`, `[1, 2]`), else as a string.

    So `-p depth=3` gives the number 3 and `-p name=ridge` the string `'ridge'`; `-p name="'3'"` gives `'3'`.
    """
    stripped = text.strip()
    is_text = literal_value(stripped) is stripped
    return repr(text) if is_text else ast.unparse(ast.parse(stripped, mode="eval"))


def literal_value(text: str) -> Any:
    """Return the value of the Python literal that `text` is, else the text itself.

    Raises:
        UsageError: it has the form of a literal that no value can have: `{[1]: 2}`.
    """
    try:
        return ast.literal_eval(text)
    except TypeError as error:
        raise UsageError(f"`{text}` cannot be the value of a parameter: {error}.") from None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


class LiteralText(str):
    """Text that Python code gave for a value: it counts as a literal, unless only a text can give such a value."""

    __slots__ = ()


UNKNOWN = object()
"""Stands for the value of a variable that nobody knows."""

_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_NO_LITERALS = frozenset({"nan", "inf", "infinity"})
"""Words for numbers that have no literals, with or without a sign."""
_WORDS = {"true": True, "false": False, "none": None, "null": None}
"""What stands for a value where the type is not known."""

_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    int: ((int, float), "a number"),
    float: ((int, float), "a number"),
    complex: ((int, float, complex), "a number"),
    list: ((list, tuple), "a list"),
    tuple: ((list, tuple), "a tuple"),
    dict: ((dict,), "a dict"),
    set: ((set,), "a set"),
    frozenset: ((set,), "a set"),
    bytes: ((bytes,), "bytes"),
}
"""Type of the value before → types of literals that may replace it, and what to call them."""


def fitted_value(name: str, text: str, before: Any = UNKNOWN) -> Any:
    """Return the value of a parameter, read as the type of the value that it replaces.

    `-p flag=false` replaces True by False, `-p name=3` a text by the text `'3'`, `-p rate=1` 0.5 by 1.0, and
    `-p day=2026-01-31` one date by another. An integer may become a float, a list may be given as a tuple, and anything
    may become `None`. Where the value before is not known, or None, the text counts as a literal if it is one, and
    `true`, `false`, `none` and `null` as what they say.

    Args:
        name: the parameter, for messages.
        text: as typed.
        before: the value that it replaces.

    Raises:
        UsageError: the text is no value of that type.
    """
    return _fitted(name, text, before)[0]


def fitted_source(name: str, text: str, before: Any = UNKNOWN) -> str:
    """Return `fitted_value` as Python source, where `name` still has the value before.

    Raises:
        UsageError: the text is no value of that type.
    """
    value, how = _fitted(name, text, before)
    if how:
        return f"{name}.__class__{how}"
    found = literal_value(text.strip())
    source = literal(text)  # not `repr`: that of infinity is a name
    if type(found) is type(value):
        return source if not isinstance(value, str) else repr(value)
    if isinstance(value, list | tuple):
        return f"[*{source}]" if isinstance(value, list) else f"(*{source},)"
    if isinstance(value, frozenset):
        return f"{name}.__class__({source})"
    return repr(value)


def _fitted(name: str, text: str, before: Any) -> tuple[Any, str]:
    """Return the value, and how the class of the value before makes it; "" for a literal."""
    stripped = text.strip()
    found = literal_value(stripped)
    as_literal = text if isinstance(found, str) and found == stripped else found
    if found is None:
        return None, ""
    made = _maker(name, stripped, found, before)
    if made is not None:
        return made
    if isinstance(text, LiteralText):
        return as_literal, ""
    if before is UNKNOWN or before is None:
        return _WORDS.get(stripped.lower(), as_literal), ""
    kind = type(before)
    if kind is bool:
        return _yes_or_no(name, stripped), ""
    if kind is str:
        return (found if isinstance(found, str) and stripped[:1] in {"'", '"'} else text), ""
    if kind not in _KINDS:
        raise UsageError(
            f"parameter '{name}' is of type {kind.__name__} in the notebook, which no text stands for; make it from "
            "a variable that is a number, a text or a list, and pass that."
        )
    types, what = _KINDS[kind]
    if type(found) not in types:
        raise _unfit(name, stripped, what, before)
    if kind is float and type(found) is int:
        return _made(name, stripped, what, before, lambda: float(found)), ""
    return (kind(found) if kind in {list, tuple, frozenset} else found), ""


def _maker(name: str, text: str, found: Any, before: Any) -> tuple[Any, str] | None:
    """Return a value of a type that has no literals, and how its class makes it; None for other types."""
    kind = type(before)
    plain = found if isinstance(found, str) else text
    if kind is float and text.lower().lstrip("+-") in _NO_LITERALS:
        return _made(name, text, "a number", before, lambda: kind(text)), f"({text!r})"
    if isinstance(before, Enum):
        if plain in kind.__members__:
            return kind[plain], f"[{plain!r}]"
        known = ", ".join(kind.__members__)
        value = plain if isinstance(before.value, str) else found
        return _made(name, text, f"one of {known}", before, lambda: kind(value)), f"({value!r})"
    if isinstance(before, dt.date | dt.time):
        what = f"of type {kind.__name__}, such as {before.isoformat()}"
        value = _made(name, text, what, before, lambda: kind.fromisoformat(plain))
        if getattr(before, "tzinfo", None) is not None and value.tzinfo is None:
            raise _unfit(name, text, f"{what}, with its time zone", before)
        return value, f".fromisoformat({plain!r})"
    if isinstance(before, PurePath):
        return kind(plain), f"({plain!r})"
    if isinstance(before, Decimal | Fraction):
        return _made(name, text, "a number", before, lambda: kind(plain)), f"({plain!r})"
    if kind.__module__ == "numpy" and any(each.__name__ == "generic" for each in kind.__mro__):
        return _numpy_scalar(name, plain, before)
    return None


def _numpy_scalar(name: str, text: str, before: Any) -> tuple[Any, str]:
    kind, plain = type(before), before.item()
    if before.dtype.kind in "mM":
        return _numpy_time(name, text, before)
    value = fitted_value(name, text, plain)
    if isinstance(plain, int) and isinstance(value, float):
        return value, ""
    source = fitted_source(name, text, plain)
    return _made(name, text, "a number", before, lambda: kind(value)), f"({source})"


def _numpy_time(name: str, text: str, before: Any) -> tuple[Any, str]:
    """Return a date, or a number of a unit of time, in the unit of the value before."""
    kind, unit = type(before), before.dtype.str.partition("[")[2].rstrip("]")
    is_date = before.dtype.kind == "M"
    found = text if is_date or text.lower() == "nat" else literal_value(text)
    given = (found, unit) if unit else (found,)

    def made() -> Any:
        value = kind(*given)
        typed = kind(found) if is_date else value
        # What the unit has no room for, numpy cuts off without a word.
        if type(found) not in {str, int} or str(value.astype(typed.dtype)) != str(typed):
            raise ValueError(found)
        return value

    what = f"a date such as {before}" if is_date else "a whole number"
    return _made(name, text, what, before, made), f"({', '.join(map(repr, given))})"


def _yes_or_no(name: str, text: str) -> bool:
    word = text.lower()
    if word in _YES | _NO:
        return word in _YES
    raise UsageError(f"parameter '{name}' is true or false, and {text!r} is neither.")


def _made(name: str, text: str, what: str, before: Any, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception:  # noqa: BLE001 - a class of the user may raise anything
        raise _unfit(name, text, what, before) from None


def _unfit(name: str, text: str, what: str, before: Any) -> UsageError:
    return UsageError(f"parameter '{name}' is {what} ({before!r} in the notebook), and {text!r} is not.")
