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
