"""What Linux reports of files that a step writes, and whose doing it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from zennb.engine.environment.file_events import CLOSE, MOVE, REMOVE, WriteWatch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux reports this")


def test_what_is_announced_is_no_disturbance(tmp_path: Path) -> None:
    watch, path = WriteWatch(), tmp_path / "a"
    for text in ("x", "y"):
        watch.announce(str(path), CLOSE)
        path.write_text(text)
    watch.announce(str(tmp_path / "b"), CLOSE)
    (tmp_path / "b").write_text("z")
    watch.announce(str(tmp_path / "b"), REMOVE)
    watch.announce(str(path), MOVE)
    (tmp_path / "b").replace(path)
    watch.stop()
    assert not watch.disturbed


@pytest.mark.parametrize("is_in_between", [True, False])
def test_a_write_more_is_somebody_elses(tmp_path: Path, is_in_between: bool) -> None:
    watch, path = WriteWatch(), tmp_path / "a"
    watch.announce(str(path), CLOSE)
    with path.open("w") as file:
        file.write("x")
        if is_in_between:
            path.write_text("other")
        file.write("y")
    if not is_in_between:
        path.write_text("other")
    watch.stop()
    watch.stop()
    assert watch.is_disturbed(str(path))
    assert not watch.is_disturbed(str(tmp_path / "b"))


def test_what_was_open_before_may_be_closed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("")
    before = [path.open("a") for _ in range(3)]
    watch = WriteWatch()
    watch.announce(str(path), CLOSE)
    for each in before:
        each.close()
    path.open("a").close()
    watch.stop()
    assert not watch.disturbed
