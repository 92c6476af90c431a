"""Owns the check of Arrow arrays that were loaded: reading a forged one would read memory outside of its buffers.

Arrow checks sizes only, unless it is asked for everything. That reads all text to see whether it is UTF-8, and so would
read a whole mapped file. For pandas' columns of text the offsets are enough: Arrow decodes a text when it is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types

__all__ = ["check_array", "check_schema", "check_table"]


def check_schema(schema: Any) -> None:
    """Check the names and notes of columns, which Arrow decodes when they are asked for, and polars not at all.

    Raises:
        ValueError: a name is no UTF-8.
    """
    fields = list(schema)
    while fields:
        field = fields.pop()
        field.name.encode()
        fields += [field.type.field(at) for at in range(field.type.num_fields)]


def check_table(table: Any) -> None:
    """Check a table or record batch completely, since polars takes for granted that all text is UTF-8.

    Raises:
        ValueError: its arrays would be read outside of their buffers, or contain no valid values.
    """
    table.validate(full=True)


def check_array(array: Any) -> None:
    """Check that no value of an array lies outside of its buffers.

    Raises:
        ValueError: one does.
    """
    kind = array.type
    if types.is_string(kind) or types.is_binary(kind):
        array.validate()
        _check_offsets(array, np.int32)
    elif types.is_large_string(kind) or types.is_large_binary(kind):
        array.validate()
        _check_offsets(array, np.int64)
    else:
        array.validate(full=True)


def _check_offsets(array: Any, dtype: type) -> None:
    """Check that the offsets of texts never fall, and stay within the data."""
    _, offsets, data = array.buffers()
    if len(array) == 0 or offsets is None:
        return
    found: Any = np.frombuffer(offsets, dtype)[array.offset : array.offset + len(array) + 1]
    size = 0 if data is None else data.size
    if found[0] < 0 or found[-1] > size or bool(np.any(found[1:] < found[:-1])):
        raise pa.ArrowInvalid("the offsets of its texts lie outside of their bytes")
