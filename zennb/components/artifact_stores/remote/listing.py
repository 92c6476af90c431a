"""Owns reading the entries of fsspec's listings, whose keys differ from file system to file system."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zennb.components.artifact_stores.remote.remote_files import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["listed_entry", "remote_file"]

_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


def remote_file(root: str, details: Mapping[str, Any]) -> RemoteFile:
    """Return one entry of a listing below `root`."""
    path = str(details["name"])
    times = (_seconds(details[key]) for key in _TIMES if key in details)
    return RemoteFile(
        key=path.removeprefix(root).lstrip("/"),
        size=int(details.get("size") or 0),
        written=next((when for when in times if when is not None), None),
    )


def listed_entry(root: str, details: Mapping[str, Any]) -> RemoteFile:
    """Return one entry of a folder below `root`; the key of a folder ends with a slash."""
    found = remote_file(root, details)
    return replace(found, key=f"{found.key.rstrip('/')}/") if details.get("type") == "directory" else found


def _seconds(when: Any) -> float | None:
    if isinstance(when, datetime):
        return when.timestamp()
    if isinstance(when, (int, float)):
        return float(when)
    try:
        return datetime.fromisoformat(str(when)).timestamp()
    except ValueError:
        return None
