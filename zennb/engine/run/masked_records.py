"""Owns masking the secrets in records: in the source, the reasons, and what a step raised."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.secrets.literals import mask_source

if TYPE_CHECKING:
    from zennb.core.records.records import Failure, Step
    from zennb.core.secrets.texts import KnownSecrets

__all__ = ["masked_failure", "masked_step"]


def masked_step(step: Step, known: KnownSecrets) -> Step:
    """Return the record of a step with its secrets masked; the record itself when there are none.

    The source is masked by what stands in it alone, so that a record of a cell is always the same text.
    """
    failure, attempts = step.failure, step.attempts
    found = {
        "source": mask_source(step.source),
        "reason": known.mask(step.reason),
        "unusable_because": known.mask(step.unusable_because),
        "failure": None if failure is None else masked_failure(failure, known),
        "metrics": {known.mask(name): metric for name, metric in step.metrics.items()},
        "attempts": tuple(replace(each, failure=masked_failure(each.failure, known)) for each in attempts),
    }
    changed = {name: value for name, value in found.items() if value != getattr(step, name)}
    return replace(step, **changed) if changed else step  # type: ignore[arg-type]  # each has the type of its field


def masked_failure(failure: Failure, known: KnownSecrets) -> Failure:
    """Return what a step raised with the secrets in its message and traceback masked."""
    message, traceback = known.mask(failure.message), known.mask(failure.traceback)
    return replace(failure, message=message, traceback=traceback)
