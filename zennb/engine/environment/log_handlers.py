"""Owns the state of `logging` that a step may change: levels and handlers."""

from __future__ import annotations

import logging

__all__ = ["LOGGING", "handlers", "logging_state"]

LOGGING = "it sets up logging"
"""What a step does that changes `logging_state`; functions such as `logging.warning` do so where nobody has."""


def handlers() -> list[int]:
    """Return the handlers of all loggers, as ids, without those that Dask makes and removes on its own.

    It makes one when zennb imports it, and each of its servers has one, which goes when the server is collected.
    """
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    # `loggerDict` also holds placeholders for the parents of loggers, which have no handlers.
    found = [each for logger in loggers for each in getattr(logger, "handlers", ())]
    dask = getattr(logging.root.manager.loggerDict.get("distributed"), "handlers", ())[:1]
    return [id(each) for each in found if not _is_silent(each) and each not in dask]


def _is_silent(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.NullHandler) or type(handler).__module__.startswith("distributed.")


def logging_state() -> tuple[int, tuple[int, ...]]:
    """Return the level and the handlers of the root logger."""
    return (logging.root.level, tuple(map(id, logging.root.handlers)))
