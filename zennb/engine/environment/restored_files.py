"""Owns `restore_files`: writes and removes files as a step did that is reused."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.compat.locked_files import reading
from zennb.core.records.observed import ABSENT
from zennb.engine.environment.files import state
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["restore_files"]


def restore_files(files: Mapping[str, bytes | str | None]) -> None:
    """Restore files and folders as a step left them (see `keepable`); those that are unchanged are not written.

    Raises:
        StoreError: one of them cannot be made, is not what the step removed, or has another name, which would go on
            with what it was.
    """
    for name, content in files.items():
        path = Path(name)
        try:
            if content is None:
                path.mkdir(parents=True, exist_ok=True)
            elif isinstance(content, str):
                _remove(name, content)
            elif not path.is_file():
                _replace(path, content)
            elif path.stat().st_size != len(content) or _bytes(path) != content:
                _refuse_other_names(name)
                _replace(path, content)
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(f"it writes {name}, which cannot be written ({error}).") from error


def _bytes(path: Path) -> bytes:
    with reading(path) as file:
        return file.read()


def _remove(name: str, before: str) -> None:
    now = state(name)
    if now not in {ABSENT, before}:
        raise StoreError(f"it removes {name}, which has changed since.")
    if now == before:
        Path(name).unlink()


def _refuse_other_names(name: str) -> None:
    if Path(name).stat().st_nlink > 1:
        raise StoreError(f"it writes {name}, which has another name (a hard link).")


def _replace(path: Path, content: bytes) -> None:
    path = Path(os.path.realpath(path))  # a link stays one: what it leads to is written
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".zennb-")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # `mkstemp` makes files that only their owner can read; the restored file gets the rights
        # that it had, or would get.
        draft.chmod(stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask())
        draft.replace(path)
    except BaseException:
        draft.unlink()
        raise


def _umask() -> int:
    # There is no way to ask for the mask without setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
