"""Owns the walk through the metadata store that lineage needs: what an artifact came from, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zennb.core.records import Artifact, Step
    from zennb.metadata.store import MetadataStore

__all__ = ["Ancestry", "ancestry"]

FARTHEST = 200
"""Artifacts looked at in each direction: enough for any notebook, and a bound for a store of years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """What is known around one artifact: artifact id → who made it, artifact id → who read it."""

    producers: dict[int, Step] = field(default_factory=dict)
    consumers: dict[int, list[Step]] = field(default_factory=dict)


def ancestry(metadata: MetadataStore, artifact: Artifact) -> Ancestry:
    """Collect the steps upwards and downwards from an artifact."""
    found = Ancestry()

    def up(each: Artifact) -> Iterable[Artifact]:
        step = metadata.producer(each) if each.kind == "output" else None
        if step is None or each.id is None:
            return ()
        found.producers[each.id] = step
        return step.inputs.values()

    def down(each: Artifact) -> Iterable[Artifact]:
        if each.id is None:
            return ()
        found.consumers[each.id] = metadata.consumers(each)
        return [made for step in found.consumers[each.id] for made in step.outputs.values()]

    _walk(artifact, up)
    _walk(artifact, down)
    return found


def _walk(start: Artifact, onwards: Callable[[Artifact], Iterable[Artifact]]) -> None:
    todo, seen = [start], {start.id}
    while todo and len(seen) <= FARTHEST:
        for each in onwards(todo.pop(0)):
            if each.id not in seen:
                seen.add(each.id)
                todo.append(each)
