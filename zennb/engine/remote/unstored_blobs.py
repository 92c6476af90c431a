"""Owns what the driver and a worker hand each other beside the artifact store, where that has no room for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.engine.remote.worker_checks import refusal
from zennb.engine.run.unit_of_work import WriteBuffer, store_behind
from zennb.errors import StoreError, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Artifact
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import StepRequest

__all__ = ["LARGEST", "take_unstored_results", "with_unstored", "with_unstored_results"]

LARGEST = 1 << 20
"""Bytes of what a request is sent with, or comes back with an outcome, that pass through a scheduler."""


def with_unstored(request: StepRequest, run_context: RunContext) -> StepRequest:
    """Return a request with the store that it is sent with, its limit, and the inputs that this store has not taken.

    Raises:
        StepRefused: they are too large to be sent through a scheduler.
    """
    store, limit = run_context.store, None if run_context.orchestrator.is_direct else LARGEST
    request = replace(request, store=store_behind(store), size_limit=limit)
    if not isinstance(store, WriteBuffer):  # nobody holds what is not stored
        return request
    found = store.held(blob for each in request.inputs.values() for blob in each.blobs)
    if _is_too_large(found, limit):
        unstored = {blob: why for blob, (_, why) in found.items()}
        why = f"{_unstored_text(request.inputs, unstored)}, and through a scheduler at most 1 MB is sent"
        raise refusal(request, why, "Make room, or")
    return replace(request, unstored=found)


def with_unstored_results(outcome: StepOutcome, store: WriteBuffer, request: StepRequest) -> StepOutcome:
    """Return the outcome of a step in a worker, with the results that the artifact store has not taken.

    If they are too large to be sent through a scheduler, or were too large for the memory, the step has failed.
    """
    store.flush_or_note()
    unstored = {name: why for name, why in store.unstored.items() if name not in request.unstored}
    held = store.held(unstored)
    if len(held) < len(unstored):
        why, advice = "no memory is left to hold that", ""
    elif _is_too_large(held, request.size_limit):
        why = "through a scheduler at most 1 MB comes back"
        advice = "; on a stack that runs in the kernel, values without room stay in memory"
    else:
        return replace(outcome, unstored=held)
    others = "what it shows" if outcome.displays in unstored else "what it changes"
    error = outcome.error or StoreError(
        f"{_unstored_text(outcome.artifacts, unstored, others=others)}, and {why}, so what the step made is lost. Make "
        f"room, or use a stack with an artifact store elsewhere, and run step '{request.definition.name}' "
        f"again{advice}."
    )
    shown = store.held([outcome.displays])
    fits = outcome.displays not in unstored or (bool(shown) and not _is_too_large(shown, request.size_limit))
    return replace(
        outcome,
        error=error,
        artifacts={},
        carried=None,
        displays=outcome.displays if fits else "",
        unstored=shown if fits else {},
    )


def take_unstored_results(outcome: StepOutcome, run_context: RunContext) -> StepOutcome:
    """Return an outcome, after the results that came with it were put where the next steps find them."""
    if isinstance(run_context.store, WriteBuffer):
        run_context.store.take(outcome.unstored)
    return replace(outcome, unstored={})


def _is_too_large(blobs: Mapping[str, tuple[bytes, str]], limit: int | None) -> bool:
    return limit is not None and sum(len(content) for content, _ in blobs.values()) > limit


def _unstored_text(
    artifacts: Mapping[str, Artifact], unstored: Mapping[str, str], *, others: str = ""
) -> str:
    """Return which values are not stored, and why: "`big` is not stored (disk full, 8 MB short)".

    Args:
        artifacts: name → value.
        unstored: blob → why it is not stored.
        others: what is not stored if no value is meant.
    """
    names = [f"`{name}`" for name, each in artifacts.items() if not unstored.keys().isdisjoint(each.blobs)]
    verb = "are" if len(names) > 1 else "is"
    return f"{listing(names, most=3) or others} {verb} not stored ({'; '.join(dict.fromkeys(unstored.values()))})"
