"""Owns the summary of a scikit-learn estimator: its parts and what differs from the defaults, as plain values.

The HTML that scikit-learn makes is not stored: a record can be somebody else's, and pages show what records say.
"""

from __future__ import annotations

import sys
from inspect import signature
from itertools import islice
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.materializers.own_texts import runs_own_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["estimator_text", "preview_estimator"]

_DEEPEST = 8
_PARTS = 40
"""Estimators inside one that are listed."""

_PARAMETERS = 20


def preview_estimator(value: Any, short: Callable[[object], str]) -> dict[str, Any]:
    """Return the `estimator` entry of a summary; nothing for other values.

    Args:
        value: any value.
        short: returns a value as short text.
    """
    if not _is_estimator(value):
        return {}
    try:
        return {"estimator": _described(value, short, iter(range(_PARTS)), 0)}
    except Exception:  # noqa: BLE001 - a class of the notebook may not tell its parameters: it is shown like others
        return {}


def estimator_text(value: Any) -> str:
    """Return `Pipeline(prepare, model)` for an estimator that holds others; "" for other values.

    Scikit-learn's own text of one takes twice as long with each level.
    """
    if not _is_estimator(value):
        return ""
    parameters = value.get_params(deep=False)
    held = [
        str(label)
        for name, each in parameters.items()
        for label, _, _ in ([(name, each, None)] if _is_estimator(each) else _named(each))
    ]
    return f"{type(value).__name__}({', '.join(held[:_PARAMETERS])})" if held else ""


def _is_estimator(value: object) -> bool:
    module = sys.modules.get("sklearn.base")
    return module is not None and is_a(value, module.BaseEstimator) and not is_a(value, type)


def _described(value: Any, short: Callable[[object], str], left: Iterator[int], depth: int) -> dict[str, Any]:
    """Return `{name, parameters, layout, parts}` of an estimator: `parts` are `[label, columns, estimator]`."""
    parameters = value.get_params(deep=False)
    parts = [] if depth >= _DEEPEST else list(_parts(parameters, short, left, depth))
    inside = {name for name, each in parameters.items() if _is_estimator(each) or _named(each)}
    return {
        "name": type(value).__name__,
        "parameters": [
            [name, short(each)]
            for name, each in islice(_changed(value, parameters, inside).items(), _PARAMETERS)
        ],
        "layout": "serial" if "steps" in parameters or not _is_parallel(parameters) else "parallel",
        "parts": parts,
    }


def _is_parallel(parameters: Mapping[str, Any]) -> bool:
    return any(len(_named(each)) > 1 for each in parameters.values())


def _parts(
    parameters: Mapping[str, Any], short: Callable[[object], str], left: Iterator[int], depth: int
) -> Iterator[list[Any]]:
    for name, each in parameters.items():
        found = [(name, each, None)] if _is_estimator(each) else _named(each)
        for label, part, columns in found:
            if next(left, None) is None:
                return
            inner = (
                _described(part, short, left, depth + 1)
                if _is_estimator(part)
                else {"name": short(part).strip("'\"")}
            )
            yield [str(label), "" if columns is None else short(columns), inner]


def _named(value: object) -> list[tuple[object, Any, Any]]:
    """Return name, estimator (or `passthrough`, `drop`) and columns of each part in a list of such tuples."""
    if not is_a(value, list) or not value:
        return []
    found: list[tuple[object, Any, Any]] = [
        (each[0], each[1], each[2] if len(each) > 2 else None)
        for each in value
        if is_a(each, tuple) and 2 <= len(each) <= 3 and is_a(each[0], str)
    ]
    is_complete = len(found) == len(value) and any(_is_estimator(part) for _, part, _ in found)
    return found if is_complete else []


def _changed(value: Any, parameters: Mapping[str, Any], inside: set[str]) -> dict[str, Any]:
    """Return the parameters that differ from the defaults of the class, without those that hold estimators."""
    known = signature(type(value).__init__).parameters
    return {
        name: each
        for name, each in parameters.items()
        if name not in inside and (name not in known or not _is_same(known[name].default, each))
    }


def _is_same(default: object, value: object) -> bool:
    """Whether a parameter has its default, which is a plain value; arrays are not compared."""
    return default is value or (
        type(default) is type(value) and not runs_own_text(value) and repr(default) == repr(value)
    )
