"""A step performed apart from the notebook: its own namespace, what it shows, and what becomes of its errors."""

from __future__ import annotations

import asyncio
import os
import threading
import traceback
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.steps import Notebook, step
from zennb.engine.step.body import own_frames
from zennb.engine.step.cancellation import CancellationToken
from zennb.engine.step.perform import perform
from zennb.engine.step.recording import Recording
from zennb.errors import StoreError


def performed(notebook: Notebook, text: str, **channels: Any) -> Any:
    request, found = notebook.request(step(text))
    return perform(request, replace(found, resources=notebook.run_context.resources, **channels))


def shown(notebook: Notebook, text: str) -> list[dict[str, Any]]:
    outcome = performed(notebook, text)
    assert outcome.error is None
    return list(Recording.load(notebook.store.get(outcome.displays))) if outcome.displays else []


def test_a_step_sees_its_inputs_and_leaves_the_notebook_alone(notebook: Notebook) -> None:
    notebook.cell("x = [1]\nunread = 7")
    outcome = performed(notebook, "x.append(2)\ny = 'unread' in globals()")
    assert outcome.error is None
    assert notebook.run_context.artifacts.load(outcome.artifacts) == {"x": [1, 2], "y": False}
    assert notebook.namespace["x"] == [1]
    assert "y" not in notebook.namespace
    assert outcome.process == os.getpid()


def test_functions_of_the_notebook_see_the_variables_of_the_step(notebook: Notebook) -> None:
    notebook.cell("k = 2\ndef f(v): return v * k")
    outcome = performed(notebook, "k = 3\ny = f(5)")
    assert notebook.run_context.artifacts.load(outcome.artifacts) == {"k": 3, "y": 15}
    assert notebook.namespace["k"] == 2


def test_an_input_that_cannot_be_stored_is_handed_over_as_it_is(notebook: Notebook) -> None:
    notebook.cell("import threading\nlock = threading.Lock()")
    outcome = performed(notebook, "y = type(lock).__name__")
    assert notebook.run_context.artifacts.load(outcome.artifacts) == {"y": "lock"}


@pytest.mark.parametrize(
    ("text", "result"),
    [("40 + 2", "42"), ("40 + 2;", None), ("None", None), ("x = 42", None), ("x = 42\nx", "42")],
)
def test_the_value_of_a_last_expression_is_shown(notebook: Notebook, text: str, result: str | None) -> None:
    expected = [] if result is None else [{"kind": "result", "data": {"text/plain": result}, "metadata": {}}]
    assert shown(notebook, text) == expected


def test_what_a_step_prints_is_heard_while_it_runs_and_stored(notebook: Notebook) -> None:
    heard: list[dict[str, Any]] = []
    outcome = performed(notebook, "print('one')\n'two'", output=heard.append)
    assert "".join(each["text"] for each in heard if each["kind"] == "stream") == "one\n"
    assert heard[-1]["data"] == {"text/plain": "'two'"}
    assert Recording.load(notebook.store.get(outcome.displays)).text("stdout") == "one\n"


def test_an_error_is_returned_with_what_was_shown_and_frames_of_the_step_only(notebook: Notebook) -> None:
    notebook.cell("def f(): return 1 / 0")
    outcome = performed(notebook, "print('before')\ny = f()")
    assert isinstance(outcome.error, ZeroDivisionError)
    frames = traceback.extract_tb(outcome.error.__traceback__)
    assert [frame.line for frame in frames] == ["y = f()", "def f(): return 1 / 0"]
    assert Recording.load(notebook.store.get(outcome.displays)).text("stdout") == "before\n"
    assert not outcome.artifacts
    assert outcome.seconds > 0


def test_a_full_disk_does_not_hide_the_error_of_the_step(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_chunks: object) -> str:
        raise StoreError("the disk is full.")

    request, found = notebook.request(step("print('before')\n1 / 0"))
    monkeypatch.setattr(notebook.store, "put", full)
    outcome = perform(request, replace(found, resources=notebook.run_context.resources))
    assert isinstance(outcome.error, ZeroDivisionError)
    assert outcome.displays == ""


def test_an_interrupt_is_raised_not_returned(notebook: Notebook) -> None:
    with pytest.raises(KeyboardInterrupt):
        performed(notebook, "raise KeyboardInterrupt")


def test_a_step_that_was_stopped_before_it_began_does_not_begin(notebook: Notebook) -> None:
    token = CancellationToken()
    token.stop()
    notebook.cell("import threading\nran = threading.Event()")
    with pytest.raises(KeyboardInterrupt):
        performed(notebook, "ran.set()", cancel=token)
    assert not notebook.namespace["ran"].is_set()


def test_a_step_can_await_whether_or_not_a_loop_runs_around_it(notebook: Notebook) -> None:
    text = "import asyncio\nawait asyncio.sleep(0)\ny = 1\nawait asyncio.sleep(0, 'last')"

    async def around() -> list[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        found = shown(notebook, text)
        assert asyncio.get_running_loop() is loop
        return found

    expected = [{"kind": "result", "data": {"text/plain": "'last'"}, "metadata": {}}]
    assert shown(notebook, text) == expected
    assert asyncio.run(around()) == expected


def test_a_step_in_another_thread_shows_its_own_output_only(notebook: Notebook) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(shown(notebook, "print('there')")))
    print("here")
    thread.start()
    thread.join()
    assert [event["text"] for event in found[0]] == ["there\n"]


def test_a_step_is_main_as_in_the_notebook(notebook: Notebook) -> None:
    outcome = performed(notebook, "name = __name__\nclass C: pass\nwhere = C.__module__")
    assert notebook.run_context.artifacts.load(outcome.artifacts) == {"name": "__main__", "where": "__main__"}
    assert outcome.defines == ("C",)


def test_frames_are_cut_up_to_the_first_of_the_step(notebook: Notebook) -> None:
    def raised(text: str, filename: str) -> BaseException:
        try:
            exec(compile(text, filename, "exec"), {})
        except ZeroDivisionError as error:
            return error
        raise AssertionError

    cut = own_frames(raised("1 / 0", "<mine>"), ["<mine>"])
    assert [frame.filename for frame in traceback.extract_tb(cut.__traceback__)] == ["<mine>"]
    other = raised("1 / 0", "<other>")
    whole = traceback.extract_tb(other.__traceback__)
    assert len(whole) == 2
    assert traceback.extract_tb(own_frames(other, ["<mine>"]).__traceback__) == whole
