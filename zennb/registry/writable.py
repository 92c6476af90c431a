"""Owns `check_writable`: whether a directory that a component is to keep something in can be written."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from zennb.errors import InvalidConfiguration

__all__ = ["check_writable"]


def check_writable(directory: str, *, what: str, command: str) -> None:
    """Try to write into a directory, or into the nearest one above it that exists; leave nothing there.

    Args:
        directory: where it is; it need not exist yet.
        what: whose it is, for the message: `artifact store 'shared'`.
        command: the line that takes another one, but for its `--path`.

    Raises:
        InvalidConfiguration: nothing can be written there.
    """
    path = Path(directory)
    missing = [each for each in (path, *path.parents) if not os.path.lexists(each)]
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InvalidConfiguration(
            f"{what} was not registered: nothing can be written to {directory} ({error.strerror or error}). "
            f"Choose another directory: {command} --path=DIRECTORY",
            option="path",
        ) from error
    finally:
        for each in missing:
            with suppress(OSError):  # it is not there, or somebody else uses it by now
                each.rmdir()
