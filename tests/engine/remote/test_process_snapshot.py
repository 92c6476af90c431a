"""The state of the notebook's process that a step needs elsewhere: taken along, and proven equal there."""

from __future__ import annotations

import importlib
import linecache
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest

from tests.engine.steps import Notebook, step
from zennb.digests.digest import digest_value
from zennb.engine.environment.execution_environment import ExecutionEnvironment
from zennb.engine.remote.dispatch import snapshot
from zennb.engine.remote.process_snapshot import ProcessSnapshot, frontend_of, know_texts
from zennb.engine.remote.worker_checks import prove_same_code, refuse_losses
from zennb.engine.step.frontend import PlainFrontend
from zennb.engine.step.namespace_changes import NamespaceChanges
from zennb.engine.step.outcome import Reason
from zennb.engine.step.reusability import reasons_against_reuse
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.engine.step.request import StepRequest


def requested(notebook: Notebook, text: str, **process: Any) -> StepRequest:
    return replace(notebook.request(step(text))[0], process=ProcessSnapshot(**process))


def test_what_the_kernel_has_set_for_its_displays_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("ZENNB_TEST_MACHINE", "of this machine")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    found = ExecutionEnvironment(seal=str).variables_set()
    assert found["MPLBACKEND"] == "module://matplotlib_inline.backend_inline"
    assert found.keys().isdisjoint({"ZENNB_TEST_MACHINE", "FORCE_COLOR"})


@pytest.fixture
def rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "process_rates.py").write_text("RATE = 1\nITEMS = [1]\ndef cost(v): return v * RATE\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = importlib.reload(importlib.import_module("process_rates"))
    monkeypatch.setattr(found, "RATE", 1)
    return found


# In the driver


def test_a_snapshot_takes_along_what_the_step_uses(
    notebook: Notebook, rates: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENNB_TEST_MODE", "fast")
    monkeypatch.setattr(rates, "RATE", 7)
    notebook.cell("import process_rates\ndef f(v): return process_rates.cost(v)")
    definition = step("y = f(2)")
    request, _ = notebook.request(definition)
    found = snapshot(notebook.run_context, request, [notebook.namespace["f"]])
    assert found.environment["ZENNB_TEST_MODE"] == "fast"
    assert set(found.modules) == {"process_rates"}
    assert {name: cloudpickle.loads(value) for name, value in found.constants.items()} == {
        "process_rates.RATE": 7
    }
    assert found.texts[definition.filename] == "y = f(2)\n" or found.texts[definition.filename] == "y = f(2)"
    assert any("def f(v)" in text for text in found.texts.values())
    assert found.ignored == notebook.run_context.environment.ignored
    assert found.frontend == ""


def test_a_variable_that_was_taken_away_is_taken_away_there(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    found = snapshot(notebook.run_context, notebook.request(step("y = 1"))[0], [])
    assert found.environment.get("HOME", "still there") is None
    assert "PATH" not in found.environment  # it is what it was: the other process has it by itself


def test_a_setting_that_cannot_be_sent_refuses_the_step(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    settings = notebook.run_context.environment.settings
    monkeypatch.setattr(settings, "exported", lambda: {"decimal context": threading.Lock()})
    with pytest.raises(
        StepRefused, match=r"step 's' cannot run in another process: decimal context cannot be sent"
    ):
        snapshot(notebook.run_context, notebook.request(step("y = 1"))[0], [])


# Where the step runs


def test_the_frontend_is_made_by_its_address() -> None:
    plain, settings = frontend_of(ProcessSnapshot())
    assert isinstance(plain, PlainFrontend)
    assert settings == ()
    made: Any = frontend_of(ProcessSnapshot(frontend="builtins:dict"))
    assert made == {}


def test_texts_of_cells_are_found_by_tracebacks() -> None:
    know_texts({"<process cell 1>": "a = 1\nb = 2"})
    assert linecache.getline("<process cell 1>", 2) == "b = 2"


def test_a_step_that_reaches_the_same_code_is_proven(notebook: Notebook) -> None:
    notebook.cell("def f(v): return v\nclass C:\n    def g(self): return f(1)")
    request = requested(notebook, "y = C().g()")
    prove_same_code(request, dict(notebook.namespace), {})
    prove_same_code(replace(request, reached={}), {}, {})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("def f(v): return v + 1", "function `f`"),
        ("class C:\n    def g(self): return f(2)", "function `C.g`"),
        ("del f", "function `f`"),
    ],
)
def test_what_is_other_code_there_is_named(notebook: Notebook, text: str, kind: str) -> None:
    notebook.cell("def f(v): return v\nclass C:\n    def g(self): return f(1)")
    request = requested(notebook, "y = C().g()")
    notebook.cell(text)
    there = notebook.namespace
    with pytest.raises(
        StepRefused, match=rf"would not run the same code in another process: {kind} is another one there"
    ):
        prove_same_code(request, there, {})


def test_code_met_inside_inputs_is_proven_too(notebook: Notebook) -> None:
    notebook.cell("class C:\n    rate = 1\nitems = [C()]")
    request = requested(notebook, "y = len(items)")
    items = notebook.namespace["items"]
    inputs = {"items": (items, digest_value(items))}
    prove_same_code(request, dict(notebook.namespace), inputs)
    notebook.namespace["C"].rate = 2
    with pytest.raises(StepRefused, match="class `C` is another one there"):
        prove_same_code(request, dict(notebook.namespace), inputs)


def test_a_constant_that_the_notebook_has_set_is_set_there(notebook: Notebook, rates: Any) -> None:
    notebook.cell("import process_rates")
    rates.RATE = 5
    request = requested(
        notebook, "y = process_rates.cost(2)", constants={"process_rates.RATE": cloudpickle.dumps(5)}
    )
    rates.RATE = 1
    prove_same_code(request, dict(notebook.namespace), {})
    assert rates.RATE == 5


def test_a_constant_that_is_the_same_already_is_left_alone(notebook: Notebook, rates: Any) -> None:
    notebook.cell("import process_rates")
    request = requested(
        notebook, "y = len(process_rates.ITEMS)", constants={"process_rates.ITEMS": cloudpickle.dumps([1])}
    )
    held = rates.ITEMS
    prove_same_code(request, dict(notebook.namespace), {})
    assert rates.ITEMS is held


def test_a_constant_that_cannot_be_made_the_same_refuses_the_step(notebook: Notebook, rates: Any) -> None:
    notebook.cell("import process_rates")
    rates.RATE = 5
    request = requested(notebook, "y = process_rates.cost(2)")
    rates.RATE = 1
    with pytest.raises(StepRefused, match=r"constant `process_rates\.RATE` is another one there"):
        prove_same_code(request, dict(notebook.namespace), {})


def judge(notebook: Notebook, request: StepRequest, inputs: dict[str, Any]) -> None:
    found = reasons_against_reuse(
        request, NamespaceChanges(), notebook.namespace, inputs=inputs, records_shell=True
    )
    refuse_losses(request, found)


def test_a_step_that_changed_nothing_but_its_inputs_may_go_home(notebook: Notebook) -> None:
    notebook.cell("xs = [1]\ndef f(v): return v")
    request = requested(notebook, "xs.append(f(2))")
    xs = notebook.namespace["xs"]
    inputs = {"xs": (xs, digest_value(xs))}
    xs.append(2)
    judge(notebook, request, inputs)


def test_a_change_of_code_would_be_lost_there(notebook: Notebook) -> None:
    notebook.cell("class Model:\n    rate = 1\ndef bump(): setattr(Model, 'rate', 2)")
    request = requested(notebook, "bump()")
    judge(notebook, request, {})
    notebook.namespace["bump"]()
    with pytest.raises(StepRefused) as caught:
        judge(notebook, request, {})
    assert caught.value.message.startswith(
        "step 's' cannot run in another process: it modifies class `Model`, "
        "and the notebook would not see that."
    )


@pytest.mark.parametrize(
    ("what", "advice"),
    [
        (
            "`x` is a generator",
            "If only the step needs it, begin its name with an underscore; else run the step",
        ),
        (
            "it sets up logging",
            "`logging.getLogger(__name__).warning(...)` sets up nothing; use such a logger, or run the step",
        ),
        ("it shows a widget", "Run the step"),
    ],
)
def test_results_that_cannot_leave_the_worker_refuse_the_step(
    notebook: Notebook, what: str, advice: str
) -> None:
    request = requested(notebook, "x = 1")
    refuse_losses(request, [Reason("it uses `exec`"), Reason("it runs `ls`", "whose effects cannot be seen")])
    with pytest.raises(StepRefused) as caught:
        refuse_losses(request, [Reason(what, "which nobody stores", loses="result")])
    assert caught.value.message == (
        f"step 's' cannot run in another process: {what}, and that stays there. {advice} on a stack that runs in "
        "the kernel."
    )
