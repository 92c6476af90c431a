"""Owns the digest of keras's models and layers: what they save, without the time, and the ids of objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from zennb.compat.networks import held_parts, unsaved_numbers
from zennb.digests.hooks import by_content

if TYPE_CHECKING:
    from zennb.digests.walker import Handler

__all__ = ["NETWORKS", "saved_content"]

_OBJECT = re.compile(rb', "shared_object_id": \d+')
_TIME = "metadata.json"


def saved_content(model: Any) -> Any:
    """Return what a model saves of itself."""
    _, (archive,), *_ = model.__reduce__()
    with ZipFile(archive) as saved:
        parts = {
            name: _OBJECT.sub(b"", saved.read(name)) for name in sorted(saved.namelist()) if name != _TIME
        }
    return parts, unsaved_numbers(model)


NETWORKS: dict[str, Handler] = {
    "keras.src.saving.keras_saveable.KerasSaveable": by_content(saved_content, parts=held_parts)
}
"""Handlers by the name of a base type."""
