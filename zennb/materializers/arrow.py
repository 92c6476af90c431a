"""Owns the materializer for polars and pyarrow tables: Arrow IPC files, uncompressed, for memory mapping."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from zennb.compat.instances import error_line
from zennb.digests.added_attributes import added_attributes
from zennb.errors import DamagedArtifact, NotStorable
from zennb.materializers.arrow_checks import check_schema, check_table
from zennb.materializers.available import not_importable
from zennb.materializers.buffers import Collector, joined, private
from zennb.materializers.materializer import Buffer, Materializer, Scope
from zennb.materializers.plain import PlainData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ArrowTables"]

_NOTE = b"zennb"
_SAMPLE = 1_000


class ArrowTables(Materializer):
    """Frames and series of polars, tables and record batches of pyarrow: exactly these types.

    A note in the schema's metadata, under `zennb`, holds the type of the table and what Arrow cannot express.
    """

    name: ClassVar[str] = "arrow_table"

    def handles(self, value: object) -> bool:
        """Whether `value` is a table: exactly of polars' or pyarrow's classes, and without added attributes."""
        return _type_name(value) is not None and not added_attributes(value)

    def dump(self, value: Any) -> Sequence[Buffer]:
        """Return an Arrow IPC file; columns are the value's own memory wherever their layout is Arrow's.

        Raises:
            NotStorable: Arrow would change something.
        """
        try:
            table, note = _to_arrow(value)
            return _write(table, note)
        except (pa.ArrowException, ImportError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, NotStorable):
                raise
            raise NotStorable(f"Arrow cannot hold it exactly ({error}).") from error

    def load(self, buffer: Buffer, scope: Scope) -> Any:  # noqa: ARG002 - tables need no names
        """Return the table; its columns are views of `buffer`.

        Raises:
            DamagedArtifact: the bytes are not a valid Arrow file.
            MissingExtra: the library it belongs to is not installed.
        """
        try:
            return _from_arrow(pa.ipc.open_file(pa.BufferReader(pa.py_buffer(private(buffer)))))
        except ImportError as error:
            raise not_importable("a table of", error) from error
        except BaseException as error:
            # A panic of polars is no Exception.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise DamagedArtifact(
                f"stored bytes are not an Arrow file of zennb ({error_line(error)}); run the step again.",
                digest="",
            ) from error

    def sample(self, value: Any) -> Any:
        """Return the first rows, which have the same structure as the rest."""
        return value[:_SAMPLE]


def _type_name(value: object) -> str | None:
    """Return what `value` is, e.g. `polars.Series`, when it is a table we store."""
    for library, names in (("polars", ("DataFrame", "Series")), ("pyarrow", ("Table", "RecordBatch"))):
        for name in names:
            if library in sys.modules and type(value) is getattr(sys.modules[library], name):
                return f"{library}.{name}"
    return None


def _to_arrow(value: Any) -> tuple[Any, dict[str, Any]]:
    """Return `value` as a table or record batch, with a note of what Arrow cannot express."""
    what = _type_name(value)
    note: dict[str, Any] = {"what": what}
    if what == "polars.DataFrame":
        return _from_polars(value), note
    if what == "polars.Series":
        return _from_polars(value.alias("").to_frame()), note | {"name": value.name}
    return value, note | {"bare": value.schema.metadata is None}


def _from_polars(frame: Any) -> Any:
    # The newest layout is polars' own (views of text), so that nothing has to be converted.
    return frame.to_arrow(compat_level=sys.modules["polars"].CompatLevel.newest())


def _from_arrow(reader: Any) -> Any:
    """Return the table stored in an Arrow file."""
    metadata = dict(reader.schema.metadata or {})
    note = PlainData().load(metadata.pop(_NOTE), {})
    check_schema(reader.schema)
    batches = [reader.get_batch(at) for at in range(reader.num_record_batches)]
    for batch in batches:
        check_table(batch)
    what = note["what"]
    own_metadata = None if note.get("bare", not metadata) else metadata
    if what == "pyarrow.RecordBatch":
        return batches[0].replace_schema_metadata(own_metadata)
    table = pa.Table.from_batches(batches, schema=reader.schema).replace_schema_metadata(own_metadata)
    return table if what == "pyarrow.Table" else _to_polars(table, note)


def _to_polars(table: Any, note: Mapping[str, Any]) -> Any:
    import polars as pl

    # Joining the chunks would copy what is mapped.
    frame: Any = pl.from_arrow(table, rechunk=False)
    if note["what"] == "polars.DataFrame":
        return frame
    if note["what"] == "polars.Series":
        return frame.to_series().alias(note["name"])
    raise ValueError(f"it is a {note['what']}")


def _write(table: Any, note: Mapping[str, Any]) -> list[Buffer]:
    """Return an Arrow IPC file as buffers."""
    packed = bytes(joined(PlainData().dump(note)))
    noted = table.replace_schema_metadata({**(table.schema.metadata or {}), _NOTE: packed})
    collector = Collector()
    with pa.ipc.new_file(pa.PythonFile(collector, mode="w"), noted.schema) as writer:
        writer.write(noted)
    return collector.parts
