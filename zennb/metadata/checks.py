"""Owns what each field of a record may hold, and what is shown in place of anything else.

Whoever can write to the home can put anything into a row. Such a record is still listed, but never reused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from zennb.core.records.component_types import REQUIRED_TYPES
from zennb.core.records.metrics import Metric
from zennb.core.records.observed import Carried, Observed
from zennb.core.records.records import Attempt, CacheKeyParts, ComponentSpec, Failure, StackSpec, Status

__all__ = ["ARTIFACT_CHECKS", "DAMAGED", "RUN_CHECKS", "STEP_CHECKS", "FieldCheck", "is_texts", "status_of"]

DAMAGED = "its record is damaged"
"""Why a step with an odd value in its record is not reused."""

_LAST = 1e11
"""A time in seconds since the epoch that is thousands of years ahead; no calendar shows much later ones."""


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """What a field may hold.

    Attributes:
        fits: whether it may hold a value.
        spare: what it holds otherwise.
    """

    fits: Callable[[Any], bool]
    spare: Any


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_number(value: object) -> bool:
    return type(value) in {int, float} and isinstance(value, int | float) and math.isfinite(value)


def _is_time(value: object) -> bool:
    return _is_number(value) and isinstance(value, int | float) and abs(value) < _LAST


def _is_count(value: object) -> bool:
    return type(value) is int


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(map(_is_text, value))


def is_texts(value: object) -> bool:
    """Whether a value maps texts to texts."""
    return isinstance(value, Mapping) and all(map(_is_text, value)) and all(map(_is_text, value.values()))


def status_of(value: object) -> Status:
    """Return the status that a column holds, as that of a record would be."""
    return next((status for status in Status if status.value == value), Status.INTERRUPTED)


def _is_failure(value: object) -> bool:
    return isinstance(value, Failure) and all(map(_is_text, (value.type, value.message, value.traceback)))


def _is_parts(value: object) -> bool:
    return (
        isinstance(value, CacheKeyParts)
        and _is_text(value.code)
        and _are_texts(value.outputs)
        and all(map(is_texts, (value.inputs, value.reached, value.packages, value.options)))
    )


def _is_observed(value: object) -> bool:
    if not isinstance(value, Observed):
        return False
    found = (value.files, value.written, value.restored, value.environment, value.settings, value.left)
    return all(map(is_texts, found))


def _is_carried(value: object) -> bool:
    return (
        isinstance(value, Carried)
        and _is_text(value.blob)
        and _is_text(value.materializer)
        and _are_texts(value.names)
    )


def _is_float(value: object) -> bool:
    return type(value) in {int, float}


def _is_point(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and _is_count(value[0]) and _is_float(value[1])


def _are_metrics(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(each, Metric)
        and _is_text(name)
        and _is_float(each.last)
        and _is_count(each.count)
        and all(map(_is_point, each.points))
        for name, each in value.items()
    )


def _are_attempts(value: object) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(each, Attempt)
        and _is_time(each.started)
        and _is_number(each.seconds)
        and _is_failure(each.failure)
        for each in value
    )


def _is_stack(value: object) -> bool:
    return (
        isinstance(value, StackSpec)
        and _is_text(value.name)
        and all(kind in value.components for kind in REQUIRED_TYPES)
        and all(
            all(map(_is_text, (each.type, each.name, each.flavor))) and is_texts(each.config)
            for each in value.components.values()
        )
    )


_UNKNOWN = StackSpec(
    name="unknown",
    components={kind: ComponentSpec(type=kind, name="unknown", flavor="unknown") for kind in REQUIRED_TYPES},
)

_TEXT = FieldCheck(_is_text, "")
_MAYBE_TEXT = FieldCheck(lambda value: value is None or _is_text(value), None)
_TEXTS = FieldCheck(_are_texts, ())
_MAP = FieldCheck(is_texts, MappingProxyType({}))
_TIME = FieldCheck(_is_time, 0.0)
_MAYBE_TIME = FieldCheck(lambda value: value is None or _is_time(value), 0.0)
_NUMBER = FieldCheck(_is_number, 0.0)
_COUNT = FieldCheck(_is_count, 0)
_MAYBE_COUNT = FieldCheck(lambda value: value is None or _is_count(value), None)
_STATUS = FieldCheck(lambda value: isinstance(value, Status), Status.INTERRUPTED)

ARTIFACT_CHECKS: Mapping[str, FieldCheck] = {
    **dict.fromkeys(("name", "digest", "blob", "materializer", "type", "kind"), _TEXT),
    **dict.fromkeys(("needs", "packages", "parts"), _TEXTS),
    "version": _COUNT,
    "size": _COUNT,
    "item": _MAYBE_TEXT,
    "step": _MAYBE_COUNT,
    "created": _TIME,
    "summary": FieldCheck(lambda value: isinstance(value, dict), MappingProxyType({})),
}
STEP_CHECKS: Mapping[str, FieldCheck] = {
    **dict.fromkeys(
        (
            "name",
            "notebook",
            "cell",
            "cache_key",
            "displays",
            "reason",
            "unusable_because",
            "source",
            "ran_on",
        ),
        _TEXT,
    ),
    **dict.fromkeys(("defines", "deletes"), _TEXTS),
    **dict.fromkeys(("run", "reused"), _MAYBE_COUNT),
    **dict.fromkeys(("seconds", "saved"), _NUMBER),
    "status": _STATUS,
    "reusable": FieldCheck(lambda value: isinstance(value, bool), False),
    "started": _TIME,
    "expires": _MAYBE_TIME,
    "parts": FieldCheck(lambda value: value is None or _is_parts(value), None),
    "failure": FieldCheck(lambda value: value is None or _is_failure(value), None),
    "observed": FieldCheck(_is_observed, Observed()),
    "carried": FieldCheck(lambda value: value is None or _is_carried(value), None),
    "seal": _MAYBE_TEXT,
    "attempts": FieldCheck(_are_attempts, ()),
    "provenance": _MAP,
    "metrics": FieldCheck(_are_metrics, MappingProxyType({})),
}
RUN_CHECKS: Mapping[str, FieldCheck] = {
    **dict.fromkeys(("kind", "notebook", "host", "commit"), _TEXT),
    **dict.fromkeys(("parameters", "versions"), _MAP),
    **dict.fromkeys(("seconds", "computed", "saved"), _NUMBER),
    "status": _STATUS,
    "started": _TIME,
    "process": _COUNT,
    "stack": FieldCheck(_is_stack, _UNKNOWN),
    "parent": _MAYBE_COUNT,
    "dirty": FieldCheck(lambda value: value is None or isinstance(value, bool), None),
}
