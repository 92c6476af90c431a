"""Owns why results of a recorded step cannot be taken from a store: they are not in it, or were deleted on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zennb.components.component import ArtifactStore
    from zennb.core.records.records import Step
    from zennb.engine.run.unit_of_work import WriteBuffer
    from zennb.metadata.store import MetadataStore

__all__ = ["why_lost"]


def why_lost(step: Step, store: ArtifactStore | WriteBuffer, metadata: MetadataStore, *, name: str) -> str:
    """Return why a step cannot be reused: `` `data v3` was deleted to free space``; "" when all its results are there.

    Args:
        step: its record.
        store: where they are looked for.
        metadata: says what was deleted on purpose.
        name: the store's name.
    """
    results = [(f"`{each.label}`", each.blob) for each in step.outputs.values()]
    results += [
        ("what it showed", step.displays),
        ("what it changed", step.carried.blob if step.carried is not None else ""),
    ]
    for what, blob in results:
        if blob and not store.has(blob):
            freed = metadata.space.freed([blob])
            return (
                f"{what} was deleted to free space" if freed else f"{what} is not in artifact store '{name}'"
            )
    return ""
