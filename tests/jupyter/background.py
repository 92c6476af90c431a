"""What tests of background runs do: they wait for a run, let its step go on, and read what a cell said."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb import api

if TYPE_CHECKING:
    from tests.jupyter.conftest import Ran

PATIENCE = 120.0
GATE = "from pathlib import Path\nimport time\nwhile not Path('gate').exists():\n    time.sleep(0.02)\n"
"""Lets a step wait until the test opens it."""


def run_of(number: int) -> Any:
    run = api.workspace().metadata.run(number)
    assert run is not None
    return run


def ended(number: int = 1) -> str:
    """Wait until a run has ended, and return how."""
    deadline = time.monotonic() + PATIENCE
    while not run_of(number).status.is_final:
        assert time.monotonic() < deadline, "the run does not end"
        time.sleep(0.05)
    return str(run_of(number).status.value)


def until(text: str, number: int = 1) -> None:
    """Wait until a run has shown a text."""
    log = api.workspace().home / "background" / f"run-{number}.jsonl"
    deadline = time.monotonic() + PATIENCE
    while text not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def said(ran: Ran) -> str:
    return "\n".join(shown["data"].get("text/plain", "") for shown in ran.displays)


def opened() -> None:
    Path("gate").touch()
