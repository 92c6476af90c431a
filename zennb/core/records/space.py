"""Owns the records about space: what a store holds, what records need of it, and what is to be deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BlobReference",
    "FreedBlob",
    "PrunePlan",
    "PruneRule",
    "Pruned",
    "PrunedBlob",
    "SpaceRecords",
    "StoreUsage",
    "StoredBlob",
    "Usage",
    "UsageGroup",
    "UsageItem",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """Some content of an artifact store.

    Attributes:
        digest: its name.
        size: its bytes.
        stored: when it was last stored, in seconds since the epoch; None when the store does not know.
        head: its first eight bytes; None when the store would have to read them.
    """

    digest: str
    size: int
    stored: float | None = None
    head: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobReference:
    """A record that names a blob: a version of an artifact, or what a step showed or changed.

    Attributes:
        kind: `artifact`; `output` for what a step showed; `changes` for the settings and files that it left.
        name: the artifact, or the step.
        version: of an artifact; 0 for others.
        artifact: id of the artifact; None for others.
        blob: the blob's name.
        size: its bytes as recorded; 0 when they are not recorded.
        notebook: the notebook of the step that made it.
        step: that step.
        order: increases with each newer one of the same name.
        used: when a step last made, reused or read it, in seconds since the epoch.
        is_current: whether its name stands for it now, in any notebook.
    """

    kind: str
    name: str
    version: int = 0
    artifact: int | None = None
    blob: str
    size: int = 0
    notebook: str
    step: str
    order: int
    used: float
    is_current: bool = False

    @property
    def label(self) -> str:
        """`model v3`, or `output of train`."""
        if self.kind == "artifact":
            return f"{self.name} v{self.version}"
        return f"{'output' if self.kind == 'output' else 'settings and files'} of {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreedBlob:
    """A blob that was deleted on purpose.

    Attributes:
        store: name of the artifact store.
        blob: its name.
        size: the bytes it had.
        created: when it was deleted, in seconds since the epoch.
    """

    store: str
    blob: str
    size: int
    created: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceRecords:
    """What the metadata store knows about blobs, read in one transaction.

    Attributes:
        references: every record that names a blob.
        pinned: blobs of pinned versions.
        needed: blobs that a kernel that is alive, or a run of the last day, needs.
        running_since: when the oldest run that is active now began; None when none is.
        last_step: id of the newest step; what is recorded later has a higher one.
    """

    references: tuple[BlobReference, ...]
    pinned: frozenset[str]
    needed: frozenset[str]
    running_since: float | None
    last_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneRule:
    """Which blobs to delete: exactly one field is set.

    Attributes:
        older: those not used for so many seconds.
        keep: all but the newest so many versions of each name.
        unreferenced: those that no record names.
        to: the longest unused ones, until the store holds at most so many bytes.
    """

    older: float | None = None
    keep: int | None = None
    unreferenced: bool = False
    to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedBlob:
    """A blob to be deleted.

    Attributes:
        digest: its name.
        size: its bytes.
        labels: what is stored in it (`model v3`); empty when no record names it.
        used: when it was last used, or stored when no record names it; None when unknown.
    """

    digest: str
    size: int
    labels: tuple[str, ...]
    used: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePlan:
    """What a prune of one artifact store would delete.

    Attributes:
        blobs: what to delete, first what is deleted first.
        total: bytes in the store.
        spared: why something that the rule names is kept → its bytes.
    """

    blobs: tuple[PrunedBlob, ...]
    total: int
    spared: Mapping[str, int]

    @property
    def size(self) -> int:
        """Bytes to delete."""
        return sum(each.size for each in self.blobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a prune deleted, or would delete.

    Attributes:
        store: name of the artifact store.
        plan: what was chosen.
        deleted: what was deleted; None when nothing was to be deleted yet.
        later: blobs that were chosen and stayed, since a kernel stored or used them in the meantime.
    """

    store: str
    plan: PrunePlan
    deleted: tuple[PrunedBlob, ...] | None = None
    later: int = 0

    @property
    def size(self) -> int:
        """Bytes that were deleted, or would be."""
        return self.plan.size if self.deleted is None else sum(each.size for each in self.deleted)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUsage:
    """What one artifact store holds.

    Attributes:
        store: its name.
        stacks: the stacks that use it.
        place: its directory; "" when it has none.
        limit: its soft limit in bytes; None for none.
        size: bytes in it.
        blobs: how many blobs it holds.
        old: bytes that only versions name which no name stands for any more.
        unreferenced: bytes that no record names.
    """

    store: str
    stacks: tuple[str, ...]
    place: str
    limit: int | None
    size: int
    blobs: int
    old: int
    unreferenced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageGroup:
    """The bytes of one notebook, step or stack; bytes that several share count for each.

    Attributes:
        name: the notebook, step or stack.
        notebook: of a step; "" for others.
        size: its bytes.
        old: those that only old versions name.
        saved: seconds that reuse has saved.
        reused: how often a step was reused.
    """

    name: str
    notebook: str = ""
    size: int
    old: int
    saved: float
    reused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageItem:
    """One blob.

    Attributes:
        name: what is stored in it: `model v3`.
        first: the first version that is stored in it; "" when no record names one.
        step: the step that made it; "" when no record names it.
        notebook: its notebook.
        size: its bytes.
        used: when it was last used, in seconds since the epoch; None when unknown.
        is_old: whether only old versions name it.
        is_pinned: whether it is pinned.
    """

    name: str
    step: str
    notebook: str
    size: int
    used: float | None
    is_old: bool
    is_pinned: bool
    first: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What takes space, and what reuse saved.

    Attributes:
        stores: the artifact stores.
        notebooks: per notebook, the largest first.
        steps: per step, the largest first.
        stacks: per stack, the largest first.
        largest: the largest blobs.
        oldest: the blobs that were not used for the longest time.
        saved: seconds that reuse has saved so far.
        reused: how often a step was reused.
    """

    stores: tuple[StoreUsage, ...]
    notebooks: tuple[UsageGroup, ...]
    steps: tuple[UsageGroup, ...]
    stacks: tuple[UsageGroup, ...]
    largest: tuple[UsageItem, ...]
    oldest: tuple[UsageItem, ...]
    saved: float
    reused: int

    @property
    def size(self) -> int:
        """Bytes in all stores."""
        return sum(each.size for each in self.stores)
