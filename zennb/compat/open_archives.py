"""Owns zip files that are open for reading: what they are, and others that are the same to all who read them."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from zennb.compat.instances import attributes_of
from zennb.compat.open_files import is_opening, place_in_file

__all__ = ["archive_again", "archive_place"]


def archive_place(value: Any) -> tuple[str, bytes | None, str] | None:
    """Return name, password and a digest of a zip file that is open for reading; None for anything else."""
    if type(value).__name__ != "ZipFile" or type(value) is not getattr(
        sys.modules.get("zipfile"), "ZipFile", 0
    ):
        return None
    # Files that were opened in it are counted, and have their place in it.
    held = attributes_of(value)
    if value.mode != "r" or held.get("_filePassed") or held.get("_fileRefCnt") != 1:
        return None
    place = place_in_file(value.fp)
    if place is None or not _is_as_opened(value, place.name):
        return None
    return place.name, value.pwd, place.content


def _holders_of_parts(archive: Any) -> list[int]:
    """Return how many refer to each of the parts of a zip file that users can get hold of."""
    parts = [archive.fp, archive.filelist, archive.NameToInfo]
    return [*map(sys.getrefcount, parts), *map(sys.getrefcount, archive.filelist)]


def _is_as_opened(archive: Any, name: str) -> bool:
    """Whether a zip file has the settings and the list of contents that it has when it is opened by its name alone."""
    apart = {"fp", "pwd", "filelist", "NameToInfo", "_lock"}
    with type(archive)(name) as fresh:
        held, other = attributes_of(archive), attributes_of(fresh)
        infos, others = ([_info(each) for each in one.filelist] for one in (archive, fresh))
        return (
            held.keys() == other.keys()
            and all(part == other[key] for key, part in held.items() if key not in apart)
            and infos == others
            and archive.NameToInfo.keys() == fresh.NameToInfo.keys()
            # A part that somebody else holds as well would be another one.
            and _holders_of_parts(archive) == _holders_of_parts(fresh)
        )


def _info(info: Any) -> list[Any]:
    return [getattr(info, name, None) for name in type(info).__slots__]


def archive_again(name: str, password: bytes | None, content: str) -> Any:
    """Return an open zip file.

    Raises:
        ValueError: the file is gone, or holds something else by now.
    """
    try:
        archive: Any = import_module("zipfile").ZipFile(name)
    except OSError as error:
        raise ValueError(f"the file {name} cannot be opened as before ({error})") from error
    archive.pwd = password
    found = archive_place(archive)
    if found != (name, password, content) or not is_opening():
        archive.close()
    if found != (name, password, content):
        raise ValueError(f"the file {name} has changed since")
    return archive
