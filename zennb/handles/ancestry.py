"""Owns the walk through the metadata store that lineage needs: what an artifact came from, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.core.records.observed import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zennb.core.records.records import Artifact, Step
    from zennb.metadata.store import MetadataStore

__all__ = ["Ancestry", "ancestry"]

FARTHEST = 200
"""Artifacts looked at in each direction: enough for any notebook, and a bound for a store of years."""


@dataclass(slots=True, kw_only=True)
class Ancestry:
    """What is known around one artifact.

    Attributes:
        producers: artifact id → the step that made it.
        consumers: artifact id → the steps that read it, newest first.
        writers: id of a step → file that it read → the step that wrote the file as it was read.
        labels: artifact id → name and version.
        more_above: whether there are steps further up than was looked.
        more_below: whether there are steps further down than was looked.
    """

    producers: dict[int, Step] = field(default_factory=dict)
    consumers: dict[int, list[Step]] = field(default_factory=dict)
    writers: dict[int, dict[str, Step]] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    more_above: bool = False
    more_below: bool = False


def ancestry(metadata: MetadataStore, artifact: Artifact, *, depth: int | None = None) -> Ancestry:
    """Collect the steps upwards and downwards from an artifact.

    Args:
        metadata: where they are recorded.
        artifact: where to start.
        depth: how many steps to go in each direction; None for all, up to a bound.
    """
    found = Ancestry()
    files = _Files(metadata)

    def maker(each: Artifact) -> Step | None:
        return metadata.producer(each) if each.kind == "output" and each.id is not None else None

    def up(each: Artifact) -> Iterable[Artifact]:
        step = maker(each)
        if step is None or each.id is None:
            return ()
        found.producers[each.id], found.labels[each.id] = step, each.label
        makers, is_cut = _behind(step, found.writers, files, depth)
        found.more_above = found.more_above or is_cut
        return [arguments for each in makers for arguments in each.inputs.values()]

    def down(each: Artifact) -> Iterable[Artifact]:
        if each.id is None:
            return ()
        found.consumers[each.id], found.labels[each.id] = metadata.consumers(each), each.label
        return [made for step in found.consumers[each.id] for made in step.outputs.values()]

    above, below = _walk(artifact, up, depth), _walk(artifact, down, depth)
    found.more_above = found.more_above or any(maker(each) is not None for each in above)
    found.more_below = any(metadata.consumers(each, limit=1) for each in below)
    return found


def _behind(
    step: Step, writers: dict[int, dict[str, Step]], files: _Files, depth: int | None
) -> tuple[list[Step], bool]:
    """Return a step and those that wrote the files it read, and the files they read; noted in `writers`.

    With them comes whether there are more than `depth` lets it go.
    """
    found, level, gone = [], [step], 0
    while level:
        found += level
        following: list[Step] = []
        for here in level:
            if here.id is not None and here.id not in writers and len(writers) < FARTHEST:
                wrote = files.writers(here)
                if wrote and depth is not None and gone >= depth:
                    return found, True
                writers[here.id] = wrote
                following += wrote.values()
        level, gone = following, gone + 1
    return found, False


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


def _walk(
    start: Artifact, onwards: Callable[[Artifact], Iterable[Artifact]], depth: int | None
) -> list[Artifact]:
    """Go on level by level; return the artifacts from which the walk did not go on."""
    level, seen, gone = [start], {start.id}, 0
    while level and (depth is None or gone < depth):
        following: list[Artifact] = []
        for at, artifact in enumerate(level):
            if len(seen) > FARTHEST:
                return [*level[at:], *following]
            fresh = [each for each in onwards(artifact) if each.id not in seen]
            seen.update(each.id for each in fresh)
            following += fresh
        level, gone = following, gone + 1
    return level
