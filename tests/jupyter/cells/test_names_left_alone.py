"""Names that a step binds on some of its paths only: its outputs if it bound them, else left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

FORMS = {
    "if": "if go: k = 2",
    "if and elif": "if go == 5: k = 1\nelif go: k = 2",
    "for": "for k in [2] * go: pass",
    "for in a loop": "for each in range(go):\n    for k in (2,): pass",
    "while": "left = go\nwhile left:\n    k = 2\n    left -= 1",
    "try": "try:\n    1 / (1 - go)\nexcept ZeroDivisionError:\n    k = 2",
    "else of a try": "try:\n    1 / go\nexcept ZeroDivisionError: pass\nelse: k = 2",
    "match": "match {'go': go, 'n': 2}:\n    case {'go': 1, 'n': k}: pass",
    "walrus": "go and (k := 2)",
    "walrus in a comprehension": "_ = [(k := 2) for _ in range(go)]",
    "unpacking": "if go: _, *(k,) = 1, 2",
    "function": "def bind():\n    global k\n    if go: k = 2\nbind()",
    "with": "from contextlib import nullcontext\nif go:\n    with nullcontext(2) as k: pass",
    "annotated": "if go: k: int = 2",
    "chained": "if go: j = k = 2",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_name_that_a_step_did_not_bind_is_none_of_its_outputs(notebook: Notebook, form: str) -> None:
    step = f"%%step s\n{form}\nq = 1"
    ran = notebook.run("go, k = 0, 7", step)[-1]
    assert "k" not in ran.outputs
    assert notebook.ns["k"] == 7
    # Reuse does not bring back what was there during another run.
    again = notebook.run("k = 8", step)[-1]
    assert (again.status, notebook.ns["k"]) == ("cached", 8)
    again = notebook.run("del k", step)[-1]
    assert (again.status, "k" in notebook.ns) == ("cached", False)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_name_that_a_step_binds_to_the_very_object_it_was_bound_to_is_its_output(
    notebook: Notebook, form: str
) -> None:
    step = f"%%step s\n{form}\nq = 1"
    ran = notebook.run("go, k = 1, 2", step)[-1]
    assert notebook.ns["k"] == 2
    assert "k" in ran.outputs or form.startswith("for")  # those of loops are bound, but not listed
    notebook.restart()
    again = notebook.run("go = 1", step)[-1]
    assert (again.status, notebook.ns["k"]) == ("cached", 2)


def test_a_module_function_or_class_that_a_step_did_not_bind_is_left_alone(notebook: Notebook) -> None:
    step = "%%step s\nif go:\n    import json as k\n    def f(): return 1\n    class C: n = 1\nq = 1"
    mine = "def f(): return 9\nclass C: n = 9\nk = 9"
    assert notebook.run("go = 0", mine, step, "print(f(), C.n, k)")[-1].out == "9 9 9\n"
    changed = mine.replace("9", "8")
    assert notebook.run(changed, step, "print(f(), C.n, k)")[-1].out == "8 8 8\n"
    notebook.restart()
    ran = notebook.run("go = 0", changed, step, "print(f(), C.n, k)")
    assert (ran[2].status, ran[-1].out) == ("cached", "8 8 8\n")
