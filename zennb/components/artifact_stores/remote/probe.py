"""Owns `probe`: whether blobs can be written, read and deleted at a remote place, within a few seconds."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from zennb.components.artifact_stores.remote.loop_calls import NoAnswerError
from zennb.components.artifact_stores.remote.remote_files import Upload

if TYPE_CHECKING:
    from zennb.components.artifact_stores.remote.remote_files import RemoteFiles

__all__ = ["probe"]


def probe(files: RemoteFiles, *, seconds: float) -> None:
    """Write a small file, read it and delete it.

    Args:
        files: the place.
        seconds: how long this may take.

    Raises:
        NoAnswerError: it took longer.
        Exception: what the library raised.
    """
    errors: list[BaseException] = []
    sound = False

    def work() -> None:
        nonlocal sound
        content = os.urandom(16)
        key = f"probe/{content.hex()}"
        try:
            files.upload([Upload(key=key, source=content, size=len(content))])
            sound = files.read(key, 64) == content
            files.remove(key)
        except BaseException as error:  # noqa: BLE001 - it is raised again by the caller
            errors.append(error)

    # On a thread, for not every library can be told how long it may take.
    thread = threading.Thread(target=work, name="zennb-probe", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise NoAnswerError(f"no answer for {seconds:g} seconds")
    if errors:
        raise errors[0]
    if not sound:
        raise OSError("what was written is not what is read")
