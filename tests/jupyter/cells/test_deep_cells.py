"""Deeply nested code in a cell: it is a step like any other, or one sentence says why not. No later cell suffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.errors import StepRefused

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

TERMS = " + ".join
SENTENCE = "cannot be analysed: its code is nested too deeply"
DEEP = {
    "a sum of 400 terms": f"a = 1\nx = {TERMS(['a'] * 400)}",
    "a sum of 800 terms": f"a = 1\nx = {TERMS(['a'] * 800)}",
    "a chain of 400 attributes": f"import os\nx = os{'.path.os' * 200}.sep and 800",
    "a chain of 200 calls": f"f = lambda: f\nx = f{'()' * 200}",
    "150 parentheses": f"x = {'(' * 150}1{')' * 150}",
    "90 lists in lists": f"x = {'[' * 90}1{']' * 90}",
    "a list of 3,000 lists": f"x = [{','.join(['[1]'] * 3_000)}]",
    "500 branches": "a = 3\nif a == 0: x = 1\n" + "".join(f"elif a == {n}: x = {n}\n" for n in range(1, 500)),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_python_compiles_is_a_step_and_is_reused(notebook: Notebook, text: str) -> None:
    (first,) = notebook.run(f"%%step deep -o x\n{text}")
    assert first.status == "completed"
    notebook.restart()
    (again,) = notebook.run(f"%%step deep -o x\n{text}")
    assert again.status == "cached" or "cacheable" in first.reason, again.reason


@pytest.mark.parametrize("mark", ["%%step deep", "#| step: deep"])
def test_code_that_is_nested_too_deeply_is_refused_in_one_sentence(notebook: Notebook, mark: str) -> None:
    ran = notebook.cell(f"{mark}\na = 1\nx = {TERMS(['a'] * 985)}")
    if ran.error is not None:  # how deep is too deep depends on the Python
        assert isinstance(ran.error, StepRefused | RecursionError)
        assert "Traceback" not in ran.out + ran.err
    (after,) = notebook.run("%%step after\ny = 1")
    assert after.status == "completed"


def test_an_error_in_a_transformer_costs_one_cell(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPython removes a transformer that raises, and warns; then no later cell could be a step."""

    def broken(_tree: object) -> None:
        raise RecursionError

    with monkeypatch.context() as patched:
        patched.setattr("zennb.jupyter.cells.transform.copied", broken)
        ran = notebook.cell("%%step deep\nx = 1")
    assert isinstance(ran.error, StepRefused)
    assert SENTENCE in str(ran.error)
    assert "unregistered" not in ran.err
    assert "x" not in notebook.ns
    (after,) = notebook.run("%%step after\ny = 1")
    assert after.status == "completed"


def test_an_analysis_that_fails_costs_one_cell(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise RecursionError

    with monkeypatch.context() as patched:
        patched.setattr("zennb.jupyter.cells.step_marker.define", broken)
        ran = notebook.cell("%%step deep\nx = 1")
    assert isinstance(ran.error, StepRefused)
    assert SENTENCE in str(ran.error)
    (after,) = notebook.run("%%step after\ny = 1")
    assert after.status == "completed"


def test_any_other_error_of_a_transformer_is_shown_in_its_cell(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_tree: object) -> None:
        raise AttributeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("zennb.jupyter.cells.transform.copied", broken)
        ran = notebook.cell("%%step deep\nx = 1")
    assert isinstance(ran.error, AttributeError)
    assert notebook.run("%%step after\ny = 1")[0].status == "completed"


def test_a_plain_cell_that_cannot_be_analysed_gets_every_output_that_it_may_name(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = "%%step make\nimport numpy as np\nlarge = np.zeros(1_000_000)"
    notebook.run(make)
    notebook.restart()
    assert notebook.run(make)[0].status == "cached"
    assert "large" not in notebook.ns

    def broken(*_arguments: object, **_options: object) -> None:
        raise RecursionError

    with monkeypatch.context() as patched:
        patched.setattr("zennb.jupyter.kernel.session.analyse", broken)
        assert notebook.cell("large.sum()").result == 0.0


def test_reloading_brings_back_what_was_removed(notebook: Notebook) -> None:
    """As the sentence for a cell that was not prepared says."""
    notebook.shell.extension_manager.loaded.add("zennb")
    notebook.shell.ast_transformers.clear()
    ran = notebook.cell("%%step one\nx = 1")
    assert isinstance(ran.error, StepRefused)
    assert "`%reload_ext zennb`" in str(ran.error)
    notebook.run("%reload_ext zennb")
    assert notebook.run("%%step one\nx = 1")[0].status == "completed"


def test_extensions_can_be_unloaded_after_all_their_hooks_were_removed(notebook: Notebook) -> None:
    shell = notebook.shell
    shell.ast_transformers.clear()
    shell.input_transformer_manager.cleanup_transforms.clear()
    shell.events.callbacks["pre_run_cell"].clear()
    shell.extension_manager.loaded.add("zennb")
    notebook.run("%reload_ext zennb")
    assert notebook.run("%%step one\nx = 1")[0].status == "completed"
