"""Levels of loggers: a step that uses a logger depends on them, also if it does not name the module `logging`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.conftest import Notebook

MADE = "import logging\nlog = logging.getLogger('levels')"
ASKS = {
    "it asks": ("pass", "print(log.isEnabledFor(20))"),
    "it logs": ("pass", "log.warning('said')"),
    "a function asks": ("def f(): return log.isEnabledFor(20)", "print(f())"),
    "a function is given it": ("def f(each): each.warning('said')", "f(log)"),
    "a list holds it": ("logs = [log]", "print([each.level for each in logs])"),
}


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    yield
    logging.getLogger("levels").setLevel(0)


@pytest.mark.parametrize(("more", "asking"), ASKS.values(), ids=ASKS)
def test_a_step_that_uses_a_logger_depends_on_its_level(notebook: Notebook, more: str, asking: str) -> None:
    for level in ("INFO", "CRITICAL"):
        notebook.run(f"{MADE}\n{more}\nlog.setLevel('{level}')")
        plain = notebook.cell(asking)
        asked = notebook.cell(f"%%step ask\n{asking}")
        assert (asked.out + asked.err).startswith(plain.out + plain.err), asked.reason
        assert asked.status == "completed"
        assert notebook.cell(f"%%step ask\n{asking}").status == "cached"
