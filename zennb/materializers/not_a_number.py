"""Owns which NaN a NaN is: `value in list` and keys of dictionaries compare these by identity, so copies differ.

Pickles write floats by value, and each is a new one when it is read. A pickle that holds a NaN is written once more and
names each: that of NumPy, that of `math`, or any other by a number, which is one object wherever it occurs. The same
holds for `argparse.SUPPRESS`, a text that parsers compare by identity.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.materializers.buffers import Buffer

__all__ = ["NanReader", "NanWriter", "holds_nan"]

_MARK = re.compile(rb"G[\x7f\xff][\xf0-\xff]|==SUPPRESS==")
"""What pickles write of a NaN; a text with such characters looks like one. Or of `argparse.SUPPRESS`."""

_SUPPRESS = "argparse.SUPPRESS"


def holds_nan(stream: Iterable[Buffer]) -> bool:
    """Whether a pickle may hold a NaN."""
    return any(_MARK.search(part) for part in stream)


class NanWriter:
    """A pickler, or part of one, that names each NaN instead of writing its value."""

    def persistent_id(self, value: Any) -> str | None:
        """Return the name of a NaN; None for anything else."""
        if type(value) is str and value is getattr(sys.modules.get("argparse"), "SUPPRESS", None):
            return _SUPPRESS
        if type(value) is not float or not math.isnan(value):
            return None
        if value is math.nan:  # noqa: PLW0177 - the very object
            return "math"
        if value is getattr(sys.modules.get("numpy"), "nan", None):
            return "numpy"
        numbers: dict[int, tuple[int, Any]] = vars(self).setdefault("_numbers", {})
        number, _ = numbers.setdefault(id(value), (len(numbers), value))  # which keeps it alive
        return f"{number} {struct.pack('>d', value).hex()}"  # its bits may say what is missing


class NanReader:
    """An unpickler, or part of one, that knows each NaN by its name."""

    def persistent_load(self, name: str) -> float | str:
        """Return the NaN of that name."""
        if name == _SUPPRESS:
            return str(import_module("argparse").SUPPRESS)  # the very object, being a text
        if name == "math":
            return math.nan
        if name == "numpy":
            return float(import_module("numpy").nan)  # the very object, being a float
        known: dict[str, float] = vars(self).setdefault("_known", {})
        if name not in known:
            (known[name],) = struct.unpack(">d", bytes.fromhex(name.partition(" ")[2]))
        return known[name]
