"""What a tracker does while the next step runs is no doing of that step, which stays reusable."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zennb import plugins
from zennb.components.experiment_tracker import ExperimentTracker
from zennb.components.quiet_logging import quiet_here
from zennb.engine.delivery.tracking import settle
from zennb.plugins import FlavorInfo

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook
    from zennb.components.experiment_tracker import TrackedStep

SECOND = """%%step second
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(2) as pool:
    y = sum(pool.map(lambda _: time.sleep(0.2) or x, range(6)))"""
STEPS = (
    "%%step first\nx = 1",
    SECOND,
    "%%step third\nz = y + 1",
)


class BusyTracker(ExperimentTracker):
    """Works on a file of its own, as a database would, and its library notes something in a variable."""

    flavor = "busy"
    description = "for tests"

    def log_step(self, step: TrackedStep) -> None:
        with quiet_here("busy"):
            self._work(step)

    def _work(self, step: TrackedStep) -> None:
        path = Path("tracked.txt")
        logging.getLogger("busy").warning("creating tables")
        for _ in range(20):
            time.sleep(0.01)
            before = path.read_text() if path.exists() else ""
            path.write_text(f"{before}{step.step}\n")
            os.environ["_MLFLOW_TELEMETRY_SESSION_ID"] = str(time.monotonic_ns())


@pytest.fixture(autouse=True)
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    load = plugins.load
    info = FlavorInfo(type="experiment_tracker", name="busy", target="", description="for tests")
    monkeypatch.setattr(plugins, "_OURS", (*plugins._OURS, info))
    monkeypatch.setattr(
        plugins, "load", lambda type, flavor: BusyTracker if flavor == "busy" else load(type, flavor)
    )
    monkeypatch.setenv("_MLFLOW_TELEMETRY_SESSION_ID", "0")


def test_a_step_is_reused_that_ran_while_a_tracker_was_told_of_the_one_before(notebook: Notebook) -> None:
    notebook.run(
        "%experiment-tracker register lab --flavor=busy",
        "%stack register tracked -o default -a default --experiment-tracker=lab --set",
        "import time",
    )
    assert [each.status for each in notebook.run(*STEPS)] == ["completed"] * 3
    assert settle()
    assert Path("tracked.txt").read_text().count("first") == 20
    again = notebook.run(*STEPS)
    assert [(each.status, each.reason) for each in again if each.status != "cached"] == []
    assert settle()
    notebook.restart()
    assert [each.status for each in notebook.run("import time", *STEPS)[1:]] == ["cached"] * 3
    assert settle()
