"""Owns `quiet_here`: what a library logs on one thread is not shown, and nobody's logging levels change for it.

Levels are settings of the process: a step that runs meanwhile would be taken for the one that changes them.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["quiet_here"]

_here = threading.local()


class _QuietThreads(logging.Filter):
    """Leaves out records of threads that are quiet, below the level that they still show."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= getattr(_here, "least", logging.NOTSET)


_FILTER = _QuietThreads()


@contextmanager
def quiet_here(*loggers: str, least: int = logging.ERROR) -> Iterator[None]:
    """Leave out what this thread logs below a level.

    Args:
        loggers: the libraries' own loggers, whose handlers are asked besides those of the root.
        least: the level from which on it is shown.
    """
    handlers = [each for name in (None, *loggers) for each in logging.getLogger(name).handlers]
    for each in (*handlers, logging.lastResort):
        if each is not None:
            each.addFilter(_FILTER)  # once: it stays, and lets everything pass on threads that are not quiet
    before = getattr(_here, "least", logging.NOTSET)
    _here.least = least
    try:
        yield
    finally:
        _here.least = before
