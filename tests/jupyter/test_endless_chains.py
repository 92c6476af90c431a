"""Following what leads from one object to the next ends, also where that leads back."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from zennb.components.artifact_stores.reasons import database_reason
from zennb.engine.environment import later_calls
from zennb.jupyter.cells.own_traceback import group_lines


def test_an_error_may_lead_back_to_itself() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__context__, two.__context__ = two, one
    assert group_lines(one) == []


def test_an_error_of_a_database_may_lead_back_to_itself() -> None:
    one, two = sqlite3.OperationalError("one"), ValueError("two")
    one.__context__, two.__context__ = two, one
    assert "two" in str(database_reason(Path("store"), one, timeout=1.0))


def test_a_call_with_arguments_may_call_itself() -> None:
    class Own(partial[None]):
        @property
        def func(self) -> Any:
            return self

    called: Any = partial(print)
    called.__setstate__((called, (), {}, {}))
    assert [later_calls._package(each) for each in (called, Own(print))] == ["functools", "builtins"]
