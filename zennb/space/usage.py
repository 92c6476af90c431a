"""Owns the account of space: what takes it, by store, notebook, step and stack, and what reuse saved."""

from __future__ import annotations

from collections import defaultdict
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING

from zennb.core.planning.pruning import parse_size
from zennb.core.records.space import StoreUsage, Usage, UsageGroup, UsageItem
from zennb.registry.pool import place
from zennb.registry.stores import artifact_stores
from zennb.space.record_copies import record_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from zennb.components.component import ArtifactStore
    from zennb.core.records.space import BlobReference, SpaceRecords, StoredBlob
    from zennb.registry.workspace import Workspace

__all__ = ["usage"]

Key = tuple[str, str]
"""The name of a group, and the notebook of a step."""


def usage(workspace: Workspace, *, stack: str | None = None, limit: int = 10) -> Usage:
    """Return what takes space in the artifact stores of all stacks, or of one.

    Args:
        workspace: where the records are.
        stack: only the store of this stack.
        limit: how many of the largest and oldest blobs.

    Raises:
        UnknownName: there is no such stack.
        StoreError: a store cannot be read.
    """
    stores = _stores(workspace, stack)
    contents = {name: list(store.stored()) for name, store in stores}
    records = workspace.metadata.space.records()
    references: dict[str, list[BlobReference]] = defaultdict(list)
    for reference in records.references:
        references[reference.blob].append(reference)
    blobs = list({blob.digest: blob for found in contents.values() for blob in found}.values())
    saved = workspace.metadata.space.saved()
    by_stack = workspace.metadata.space.stacks_of()
    copies = frozenset[str]().union(
        *(
            record_copies(
                store, [each for each in contents[name] if each.digest not in references], workspace.metadata
            )
            for name, store in stores
        )
    )
    # No rule deletes a copy of a record that exists, so they are in no list of what may go.
    free = [blob for blob in blobs if blob.digest not in copies]
    large = nlargest(limit, free, key=lambda blob: blob.size)
    unused = nsmallest(limit, free, key=lambda blob: _used(blob, references.get(blob.digest, ())) or 0.0)
    return Usage(
        stores=tuple(
            _store_usage(workspace, store, contents[name], references, copies) for name, store in stores
        ),
        notebooks=_groups(
            blobs,
            lambda blob: {(each.notebook, "") for each in references.get(blob.digest, ())},
            references,
            [((notebook, ""), seconds, count) for notebook, _, _, count, seconds in saved],
        ),
        steps=_groups(
            blobs,
            lambda blob: {(each.step, each.notebook) for each in references.get(blob.digest, ())},
            references,
            [((step, notebook), seconds, count) for notebook, step, _, count, seconds in saved],
        ),
        stacks=_groups(
            blobs,
            lambda blob: {(each, "") for each in by_stack.get(blob.digest, ())},
            references,
            [((name, ""), seconds, count) for _, _, name, count, seconds in saved if name],
        ),
        largest=tuple(_item(each, references.get(each.digest, ()), records, copies) for each in large),
        oldest=tuple(_item(each, references.get(each.digest, ()), records, copies) for each in unused),
        saved=sum(seconds for *_, seconds in saved),
        reused=sum(count for *_, count, _ in saved),
    )


def _stores(workspace: Workspace, stack: str | None) -> list[tuple[str, ArtifactStore]]:
    if stack is None:
        return list(artifact_stores(workspace))
    opened = workspace.open(stack)
    return [(opened.spec.artifact_store.name, opened.store)]


def _store_usage(
    workspace: Workspace,
    store: ArtifactStore,
    blobs: Sequence[StoredBlob],
    references: Mapping[str, Sequence[BlobReference]],
    copies: frozenset[str],
) -> StoreUsage:
    specs = [spec for spec in workspace.registry.stacks() if spec.artifact_store.name == store.name]
    limit = str(getattr(store, "max_size", ""))
    return StoreUsage(
        store=store.name,
        stacks=tuple(spec.name for spec in specs),
        place=place(specs[0].artifact_store, workspace.home) if specs else "",
        limit=parse_size(limit) if limit else None,
        size=sum(each.size for each in blobs),
        blobs=len(blobs),
        old=sum(each.size for each in blobs if _is_old(references.get(each.digest, ()))),
        unreferenced=sum(
            each.size for each in blobs if each.digest not in references and each.digest not in copies
        ),
    )


def _groups(
    blobs: Iterable[StoredBlob],
    keys: Callable[[StoredBlob], set[Key]],
    references: Mapping[str, Sequence[BlobReference]],
    saved: Iterable[tuple[Key, float, int]],
) -> tuple[UsageGroup, ...]:
    """Return the blobs by group, the largest group first."""
    sizes: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for blob in blobs:
        is_old = _is_old(references.get(blob.digest, ()))
        for key in keys(blob):
            sizes[key][0] += blob.size
            sizes[key][1] += blob.size if is_old else 0
    spared: dict[Key, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for key, seconds, count in saved:
        spared[key] = spared[key][0] + seconds, spared[key][1] + count
    found = [
        UsageGroup(
            name=key[0],
            notebook=key[1],
            size=sizes[key][0],
            old=sizes[key][1],
            saved=spared[key][0],
            reused=spared[key][1],
        )
        for key in {*sizes, *spared}
    ]
    return tuple(sorted(found, key=lambda each: (-each.size, -each.saved, each.name, each.notebook)))


def _is_old(references: Sequence[BlobReference]) -> bool:
    """Return whether only versions name a blob that no name stands for any more."""
    return bool(references) and not any(each.is_current for each in references)


def _used(blob: StoredBlob, references: Sequence[BlobReference]) -> float | None:
    """Return when a blob was last used, or stored if no record names it."""
    return max((each.used for each in references), default=blob.stored)


def _item(
    blob: StoredBlob, references: Sequence[BlobReference], records: SpaceRecords, copies: frozenset[str]
) -> UsageItem:
    newest = max(references, key=lambda each: each.used, default=None)
    labels = list(dict.fromkeys(each.label for each in references))
    more = f" and {len(labels) - 2} more" if len(labels) > 2 else ""
    unnamed = "copy of a record" if blob.digest in copies else "unreferenced"
    return UsageItem(
        name=", ".join(labels[:2]) + more if labels else unnamed,
        first=labels[0] if labels else "",
        step="" if newest is None else newest.step,
        notebook="" if newest is None else newest.notebook,
        size=blob.size,
        used=_used(blob, references),
        is_old=_is_old(references),
        is_pinned=blob.digest in records.pinned,
    )
