"""What a step of a run deletes, or deletes this time, is gone for the steps after it, and for none else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

COUNT = "%%step count\nn = len(os.environ['N'])"
MAYBE = "%%step maybe\nif n: del x"
READS = {
    "itself": "try: y = x\nexcept NameError: y = 'gone'",
    "through a function": "try: y = get()\nexcept NameError: y = 'gone'",
}


def states(notebook: Notebook) -> dict[str, str]:
    planned = json.loads(notebook.run("%pipeline status --json")[0].displays[0]["data"]["text/plain"])
    return {each["name"]: each["state"] for each in planned["data"]["steps"]}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_name_that_a_step_deletes_sometimes_is_gone_when_it_does(notebook: Notebook, read: str) -> None:
    notebook.run("import os\nos.environ['N'] = ''\nx = 0\ndef get(): return x")
    notebook.run(COUNT, "%%step make\nx = 5", MAYBE, f"%%step read\n{read}")
    for word, right in [("aa", "gone"), ("aa", "gone"), ("", 5), ("aa", "gone")]:
        notebook.run(f"os.environ['N'] = '{word}'")
        before = states(notebook)["read"]
        assert notebook.cell("%pipeline run").error is None
        assert (notebook.ns["y"], "x" in notebook.ns) == (right, right == 5)
        assert before in {"may run", "fresh"}
        assert word == "" or set(states(notebook).values()) == {"fresh"}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_variable_of_a_plain_cell_that_a_step_deleted_is_asked_for(notebook: Notebook, read: str) -> None:
    notebook.run("import os\nos.environ['N'] = ''\nx = 0\ndef get(): return x")
    notebook.run(COUNT, MAYBE, f"%%step read\n{read}", "os.environ['N'] = 'aa'", "%pipeline run")
    assert (notebook.ns["y"], "x" in notebook.ns) == ("gone", False)
    notebook.run("os.environ['N'] = ''")
    says = (
        "step 'maybe' deleted in an earlier run and not in this one. Run the cell again that binds `x` first."
    )
    assert says in str(notebook.cell("%pipeline run").error)
    notebook.run("x = 0", "%pipeline run")
    assert notebook.ns["y"] == 0


def test_a_step_deletes_what_another_one_has_bound(notebook: Notebook) -> None:
    notebook.run("%%step make\nx = 5", "%%step read\ny = x", "%%step delete\ndel x")
    assert states(notebook) == {"make": "fresh", "read": "fresh", "delete": "fresh"}
    notebook.run("%pipeline run --rerun")
    assert (notebook.ns["y"], "x" in notebook.ns) == (5, False)
    notebook.run("%pipeline run --only read --rerun")
    assert notebook.ns["y"] == 5


def test_what_an_except_clause_deletes_makes_no_step_wait(notebook: Notebook) -> None:
    catch = "try: y{0} = 1 / 0\nexcept ZeroDivisionError as e: y{0} = len(e.args)"
    notebook.run(*(f"%%step s{number}\n{catch.format(number)}" for number in range(2)))
    notebook.run("%pipeline run --rerun")
    planned = json.loads(notebook.run("%pipeline show --json")[0].displays[0]["data"]["text/plain"])
    assert not planned["data"]["edges"]
