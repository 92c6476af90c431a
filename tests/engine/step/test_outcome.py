"""What comes of a step is plain data, each field of it."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, fields

import pytest

from zennb.core.records.metrics import Metric
from zennb.core.records.observed import Carried, Observed
from zennb.core.records.records import Artifact
from zennb.engine.step.outcome import StepOutcome

FULL = StepOutcome(
    artifacts={"y": Artifact(name="y", digest="d", blob="b", materializer="json", size=1, type="int")},
    defines=("f",),
    deletes=("x",),
    displays="0" * 64,
    metrics={"loss": Metric(last=0.5, count=2, points=((0, 1.0), (1, 0.5)))},
    observed=Observed(files={"data.csv": "s"}, written={"out.csv": "t"}, left={"numpy print options": "n"}),
    changes={"numpy print options": {"precision": 3}, "files": {"out.csv": b"bytes"}},
    carried=Carried(blob="c", materializer="pickle", names=("numpy print options",)),
    not_reusable=("it uses `exec(...)`", "another"),
    seconds=1.5,
    error=ValueError("bad"),
    process=7,
    stand_in="/tmp/zennb-1",
    continued=frozenset({"/tmp/zennb-1/home/log.txt"}),
    held={"api_key": "x"},
    shared={"rows": [1]},
    changed=frozenset({"rows"}),
    unstored={"b": (b"bytes", "disk full, 8 MB short")},
)


def test_every_field_survives_pickling() -> None:
    again: StepOutcome = pickle.loads(pickle.dumps(FULL))
    empty = StepOutcome()
    for field in fields(StepOutcome):
        before, after = getattr(FULL, field.name), getattr(again, field.name)
        assert before != getattr(empty, field.name), f"{field.name} is not tried"
        assert (repr(after) if field.name == "error" else after) == (
            repr(before) if field.name == "error" else before
        )


def test_by_default_a_step_left_nothing_and_may_be_reused() -> None:
    empty = StepOutcome()
    assert not any(getattr(empty, field.name) for field in fields(StepOutcome))


def test_an_outcome_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        FULL.seconds = 2.0  # type: ignore[misc]
