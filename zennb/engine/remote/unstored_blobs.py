"""Owns what the driver and a worker hand each other beside the artifact store, where that has no room for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.engine.remote.worker_checks import refusal
from zennb.engine.run.unit_of_work import WriteBuffer, store_behind
from zennb.engine.step.outcome import StepOutcome
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Artifact
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.request import StepRequest

__all__ = ["LARGEST", "taken", "with_unstored", "with_unstored_results"]

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
        why = f"{_what(request.inputs, found)}, and through a scheduler at most 1 MB is sent"
        raise refusal(request, why, "Make room, or")
    return replace(request, unstored=found)


def with_unstored_results(outcome: StepOutcome, store: WriteBuffer, request: StepRequest) -> StepOutcome:
    """Return the outcome of a step in a worker, with the results that the artifact store has not taken.

    If they are too large to be sent through a scheduler, the step has failed.
    """
    store.flush_or_note()
    lost = [name for name in store.unstored if name not in request.unstored]
    found = store.held(lost)
    if len(found) == len(lost) and not _is_too_large(found, request.size_limit):
        return replace(outcome, unstored=found)
    error = outcome.error or StoreError(
        f"{_what(outcome.artifacts, store.held(lost))}, and through a scheduler at most 1 MB comes back, so it is "
        "lost. Make room, or use a stack with an artifact store elsewhere, and run step "
        f"'{request.definition.name}' again; on a stack that runs in the kernel, values without room stay in memory."
    )
    shown = store.held([outcome.displays])
    fits = outcome.displays not in store.unstored or (
        bool(shown) and not _is_too_large(shown, request.size_limit)
    )
    return StepOutcome(
        error=error,
        displays=outcome.displays if fits else "",
        unstored=shown if fits else {},
        metrics=outcome.metrics,
        seconds=outcome.seconds,
        process=outcome.process,
    )


def taken(outcome: StepOutcome, run_context: RunContext) -> StepOutcome:
    """Return an outcome, after the results that came with it were put where the next steps find them."""
    if isinstance(run_context.store, WriteBuffer):
        run_context.store.take(outcome.unstored)
    return replace(outcome, unstored={})


def _is_too_large(blobs: Mapping[str, tuple[bytes, str]], limit: int | None) -> bool:
    return limit is not None and sum(len(content) for content, _ in blobs.values()) > limit


def _what(artifacts: Mapping[str, Artifact], blobs: Mapping[str, tuple[bytes, str]]) -> str:
    """Return which values are not stored, and why: "`big` is not stored (disk full, 8 MB short)"."""
    names = [name for name, each in artifacts.items() if not blobs.keys().isdisjoint(each.blobs)]
    whys = dict.fromkeys(why for _, why in blobs.values())
    what = " and ".join(f"`{name}`" for name in names[:3]) or "what it shows"
    return f"{what} {'are' if len(names) > 1 else 'is'} not stored ({'; '.join(whys)})"
