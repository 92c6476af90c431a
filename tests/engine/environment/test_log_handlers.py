from __future__ import annotations

import logging

import pytest

from zennb.engine.environment.log_handlers import handlers

utils = pytest.importorskip("distributed.utils")


@pytest.mark.parametrize(
    ("handler", "counts"),
    [(utils.DequeHandler(), False), (logging.NullHandler(), False), (logging.StreamHandler(), True)],
    ids=lambda each: type(each).__name__,
)
def test_handlers_count_that_show_something(handler: logging.Handler, counts: bool) -> None:
    before, logger = handlers(), logging.getLogger("distributed.scheduler")
    logger.addHandler(handler)
    try:
        assert (handlers() != before) is counts
    finally:
        logger.removeHandler(handler)
    assert handlers() == before
