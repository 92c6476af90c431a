"""Step results in output metadata, ours and anybody's."""

from __future__ import annotations

from typing import Any

import pytest

from zennb.core.records.records import Status
from zennb.headless.step_line import StepLine, step_lines


def test_a_status_line_is_read_whole() -> None:
    entry = {
        "step": "train",
        "status": "cached",
        "run": 12,
        "reason": "same code and inputs as run 12",
        "seconds": 0.0004,
        "outputs": ["model", "score"],
    }
    (line,) = step_lines({"zennb": entry})
    assert line == StepLine(
        step="train",
        status=Status.CACHED,
        reason="same code and inputs as run 12",
        seconds=0.0004,
        outputs=("model", "score"),
        run=12,
    )


def test_a_pipeline_gives_one_line_per_step() -> None:
    entries = [{"step": "a", "status": "completed"}, {"step": "b", "status": "skipped", "reason": "a failed"}]
    assert [(line.step, line.status) for line in step_lines({"zennb": entries})] == [
        ("a", Status.COMPLETED),
        ("b", Status.SKIPPED),
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"zennb": None},
        {"zennb": "train"},
        {"zennb": {"step": "a"}},
        {"zennb": {"step": "a", "status": "odd"}},
        {"zennb": {"step": "a", "status": "cached", "seconds": "long"}},
        {"zennb": {"step": "a", "status": "cached", "outputs": 3}},
        {"zennb": [1, {"status": "cached"}]},
    ],
)
def test_metadata_of_another_shape_is_passed_over(metadata: dict[str, Any]) -> None:
    assert list(step_lines(metadata)) == []
