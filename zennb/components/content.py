"""Owns helpers of artifact stores: flattening buffers, and naming content by its digest."""

from __future__ import annotations

import hashlib
import re
from pickle import PickleBuffer
from typing import TYPE_CHECKING

from zennb.errors import MissingArtifact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.components.component import Buffer

__all__ = ["flat", "is_digest", "missing", "name_of"]

_DIGEST = re.compile("[0-9a-f]{64}")


def flat(chunks: Iterable[Buffer]) -> list[memoryview]:
    """Return one-dimensional byte views of `chunks`, without copying; empty ones are left out.

    Raises:
        BufferError: a chunk is not contiguous.
    """
    # `raw` gives one dimension of bytes also for arrays in Fortran order, for which `memoryview.cast` raises.
    return [view for chunk in chunks if (view := PickleBuffer(chunk).raw()).nbytes]


def name_of(*parts: Buffer) -> str:
    """Return the sha-256 of the parts, one after another, in lower-case hexadecimal."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()


def is_digest(text: object) -> bool:
    """Say whether `text` has the form of a name of content; anything else is never looked up."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def missing(digest: str, store: str) -> MissingArtifact:
    """Return the error that says that `digest` is not in the store called `store`."""
    return MissingArtifact(
        f"The artifact store '{store}' has nothing (any more) under {str(digest)[:12]}. "
        "Run the step that made it again.",
        digest=digest,
    )
