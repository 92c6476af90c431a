"""What a tracker is told of steps, in order and apart from them; and that its failures fail nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.experiment_tracker import ExperimentTracker
from zennb.core.records.metrics import Metric
from zennb.core.records.records import Artifact, ComponentSpec, Failure, Run, StackSpec, Status, Step
from zennb.core.secrets.names import DOTS
from zennb.core.secrets.texts import KnownSecrets
from zennb.engine.delivery import tracking as module
from zennb.engine.delivery.outbox import Outbox
from zennb.engine.delivery.tracking import Tracking, settle, tracked_step
from zennb.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.components.experiment_tracker import TrackedStep

LOCAL = ComponentSpec(type="orchestrator", name="default", flavor="local")
RUN = Run(
    id=7, stack=StackSpec(name="tracked", components={"orchestrator": LOCAL}), parameters={"depth": "3"}
)


class Fake(ExperimentTracker):
    """Keeps what it is told, or refuses it."""

    flavor = "fake"
    description = "for tests"

    def __init__(self) -> None:
        super().__init__()
        self.told: list[TrackedStep] = []
        self.refuses = ""
        self.threads: set[str] = set()
        self.prepared = ""

    def prepare(self) -> None:
        self.prepared = threading.current_thread().name
        if self.refuses:
            raise ImportError(self.refuses)

    def log_step(self, step: TrackedStep) -> None:
        self.threads.add(threading.current_thread().name)
        if self.refuses:
            raise StoreError(self.refuses)
        self.told.append(step)


def _artifact(name: str, text: str, kind: str = "parameter") -> Artifact:
    summary = {"kind": "scalar", "text": text}
    return Artifact(
        name=name,
        version=1,
        digest="d" * 64,
        blob="b",
        materializer="m",
        size=9,
        type="float",
        kind=kind,
        summary=summary,
    )


def _step(name: str, **more: Any) -> Step:
    return Step(**{"name": name, "run": 7, "status": Status.COMPLETED, "started": 1_773_063_900.0, **more})


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def tracker() -> Fake:
    return Fake()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path, secrets=KnownSecrets())


@pytest.fixture
def tracking(tracker: Fake, outbox: Outbox, said: list[str]) -> Tracking:
    return Tracking("lab", lambda: tracker, outbox, say=said.append)


def test_a_tracker_is_told_of_each_step_in_order_and_on_another_thread(
    tracking: Tracking, tracker: Fake, outbox: Outbox
) -> None:
    tracking.note([_step(f"step {n}") for n in range(50)], RUN)
    assert settle(60)
    assert [each.step for each in tracker.told] == [f"step {n}" for n in range(50)]
    assert threading.main_thread().name not in tracker.threads
    assert outbox.pending() == []


def test_a_step_is_told_with_parameters_metrics_and_outputs_by_reference() -> None:
    step = _step(
        "train",
        inputs={"alpha": _artifact("alpha", "0.1"), "rows": _artifact("rows", "[1, 2]", kind="output")},
        outputs={"model": _artifact("model", "LinearRegression()", kind="output")},
        metrics={"loss": Metric(last=0.5, count=2, points=((0, 1.0), (1, 0.5)))},
    )
    told = tracked_step(step, RUN)
    assert told.parameters == {"depth": "3", "alpha": "0.1"}
    assert {name: [*map(tuple, points)] for name, points in told.metrics.items()} == {
        "loss": [(0, 1.0), (1, 0.5)]
    }
    (model,) = told.artifacts
    assert (model["name"], model["version"], model["value"]) == ("model", 1, "LinearRegression()")
    assert (told.stack, told.run, told.original) == ("tracked", 7, "")


def test_a_secret_parameter_is_told_by_name_only() -> None:
    told = tracked_step(_step("fetch", inputs={"password": _artifact("password", "'hunter2hunter2'")}), RUN)
    assert told.parameters["password"] == DOTS


def test_a_reused_step_names_the_execution_that_made_its_results() -> None:
    made = _step("train", cache_key="k")
    again = _step("train", cache_key="k", status=Status.CACHED, started=1_773_064_000.0, original=made)
    assert tracked_step(again, RUN).original == tracked_step(made, RUN).id
    assert tracked_step(again, RUN).id != tracked_step(made, RUN).id


def test_a_failure_is_told_and_skipped_steps_and_elements_are_not(tracking: Tracking, tracker: Fake) -> None:
    failed = _step("bad", status=Status.FAILED, failure=Failure(type="ValueError", message="no"))
    tracking.note(
        [failed, _step("later", status=Status.SKIPPED), _step("cut", status=Status.INTERRUPTED)], RUN
    )
    assert settle(60)
    assert [(each.step, each.error) for each in tracker.told] == [("bad", "ValueError: no")]


def test_what_a_tracker_refuses_is_kept_and_said_once(
    tracking: Tracking, tracker: Fake, outbox: Outbox, said: list[str]
) -> None:
    tracker.refuses = "the server is down."
    tracking.note([_step("one"), _step("two")], RUN)
    assert settle(60)
    assert [each.payload["step"] for each in outbox.pending()] == ["one", "two"]
    assert len(said) == 1
    assert said[0].startswith(
        "the experiment tracker 'lab' was not told of step 'one': the server is down. It is kept"
    )
    tracker.refuses = ""
    report = outbox.sync(lambda message: tracker.deliver(message.payload))
    assert (report.sent, report.kept) == (2, ())
    assert [each.step for each in tracker.told] == ["one", "two"]


def test_what_a_tracker_that_gives_no_answer_was_to_be_told_is_kept_when_the_process_ends(
    tracking: Tracking, tracker: Fake, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, begun = threading.Event(), threading.Event()
    tell = tracker.log_step

    def hang(step: TrackedStep) -> None:
        begun.set()
        gate.wait(60)
        tell(step)

    tracker.log_step = hang  # type: ignore[method-assign]
    tracking.note([_step("one"), _step("two"), _step("three")], RUN)
    assert begun.wait(30)
    monkeypatch.setattr(module, "settle", lambda: False)
    module._end()
    assert [each.payload["step"] for each in outbox.pending()] == ["one", "two", "three"]
    gate.set()
    assert settle(60)
    assert [each.step for each in tracker.told] == ["one", "two", "three"]
    assert outbox.pending() == []


def test_libraries_are_imported_on_the_thread_that_asks_and_failing_to_is_said_later(
    tracker: Fake, outbox: Outbox, said: list[str]
) -> None:
    tracking = Tracking("lab", lambda: tracker, outbox, say=said.append)
    tracking.prepare()
    assert tracker.prepared == threading.current_thread().name
    tracker.refuses = "no module named mlflow"
    tracking.prepare()
    assert said == []
    tracking.note([_step("fit")], RUN)
    assert settle()
    assert "no module named mlflow" in said[0]
