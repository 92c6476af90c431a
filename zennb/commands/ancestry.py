"""Owns the walk through the metadata store that lineage needs: what an artifact came from, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.core.observed import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zennb.core.records import Artifact, Step
    from zennb.metadata.store import MetadataStore

__all__ = ["Ancestry", "ancestry"]

FARTHEST = 200
"""Artifacts looked at in each direction: enough for any notebook, and a bound for a store of years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """What is known around one artifact.

    Attributes:
        producers: artifact id → the step that made it.
        consumers: artifact id → the steps that read it.
        writers: id of a step → file that it read → the step that wrote the file as it was read.
    """

    producers: dict[int, Step] = field(default_factory=dict)
    consumers: dict[int, list[Step]] = field(default_factory=dict)
    writers: dict[int, dict[str, Step]] = field(default_factory=dict)


def ancestry(metadata: MetadataStore, artifact: Artifact) -> Ancestry:
    """Collect the steps upwards and downwards from an artifact."""
    found = Ancestry()
    files = _Files(metadata)

    def up(each: Artifact) -> Iterable[Artifact]:
        step = metadata.producer(each) if each.kind == "output" else None
        if step is None or each.id is None:
            return ()
        found.producers[each.id] = step
        return [given for maker in _behind(step, found.writers, files) for given in maker.inputs.values()]

    def down(each: Artifact) -> Iterable[Artifact]:
        if each.id is None:
            return ()
        found.consumers[each.id] = metadata.consumers(each)
        return [made for step in found.consumers[each.id] for made in step.outputs.values()]

    _walk(artifact, up)
    _walk(artifact, down)
    return found


def _behind(step: Step, writers: dict[int, dict[str, Step]], files: _Files) -> list[Step]:
    """Return a step and those that wrote the files it read, and the files they read; noted in `writers`."""
    found, todo = [], [step]
    while todo:
        here = todo.pop()
        found.append(here)
        if here.id is not None and here.id not in writers and len(writers) < FARTHEST:
            writers[here.id] = files.writers(here)
            todo += writers[here.id].values()
    return found


class _Files:
    """Finds who wrote a file: a step of the same run or notebook that left it in the state in which it was read."""

    def __init__(self, metadata: MetadataStore) -> None:
        self._metadata = metadata
        self._known: dict[tuple[str, int | None], dict[tuple[str, str], Step]] = {}

    def writers(self, step: Step) -> dict[str, Step]:
        """Return file → the step that wrote it, for the files that a step read."""
        known = self._written(step) if step.observed.files else {}
        found = {path: known.get((path, state)) for path, state in step.observed.files.items()}
        return {path: each for path, each in found.items() if each is not None and each.name != step.name}

    def _written(self, step: Step) -> dict[tuple[str, str], Step]:
        """Return (file, its state) → the step that left it so."""
        place = (step.notebook, step.run)
        if place not in self._known:
            run = [] if step.run is None else self._metadata.steps(step.run)
            self._known[place] = {
                (path, state): each
                for each in [*self._metadata.latest_steps(step.notebook), *run]
                for path, state in {**each.observed.written, **each.observed.restored}.items()
                if state != ABSENT
            }
        return self._known[place]


def _walk(start: Artifact, onwards: Callable[[Artifact], Iterable[Artifact]]) -> None:
    todo, seen = [start], {start.id}
    while todo and len(seen) <= FARTHEST:
        for each in onwards(todo.pop(0)):
            if each.id not in seen:
                seen.add(each.id)
                todo.append(each)
