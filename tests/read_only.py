"""Makes a folder one that really cannot be written to, also where tests run as root."""

from __future__ import annotations

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

R = TypeVar("R")

_VERSION = 0x20080522
_CAPABILITIES = 6  # words: effective, permitted and inheritable, twice


@contextmanager
def read_only(folder: Path) -> Iterator[Callable[[Callable[[], R]], R]]:
    """Take the rights to write in a folder away; yields what calls a function where they are missed.

    The function runs on a thread of its own, which has given up what root may do in spite of them. The threads that it
    starts cannot do it either.
    """
    everything = [folder, *folder.rglob("*")]
    for path in everything:
        path.chmod(path.stat().st_mode & 0o555)
    with ThreadPoolExecutor(1, initializer=_give_up) as thread:
        try:
            yield lambda work: thread.submit(work).result()
        finally:
            for path in everything:
                path.chmod(path.stat().st_mode | 0o200)


def _give_up() -> None:
    """Give up the privileges of root in this thread."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        nothing = (ctypes.c_uint32 * _CAPABILITIES)()
        if libc.capset((ctypes.c_uint32 * 2)(_VERSION, 0), nothing):
            raise OSError(ctypes.get_errno(), "capset")
