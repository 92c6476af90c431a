from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from zennb.components.quiet_logging import quiet_here

if TYPE_CHECKING:
    import pytest


def test_only_this_thread_is_quiet_and_no_level_changes(capsys: pytest.CaptureFixture[str]) -> None:
    logger, handler = logging.getLogger("chatty"), logging.StreamHandler()
    logger.addHandler(handler)
    logger.propagate = False
    levels = (logger.level, logging.root.level)
    try:
        with quiet_here("chatty"):
            logging.getLogger("chatty.tables").warning("hidden")
            logger.error("shown")
            thread = threading.Thread(target=lambda: logger.warning("of another thread"))
            thread.start()
            thread.join()
            with quiet_here("chatty", least=logging.WARNING):
                logger.warning("from warnings on")
            logger.warning("hidden again")
            assert (logger.level, logging.root.level) == levels
        logger.warning("afterwards")
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    said = capsys.readouterr().err.splitlines()
    assert said == ["shown", "of another thread", "from warnings on", "afterwards"]
