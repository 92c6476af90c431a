"""Owns the serialization of what is closed: files, progress bars, pools. It says what it was, and does nothing more."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from zennb.compat.finished import finished, restored
from zennb.compat.instances import is_a

__all__ = ["closed_file", "closed_reduction"]

_BINARY = (io.BufferedReader, io.BufferedWriter, io.BufferedRandom)


def closed_reduction(value: object) -> tuple[Any, ...] | None:
    """Return the pickle recipe of a closed file, a finished bar or a pool that was shut; None for anything else."""
    if (found := finished(value)) is not None:
        return restored, found
    if not is_a(value, io.TextIOWrapper | io.BufferedReader | io.BufferedWriter | io.BufferedRandom):
        return None
    if type(value) not in (io.TextIOWrapper, *_BINARY) or not value.closed:
        return None
    encoding = value.encoding if is_a(value, io.TextIOWrapper) else None
    return closed_file, (value.name, value.mode, encoding)


def closed_file(name: Any, mode: str, encoding: str | None) -> Any:
    """Return a closed file of that name and mode; no such file needs to exist."""
    # A file object can only be had by opening one, and the file of that name may be gone, or
    # must not be cut off by `w`.
    file: Any = Path(os.devnull).open(mode.replace("x", "w"), encoding=encoding)  # noqa: SIM115 - closed below
    raw = file.raw if encoding is None else file.buffer.raw
    raw.name = name
    if encoding is not None:
        file.mode = mode
    file.close()
    return file
