"""Owns the copies of records that lie beside the values: each completed step, signed, as a small blob.

With them the records of a home can be written again when `metadata.db` and its backups are lost.

Offset  Bytes  Content
0       8      magic
8       32     HMAC-SHA256 over the magic and the rest, under the key of the user who ran the step
40      ...    a JSON object: `recorded` (seconds since the epoch), `step`, `inputs`, `outputs`, `run`, with the columns
               of the metadata store. An input that was on record before is there without its summary.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zennb.core.records.records import Artifact, Run, Status, Step
from zennb.errors import StoreError
from zennb.metadata.interned_text import InternedText
from zennb.metadata.rows import ARTIFACTS, RUNS, STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.components.component import Buffer
    from zennb.materializers.signer import Signer
    from zennb.metadata.steps import NewStep

__all__ = [
    "MAGIC",
    "RecordCopy",
    "body_of",
    "copy_text",
    "is_copy",
    "opened_copy",
    "read_body",
    "sealed_copy",
]

MAGIC = b"zennbRC\x01"
"""The first bytes of a copy, and of nothing else that zennb stores."""

_SEAL = 32
_START = len(MAGIC) + _SEAL
_MOST = 64 * 1024 * 1024
"""Bytes of the largest copy that is read."""

_ENCODER = json.JSONEncoder(separators=(",", ":"))
_FACTS = ("kind", "notebook", "stack", "status", "started", "seconds", "host", "process", "snapshot")
_IDENTITY = ("name", "digest", "blob", "item", "materializer", "size", "type", "kind", "created")
_latest_run: tuple[Run, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCopy:
    """The copy of one record, opened. Nothing in it has an id, and versions are those of inputs that were on record.

    Attributes:
        recorded: when it was made, in seconds since the epoch.
        run: the run that the step belonged to, as it was then.
        step: the step, with its inputs and outputs.
    """

    recorded: float
    run: Run
    step: Step


def sealed_copy(new: NewStep, run: Run, *, signer: Signer) -> bytes | None:
    """Return the copy of a record that is about to be written; None when it cannot be signed.

    Args:
        new: the step, encoded for the metadata store.
        run: the run it belongs to.
        signer: signs the copy.
    """
    body = body_of(new, run).encode()
    with suppress(StoreError):  # without a key there is no copy, and the step is recorded all the same
        return b"".join((MAGIC, signer.sign([MAGIC, body]), body))
    return None


def body_of(new: NewStep, run: Run, **more: str | int | None) -> str:
    """Return a record as JSON text, with more fields.

    Args:
        new: the step, encoded for the metadata store.
        run: the run it belongs to.
        more: name → value.
    """
    step = new.row.record
    head = _ENCODER.encode(
        {
            "recorded": time.time(),
            "step": _texts(new.row.values),
            "inputs": {name: _columns(item, new) for name, item in step.inputs.items()},
            "outputs": {name: _columns(item, new) for name, item in step.outputs.items()},
            **more,
        }
    )
    return f'{head[:-1]},"run":{_facts(run)}}}'


def is_copy(content: Buffer) -> bool:
    """Return whether bytes are a copy of a record, by their first bytes."""
    return bytes(memoryview(content).cast("B")[: len(MAGIC)]) == MAGIC


def copy_text(content: Buffer) -> str:
    """Return the JSON text of a copy; nothing about it is checked.

    Raises:
        UnicodeDecodeError: it is no text.
    """
    return bytes(memoryview(content).cast("B")[_START:]).decode()


def opened_copy(content: Buffer, *, signer: Signer) -> RecordCopy | None:
    """Return a copy, opened; None if this user has not signed it, whatever else it is."""
    view = memoryview(content).cast("B")
    if not is_copy(view) or view.nbytes > _MOST:
        return None
    body = bytes(view[_START:])
    if not signer.verifies([MAGIC, body], bytes(view[len(MAGIC) : _START])):
        return None
    try:
        return read_body(json.loads(body))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None  # signed, but of a format that this version does not know


def read_body(found: Any) -> RecordCopy:
    """Return what the JSON text of `body_of` holds.

    Raises:
        ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError: it holds something else.
    """
    inputs, outputs = (
        {str(name): _artifact(columns) for name, columns in found[part].items()}
        for part in ("inputs", "outputs")
    )
    step = Step(**STEPS.fields(_Row(found["step"])), inputs=inputs, outputs=outputs)
    run = Run(**RUNS.fields(_Row({"parameters": "{}", "versions": "{}", **found["run"]})))
    return RecordCopy(
        recorded=float(found["recorded"]),
        run=replace(run, id=None, parent=None),
        step=replace(step, id=None, run=None, reused=None, status=Status.COMPLETED),
    )


class _Row(dict[str, Any]):
    """Columns by name; those that are missing, in a copy that an older version made, are NULL."""

    def __missing__(self, name: str) -> None:
        return None


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return encoded columns as JSON values; texts that the database stores once are written out."""
    return {
        name: value.text if type(value) is InternedText else value
        for name, value in values.items()
        if value is not None
    }


def _columns(item: Artifact, new: NewStep) -> dict[str, Any]:
    known = new.artifacts.get(id(item))
    if known is not None:
        return _texts(known.values)
    lists = {name: _ENCODER.encode(getattr(item, name)) for name in ("needs", "packages", "parts")}
    return {**{name: getattr(item, name) for name in _IDENTITY}, "version": item.version, **lists}


def _artifact(columns: Mapping[str, Any]) -> Artifact:
    fields = ARTIFACTS.fields(_Row({"needs": "[]", "packages": "[]", "summary": "{}", **columns}))
    return Artifact(**{**fields, "id": None, "step": None, "version": fields["version"] or 0})


def _facts(run: Run) -> str:
    """Return what matters of a run as JSON text; the steps of one run have it in common."""
    global _latest_run  # noqa: PLW0603 - one entry, exchanged whole
    known = _latest_run
    if known is not None and _is_same(known[0], run):
        return known[1]
    values = _texts(RUNS.new(run).values)
    text = _ENCODER.encode({name: values[name] for name in _FACTS if name in values})
    _latest_run = (run, text)
    return text


def _is_same(one: Run, other: Run) -> bool:
    return (
        one.stack is other.stack
        and (one.kind, one.notebook, one.started) == (other.kind, other.notebook, other.started)
        and (one.host, one.process) == (other.host, other.process)
    )
