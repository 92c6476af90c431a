"""Owns pruning an artifact store: what a rule would delete, and deleting it beside kernels that write and read.

The order of calls makes it safe. First the deletion is noted in the records, so that whoever misses the bytes can say
why. Then, while no process can write records, what was named or pinned in the meantime is left out and the rest is
deleted. Bytes whose record is not written yet are protected by their age, which the store checks while no process can
store anything.

On a full disk the note follows, in the room that was made. A process that is killed before leaves bytes that are
missing without a reason: their steps run again as well.
"""

from __future__ import annotations

import os
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.components.component import Visibility
from zennb.core.planning.pruning import plan_prune, young_since
from zennb.core.records.space import Pruned
from zennb.errors import StoreFull, UsageError
from zennb.registry.pool import place
from zennb.space.record_copies import record_copies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from zennb.components.component import ArtifactStore
    from zennb.core.records.space import PrunedBlob, PruneRule
    from zennb.registry.stack import Stack
    from zennb.registry.workspace import Workspace

__all__ = ["GRACE", "is_shared", "prune"]

GRACE = 300.0
"""Seconds for which bytes stay after they were stored: their record follows within milliseconds, unless its kernel is
suspended. What a step stores before it runs is protected until it ends."""

_BATCH = 50
"""Blobs deleted at a time; other kernels wait for each batch before they can record a step."""


def prune(
    workspace: Workspace,
    rule: PruneRule,
    *,
    stack: str | None = None,
    delete: bool = False,
    grace: float = GRACE,
) -> Pruned:
    """Say what a rule deletes from the artifact store of a stack; with `delete`, delete it.

    Args:
        workspace: where the records are.
        rule: which blobs.
        stack: the stack; by default the active one.
        delete: whether to delete.
        grace: seconds for which bytes stay after they were stored.

    Raises:
        StoreError: the store cannot delete, or a store cannot be read or written.
        UsageError: unreferenced bytes of a store that other homes may use.
    """
    opened = workspace.open(stack)
    store, spec = opened.store, opened.spec.artifact_store
    shared = is_shared(workspace, opened)
    if shared and rule.unreferenced:
        raise UsageError(
            f"artifact store '{spec.name}' is outside this home, so what no record names here may belong to another "
            "home; nothing was deleted."
        )
    if delete:
        store.free([], before=0.0)  # a store that cannot delete says so before anything is noted
    # The bytes first: what is stored after this moment is younger than the cutoff, whatever the records say by then.
    now, stored = time.time(), list(store.stored())
    records = workspace.metadata.space.records()
    named = {each.blob for each in records.references}
    unnamed = [each for each in stored if each.digest not in named]
    plan = plan_prune(
        rule,
        stored=stored,
        records=records,
        copies=(
            frozenset(each.digest for each in unnamed)
            if shared
            else record_copies(store, unnamed, workspace.metadata)
        ),
        now=now,
        grace=grace,
    )
    if not delete:
        return Pruned(store=spec.name, plan=plan)
    before, deleted = young_since(records, now=now, grace=grace), set[str]()
    # The largest first: on a full disk they make the room in which the others are deleted and noted.
    for batch in _batches(sorted(plan.blobs, key=lambda each: each.size, reverse=True)):
        deleted |= _delete(workspace, spec.name, store, batch, since=records.last_step, before=before)
    gone = tuple(each for each in plan.blobs if each.digest in deleted)
    return Pruned(store=spec.name, plan=plan, deleted=gone, later=len(plan.blobs) - len(gone))


def is_shared(workspace: Workspace, stack: Stack) -> bool:
    """Return whether processes with another home may use the artifact store of a stack."""
    if stack.store.visibility is Visibility.PROCESS:
        return False
    directory = place(stack.spec.artifact_store, workspace.home)
    home = Path(os.path.realpath(workspace.home))
    return not directory or not Path(os.path.realpath(directory)).is_relative_to(home)


def _delete(
    workspace: Workspace,
    name: str,
    store: ArtifactStore,
    batch: Sequence[PrunedBlob],
    *,
    since: int,
    before: float,
) -> frozenset[str]:
    """Delete what is still not needed of a batch, and return it."""
    space = workspace.metadata.space
    noted = {each.digest: each.size for each in batch if each.labels}
    is_noted = True
    try:
        space.note_freed(name, noted)
    except StoreFull:  # what is deleted makes room; until it is noted, its bytes are just missing
        is_noted = False
    deleted = space.while_unchanged(
        since, [each.digest for each in batch], lambda blobs: store.free(blobs, before=before)
    )
    if not is_noted:
        try:
            space.note_freed(name, {blob: size for blob, size in noted.items() if blob in deleted})
        except StoreFull as error:
            what = "1 blob" if len(deleted) == 1 else f"{len(deleted)} blobs"
            raise StoreFull(
                f"the bytes of {what} of artifact store '{name}' are deleted, but there is still no room to note "
                "that; the steps that made them run again at their next use. Make more room on the disk.",
                limit=error.limit,
            ) from error
        return deleted
    kept = store.present(noted.keys() - deleted)
    if kept:
        space.unnote_freed(name, kept)
    return deleted


def _batches(blobs: Sequence[PrunedBlob]) -> Iterator[list[PrunedBlob]]:
    rest = iter(blobs)
    while batch := list(islice(rest, _BATCH)):
        yield batch
