"""Owns the ancestry of an artifact: the steps that led to it and the steps that used it, for lineage views."""

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
"""Largest number of artifacts visited in each direction: enough for a notebook, and a bound for old stores."""


@dataclass(slots=True, kw_only=True)
class Ancestry:
    """The steps around an artifact.

    Attributes:
        producers: artifact id → the step that produced it.
        consumers: artifact id → the steps that read it, newest first.
        writers: step id → file that it read → the step that wrote the file in that state.
        labels: artifact id → name and version.
        more_above: whether there are more steps upstream.
        more_below: whether there are more steps downstream.
    """

    producers: dict[int, Step] = field(default_factory=dict)
    consumers: dict[int, list[Step]] = field(default_factory=dict)
    writers: dict[int, dict[str, Step]] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    more_above: bool = False
    more_below: bool = False


def ancestry(metadata: MetadataStore, artifact: Artifact, *, depth: int | None = None) -> Ancestry:
    """Collect the steps upstream and downstream of an artifact.

    Args:
        metadata: the store with their records.
        artifact: where to start.
        depth: how many steps to follow in each direction; None for all, up to a bound.
    """
    found = Ancestry()
    files = _Files(metadata)

    def maker(each: Artifact) -> Step | None:
        return metadata.producer(each) if each.is_output and each.id is not None else None

    def up(each: Artifact) -> Iterable[Artifact]:
        step = maker(each)
        if step is None or each.id is None:
            return ()
        found.producers[each.id], found.labels[each.id] = step, each.label
        makers, is_cut = _behind(step, found.writers, files, depth)
        found.more_above = found.more_above or is_cut
        return [source for each in makers for source in each.inputs.values()]

    def down(each: Artifact) -> Iterable[Artifact]:
        if each.id is None:
            return ()
        found.consumers[each.id], found.labels[each.id] = metadata.consumers(each), each.label
        return [output for step in found.consumers[each.id] for output in step.outputs.values()]

    above, below = _walk(artifact, up, depth), _walk(artifact, down, depth)
    found.more_above = found.more_above or any(maker(each) is not None for each in above)
    found.more_below = any(metadata.consumers(each, limit=1) for each in below)
    return found


def _behind(
    step: Step, writers: dict[int, dict[str, Step]], files: _Files, depth: int | None
) -> tuple[list[Step], bool]:
    """Return a step and, recursively, the steps that wrote the files it read, adding them to `writers`.

    The second value says whether `depth` left some out.
    """
    found, level, distance = [], [step], 0
    while level:
        found += level
        following: list[Step] = []
        for here in level:
            if here.id is not None and here.id not in writers and len(writers) < FARTHEST:
                authors = files.writers(here)
                if authors and depth is not None and distance >= depth:
                    return found, True
                writers[here.id] = authors
                following += authors.values()
        level, distance = following, distance + 1
    return found, False


class _Files:
    """Finds the step that wrote a file: one of the same run or notebook that left it in the state that was read."""

    def __init__(self, metadata: MetadataStore) -> None:
        self._metadata = metadata
        self._known: dict[tuple[str, int | None], dict[tuple[str, str], Step]] = {}

    def writers(self, step: Step) -> dict[str, Step]:
        """Return file → the step that wrote it, for the files that a step read."""
        known = self._written(step) if step.observed.files else {}
        found = {path: known.get((path, state)) for path, state in step.observed.files.items()}
        return {path: each for path, each in found.items() if each is not None and each.name != step.name}

    def _written(self, step: Step) -> dict[tuple[str, str], Step]:
        """Return (file, state) → the step that left the file in that state."""
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
    start: Artifact, neighbours: Callable[[Artifact], Iterable[Artifact]], depth: int | None
) -> list[Artifact]:
    """Visit artifacts breadth first; return those that were reached but not visited."""
    level, seen, distance = [start], {start.id}, 0
    while level and (depth is None or distance < depth):
        following: list[Artifact] = []
        for at, artifact in enumerate(level):
            if len(seen) > FARTHEST:
                return [*level[at:], *following]
            fresh = [each for each in neighbours(artifact) if each.id not in seen]
            seen.update(each.id for each in fresh)
            following += fresh
        level, distance = following, distance + 1
    return level
