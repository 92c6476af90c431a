"""Owns pandas frames and series as Arrow record batches: block by block, without converting a single value.

Going through `pyarrow.Table.from_pandas` would change lists, dicts, frequencies, mixed columns and the
memory layout (and with it the last digits of sums). So each block of the frame is written as it lies in memory:
one whose columns are contiguous as that many Arrow columns, one whose rows are contiguous as a single Arrow
column of fixed-size lists. What is no such memory (columns of Python objects, sparse ones ...) is refused, and
then pickled.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from zennb.materializers.arrays import Columns, Memory, put_values, values_from
from zennb.materializers.indexes import index_from, put_index

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["put_together", "take_apart"]


def take_apart(value: Any) -> tuple[Any, dict[str, Any]]:
    """Return a frame or series as a record batch and the note from which `put_together` rebuilds it.

    Raises:
        NotStorable: some part of it is no plain memory, or carries something that could not be written down.
    """
    columns = Columns(len(value))
    note = _series_note(value, columns) if isinstance(value, pd.Series) else _frame_note(value, columns)
    note["index"] = put_index(value.index, columns)
    note["attrs"] = value.attrs
    note["duplicates"] = value.flags.allows_duplicate_labels
    return pa.RecordBatch.from_arrays(columns.arrays, names=columns.names), note


def _series_note(series: Any, columns: Columns) -> dict[str, Any]:
    values = series._values  # noqa: SLF001 - the array as it is, where `.array` would wrap it
    return {"values": put_values(values, columns, [_label(series.name)]), "name": series.name}


def _frame_note(frame: Any, columns: Columns) -> dict[str, Any]:
    labels = [_label(one) for one in frame.columns]
    blocks = []
    for block in frame._mgr.blocks:  # noqa: SLF001 - pandas offers no public way to see its blocks
        places = block.mgr_locs.as_array
        blocks.append((places, put_values(block.values, columns, [labels[at] for at in places])))
    return {"blocks": blocks, "columns": put_index(frame.columns, None)}


def _label(label: object) -> str:
    return label if isinstance(label, str) else repr(label)


def put_together(batch: Any, note: Mapping[str, Any], own: memoryview) -> Any:
    """Return the frame or series that `take_apart` took apart, its numbers being views of `own`."""
    memory = Memory(batch, own)
    index = index_from(note["index"], memory)
    value = _series(note, memory, index) if note["what"] == "pandas.Series" else _frame(note, memory, index)
    value.attrs = note["attrs"]
    value.flags.allows_duplicate_labels = note["duplicates"]
    return value


def _series(note: Mapping[str, Any], memory: Memory, index: Any) -> Any:
    return pd.Series(values_from(note["values"], memory), index=index, name=note["name"], copy=False)


def _frame(note: Mapping[str, Any], memory: Memory, index: Any) -> Any:
    blocks = [
        (values_from(values, memory), np.asarray(places, dtype=np.intp)) for places, values in note["blocks"]
    ]
    columns = index_from(note["columns"], None)
    try:
        public: Any = import_module("pandas.api.internals")
    except ImportError:  # pandas before 3
        return _frame_of_blocks(blocks, index, columns)
    return public.create_dataframe_from_blocks(blocks, index=index, columns=columns)


def _frame_of_blocks(blocks: list[tuple[Any, Any]], index: Any, columns: Any) -> Any:
    internals: Any = import_module("pandas.core.internals.blocks")
    managers: Any = import_module("pandas.core.internals.managers")
    place = internals.BlockPlacement
    made = [internals.new_block(values, placement=place(places), ndim=2) for values, places in blocks]
    manager = managers.BlockManager(made, [columns, index])
    frame: Any = pd.DataFrame
    return frame._from_mgr(manager, axes=manager.axes)  # noqa: SLF001 - what pandas 3 made public
