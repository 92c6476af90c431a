"""Other names of classes and functions, and enumerations: in the kernel and in pipeline runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

OTHER_NAMES = {
    "a class": (
        "class K:\n    def f(self): return 1",
        "class K:\n    def f(self): return 2",
        "old()",
        "r.f()",
    ),
    "a function": ("def K(): return 1", "def K(): return 2", "[old]", "r[0]()"),
    "a class of today in a list": (
        "class K:\n    def f(self): return 1",
        "class K:\n    def f(self): return 2",
        "[old]",
        "r[0]().f()",
    ),
}


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_what_was_defined_anew_is_not_reused_under_its_other_name(notebook: Notebook, name: str) -> None:
    before, after, made, asked = OTHER_NAMES[name]
    step = f"%%step a\nr = {made}"
    notebook.run(before, "old = K", step, after)
    assert notebook.cell("%pipeline status").error is None
    (ran,) = notebook.run(step)
    assert ran.status == "completed"
    assert notebook.cell(asked).result == 1


def test_a_pipeline_run_refuses_a_class_of_before(notebook: Notebook) -> None:
    notebook.run("class K:\n    v = 1", "old = K", "%%step a\nr = old()", "class K:\n    v = 2")
    ran = notebook.cell("%pipeline run")
    assert "uses class `K` as it was before it was defined anew" in ran.out + str(ran.error) + "".join(
        each["data"]["text/plain"] for each in ran.displays
    )
    assert notebook.cell("r.v").result == 1


def test_a_pipeline_run_leaves_the_enumeration_of_the_notebook_alone(notebook: Notebook) -> None:
    notebook.run(
        "import enum\nclass C(enum.Enum):\n    A = 1\n    SAME = 1\n    B = 2\n    def val(self): return g\nn = 1",
        "%%step a\ng = n",
        "%%step b\nr = C.A.val()\nmember = C.SAME",
        "n = 2",
    )
    assert notebook.cell("%pipeline run").error is None
    assert notebook.cell("(r, member is C.A, member is C.SAME, C.A.val.__globals__ is globals())").result == (
        2,
        True,
        True,
        True,
    )
    notebook.cell("g = 77")
    assert notebook.cell("C.A.val()").result == 77


def test_attributes_of_members_count_and_are_there_in_a_pipeline_run(notebook: Notebook) -> None:
    text = (
        "import enum\nclass K(enum.Enum):\n    A = (1, 2)\n    def __init__(self, a, b): self.a = a\n"
        "    def area(self): return self.a * n"
    )
    step = "%%step b\nr = K.A.area()"
    notebook.run("n = 10", text, step, "K.A.a = 4")
    (ran,) = notebook.run(step)
    assert (ran.status, notebook.ns["r"]) == ("completed", 40)
    notebook.run("n = 100")
    assert notebook.cell("%pipeline run").error is None
    assert notebook.ns["r"] == 400


def test_a_step_that_sets_an_attribute_of_a_member_runs_every_time(notebook: Notebook) -> None:
    step = "%%step b\nK.A.x = 4"
    notebook.run("import enum\nclass K(enum.Enum):\n    A = 1\nK.A.x = 0", step, "K.A.x = 0")
    (ran,) = notebook.run(step)
    assert (ran.status, notebook.cell("K.A.x").result) == ("completed", 4)
