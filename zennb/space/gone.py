"""Owns which versions lost their bytes: those deleted on purpose, and those whose records can be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.errors import StoreError, ZennbError
from zennb.registry.stores import artifact_stores

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zennb.core.records.records import Artifact
    from zennb.core.records.space import FreedBlob
    from zennb.registry.workspace import Workspace

__all__ = ["forget", "forgettable", "freed"]


def freed(workspace: Workspace, artifacts: Iterable[Artifact]) -> dict[str, FreedBlob]:
    """Return blob → its deletion, for those artifacts whose bytes were deleted on purpose and are in no store."""
    known = list(artifacts)
    notes = workspace.metadata.space.freed(dict.fromkeys(blob for each in known for blob in each.blobs))
    if notes:  # else no store needs to be opened
        for blob in _present(workspace, notes):
            del notes[blob]
    return {each.blob: notes[blob] for each in known for blob in each.blobs if blob in notes}


def forgettable(workspace: Workspace, name: str | None = None) -> list[Artifact]:
    """Return the versions whose bytes are in no registered store, and whose records nobody needs, newest first.

    A kernel that is alive may still hold one, and steps that read one are reused only with their whole record.

    Args:
        workspace: where the records are.
        name: only versions of this name.

    Raises:
        StoreError: a stack's store cannot be asked.
    """
    deletions = workspace.metadata.deletions
    found = deletions.forgettable()
    for spec in workspace.registry.stacks():
        try:
            workspace.open(spec.name)
        except ZennbError as error:
            raise StoreError(
                f"stack '{spec.name}' cannot be opened, so what its store holds is unknown: {error.message} "
                "Nothing was forgotten."
            ) from error
    there = _present(workspace, {blob for each in found for blob in each.blobs})
    gone = {each.id or 0: each for each in found if not there.issuperset(each.blobs)}
    needed = deletions.needed(gone)
    return [each for each in gone.values() if each.id not in needed and name in {None, each.name}]


def forget(workspace: Workspace, artifacts: Sequence[Artifact]) -> int:
    """Delete the records of versions whose bytes are gone; return how many."""
    numbers = [each.id for each in artifacts if each.id is not None]
    return workspace.metadata.deletions.forget(numbers, why="the record of an output was deleted")


def _present(workspace: Workspace, blobs: Iterable[str]) -> frozenset[str]:
    wanted = list(blobs)
    return frozenset[str]().union(*(store.present(wanted) for _, store in artifact_stores(workspace)))
