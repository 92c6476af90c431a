"""Owns `Finding`: one thing that is wrong in a home or an artifact store."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DAMAGED", "FOREIGN", "MISSING", "UNREFERENCED", "Finding"]

DAMAGED, MISSING, FOREIGN, UNREFERENCED = "damaged", "missing", "foreign", "unreferenced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as zennb left it.

    Attributes:
        kind: `damaged`, `missing`, `foreign` (nothing of zennb's), or `unreferenced`, which does no harm.
        path: the file or folder.
        what: what was seen, as a phrase: `its content has changed since it was stored`.
        is_lost: whether no repair brings it back.
    """

    kind: str
    path: str
    what: str
    is_lost: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to repair."""
        return self.kind != UNREFERENCED
