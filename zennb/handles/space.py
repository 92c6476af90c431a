"""Owns the handles of space: what takes it, and what a prune deletes or has deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.space import Pruned, Usage
from zennb.handles.handle import Handle
from zennb.views import space as space_view

if TYPE_CHECKING:
    from zennb.views.view import Shown

__all__ = ["PrunedHandle", "UsageHandle"]


class UsageHandle(Handle[Usage]):
    """What takes space: `size`, `stores`, `notebooks`, `steps`, `stacks`, `largest`, `oldest`; `saved` by reuse."""

    def _view(self) -> Shown:
        return space_view.usage(self.record)


class PrunedHandle(Handle[Pruned]):
    """What a prune deleted, or would delete: `size`, `plan.blobs`, `plan.spared`, `deleted`."""

    def _view(self) -> Shown:
        return space_view.pruned(self.record, again="zennb.prune(..., yes=True)")
