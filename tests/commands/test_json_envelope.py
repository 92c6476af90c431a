"""The object that `--json` answers with, apart from any command."""

from __future__ import annotations

import json

from zennb.commands.interface import Interface
from zennb.commands.json_envelope import answer
from zennb.commands.outcome import Outcome


def test_numbers_that_json_does_not_know_are_null() -> None:
    outcome = Outcome(view=None, data={"mean": float("nan"), "max": float("inf"), "min": -1.5})
    answered = answer(outcome, command="x", interface=Interface.MAGIC)
    assert answered.view is not None
    found = json.loads(answered.view.text)
    assert found["data"] == {"mean": None, "max": None, "min": -1.5}
