"""Owns the materializer for pandas data frames and series: plain data, with memory-mapped arrays.

The block layout is preserved, and with it the last digits of sums; no value is converted. pandas' own pickles would
need less code, but loading pickles from other people is unsafe: pandas' internal constructors trust their arguments
and can write past the end of memory. So the parts of a frame are stored as plain data and passed to public
constructors that check them. A frame that cannot be stored this way is pickled and signed instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from zennb.compat.frames import array_of, blocks_of, frame_of_blocks
from zennb.compat.instances import error_line
from zennb.digests.added_attributes import added_attributes
from zennb.errors import DamagedArtifact, NotStorable, ZennbError
from zennb.materializers.available import not_importable
from zennb.materializers.frame_parts import rebuild, take_apart
from zennb.materializers.materializer import Buffer, Materializer, Scope
from zennb.materializers.plain import PlainData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Frames"]

_SAMPLE = 1_000
_PLAIN = PlainData()


class Frames(Materializer):
    """Exactly `pandas.DataFrame` and `pandas.Series`, of numbers, text, times, categories and Arrow's types."""

    name: ClassVar[str] = "frame"

    def handles(self, value: object) -> bool:
        """Say whether `value` is a frame or series, of no subclass and without attributes that somebody has added."""
        return type(value) in {pd.DataFrame, pd.Series} and not added_attributes(value)

    def dump(self, value: Any) -> Sequence[Buffer]:
        """Return the parts of the value as plain data; its arrays are not copied.

        Raises:
            NotStorable: some part of it is no plain data.
        """
        try:
            return _PLAIN.dump(_note(value))
        except NotStorable:
            raise
        except Exception as error:
            raise NotStorable(f"it cannot be taken apart ({type(error).__name__}: {error}).") from error

    def load(self, buffer: Buffer, scope: Scope) -> Any:
        """Return the value; its arrays are views of `buffer`.

        Raises:
            DamagedArtifact: the bytes are not a valid frame.
            MissingExtra: pyarrow, which it needs, is not installed.
        """
        note = _PLAIN.load(buffer, scope)
        try:
            value = _series(note) if "values" in note else _frame(note)
            value.attrs = note["attrs"]
            value.flags.allows_duplicate_labels = note["duplicates"]
        except ZennbError:
            raise
        except ImportError as error:
            raise not_importable("a frame whose columns need", error) from error
        except Exception as error:
            raise DamagedArtifact(
                f"stored bytes are no frame that pandas {pd.__version__} can read "
                f"({error_line(error)}); run the step again.",
                digest="",
            ) from error
        return value

    def sample(self, value: Any) -> Any:
        """Return the first rows, which have the same structure as the rest."""
        return value.iloc[:_SAMPLE]


def _note(value: Any) -> dict[str, Any]:
    parts = _series_note(value) if type(value) is pd.Series else _frame_note(value)
    labels = {"index": take_apart(value.index), "duplicates": value.flags.allows_duplicate_labels}
    return {**parts, **labels, "attrs": value.attrs}


def _series_note(series: Any) -> dict[str, Any]:
    return {"values": take_apart(array_of(series)), "name": series.name}


def _series(note: Mapping[str, Any]) -> Any:
    values = rebuild(note["values"])
    return pd.Series(values, index=rebuild(note["index"]), dtype=values.dtype, name=note["name"], copy=False)


def _frame_note(frame: Any) -> dict[str, Any]:
    blocks = [(places, take_apart(values)) for places, values in blocks_of(frame)]
    return {"blocks": blocks, "columns": take_apart(frame.columns)}


def _frame(note: Mapping[str, Any]) -> Any:
    blocks = [(places, rebuild(values)) for places, values in note["blocks"]]
    # The blocks as they were: summing another layout gives other last digits.
    return frame_of_blocks(blocks, rebuild(note["index"]), rebuild(note["columns"]))
