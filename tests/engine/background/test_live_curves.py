"""What the running steps of a background run log is read by other processes, whatever its file holds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.metrics import Metric
from zennb.engine.background.live_curves import CurveWriter, read_curves
from zennb.engine.background.run_files import RunFiles
from zennb.engine.step.metric_log import MetricLog
from zennb.engine.step.running import live_metrics, running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    (tmp_path / "background").mkdir()
    return RunFiles(tmp_path, 3)


def test_curves_are_read_as_they_were_logged_and_go_with_their_run(
    files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = threading.Semaphore(0)
    replace = RunFiles.replace

    def counted(self: RunFiles, path: Path, text: str) -> None:
        replace(self, path, text)
        written.release()

    monkeypatch.setattr(RunFiles, "replace", counted)
    writer, log = CurveWriter(lambda: files), MetricLog()
    with running("train", log, {}):
        log.add({"loss": 0.5, "odd": float("nan")}, step=2)
        writer.note()
        assert written.acquire(timeout=30)
        found = read_curves(files)
        assert found["train"]["loss"] == Metric(last=0.5, points=((2, 0.5),))
        assert found["train"]["odd"].last != found["train"]["odd"].last
        log.add({"loss": 0.25}, step=4)
        writer.note()
        assert written.acquire(timeout=30)
        assert read_curves(files)["train"]["loss"] == live_metrics()["train"]["loss"]
    assert written.acquire(timeout=30), "that the step has ended is noticed"
    assert read_curves(files) == {}
    writer.close()
    assert not files.curves.exists()
    writer.note()
    assert not files.curves.exists()


def test_nothing_is_written_where_nobody_would_look(files: RunFiles) -> None:
    asked: list[int] = []
    writer = CurveWriter(lambda: asked.append(1))
    with running("train", MetricLog(), {}):
        writer.note()
        writer.close()
    assert asked == [1]
    assert not files.curves.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"a": 1}',
        b'{"a": {"b": 1}}',
        b'{"a": {"b": [1, 2, 3]}}',
        b'{"a": {"b": [1, 2]}}',
        b'{"a": {"b": [1, 2, [[1]]]}}',
        b'{"a": {"b": [null, 2, []]}}',
        b'{"a": {"b": [1, 1e999, []]}}',
        b"\xff",
    ],
)
def test_an_odd_file_tells_of_nothing(files: RunFiles, content: bytes) -> None:
    files.curves.write_bytes(content)
    assert read_curves(files) == {}
