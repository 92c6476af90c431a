"""Owns counting the elements of a mapped step whose results a run of a notebook file would reuse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.digests.digest import digest_value
from zennb.engine.step.elements import elements_of
from zennb.errors import CannotDigest, StepRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zennb.core.records.records import Step
    from zennb.engine.step.definition import StepDefinition
    from zennb.headless.record_match import RecordMatch

__all__ = ["fresh_elements"]


def fresh_elements(
    definition: StepDefinition,
    value: Any,
    *,
    matching: Callable[[StepDefinition], RecordMatch],
    runs: Iterable[tuple[Step, Iterable[Step]]],
) -> str:
    """Return of how many elements a mapped step would reuse the results, as a remark; "" if only running it tells.

    Args:
        definition: the step.
        value: what it is mapped over, as it is written out in the notebook.
        matching: returns what compares records with a step of the file.
        runs: records of the step, each with those of its elements whose results can be reused.
    """
    mapped, options = definition.options.map, definition.options
    try:
        values = elements_of(value, mapped)
        digests = [digest_value(each, name=mapped).digest for each in values]
    except (StepRefused, CannotDigest):
        return ""
    match = matching(replace(definition, options=replace(options, map="", after=()), element_of=mapped))
    known = set[str]()
    for step, elements in runs:
        for each in elements:
            if each.parts is None or not _is_part(each, step, mapped):
                continue
            # What the values of the notebook come from is on record with the step alone.
            found = match.differences(replace(each, provenance=step.provenance))
            others = [one for one in found if one.reason != f"input `{mapped}` changed"]
            if any(not one.is_certain for one in others):
                return ""
            if not others:
                known.add(each.parts.inputs.get(mapped, ""))
    return f"{sum(each in known for each in digests)} of {len(digests)} elements are fresh"


def _is_part(element: Step, step: Step, mapped: str) -> bool:
    """Whether an element depended on the same as this record of its step."""
    one, whole = element.parts, step.parts
    if one is None or whole is None or (one.code, one.reached) != (whole.code, whole.reached):
        return False
    others = {**one.inputs, mapped: ""} == {**whole.inputs, mapped: ""}
    return others and element.name.startswith(f"{step.name}[")
