"""Owns the columns of artifacts, steps and runs: what each holds for a field of the record, and how it is read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.bounded_input import parse_json
from zennb.core.records.metrics import Metric
from zennb.core.records.observed import Carried, Observed
from zennb.core.records.records import Attempt, CacheKeyParts, ComponentSpec, Failure, StackSpec, Status
from zennb.core.records.signing import signed_texts
from zennb.metadata.checks import ARTIFACT_CHECKS, DAMAGED, RUN_CHECKS, STEP_CHECKS
from zennb.metadata.interned_text import InternedText, plain
from zennb.metadata.table import RecordColumn, RecordTable, bounded

if TYPE_CHECKING:
    import sqlite3

    from zennb.core.records.records import Artifact

__all__ = ["ARTIFACTS", "RUNS", "STEPS", "dump", "load_texts", "signed_of_step"]

R = TypeVar("R")
_parse = partial(parse_json, bounded=True)
_LONG = 100_000
"""Characters from which on a text is long: hundreds that are remembered would fill memory."""


def dump(value: Any) -> str:
    """Return JSON text of a mapping or sequence; what JSON cannot express becomes text, never an error."""
    # Most fields of most records are empty: no need to start the encoder.
    if not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    try:
        # The encoder takes only these as they are; a mapping proxy at the top would become text.
        return _ENCODER.encode(value if isinstance(value, (dict, list, tuple)) else _encodable(value))
    except (TypeError, ValueError):  # keys that are no text, or a value that contains itself
        return _ENCODER.encode(_simplified(value, depth=6))


def load_texts(text: str) -> dict[str, str]:
    """Return the text-to-text mapping that JSON text holds."""
    return {} if text == "{}" else dict(_parse(text))


def _dump_optional(value: Any) -> str | None:
    """Return JSON text of a record, equal for equal records; None for None and for an empty one."""
    return _SORTED.encode(value) if value else None


def _dump_stack(spec: StackSpec) -> str:
    """Return JSON text of a stack with its components, equal for equal stacks."""
    components = {
        kind: {"name": part.name, "flavor": part.flavor, "config": dict(part.config)}
        for kind, part in spec.components.items()
    }
    return _SORTED.encode({"name": spec.name, "components": components})


def _load_stack(text: str) -> StackSpec:
    found = _parse(text)
    components = {kind: ComponentSpec(type=kind, **part) for kind, part in found["components"].items()}
    return StackSpec(name=found["name"], components=components)


# Consecutive records of one step share these texts, so most were decoded just before.


def _remembered(count: int) -> Callable[[Callable[[str], R]], Callable[[str], R]]:
    """Let a function remember what it made of that many texts; of long ones only what it made of the last."""

    def wrap(load: Callable[[str], R]) -> Callable[[str], R]:
        remembered, last = lru_cache(maxsize=count)(load), lru_cache(maxsize=1)(load)
        return lambda text: (remembered if len(text) < _LONG else last)(text)

    return wrap


@_remembered(256)
def _load_observed(text: str) -> Observed:
    return Observed(**_parse(text))


@_remembered(1024)
def _load_parts(text: str) -> CacheKeyParts:
    found = _parse(text)
    return CacheKeyParts(**{**found, "outputs": tuple(found["outputs"])})


@_remembered(256)
def _load_provenance(text: str) -> Mapping[str, str]:
    return MappingProxyType(load_texts(text))


@_remembered(64)
def _load_metrics(text: str) -> Mapping[str, Metric]:
    found = _parse(text).items()
    return MappingProxyType(
        {name: Metric(**{**each, "points": tuple(map(tuple, each["points"]))}) for name, each in found}
    )


def _load_attempts(text: str) -> tuple[Attempt, ...]:
    return tuple(Attempt(**{**each, "failure": Failure(**each["failure"])}) for each in _parse(text))


def _load_carried(text: str) -> Carried:
    found = _parse(text)
    return Carried(**{**found, "names": tuple(found["names"])})


def _encodable(value: Any) -> Any:
    """Return what the encoder writes for a type that JSON lacks."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return list(value) if isinstance(value, tuple) else str(value)


def _simplified(value: Any, *, depth: int) -> Any:
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    if depth and isinstance(value, Mapping):
        return {str(key): _simplified(item, depth=depth - 1) for key, item in value.items()}
    if depth and isinstance(value, (list, tuple)):
        return [_simplified(item, depth=depth - 1) for item in value]
    return f"<{type(value).__name__}>"


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_encodable)
# Interned texts are found by their digest, so equal values must give equal text.
_SORTED = json.JSONEncoder(separators=(",", ":"), default=_encodable, sort_keys=True)


def _text(field: str) -> RecordColumn:
    return RecordColumn(field, dump=plain)


def _names(field: str) -> RecordColumn:
    return RecordColumn(field, dump=dump, load=lambda text: () if text == "[]" else tuple(_parse(text)))


def _status() -> RecordColumn:
    return RecordColumn("status", dump=lambda status: status.value, load=Status)


def _interned(
    field: str,
    name: str = "",
    dump: Callable[[Any], str | None] = str,
    load: Callable[[str], Any] = bounded,
    default: Any = None,
) -> RecordColumn:
    def encode(value: Any) -> InternedText | None:
        text = dump(value)
        return None if text is None else InternedText.of(text)

    return RecordColumn(field, name, encode, load, default, interned=True)


ARTIFACTS = RecordTable(
    "artifacts",
    "a",
    [
        _text("name"),
        RecordColumn("version"),
        RecordColumn("digest"),
        RecordColumn("blob"),
        RecordColumn("item"),
        RecordColumn("materializer"),
        RecordColumn("size"),
        _text("type"),
        RecordColumn("kind"),
        RecordColumn("step"),
        RecordColumn("created"),
        _names("needs"),
        _names("packages"),
        RecordColumn("summary", dump=dump, load=_parse),
    ],
    details=[_interned("parts", dump=_dump_optional, load=lambda text: tuple(_parse(text)), default=())],
    owner="artifact",
    checks=ARTIFACT_CHECKS,
    damaged={"blob": ""},  # so that nobody takes it for stored
)
STEPS = RecordTable(
    "steps",
    "s",
    [
        RecordColumn("run"),
        _text("name"),
        _interned("notebook"),
        _text("cell"),
        _status(),
        RecordColumn("reusable", dump=int, load=bool),
        RecordColumn("cache_key", "key"),
        RecordColumn("started"),
        RecordColumn("seconds"),
        RecordColumn("reused"),
        RecordColumn("displays"),
        _text("reason"),
        _text("unusable_because"),
        _names("defines"),
        _names("deletes"),
        _interned("source", load=str),
        _interned("parts", dump=_dump_optional, load=_load_parts),
        RecordColumn("failure", dump=_dump_optional, load=lambda text: Failure(**_parse(text))),
    ],
    details=[
        _interned("observed", dump=_dump_optional, load=_load_observed, default=Observed()),
        RecordColumn("carried", dump=_dump_optional, load=_load_carried),
        RecordColumn("attempts", dump=_dump_optional, load=_load_attempts, default=()),
        RecordColumn("saved", default=0.0),
        RecordColumn("expires"),
        RecordColumn("ran_on", dump=lambda text: text or None, default=""),
        _interned("metrics", dump=_dump_optional, load=_load_metrics, default=MappingProxyType({})),
        _interned("provenance", dump=_dump_optional, load=_load_provenance, default=MappingProxyType({})),
        RecordColumn("seal", dump=lambda _: None),
    ],
    owner="step",
    checks=STEP_CHECKS,
    damaged={"reusable": False, "unusable_because": DAMAGED},
)
_SIGNED = (
    "name",
    "status",
    "reusable",
    "key",
    "started",
    "seconds",
    "displays",
    "defines",
    "deletes",
    "parts",
    "observed",
    "carried",
    "provenance",
)
"""The columns of a step that its seal covers, besides `metrics`, which old records lack. Not `expires`, which
`%artifacts expire` changes later."""


def signed_of_step(
    values: Mapping[str, Any] | sqlite3.Row, inputs: Mapping[str, Artifact], outputs: Mapping[str, Artifact]
) -> tuple[str, ...]:
    """Return what is signed of a step; its columns are given as they were read or are to be written."""
    found = [values[label] for label in _SIGNED]
    if values["metrics"] is not None:
        found.append(values["metrics"])
    texts = [each.text if isinstance(each, InternedText) else str(each) for each in found]
    return signed_texts(texts, inputs, outputs)


RUNS = RecordTable(
    "runs",
    "r",
    [
        RecordColumn("kind"),
        _interned("notebook"),
        RecordColumn("stack", dump=lambda stack: plain(stack.name), load=None),
        _status(),
        RecordColumn("started"),
        RecordColumn("seconds"),
        _text("host"),
        RecordColumn("process"),
        _interned("stack", "snapshot", dump=_dump_stack, load=_load_stack),
        RecordColumn("parameters", dump=dump, load=load_texts),
        _interned("versions", dump=dump, load=load_texts),
    ],
    details=[
        RecordColumn("parent"),
        RecordColumn("commit", "git_commit", default=""),
        RecordColumn("dirty", load=bool),
        RecordColumn("computed", default=0.0),
        RecordColumn("saved", default=0.0),
    ],
    owner="run",
    checks=RUN_CHECKS,
)
