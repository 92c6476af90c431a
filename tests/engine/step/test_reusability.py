"""Why a step that has just run may not be reused, as far as its namespace tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.engine.steps import Notebook, step
from zennb.engine.step.namespace_changes import NamespaceSnapshot, collect_changes
from zennb.engine.step.request import request_for
from zennb.engine.step.reusability import changed_code, reasons_against_reuse

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def reasons(notebook: Notebook, text: str, *, records_shell: bool = True, **options: Any) -> list[str]:
    """Run a step among the notebook's variables and judge it."""
    definition, namespace = step(text, **options), notebook.namespace
    resolved = notebook.resolve(definition)
    request, _ = request_for(resolved, {}, namespace)
    inputs = {name: (resolved.values[name], seen) for name, seen in resolved.digests.items()}
    before = NamespaceSnapshot(namespace, definition, request.writes)
    exec(compile(definition.tree, definition.filename, "exec"), namespace)
    collected = collect_changes(definition, namespace, before=before, inputs=inputs)
    found = reasons_against_reuse(request, collected, namespace, inputs=inputs, records_shell=records_shell)
    return [str(each) for each in found]


def test_a_step_that_only_computes_may_be_reused(notebook: Notebook) -> None:
    notebook.cell("xs = [1]\ndef f(v): return len(v)")
    assert reasons(notebook, "y = f(xs)\nxs.append(y)") == []


def test_a_step_that_changes_a_class_is_not_reused(notebook: Notebook) -> None:
    notebook.cell("class Model:\n    rate = 1\ndef bump(): setattr(Model, 'rate', 2)")
    assert reasons(notebook, "bump()") == ["it modifies class `Model`"]


def test_what_the_cell_itself_defines_is_defined_again_on_reuse(notebook: Notebook) -> None:
    notebook.cell("def f(): return 1")
    assert reasons(notebook, "y = f()\ndef f(): return 2") == []


def test_a_function_that_is_an_input_is_stored_with_its_state(notebook: Notebook) -> None:
    notebook.cell("def counting(seen=[]):\n    seen.append(1)\n    return len(seen)")
    assert reasons(notebook, "y = counting()") == []


def test_nothing_has_changed_for_a_step_that_reaches_nothing() -> None:
    assert changed_code(step("y = 1"), {}, {}, inputs={}) == []


def test_what_is_not_reached_any_more_counts_as_unchanged(notebook: Notebook) -> None:
    notebook.cell("def f(): return 1")
    definition = step("y = f()")
    reached = notebook.resolve(definition).dependencies.digests
    assert changed_code(definition, reached, {}, inputs={}) == []
    notebook.cell("def f(): return 2")
    assert changed_code(definition, reached, notebook.namespace, inputs={}) == ["function `f`"]


def test_a_constant_of_a_local_module_that_the_step_changed_is_named(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib_of_rates.py").write_text("RATES = [1]\ndef add(): RATES.append(2)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    notebook.cell("import lib_of_rates")
    found = reasons(notebook, "lib_of_rates.add()\ny = list(lib_of_rates.RATES)")
    assert found == ["it modifies constant `lib_of_rates.RATES`"]


def test_shell_lines_that_a_terminal_prints_are_not_recorded(notebook: Notebook) -> None:
    notebook.namespace["get_ipython"] = lambda: type("Shell", (), {"system": lambda self, line: None})()
    text = "get_ipython().system('cat notes.txt')"
    why = "its shell lines print through the terminal itself"
    assert why in reasons(notebook, text, records_shell=False)
    assert why not in reasons(notebook, text, records_shell=True)
    assert why not in reasons(notebook, "y = 1", records_shell=False)


def test_what_options_leave_out_and_the_step_changes_is_a_reason(notebook: Notebook) -> None:
    notebook.cell("log = []")
    assert reasons(notebook, "log.append(1)", ignore=("log",)) == [
        "it changes `log`, which --ignore leaves out"
    ]


def test_an_output_that_is_part_of_code_is_a_reason(notebook: Notebook) -> None:
    notebook.cell("class Model:\n    items = [1]")
    (why,) = reasons(notebook, "d = Model.items")
    assert why.startswith("`d` shares state with class `Model`")
    (why,) = reasons(notebook, "class Own:\n    items = [1]\ne = Own.items")
    assert why.startswith("`e` shares state with class `Own`")
