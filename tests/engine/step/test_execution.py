"""One execution of a step in a namespace: what it undoes, what it stores, and why it may not be reused."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.engine.steps import Notebook, step
from zennb.engine.step.recording import Recording
from zennb.errors import NotStorable, StepTimeout, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_an_error_gives_back_the_bindings_and_names_the_inputs_that_changed(notebook: Notebook) -> None:
    notebook.cell("log = []\nkept = [1]\nold = 'before'")
    execution = notebook.execution(step("log.append(len(kept))\nold = 'after'\nnew = 1\n1 / 0"))
    execution.start()
    with pytest.raises(ZeroDivisionError):
        exec("log.append(len(kept)); old = 'after'; new = 1; 1 / 0", notebook.namespace)
    assert execution.undo() == ["log"]
    assert notebook.namespace["old"] == "before"
    assert "new" not in notebook.namespace
    assert notebook.namespace["log"] == [1]  # in place: it cannot be undone, so it is said


def test_an_input_that_has_no_content_any_more_counts_as_changed(notebook: Notebook) -> None:
    notebook.cell("box = []")
    execution = notebook.execution(step("box.append(i for i in ())"))
    execution.start()
    notebook.namespace["box"].append(each for each in "")
    assert execution.undo() == ["box"]


def test_names_in_doubt_are_back_after_an_error(notebook: Notebook) -> None:
    notebook.cell("x = 1\nc = False")
    execution = notebook.execution(step("if c: x = 2"))
    execution.start()
    assert "x" not in notebook.namespace
    execution.undo()
    assert notebook.namespace["x"] == 1


def test_stopping_twice_keeps_the_time_of_the_first(notebook: Notebook) -> None:
    execution = notebook.execution(step("y = 1"))
    execution.start()
    execution.stop()
    seconds = execution.seconds
    time.sleep(0.01)
    execution.stop()
    assert 0.0 < execution.seconds == seconds < 0.01


def test_contexts_are_left_last_in_first_out_when_it_stops(notebook: Notebook) -> None:
    told: list[str] = []

    @contextmanager
    def context(name: str) -> Iterator[None]:
        told.append(f"enter {name}")
        yield
        told.append(f"leave {name}")

    execution = notebook.execution(step("y = 1"))
    execution.start(context("outer"), context("inner"))
    execution.stop()
    assert told == ["enter outer", "enter inner", "leave inner", "leave outer"]


def test_the_time_limit_of_a_step_holds_between_start_and_stop(notebook: Notebook) -> None:
    execution = notebook.execution(step("y = 1", timeout=0.02))
    execution.start()
    with pytest.raises(StepTimeout):
        time.sleep(5)
    execution.stop()
    other = notebook.execution(step("y = 1", timeout=0.02))
    other.start()
    other.stop()
    time.sleep(0.04)


def test_an_outcome_says_all_that_a_step_left(notebook: Notebook) -> None:
    notebook.cell("gone = 1")
    definition = step("import math\ndef f(): pass\ny = [1]\ndel gone")
    outcome = notebook.execute(definition)
    assert (outcome.defines, outcome.deletes, set(outcome.artifacts)) == (("math", "f"), ("gone",), {"y"})
    assert notebook.store.has(outcome.artifacts["y"].blob)
    assert (outcome.not_reusable, outcome.displays, outcome.carried) == ((), "", None)
    assert outcome.error is None


def test_what_a_step_showed_is_stored_with_it(notebook: Notebook) -> None:
    execution, recording = notebook.execution(step("y = 1")), Recording()
    execution.start()
    notebook.namespace["y"] = 1
    recording.stream("stdout", "hello")
    outcome = execution.finish(recording)
    again = Recording.load(notebook.store.get(outcome.displays))
    assert again.text("stdout") == "hello"


def test_a_plain_result_is_kept_among_the_changes(notebook: Notebook) -> None:
    execution = notebook.execution(step("41 + 1"))
    execution.start()
    outcome = execution.finish(Recording(), [42])
    assert outcome.changes == {"shown values": [("value", 42)]}
    assert outcome.carried is not None
    assert outcome.carried.names == ()
    assert notebook.run_context.artifacts.load_changes(outcome.carried) == outcome.changes


def test_the_most_telling_reason_against_reuse_comes_first(notebook: Notebook) -> None:
    assert notebook.execute(step("y = 1", cache=False)).not_reusable == ("--no-cache",)
    notebook.cell("g = (i for i in ())")
    unclear = notebook.execute(step("y = type(g).__name__", cache=False)).not_reusable
    assert [reason.partition(", ")[0] for reason in unclear] == ["it reads `g`"]
    seen = notebook.execute(step("exec('z = 1')\ny = type(g).__name__", cache=False)).not_reusable
    assert seen[0] == "it uses `exec(...)`"
    assert "--no-cache" not in seen


def test_an_output_that_cannot_be_stored_is_a_reason_and_the_others_are_stored(notebook: Notebook) -> None:
    text = "import threading\nlock = threading.Lock()\ny = 1"
    outcome = notebook.execute(step(text))
    assert set(outcome.artifacts) == {"y"}
    assert "lock" in outcome.not_reusable[0]
    with pytest.raises(NotStorable, match="lock"):
        notebook.execute(step(text, outputs=("lock", "y")))


def test_an_output_that_is_refused_by_its_materializer_is_a_reason_unless_it_is_declared(
    notebook: Notebook,
) -> None:
    notebook.cell("class Model: pass\nclass Other: pass\nmodel = Model()\nclass Model: pass")
    text = "y = [model]"
    outcome = notebook.execute(step(text))
    assert not outcome.artifacts
    assert "class `Model` has been defined anew since it was made" in outcome.not_reusable[0]
    with pytest.raises(NotStorable) as caught:
        notebook.execute(step(text, outputs=("y",)))
    assert caught.value.path == "y"
    assert caught.value.message == outcome.not_reusable[0]


def test_changes_are_not_stored_for_a_step_that_is_not_reused(notebook: Notebook) -> None:
    text = "import decimal\ndecimal.getcontext().prec = 11"
    try:
        assert notebook.execute(step(text)).carried is not None
        notebook.cell("decimal.getcontext().prec = 28")
        outcome = notebook.execute(step(text + "\nexec('z = 1')"))
        assert "decimal context" in outcome.changes
        assert outcome.carried is None
    finally:
        notebook.cell("import decimal\ndecimal.setcontext(decimal.Context(prec=28))")


def test_a_store_that_takes_nothing_fails_the_step(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = notebook.execution(step("y = [1]"))
    execution.start()
    notebook.namespace["y"] = [1]

    def full(_blobs: object) -> list[str]:
        raise StoreError("the disk is full.")

    monkeypatch.setattr(notebook.store, "put_all", full)
    with pytest.raises(StoreError, match="full"):
        execution.finish(Recording())


def test_packages_of_outputs_and_shown_warnings_count_as_used(notebook: Notebook) -> None:
    execution, recording = notebook.execution(step("y = 1")), Recording()
    execution.start()
    notebook.namespace["y"] = 1
    recording.stream("stderr", "a warning\n")
    assert "warning filters" in execution.finish(recording).observed.settings
    quiet = notebook.execute(step("y = 1"))
    assert "warning filters" not in quiet.observed.settings


def test_a_reason_of_the_request_counts_when_the_namespace_has_none(notebook: Notebook) -> None:
    execution = notebook.execution(step("y = 1"))
    execution.request = replace(execution.request, unclear=("it reads `g`",))
    execution.start()
    notebook.namespace["y"] = 1
    assert execution.finish(Recording()).not_reusable == ("it reads `g`",)
