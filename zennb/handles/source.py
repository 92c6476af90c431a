"""Owns `Source`: where handles find what belongs to their records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.records import Artifact
    from zennb.registry.workspace import Workspace

__all__ = ["Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One workspace, as handles see it.

    Attributes:
        workspace: returns it; asked each time, since it may have been closed and opened again.
        load: returns the value of an artifact.
    """

    workspace: Callable[[], Workspace]
    load: Callable[[Artifact], Any]
