"""Owns `RecordBuffer`: the records of a run's steps, held back for a moment and written together.

What is held back is lost when the kernel is killed. So it is written before anything is shown of it, and before a step
begins while it stands for more work than nobody would mind doing again. Bytes go before the records that name them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.records.records import Artifact, Run, Step
    from zennb.metadata.store import MetadataStore

__all__ = ["MAX_LOST_SECONDS", "RecordBuffer"]

MAX_LOST_SECONDS = 0.05
"""Seconds of work that may be lost with a killed kernel."""

MANY = 500
"""Records held back at most."""


class RecordBuffer:
    """The records of one run.

    Args:
        metadata: where they go.
        flush: stores the bytes that the records name.
    """

    def __init__(self, metadata: MetadataStore, flush: Callable[[], None]) -> None:
        self._metadata, self._flush = metadata, flush
        self._held: list[Step] = []
        self._worth = 0.0
        self._keys: set[str] = set()
        self._recorded: dict[int, tuple[Artifact, Artifact]] = {}

    def note(self, step: Step) -> None:
        """Hold back the record of a step that has ended."""
        self._held.append(step)
        self._keys.add(step.cache_key)
        self._worth += step.seconds if step.reused is None else 0.0

    @property
    def is_due(self) -> bool:
        """Whether what is held back ought to be written before a step begins."""
        return self._worth > MAX_LOST_SECONDS or len(self._held) >= MANY

    def holds(self, *keys: str) -> bool:
        """Say whether a record with one of these keys is held back, where the metadata store cannot find it."""
        return not self._keys.isdisjoint(key for key in keys if key)

    def write(self, run: Run | None = None) -> list[Step]:
        """Write what is held back, and the run with it when it is given; return the steps as recorded.

        Raises:
            StoreError: it could not be written.
        """
        held, self._held, self._keys, self._worth = self._held, [], set(), 0.0
        if held:
            self._flush()
        steps = [self._known(step) for step in held]
        added = self._metadata.add_all(steps, run=run) if steps or run is not None else []
        for before, after in zip(steps, added, strict=True):
            self._learn(before.inputs, after.inputs)
            self._learn(before.outputs, after.outputs)
        return added

    def _known(self, step: Step) -> Step:
        """Return the step with inputs that were recorded meanwhile as they were recorded."""
        if not any(id(item) in self._recorded for item in step.inputs.values()):
            return step
        found = {name: self._recorded.get(id(item), (item, item))[1] for name, item in step.inputs.items()}
        return replace(step, inputs=found)

    def _learn(self, before: Mapping[str, Artifact], after: Mapping[str, Artifact]) -> None:
        for name, item in before.items():
            if item.id is None:
                self._recorded[id(item)] = (
                    item,
                    after[name],
                )  # the item is kept, so that no other gets its id
