"""Owns `Recollection`: what is known of a pipeline's steps before it runs, asked for all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zennb.components.component import ArtifactStore
    from zennb.core.records import Step
    from zennb.metadata.store import MetadataStore

__all__ = ["Recollection"]


class Recollection:
    """The latest record of each step, the result that its key would find again, and whether its bytes are there.

    It is as it was when the run began: a step that another kernel finishes meanwhile is not in it, and is looked
    for in the metadata store as always.

    Attributes:
        present: names of bytes that are there; whoever stores more adds them.

    Args:
        previous: step name → its latest record.
        metadata: where results are found.
        store: where bytes are.
        rerun: whether the steps are to run whatever is known, so that no result needs to be looked for.
    """

    def __init__(
        self,
        previous: Mapping[str, Step],
        *,
        metadata: MetadataStore,
        store: ArtifactStore,
        rerun: bool = False,
    ) -> None:
        self.previous = previous
        found = {} if rerun else metadata.find_all({step.key for step in previous.values()})
        blobs = {key: _blobs(step) for key, step in found.items()}
        self.present = set(store.present({blob for names in blobs.values() for blob in names}))
        self._whole = {key: step for key, step in found.items() if self.present.issuperset(blobs[key])}

    def find(self, key: str) -> list[Step]:
        """Return the result with that key, if it was whole when the run began."""
        found = self._whole.get(key)
        return [] if found is None else [found]


def _blobs(step: Step) -> Iterable[str]:
    found = {artifact.blob for artifact in step.outputs.values()}
    found |= {blob for blob in (step.displays, "" if step.carried is None else step.carried.blob) if blob}
    return found
