"""Owns what is recorded of an error that ended a step."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from zennb.core.records.records import Failure

__all__ = ["failure_of", "is_interrupt"]

# A folder of the user's may have these names, too.
_OURS = str(Path(__file__).parents[2]) + os.sep
_IPYTHON = [f"{os.sep}{folder}{os.sep}IPython{os.sep}" for folder in ("site-packages", "dist-packages")]


def is_interrupt(error: BaseException) -> bool:
    """Whether an error means that the step was interrupted (or its cell, if it awaits, cancelled)."""
    return isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError"


def failure_of(error: BaseException) -> Failure:
    """Return what a step raised, without the traceback's frames in this package."""
    frames = traceback.extract_tb(error.__traceback__)
    kept = [frame for frame in frames if not _is_hidden(frame.filename)]
    text = "".join(traceback.format_list(kept)) + "".join(traceback.format_exception_only(error))
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - the exception's own code
        message = ""
    return Failure(type=type(error).__name__, message=message, traceback=text)


def _is_hidden(path: str) -> bool:
    return path.startswith(_OURS) or any(each in path for each in _IPYTHON)
