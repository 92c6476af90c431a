"""Owns the record of a step whose results could not be stored: it names no bytes that are not in the artifact store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.records import Status
from zennb.core.secrets.held import HELD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Artifact, Step

__all__ = ["unrecorded", "with_all_outputs", "without_unstored"]


def unrecorded(steps: Mapping[str, Step], why: str) -> dict[str, Step]:
    """Return steps of which those that have ended say that they are not on record."""
    return {
        name: replace(step, unrecorded=why) if step.status.is_final else step for name, step in steps.items()
    }


def without_unstored(step: Step, unstored: Mapping[str, str]) -> Step:
    """Return the record of a step without the bytes that could not be stored; it is not reusable if it lacks any.

    Args:
        step: the step.
        unstored: names of bytes that are not in the artifact store → why, in brief.
    """
    if not unstored:
        return step
    carried = step.carried.blob if step.carried is not None else ""
    lost = [
        blob
        for blob in (*(blob for each in step.outputs.values() for blob in each.blobs), step.displays, carried)
        if blob in unstored
    ]
    inputs = _stored(step.inputs, unstored)
    if not lost:
        return step if len(inputs) == len(step.inputs) else replace(step, inputs=inputs)
    left = replace(
        step,
        inputs=inputs,
        outputs=_stored(step.outputs, unstored),
        displays="" if step.displays in unstored else step.displays,
        carried=None if carried in unstored else step.carried,
    )
    if step.status is not Status.COMPLETED:
        return left
    return replace(left, reusable=False, unusable_because=HELD.mask(f"not stored: {unstored[lost[0]]}"))


def with_all_outputs(recorded: Step, step: Step) -> Step:
    """Return a step as it was recorded, for its status line: with the outputs that are bound and not stored."""
    if recorded.outputs.keys() == step.outputs.keys():
        return recorded
    return replace(recorded, outputs={**step.outputs, **recorded.outputs})


def _stored(artifacts: Mapping[str, Artifact], unstored: Mapping[str, str]) -> dict[str, Artifact]:
    return {name: each for name, each in artifacts.items() if unstored.keys().isdisjoint(each.blobs)}
