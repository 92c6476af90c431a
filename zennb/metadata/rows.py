"""Owns the way between records and rows: what a column holds for a field, and back. No SQL, no connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from zennb.core.records.observed import Carried, Observed
from zennb.core.records.records import (
    Artifact,
    Attempt,
    CacheKeyParts,
    ComponentSpec,
    Failure,
    Run,
    StackSpec,
    Status,
    Step,
)

__all__ = [
    "Row",
    "Tally",
    "artifact",
    "dump",
    "dump_attempts",
    "dump_carried",
    "dump_failure",
    "dump_observed",
    "dump_parts",
    "dump_provenance",
    "dump_stack",
    "load_texts",
    "plain",
    "run",
    "stack",
    "step",
    "tally",
]

Row: TypeAlias = tuple[Any, ...]

_PARTS = tuple(field.name for field in fields(CacheKeyParts))
_FAILURE = tuple(field.name for field in fields(Failure))
_OBSERVED = tuple(field.name for field in fields(Observed))
_CARRIED = tuple(field.name for field in fields(Carried))


def plain(text: str) -> str:
    """Return `text` as UTF-8 can hold it: lone surrogates, as in undecodable file names, are spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def dump(value: Any) -> str:
    """Return JSON text of a mapping or sequence; what JSON does not know becomes text, never an error."""
    if not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    try:
        return _ENCODER.encode(value if isinstance(value, (dict, list, tuple)) else _known(value))
    except (TypeError, ValueError):  # keys that are no text, or a value that contains itself
        return _ENCODER.encode(_tamed(value, depth=6))


def dump_parts(parts: CacheKeyParts | None) -> str | None:
    """Return JSON text of a key's parts, equal for equal parts."""
    if parts is None:
        return None
    return _SORTED.encode({name: getattr(parts, name) for name in _PARTS})


def dump_failure(failure: Failure | None) -> str | None:
    """Return JSON text of a failure."""
    return None if failure is None else dump({name: getattr(failure, name) for name in _FAILURE})


def dump_attempts(attempts: Sequence[Attempt]) -> str | None:
    """Return JSON text of the attempts that failed before the last one; None for none."""
    if not attempts:
        return None
    return _ENCODER.encode(
        [
            {
                "started": each.started,
                "seconds": each.seconds,
                "failure": json.loads(dump_failure(each.failure) or "{}"),
            }
            for each in attempts
        ]
    )


def dump_provenance(provenance: Mapping[str, str]) -> str | None:
    """Return JSON text of where a step's names came from, equal for equal ones; None for nothing."""
    return _SORTED.encode(dict(provenance)) if provenance else None


def dump_observed(observed: Observed) -> str | None:
    """Return JSON text of what a step was seen to touch, equal for equal ones; None for nothing."""
    return _SORTED.encode({name: getattr(observed, name) for name in _OBSERVED}) if observed else None


def dump_carried(carried: Carried | None) -> str | None:
    """Return JSON text that says where the settings are that a step changed."""
    return None if carried is None else dump({name: getattr(carried, name) for name in _CARRIED})


def dump_stack(spec: StackSpec) -> str:
    """Return JSON text of a stack with its components, equal for equal stacks."""
    components = {
        kind: {"name": part.name, "flavor": part.flavor, "config": dict(part.config)}
        for kind, part in spec.components.items()
    }
    return _SORTED.encode({"name": spec.name, "components": components})


def load_texts(text: str) -> dict[str, str]:
    """Return the text-to-text mapping that JSON text holds."""
    return {} if text == "{}" else dict(json.loads(text))


def stack(text: str) -> StackSpec:
    """Return the stack that `dump_stack` wrote."""
    found = json.loads(text)
    components = {kind: ComponentSpec(type=kind, **part) for kind, part in found["components"].items()}
    return StackSpec(name=found["name"], components=components)


def artifact(row: Row) -> Artifact:
    """Return the artifact of a row of `artifacts`, columns in schema order."""
    return Artifact(
        id=row[0],
        name=row[1],
        version=row[2],
        digest=row[3],
        blob=row[4],
        item=row[5],
        materializer=row[6],
        size=row[7],
        type=row[8],
        kind=row[9],
        step=row[10],
        created=row[11],
        needs=_names(row[12]),
        packages=_names(row[13]),
        summary=json.loads(row[14]),
    )


def step(row: Row, inputs: Mapping[str, Artifact], outputs: Mapping[str, Artifact]) -> Step:
    """Return the step of a row of `steps`, columns in schema order, texts resolved."""
    return Step(
        id=row[0],
        run=row[1],
        name=row[2],
        notebook=row[3],
        cell=row[4],
        status=Status(row[5]),
        reusable=bool(row[6]),
        cache_key=row[7],
        started=row[8],
        seconds=row[9],
        reused=row[10],
        displays=row[11],
        reason=row[12],
        unusable_because=row[13],
        defines=_names(row[14]),
        deletes=_names(row[15]),
        source=row[16],
        parts=_parts(row[17]),
        failure=None if row[18] is None else Failure(**json.loads(row[18])),
        observed=Observed() if row[19] is None else _observed(row[19]),
        carried=None if row[20] is None else _carried(row[20]),
        attempts=() if row[21] is None else _attempts(row[21]),
        saved=row[22] or 0.0,
        expires=row[23],
        provenance={} if row[24] is None else _provenance(row[24]),
        inputs=inputs,
        outputs=outputs,
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """The steps of a run: state → how many, and name → state of its latest record (see `Run.names`)."""

    steps: Mapping[str, int]
    names: Mapping[str, str]


def tally(groups: Sequence[Row]) -> Tally:
    """Return the tally of groups of steps: name, status, how many, first and last id of each group."""
    steps: dict[str, int] = {}
    latest: dict[str, tuple[bool, int, str]] = {}
    for name, status, count, _, high in sorted(groups, key=lambda group: group[3]):
        steps[status] = steps.get(status, 0) + count
        latest[name] = max(latest.get(name, (False, 0, "")), (status != Status.CACHED.value, high, status))
    return Tally(steps, {name: state for name, (_, _, state) in latest.items()})


def run(row: Row, tally: Tally, *, status: Status | None = None) -> Run:
    """Return the run of a row of `runs`, columns in schema order, texts resolved; `status` overrides."""
    return Run(
        id=row[0],
        kind=row[1],
        notebook=row[2],
        status=status or Status(row[4]),
        started=row[5],
        seconds=row[6],
        host=row[7],
        process=row[8],
        stack=stack(row[9]),
        parameters=load_texts(row[10]),
        versions=load_texts(row[11]),
        steps=tally.steps,
        names=tally.names,
        parent=row[12],
        commit=row[13] or "",
        dirty=None if row[14] is None else bool(row[14]),
        computed=row[15] or 0.0,
        saved=row[16] or 0.0,
    )


def _names(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))


# Records of one step after the other have these texts in common, so most have just been read.


@lru_cache(maxsize=256)
def _observed(text: str) -> Observed:
    return Observed(**json.loads(text))


@lru_cache(maxsize=1024)
def _parts(text: str | None) -> CacheKeyParts | None:
    if text is None:
        return None
    found = json.loads(text)
    return CacheKeyParts(**{**found, "outputs": tuple(found["outputs"])})


def _attempts(text: str) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(started=each["started"], seconds=each["seconds"], failure=Failure(**each["failure"]))
        for each in json.loads(text)
    )


@lru_cache(maxsize=256)
def _provenance(text: str) -> Mapping[str, str]:
    return MappingProxyType(load_texts(text))


def _carried(text: str) -> Carried:
    found = json.loads(text)
    return Carried(**{**found, "names": tuple(found["names"])})


def _known(value: Any) -> Any:
    """What the encoder asks when it meets a type JSON does not know."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    return list(value) if isinstance(value, tuple) else str(value)


def _tamed(value: Any, *, depth: int) -> Any:
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    if depth and isinstance(value, Mapping):
        return {str(key): _tamed(item, depth=depth - 1) for key, item in value.items()}
    if depth and isinstance(value, (list, tuple)):
        return [_tamed(item, depth=depth - 1) for item in value]
    return f"<{type(value).__name__}>"


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_known)
_SORTED = json.JSONEncoder(separators=(",", ":"), default=_known, sort_keys=True)
