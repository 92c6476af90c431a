from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from zennb.engine.environment.execution_environment import ExecutionEnvironment

if TYPE_CHECKING:
    import pytest


def test_the_handler_that_dask_makes_when_it_is_imported_is_not_the_notebooks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = ExecutionEnvironment(seal=str)
    dask, own = logging.StreamHandler(), logging.StreamHandler()
    for name in ("distributed", "tornado"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [dask])
    assert not environment.has_set_up_logging
    monkeypatch.setattr(logging.getLogger("tornado"), "handlers", [dask, own])
    assert environment.has_set_up_logging
