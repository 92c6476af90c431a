"""Owns which blobs belong to copies of records, which lie beside the values so that a lost home can be repaired.

No record names such a copy. It stays as long as its record exists. Where a copy is newer than every record, the records
were lost rather than deleted: then the copy stays, with everything that it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json
from zennb.errors import StoreError
from zennb.recovery.record_copies import MAGIC, copy_text, is_copy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.components.component import ArtifactStore
    from zennb.core.records.space import StoredBlob
    from zennb.metadata.store import MetadataStore

__all__ = ["record_copies"]

_LARGEST = 1 << 20
"""Bytes of the largest blob that is read to find out, where the store does not know how it begins."""


def record_copies(
    store: ArtifactStore, unnamed: Iterable[StoredBlob], metadata: MetadataStore
) -> frozenset[str]:
    """Return the blobs that belong to copies of records that exist or are lost.

    Args:
        store: where they are.
        unnamed: blobs that no record names.
        metadata: the records.
    """
    copies = [each.digest for each in unnamed if _is_copy(store, each)]
    if not copies:
        return frozenset()
    marks, latest = metadata.space.step_marks()
    kept: set[str] = set()
    for digest in copies:
        found = _read(store, digest)
        if found is None:  # of a format that this version does not know
            kept.add(digest)
            continue
        step = found["step"]
        if (step.get("name"), step.get("notebook"), step.get("started"), step.get("key")) in marks:
            kept.add(digest)
        elif found["recorded"] > latest:
            kept |= {digest, *_named(found)}
    return frozenset(kept)


def _is_copy(store: ArtifactStore, blob: StoredBlob) -> bool:
    if blob.head is not None:
        return blob.head.startswith(MAGIC)
    if blob.size > _LARGEST:
        return False
    try:
        return is_copy(store.get(blob.digest))
    except StoreError:  # damaged, or deleted in the meantime
        return False


def _read(store: ArtifactStore, digest: str) -> dict[str, Any] | None:
    try:
        found = parse_json(copy_text(store.get(digest)), bounded=True)
        is_known = isinstance(found["step"], dict) and isinstance(found["recorded"], int | float)
        return found if is_known else None
    except (StoreError, ValueError, KeyError, TypeError):
        return None


def _named(found: dict[str, Any]) -> Iterator[str]:
    """Yield the blobs that a copy names."""
    for part in ("inputs", "outputs"):
        artifacts = found.get(part)
        for item in artifacts.values() if isinstance(artifacts, dict) else ():
            if isinstance(item, dict) and isinstance(item.get("blob"), str):
                yield item["blob"]
    step = found["step"]
    if isinstance(step.get("displays"), str):
        yield step["displays"]
    try:
        carried = parse_json(step.get("carried") or "{}", bounded=True)
        yield str(carried.get("blob", ""))
    except (ValueError, TypeError, AttributeError):
        return
