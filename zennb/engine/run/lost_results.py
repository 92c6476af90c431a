"""Owns why results of a recorded step cannot be taken from a store: they are not in it, or were deleted on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zennb.components.component import ArtifactStore
    from zennb.core.records.records import Artifact, Step
    from zennb.engine.run.unit_of_work import WriteBuffer
    from zennb.metadata.store import MetadataStore

__all__ = ["can_be_read", "missing_results", "why_lost", "why_not_copied"]


def why_lost(step: Step, store: ArtifactStore | WriteBuffer, metadata: MetadataStore, *, name: str) -> str:
    """Return why a step cannot be reused: `` `data v3` was deleted to free space``; "" when all its results are there.

    Args:
        step: its record.
        store: where they are looked for.
        metadata: says what was deleted on purpose.
        name: the store's name.
    """
    results = list(_results(step))
    present = store.present(
        {blob for _, blob in results}
    )  # all in one call: each may be a request to a bucket
    for what, blob in results:
        if blob not in present:
            freed = metadata.space.freed([blob])
            return (
                f"{what} was deleted to free space" if freed else f"{what} is not in artifact store '{name}'"
            )
    return ""


def missing_results(step: Step, store: ArtifactStore | WriteBuffer) -> list[str]:
    """Return the blobs of a step's results that a store lacks."""
    wanted = dict.fromkeys(blob for _, blob in _results(step))
    present = store.present(wanted)
    return [blob for blob in wanted if blob not in present]


def why_not_copied(step: Step, lost: Mapping[str, str]) -> str:
    """Return what happened to results of a step: `` `data v3` is damaged in artifact store 'default' (and 1 more)``.

    Args:
        step: its record.
        lost: some of the blobs → why they could not be had, as a phrase.
    """
    phrases = list(dict.fromkeys(f"{what} {lost[blob]}" for what, blob in _results(step) if blob in lost))
    return phrases[0] + (f" (and {len(phrases) - 1} more)" if len(phrases) > 1 else "")


def can_be_read(artifact: Artifact, store: ArtifactStore | WriteBuffer) -> bool:
    """Whether all bytes of an artifact are there and sound; the store moves damaged ones aside."""
    try:
        for blob in artifact.blobs:
            store.get(blob)
    except StoreError:
        return False
    return True


def _results(step: Step) -> Iterator[tuple[str, str]]:
    for each in step.outputs.values():
        # In a record of somebody else it has no number here.
        label = each.label if each.version else each.name
        yield from ((f"`{label}`", blob) for blob in each.blobs)
    if step.displays:
        yield "what it showed", step.displays
    if step.carried is not None and step.carried.blob:
        yield "what it changed", step.carried.blob
