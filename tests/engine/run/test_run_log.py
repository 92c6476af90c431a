"""What a past run printed and showed."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import Failure, Run, Status, Step
from zennb.engine.run.run_log import run_log
from zennb.engine.step.recording import Recording
from zennb.errors import UnknownName
from zennb.registry.workspace import Workspace
from zennb.views.log import log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    opened = Workspace(tmp_path / "home")
    yield opened
    opened.close()


def keep(workspace: Workspace, *steps: Step, recording: Recording | None = None) -> Run:
    """Record a run of steps, and what they showed in the store of its stack."""
    stack = workspace.open()
    displays = "" if recording is None else stack.store.put([recording.dump()])
    run = Run(kind="session", stack=stack.spec, status=Status.COMPLETED, started=time.time())
    shown = [made(step, displays) if step.status.is_good else step for step in steps]
    number = workspace.metadata.add_all(shown, run=run)[0].run
    found = workspace.metadata.run(number or 0)
    assert found is not None
    return found


def made(step: Step, displays: str) -> Step:
    return replace(step, displays=displays)


def step(name: str = "train", **fields: Any) -> Step:
    return Step(name=name, **{"status": Status.COMPLETED, **fields})


def everything() -> Recording:
    recording = Recording()
    recording.stream("stdout", "epoch 1\repoch 2\n")
    recording.stream("stderr", "a warning\n")
    recording.display({"text/plain": "half", "text/html": "<b>half</b>"}, display_id="bar")
    recording.display({"text/plain": "whole"}, display_id="bar", update=True)
    recording.display({"text/plain": "<Figure>", "image/png": PICTURE})
    recording.result({"text/plain": "42", "text/html": "<script>alert(1)</script>"})
    return recording


def test_text_is_what_was_printed_and_shown_in_order_as_it_stood_at_the_end(workspace: Workspace) -> None:
    found = run_log(workspace, keep(workspace, step(), recording=everything()))
    assert found.text == "epoch 2\na warning\nwhole\n<Figure>\n42"
    assert [event["kind"] for event in found.steps[0].events] == [
        "stream",
        "stream",
        *["display"] * 3,
        "result",
    ]


def test_the_view_shows_pictures_and_runs_no_html(workspace: Workspace) -> None:
    shown = log(run_log(workspace, keep(workspace, step(), recording=everything())))
    assert shown.text.splitlines()[0].startswith("✔ train  completed")
    assert "[picture: <Figure>]" in shown.text
    assert f"data:image/png;base64,{PICTURE}" in shown.html
    assert "<script" not in shown.html
    assert "<b>half" not in shown.html


def test_a_step_without_output_says_so(workspace: Workspace) -> None:
    found = run_log(workspace, keep(workspace, step()))
    assert found.text == ""
    assert log(found).text.splitlines()[1:] == ["no output"]


def test_a_failed_step_gives_its_traceback(workspace: Workspace) -> None:
    failure = Failure(
        type="ValueError", message="no rows", traceback="  File 'a', line 1\nValueError: no rows\n"
    )
    found = run_log(workspace, keep(workspace, step(status=Status.FAILED, failure=failure)))
    assert found.text == "  File 'a', line 1\nValueError: no rows"
    text = log(found).text
    assert "line 1\nValueError: no rows" in text
    assert "no output" not in text


def test_one_step_of_a_run_is_all_its_records_in_order(workspace: Workspace) -> None:
    run = keep(
        workspace,
        step("train"),
        step("load"),
        step("train", status=Status.CACHED),
        recording=everything(),
    )
    found = run_log(workspace, run, "train")
    assert [each.step.status.value for each in found.steps] == ["completed", "cached"]
    text = log(found).text
    assert text.count("epoch 2") == 1
    assert text.endswith("the same output as above")


def test_an_unknown_step_is_answered_with_those_of_the_run(workspace: Workspace) -> None:
    with pytest.raises(UnknownName, match="no step of run 1 called 'trian'; did you mean 'train'"):
        run_log(workspace, keep(workspace, step()), "trian")


def test_output_is_found_in_the_store_that_has_it(workspace: Workspace, tmp_path: Path) -> None:
    run = keep(workspace, step(), recording=everything())
    workspace.registry.register_component("artifact_store", "other", "local", {"path": str(tmp_path / "x")})
    workspace.registry.register_stack("second", {"orchestrator": "default", "artifact_store": "other"})
    workspace.set("second")
    assert "epoch 2" in run_log(workspace, run).text


def test_output_is_found_though_the_stack_has_another_store_now(workspace: Workspace, tmp_path: Path) -> None:
    workspace.registry.copy_stack("default", "second")
    workspace.set("second")
    run = keep(workspace, step(), recording=everything())
    workspace.registry.register_component("artifact_store", "other", "local", {"path": str(tmp_path / "x")})
    workspace.registry.update_stack("second", {"artifact_store": "other"})
    assert "epoch 2" in run_log(workspace, run).text


def test_output_of_a_stack_that_is_gone_is_looked_for_elsewhere(workspace: Workspace) -> None:
    workspace.registry.copy_stack("default", "second")
    workspace.set("second")
    run = keep(workspace, step(), recording=everything())
    workspace.set("default")
    workspace.registry.delete_stack("second")
    assert "epoch 2" in run_log(workspace, run).text


def test_bytes_that_are_gone_are_one_sentence(workspace: Workspace) -> None:
    stack = workspace.open()
    lost = workspace.metadata.add(
        made(step("lost"), "0" * 64), run=Run(stack=stack.spec, status=Status.COMPLETED)
    )
    gone = workspace.metadata.run(lost.run or 0)
    assert gone is not None
    told = run_log(workspace, gone).text
    assert told == (
        "what step 'lost' showed is in no registered artifact store (it ran on stack 'default'); run the step again."
    )
    assert told in log(run_log(workspace, gone)).text


def test_damaged_bytes_are_one_sentence(workspace: Workspace) -> None:
    stack = workspace.open()
    blob = stack.store.put([b"no recording"])
    added = workspace.metadata.add(made(step(), blob), run=Run(stack=stack.spec, status=Status.COMPLETED))
    run = workspace.metadata.run(added.run or 0)
    assert run is not None
    assert (
        run_log(workspace, run).text
        == "what step 'train' showed is damaged; run the step again with --rerun."
    )
