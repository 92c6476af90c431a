"""Runs, steps, artifacts and stacks as Python code holds them."""

from __future__ import annotations

import copy
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

import zennb
from zennb import api
from zennb.core.records.records import Failure, Run, Status, Step
from zennb.digests.digest import digest_value
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.step.recording import Recording
from zennb.errors import UnknownName
from zennb.handles.listing import Listing
from zennb.handles.records import RunHandle
from zennb.materializers.signer import Signer
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    yield tmp_path / "home"
    api.close()


def record(
    name: str = "train",
    *,
    printed: str = "",
    output: str = "model",
    status: Status = Status.COMPLETED,
    **more: Any,
) -> Step:
    """Record a run of one step that made a list under the name `output`, and printed something."""
    workspace = api.workspace()
    opened = workspace.open()
    repository = ArtifactRepository(store=opened.store, scope={}, signer=Signer())
    recording = Recording()
    recording.stream("stdout", printed)
    run = Run(
        kind="notebook",
        stack=opened.spec,
        notebook=more.get("notebook", "study.ipynb"),
        status=status,
        started=time.time(),
        seconds=1.5,
        parameters={"depth": "3"},
        process=os.getpid(),
    )
    step = Step(
        **{
            "name": name,
            "notebook": "study.ipynb",
            "status": status,
            "started": time.time(),
            "seconds": 0.5,
            "outputs": repository.save({output: ([1, 2], digest_value([1, 2]))}).artifacts,
            "displays": opened.store.put([recording.dump()]) if printed else "",
            **more,
        }
    )
    return workspace.metadata.add(step, run=run)


def test_a_run_has_its_steps_parameters_and_log() -> None:
    record(printed="epoch 1\n")
    run = zennb.runs()[0]
    assert (run.id, run.kind, run.status, run.parameters) == (1, "notebook", "completed", {"depth": "3"})
    assert [(step.name, step.status) for step in run.steps] == [("train", "completed")]
    assert run.step("train").log() == run.steps[0].log() == "epoch 1"
    assert "✔ train" in run.log()
    assert "epoch 1" in run.log()
    assert run.log("train") == "epoch 1"
    for ask in (run.step, run.log):
        with pytest.raises(UnknownName, match=r"'trian'; did you mean 'train'\?"):
            ask("trian")


def test_a_failed_step_tells_its_error_in_the_log() -> None:
    record(
        status=Status.FAILED, failure=Failure(type="ValueError", message="no rows", traceback="the frames")
    )
    run = zennb.runs()[0]
    assert run.failure is not None
    assert (run.failure.type, run.steps[0].failure.message) == ("ValueError", "no rows")
    assert "the frames" in run.steps[0].log()


def test_steps_and_artifacts_lead_to_one_another() -> None:
    record()
    (artifact,) = zennb.artifacts()
    assert (artifact.name, artifact.version, artifact.load()) == ("model", 1, [1, 2])
    assert artifact.producer is not None
    assert artifact.producer.outputs["model"] == artifact
    record("score", output="score", inputs={"model": artifact.record})
    (user,) = zennb.artifacts("model")[0].consumers
    assert (user.name, user.inputs["model"].load()) == ("score", [1, 2])


def test_steps_are_read_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    asked: list[int] = []
    read = MetadataStore.steps

    def counted(self: MetadataStore, run: int) -> list[Step]:
        asked.append(run)
        return read(self, run)

    monkeypatch.setattr(MetadataStore, "steps", counted)
    run = zennb.runs()[0]
    assert asked == []
    assert run.steps is run.steps
    assert asked == [1]


def test_the_steps_of_a_run_that_goes_on_are_read_each_time() -> None:
    workspace = api.workspace()
    begun = workspace.metadata.begin_run(
        Run(stack=workspace.snapshot(), started=time.time(), process=os.getpid())
    )
    run = RunHandle(begun, api.source())
    assert len(run.steps) == 0
    workspace.metadata.add(Step(name="late", run=begun.id, status=Status.COMPLETED, started=time.time()))
    assert [step.name for step in run.steps] == ["late"]


def test_a_handle_outlives_the_workspace_that_gave_it() -> None:
    record(printed="hello")
    run, artifact = zennb.runs()[0], zennb.artifacts()[0]
    api.close()
    assert (run.log("train"), artifact.load()) == ("hello", [1, 2])


def test_handles_of_equal_records_are_equal() -> None:
    record()
    one, other = zennb.runs()[0], zennb.runs()[0]
    assert one == other
    assert hash(one) == hash(other)
    assert copy.copy(one) == one
    assert one != zennb.stacks()[0]
    assert one != one.record


def test_fields_are_offered_and_unknown_ones_named() -> None:
    record()
    run = zennb.runs()[0]
    assert {"parameters", "steps", "log", "stack", "computed"} <= set(dir(run))
    with pytest.raises(AttributeError, match="'RunHandle' has no attribute 'stpes'"):
        _ = run.stpes


def test_whatever_is_shown_has_text_and_html_and_is_no_dump() -> None:
    record(printed="epoch")
    run = zennb.runs()[0]
    everything: list[Any] = [
        run,
        run.steps,
        run.steps[0],
        zennb.artifacts()[0],
        zennb.stacks()[0],
        zennb.runs(),
    ]
    for shown in everything:
        bundle = shown._repr_mimebundle_()
        assert repr(shown) == bundle["text/plain"]
        assert not any(word in repr(shown) for word in ("Run(", "Step(", "Artifact(", "Spec(", "Handle"))
        assert bundle["text/html"].startswith("<")


def test_hostile_names_stay_text() -> None:
    record(
        HOSTILE,
        printed=HOSTILE,
        output=HOSTILE,
        notebook=HOSTILE,
        reason=HOSTILE,
        source=HOSTILE,
        failure=Failure(type=HOSTILE, message=HOSTILE, traceback=HOSTILE),
    )
    api.workspace().registry.copy_stack("default", HOSTILE)
    run = zennb.runs()[0]
    everything: list[Any] = [
        run,
        run.steps,
        run.steps[0],
        *zennb.artifacts(),
        *zennb.stacks(),
        zennb.stacks(),
        zennb.runs(),
    ]
    for shown in everything:
        assert "<img" not in shown._repr_mimebundle_()["text/html"]
    assert HOSTILE in repr(run.steps[0])
    assert HOSTILE in run.log()


def test_a_slice_of_a_listing_is_a_listing() -> None:
    for _ in range(3):
        record()
    some = zennb.runs()[1:]
    assert isinstance(some, Listing)
    assert [run.id for run in some] == [2, 1]
    assert list(some.to_frame()["run"]) == [2, 1]


def test_frames_of_runs_have_parameters_and_seconds_computed_and_saved() -> None:
    record()
    frame = zennb.runs().to_frame()
    assert {"run", "status", "kind", "stack", "parameters", "computed", "saved"} <= set(frame.columns)
    assert frame["parameters"][0] == {"depth": "3"}
    assert str(frame["started"].dtype).startswith("datetime64")
    empty = zennb.runs(stack="none").to_frame()
    assert list(frame.columns) == [*empty.columns, "parameter depth"]
    assert frame["parameter depth"][0] == 3


def test_all_that_is_listed_becomes_a_frame() -> None:
    record()
    run = zennb.runs()[0]
    frames: dict[str, Any] = {
        "name": zennb.stacks(),
        "run": zennb.runs(),
        "step": run.steps,
        "version": zennb.artifacts(),
        "digest": zennb.artifacts("model"),
    }
    for column, listing in frames.items():
        frame = listing.to_frame()
        assert len(frame) == 1
        assert column in frame.columns
    steps = run.steps.to_frame()
    assert (steps["outputs"][0], steps["step"][0]) == (["model"], "train")
