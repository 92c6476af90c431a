"""The `local` alerter: its contract, and its log file."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from zennb.components.alerter import Alert
from zennb.components.alerters.local import LocalAlerter
from zennb.testing.alerter import AlerterContract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class TestContract(AlerterContract):
    @pytest.fixture
    def alerter(self, tmp_path: Path) -> LocalAlerter:
        return LocalAlerter.from_config("team", {"path": str(tmp_path / "sub" / "alerts.log")})

    @pytest.fixture
    def received(self, tmp_path: Path) -> Callable[[], str]:
        return lambda: (tmp_path / "sub" / "alerts.log").read_text("utf-8")

    @pytest.fixture
    def broken(self, tmp_path: Path) -> LocalAlerter:
        (tmp_path / "file").touch()
        return LocalAlerter.from_config("team", {"path": str(tmp_path / "file" / "alerts.log")})


def test_each_message_is_one_line_that_only_the_user_can_read(tmp_path: Path) -> None:
    alerter = LocalAlerter.from_config("team", {"path": str(tmp_path / "log")})
    alerter.send(Alert(event="failure", title="step 'a' failed", text="one\ntwo"))
    alerter.send(Alert(event="success", title="step 'a' completed", text="after 1s"))
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line[20:] for line in lines] == [
        "FAILURE step 'a' failed: one two",
        "SUCCESS step 'a' completed: after 1s",
    ]
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
