"""Owns `PrefetchedRecords`: what is known of a pipeline's steps before it runs, asked for all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zennb.components.component import ArtifactStore
    from zennb.core.records.records import Step
    from zennb.metadata.store import MetadataStore

__all__ = ["PrefetchedRecords"]


class PrefetchedRecords:
    """The latest record of each step, the result that its key would find again, and whether its bytes are there.

    It is as it was when it was asked: a step that another kernel finishes meanwhile is not in it, and is looked for in
    the metadata store as always.

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
        self.present: set[str] = set()
        self._keys = frozenset[str]() if rerun else frozenset(step.cache_key for step in previous.values())
        self._metadata, self._store = metadata, store
        self._whole: Mapping[str, Step] | None = None

    def find(self, key: str) -> list[Step]:
        """Return the result with that key, if it is one of a latest record, and was whole when this was first asked."""
        if key not in self._keys:
            return []
        if self._whole is None:  # now that one is wanted, the others probably are, too
            self._whole = self._found()
        found = self._whole.get(key)
        return [] if found is None else [found]

    def _found(self) -> dict[str, Step]:
        found = self._metadata.find_all(self._keys)
        blobs = {key: _blobs(step) for key, step in found.items()}
        self.present |= self._store.present({blob for names in blobs.values() for blob in names})
        return {key: step for key, step in found.items() if self.present.issuperset(blobs[key])}


def _blobs(step: Step) -> Iterable[str]:
    found = {artifact.blob for artifact in step.outputs.values()}
    found |= {blob for blob in (step.displays, "" if step.carried is None else step.carried.blob) if blob}
    return found
