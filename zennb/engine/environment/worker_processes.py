"""Owns whether a step may have handed work to other processes, in which nobody sees what it asks about files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from zennb.compat.started_processes import has_pools_of_others, processes_made

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["asks_about_files", "may_use_workers"]

_STARTS = ("dask.", "distributed.", "mpire.", "multiprocess.", "os.fork.", "pathos.", "posix.fork.")
"""What begins the names of libraries by which code reaches processes that multiprocessing does not know."""

_ASKS = re.compile(
    r"pathlib\..*|(os|posix|nt)\.(access|l?stat|scandir)"
    r"|(genericpath|ntpath|posixpath|os\.path)\.(l?exists|get.time|getsize|is\w+|same\w+)"
)


def may_use_workers(uses: Collection[str], *, before: object) -> bool:
    """Whether a step may have used worker processes: its own, or some of another cell.

    Args:
        uses: the names of libraries that it uses.
        before: `processes_made()` when it began.
    """
    if processes_made() != before or any(f"{use}.".startswith(_STARTS) for use in uses):
        return True
    return asks_about_files(uses) and has_pools_of_others()


def asks_about_files(uses: Collection[str]) -> bool:
    """Whether a step names a function that says whether there is a file."""
    return any(map(_ASKS.fullmatch, uses))
