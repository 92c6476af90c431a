"""Owns the state of `logging` that a step may change: levels and handlers."""

from __future__ import annotations

import logging

__all__ = ["handlers", "logging_state"]


def handlers() -> list[int]:
    """Return the handlers of all loggers, as ids."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    # `loggerDict` also holds placeholders for the parents of loggers, which have no handlers.
    found = [each for logger in loggers for each in getattr(logger, "handlers", ())]
    return [id(each) for each in found if not isinstance(each, logging.NullHandler)]


def logging_state() -> tuple[int, tuple[int, ...]]:
    """Return the level and the handlers of the root logger."""
    return (logging.root.level, tuple(map(id, logging.root.handlers)))
