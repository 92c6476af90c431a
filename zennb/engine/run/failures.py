"""Owns what is recorded of an error that ended a step."""

from __future__ import annotations

import os
import traceback

from zennb.core.records.records import Failure

__all__ = ["failure_of", "is_interrupt"]


def is_interrupt(error: BaseException) -> bool:
    """Whether an error means that the step was interrupted (or its cell, if it awaits, cancelled)."""
    return isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError"


def failure_of(error: BaseException) -> Failure:
    """Return what a step raised, without the traceback's frames in this package."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = os.sep + "zennb" + os.sep
    kept = [frame for frame in frames if ours not in frame.filename and "IPython" not in frame.filename]
    text = "".join(traceback.format_list(kept)) + "".join(traceback.format_exception_only(error))
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - the exception's own code
        message = ""
    return Failure(type=type(error).__name__, message=message, traceback=text)
