"""What a step of a run changes in place for the first time is read by the steps after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

FILL = "import functools, os\ndef fill(xs, n):\n    for i in range(n): xs.append(i)"
COUNT = "%%step count\nn = len(os.environ['N'])"


@pytest.mark.parametrize(
    "change",
    ["fill(xs, n)", "if n > 1: xs.append(0); xs.append(1)", "[xs.append(i) for i in range(n) if n > 1]"],
)
@pytest.mark.parametrize("made", ["%%step make\nxs = []", "xs = []"])
def test_what_a_step_changes_first_in_a_run_is_read_after_it(
    notebook: Notebook, made: str, change: str
) -> None:
    steps = [COUNT, made, f"%%step change\n{change}", "%%step read\nsize = len(xs)"]
    notebook.run(FILL, "os.environ['N'] = ''", *steps)
    for word, size in [("aa", 2), ("", 0), ("", 0), ("aa", 2)]:
        notebook.run(f"os.environ['N'] = '{word}'")
        assert notebook.cell("%pipeline run").error is None
        assert (notebook.ns["size"], len(notebook.ns["xs"])) == (size, size)
        planned = json.loads(notebook.run("%pipeline status --json")[0].displays[0]["data"]["text/plain"])
        states = {each["name"]: each["state"] for each in planned["data"]["steps"]}
        assert set(states.values()) == {"fresh"}


def test_a_name_bound_anew_is_not_read_from_where_it_was_changed(notebook: Notebook) -> None:
    steps = [
        COUNT,
        "%%step make\nxs = []",
        "%%step change\nfill(xs, n)",
        "%%step again\nxs = [7]",
        "%%step read\nsize = len(xs)",
    ]
    notebook.run(FILL, "os.environ['N'] = ''", *steps)
    notebook.run("os.environ['N'] = 'aa'")
    assert notebook.cell("%pipeline run").error is None
    assert (notebook.ns["size"], notebook.ns["xs"]) == (1, [7])


def test_what_a_partial_function_holds_is_read_after_it(notebook: Notebook) -> None:
    notebook.run(
        "import functools",
        "%%step make\nxs = []\nadd = functools.partial(xs.append, 1)",
        "%%step change\nadd()",
        "%%step read\nsize = len(xs)",
    )
    assert notebook.cell("%pipeline run --rerun").error is None
    assert (notebook.ns["size"], notebook.ns["xs"]) == (1, [1])


def test_steps_side_by_side_are_run_again_when_one_changes_what_the_other_reads(notebook: Notebook) -> None:
    notebook.run(
        "%orchestrator register pool --flavor=threads",
        "%stack register side -o pool -a default",
        "%stack set side",
        FILL,
        "os.environ['N'] = ''",
        COUNT,
        "%%step make\nxs = []",
        "%%step change\nfill(xs, n)",
        "%%step read\nsize = len(xs)",
        "os.environ['N'] = 'aa'",
    )
    ran = notebook.cell("%pipeline run")
    assert ran.error is None or "Run the pipeline again" in str(ran.error)
    assert notebook.cell("%pipeline run").error is None
    assert (notebook.ns["size"], len(notebook.ns["xs"])) == (2, 2)


def test_what_only_a_function_reads_is_read_after_its_change_too(notebook: Notebook) -> None:
    notebook.run(FILL, "os.environ['N'] = ''", "xs = []\ndef size(): return len(xs)")
    notebook.run(COUNT, "%%step change\nfill(xs, n)", "%%step read\ny = size()")
    notebook.run("os.environ['N'] = 'aa'")
    assert notebook.cell("%pipeline run").error is None
    assert notebook.ns["y"] == 2


def test_what_methods_of_objects_inside_a_value_read_is_read_from_its_step(notebook: Notebook) -> None:
    notebook.run("n = 1\nclass P:\n    def v(self): return n\nps = [P()]\nqs = {'p': P()}")
    notebook.run("%%step source\nn = 5", "%%step read\ny = ps[0].v(), qs['p'].v()", "n = 1")
    assert notebook.cell("%pipeline run --rerun").error is None
    assert notebook.ns["y"] == (5, 5)


def test_what_a_step_binds_only_sometimes_is_not_read_as_in_an_earlier_run(notebook: Notebook) -> None:
    notebook.run("import os\nos.environ['N'] = 'aa'", "x = 0", COUNT)
    notebook.run("%%step maybe\nif n: x = 1", "%%step read\ny = x", "os.environ['N'] = ''")
    says = "which step 'maybe' bound in an earlier run and not in this one. Run the cell again that binds `x` first."
    assert says in str(notebook.cell("%pipeline run").error)
    notebook.run("x = 0", "%pipeline run", "%pipeline run")
    assert (notebook.ns["x"], notebook.ns["y"]) == (0, 0)


def test_a_part_of_what_a_plain_cell_has_made_anew_stays_its_part(notebook: Notebook) -> None:
    made = "d = {'a': {'b': [1]}}"
    notebook.run(made, "%%step part\ninner = d['a']", "%%step change\ninner['b'].append(2)")
    for _ in range(2):
        notebook.run(made, "%pipeline run --rerun")
        assert notebook.run("d['a'] is inner, d")[0].result == (True, {"a": {"b": [1, 2]}})
