"""Owns the contract of experiment trackers, as tests: inherit `ExperimentTrackerContract` and define its fixtures."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.experiment_tracker import ExperimentTracker, TrackedStep
from zennb.testing.component import ComponentContract

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ExperimentTrackerContract"]

STEP = TrackedStep(
    id="0" * 31 + "1",
    step="train",
    notebook="studies/iris.ipynb",
    stack="default",
    run=12,
    status="completed",
    started=1_773_063_900.25,
    seconds=9.5,
    parameters={"alpha": "0.1", "note": "‘good’ " * 200},
    metrics={"accuracy": [(0, 0.93)], "loss/train": [(at, 1 / (at + 1)) for at in range(1500)]},
    artifacts=[
        {
            "name": "model",
            "version": 3,
            "digest": "ab" * 32,
            "type": "sklearn.Pipeline",
            "size": 512,
            "value": "",
        }
    ],
)


class ExperimentTrackerContract(ComponentContract):
    """The contract of every experiment tracker.

    Fixtures to define:
        tracker: a configured tracker.
        known: a function that returns what was recorded: for each execution its `step`, `status`, `parameters`, and
            `metrics` as name → last value. A tracker that keeps nothing itself returns None.
        broken: a tracker of the flavor that cannot record anything; None where nothing can go wrong.
    """

    @pytest.fixture
    def tracker(self) -> ExperimentTracker:
        """Return the tracker to test."""
        pytest.fail("Give a fixture `tracker` that returns a configured tracker.")

    @pytest.fixture
    def known(self) -> Callable[[], list[dict[str, Any]] | None]:
        """Return a function that returns what was recorded."""
        pytest.fail("Give a fixture `known` that returns what was recorded, as a function.")

    @pytest.fixture
    def broken(self) -> ExperimentTracker | None:
        """Return a tracker that cannot record anything."""
        pytest.fail("Give a fixture `broken` that returns a tracker which cannot record anything.")

    @pytest.fixture
    def component(self, tracker: ExperimentTracker) -> ExperimentTracker:
        """Apply the tests of every component to the tracker."""
        return tracker

    def test_a_step_is_recorded_with_its_parameters_and_metrics(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        tracker.log_step(STEP)
        found = known()
        if found is None:
            return
        (one,) = found
        assert (one["step"], one["status"], one["parameters"]["alpha"]) == ("train", "completed", "0.1")
        assert one["parameters"]["note"].startswith("‘good’ ")
        assert one["metrics"]["accuracy"] == 0.93
        assert one["metrics"]["loss/train"] == pytest.approx(1 / 1500)

    def test_a_step_that_is_told_twice_is_recorded_once(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        tracker.log_step(STEP)
        first = known()
        tracker.log_step(STEP)
        assert known() == first

    def test_a_reused_step_is_no_new_result(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        tracker.log_step(STEP)
        tracker.log_step(replace(STEP, id="2" * 32, original=STEP.id, status="cached", run=13))
        found = known()
        assert found is None or [each["status"] for each in found] == ["completed"]

    def test_a_reused_step_whose_execution_is_unknown_is_recorded_as_cached(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        tracker.log_step(replace(STEP, id="2" * 32, original="3" * 32, status="cached"))
        found = known()
        assert found is None or [each["status"] for each in found] == ["cached"]

    def test_a_failed_step_is_recorded_as_such(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        tracker.log_step(
            replace(STEP, status="failed", artifacts=[], metrics={}, error="ValueError: “bad”\nvalue")
        )
        found = known()
        assert found is None or [(each["status"], each["metrics"]) for each in found] == [("failed", {})]

    def test_a_step_without_anything_is_recorded(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        tracker.log_step(TrackedStep(id="4" * 32, step="load", status="completed", started=1_773_063_900.0))
        found = known()
        assert found is None or [each["step"] for each in found] == ["load"]

    def test_metrics_that_are_no_numbers_do_no_harm(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        odd = {"a": [(0, float("nan"))], "b": [(0, float("inf"))], "c": [(0, 1.0)]}
        tracker.log_step(replace(STEP, metrics=odd))
        found = known()
        assert found is None or found[0]["metrics"]["c"] == 1.0

    def test_a_step_from_the_outbox_is_recorded_too(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        tracker.deliver(json.loads(json.dumps(asdict(STEP))))
        found = known()
        assert found is None or [each["step"] for each in found] == ["train"]

    def test_a_pickled_tracker_records_as_well(
        self, tracker: ExperimentTracker, known: Callable[[], list[dict[str, Any]] | None]
    ) -> None:
        twin: ExperimentTracker = pickle.loads(pickle.dumps(tracker))
        twin.log_step(STEP)
        found = known()
        assert found is None or len(found) == 1

    def test_it_raises_when_nothing_is_recorded(self, broken: ExperimentTracker | None) -> None:
        if broken is not None:
            with pytest.raises(Exception, match=r"\w"):
                broken.log_step(STEP)
