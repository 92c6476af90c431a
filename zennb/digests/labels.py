"""Owns how the parts of a value are named, in messages about one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.digests.stream import SCALARS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ELEMENT", "HIDDEN", "STATE", "Label", "shown_path"]

Label: TypeAlias = int | str | tuple[Any]
"""How a part is reached from its whole: an index, an attribute (`.name`, or "" for none), a key in a 1-tuple."""

HIDDEN = ""
"""Label of a part that users have no name for."""

STATE = ".state"
"""Label of an object's attribute dictionary: its keys are shown as attributes."""

ELEMENT = ".element"
"""Label of a member of a set, which has no position."""


def shown_path(labels: Sequence[Label]) -> str:
    """Return the path of a part as the user would write it; the first label is the name of the value."""
    shown = str(labels[0])
    before: Label = HIDDEN
    for label in labels[1:]:
        shown += _step(label, before)
        before = label
    return shown


def _step(label: Label, before: Label) -> str:
    if isinstance(label, int):
        return f"[{label}]"
    if isinstance(label, tuple):
        key = label[0]
        if before == STATE and isinstance(key, str):
            return f".{key}"
        return f"[{_short(key)}]"
    return "" if label in {HIDDEN, STATE} else "{...}" if label == ELEMENT else label


def _short(key: Any) -> str:
    shown = repr(key) if type(key) in SCALARS else type(key).__name__
    return shown if len(shown) <= 40 else shown[:37] + "..."
