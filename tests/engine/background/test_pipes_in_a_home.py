"""A pipe where a file of a run, a deployment or a message belongs: nothing waits for it."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from zennb.components.model_deployers.deployment_files import DeploymentFiles
from zennb.core.secrets.texts import KnownSecrets
from zennb.engine.background.run_files import OutputLog, RunFiles, RunState, follow
from zennb.engine.delivery.delivered_log import DeliveredLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes have no path there")

STATE = RunState(started=1.0)


def write_output(home: Path) -> object:
    return OutputLog(RunFiles(home, 1), STATE, KnownSecrets())


def note(home: Path) -> None:
    DeliveredLog(home).note("alerter", "team", "what")


WAYS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "output of a run": ("background/run-1.jsonl", lambda home: list(follow(RunFiles(home, 1), lambda: True))),
    "log of a deployment": ("log.txt", lambda home: DeploymentFiles(home).log_text()),
    "what was delivered": ("delivered.log", lambda home: DeliveredLog(home).recent(5)),
    "output of a run, to be written": ("background/run-1.jsonl", write_output),
    "log of a deployment, to be written": ("log.txt", lambda home: DeploymentFiles(home).open_log()),
    "what was delivered, to be noted": ("delivered.log", note),
}


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """Ends a test that waits."""

    def waited(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_waits_for_a_pipe(tmp_path: Path, way: str) -> None:
    name, use = WAYS[way]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    try:
        found = use(tmp_path)
    except OSError:
        return
    assert not found
