"""Owns `artifact_stores`: the stores of all stacks of a workspace, to look for an artifact in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zennb.components.component import ArtifactStore
    from zennb.registry.workspace import Workspace

__all__ = ["artifact_stores"]


def artifact_stores(workspace: Workspace, first: str | None = None) -> Iterator[tuple[str, ArtifactStore]]:
    """Yield the names and artifact stores of all stacks, each store once; those that cannot be opened are skipped.

    Args:
        workspace: where the stacks are registered.
        first: the stack whose store comes first, if it still exists; by default the active one, which must work.

    Raises:
        ZennbError: the active stack cannot be opened.
    """
    seen: set[str] = set()
    registered = [each.name for each in workspace.registry.stacks()]
    names = [first if first in registered else workspace.active, *registered]
    for name in dict.fromkeys(names):
        try:
            found = workspace.open(name)
            label, store = found.spec.artifact_store.name, found.store
        except ZennbError:  # a stack that cannot be used here must not hide the artifacts of others
            if first is None and name == workspace.active:
                raise
            continue
        if label not in seen:
            seen.add(label)
            yield label, store
