"""Functions of other cells that keep something under a private name of the notebook: `global _count`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

COUNTING = "_count = 0\ndef tick():\n    global _count\n    _count += 1\n    return _count"
KEEPING = (
    "_kept = None\ndef kept():\n    global _kept\n    if _kept is None:\n        _kept = []\n    return _kept"
)
STEPS = (
    "%%step first\na = tick()",
    "%%step second\nb = tick()",
    "%%step third\nc = kept()",
    "%%step fourth\nkept().append(1)",
    "%%step fifth\nd = kept(), len(c)",
)
LOOK = "found = a, b, c, d, _count, kept() is c, d[0] is c"


def test_what_a_function_counts_by_goes_on_from_step_to_step(notebook: Notebook) -> None:
    expected = (1, 2, [1], ([1], 1), 2, True, True)
    notebook.run(COUNTING, KEEPING, *STEPS, LOOK)
    assert notebook.ns["found"] == expected
    notebook.restart()
    notebook.run(COUNTING, KEEPING)
    assert {ran.status for ran in notebook.run(*STEPS)} == {"cached"}
    notebook.run(LOOK, "e = tick()")
    assert notebook.ns["found"] == expected
    assert notebook.ns["e"] == 3


def test_a_counter_that_is_set_anew_counts(notebook: Notebook) -> None:
    notebook.run(COUNTING, STEPS[0])
    notebook.run("_count = 10")
    (ran,) = notebook.run(STEPS[0])
    assert (ran.status, ran.reason, notebook.ns["a"]) == ("completed", "input `_count` changed", 11)


def test_a_private_name_that_the_cell_binds_stays_its_own(notebook: Notebook) -> None:
    notebook.run(COUNTING, "_half = 7", "%%step own\n_half = tick() / 2\na = _half")
    assert (notebook.ns["_half"], notebook.ns["_count"], notebook.ns["a"]) == (7, 1, 0.5)
