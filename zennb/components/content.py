"""Owns helpers of artifact stores: flattening buffers, and naming content by its digest."""

from __future__ import annotations

import hashlib
import re
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
    return [_flat(view) for chunk in chunks if (view := memoryview(chunk)).nbytes]


def _flat(view: memoryview) -> memoryview:
    """Return a view of the same bytes in one dimension; a copy if Python has no name for the format of its items.

    `PickleBuffer(view).raw()` would never copy. But it takes a buffer from `view` itself and keeps it, and before 3.13
    Python crashes when it collects a cycle with a memoryview whose buffer is in use: an interrupt while bytes are
    stored leaves such cycles, of tracebacks and frames. Views of one memory that come from `cast` are safe.
    """
    if not view.contiguous:
        raise BufferError("bytes to be stored have to be contiguous")
    try:
        return view.cast("B")
    except (TypeError, ValueError):  # items of another byte order or of several fields, or Fortran's order
        return memoryview(view.tobytes(order="A"))


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
