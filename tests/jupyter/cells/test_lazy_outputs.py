"""Large outputs of reused steps are not loaded before a cell names them; nobody can tell the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.engine.run.run_context import LARGE
from zennb.jupyter.cells.lazy_outputs import identifiers

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MAKE = "%%step make\nimport numpy as np\nbig = np.arange(100_000)"


def pending(notebook: Notebook) -> list[str]:
    return sorted(notebook.shell.zennb_step.lazy_outputs.names)


@pytest.fixture
def reused(notebook: Notebook) -> Notebook:
    """A notebook in a new kernel whose one step was reused."""
    notebook.run(MAKE)
    notebook.restart()
    (ran,) = notebook.run(MAKE)
    assert ran.status == "cached"
    assert pending(notebook) == ["big"]
    assert "big" not in notebook.ns
    return notebook


@pytest.mark.parametrize(
    "cell",
    [
        "found = big[7]",
        "%%step use\nfound = big[7]",
        "%%time\nfound = big[7]",
        "%time found = big[7]",
        "found = (lambda: big[7])()",
        "def f():\n    return big[7]\nfound = f()",
        "found = eval('bi' + 'g')[7]",
        "found = globals()['b' + 'ig'][7]",
        "import pandas as pd\nfound = pd.DataFrame({'a': range(9)}).query('a == @big[7]').a.iloc[0]",
        "from __future__ import annotations\nfound = big[7]",
        "import __main__\nfound = getattr(__main__, 'b' + 'ig')[7]",
        "found = [n for n in (7,) for _ in (big,)][0]",
        "#| step: use\nfound = big[7]",
    ],
)
def test_a_cell_that_reads_it_gets_it(reused: Notebook, cell: str) -> None:
    reused.run(cell)
    assert reused.ns["found"] == 7
    assert pending(reused) == []


def test_cells_that_do_not_name_it_leave_it(reused: Notebook) -> None:
    reused.run("x = 1", "%%step other\ny = 2", "import numpy as np\nnp.zeros(3)", "%stack")
    assert pending(reused) == ["big"]


def test_a_reused_step_that_reads_it_does_not_load_it(notebook: Notebook) -> None:
    cells = [MAKE, "%%step use\ntotal = int(big.sum())\nprint(total)"]
    notebook.run(*cells)
    notebook.restart()
    ran = notebook.run(*cells)
    assert [r.status for r in ran] == ["cached", "cached"]
    assert ran[1].out.endswith("4999950000\n")
    assert pending(notebook) == ["big"]


def test_a_step_that_runs_gets_it_as_the_artifact_it_is(notebook: Notebook) -> None:
    notebook.run(MAKE, "%%step use\ntotal = int(big.sum())")
    notebook.restart()
    ran = notebook.run(MAKE, "%%step use\ntotal = int(big.sum()) + 1")
    assert (ran[1].status, ran[1].reason) == ("completed", "its code changed")
    record = notebook.shell.zennb_step.workspace.metadata.steps(2)[-1]
    assert record.inputs["big"].label == "big v1"
    assert notebook.ns["total"] == 4999950001


def test_names_that_share_a_value_come_together(notebook: Notebook) -> None:
    cells = ["%%step make\nimport numpy as np\nbig = np.zeros(100_000)\nview = big[:5]", "view[0] = 1"]
    notebook.run(cells[0])
    notebook.restart()
    notebook.run(cells[0])
    assert pending(notebook) == ["big", "view"]
    notebook.run(cells[1])
    assert pending(notebook) == []
    assert notebook.ns["big"][0] == 1


def test_a_function_of_an_earlier_cell_always_finds_what_it_reads(notebook: Notebook) -> None:
    helper = "def peek():\n    return big[3]"
    notebook.run(helper, MAKE)
    notebook.restart()
    notebook.run(helper, MAKE)
    assert pending(notebook) == []
    assert notebook.ns["peek"]() == 3


def test_a_function_of_a_reused_step_always_finds_what_it_reads(notebook: Notebook) -> None:
    helper = "%%step tools\ndef peek():\n    return big[3]"
    notebook.run(helper, MAKE)
    notebook.restart()
    notebook.run(helper, MAKE)
    assert notebook.ns["peek"]() == 3


def test_a_value_from_before_is_gone_when_the_step_is_reused(notebook: Notebook) -> None:
    notebook.run(MAKE)
    notebook.restart()
    notebook.ns["big"] = "something else"
    notebook.run(MAKE)
    notebook.run("kind = type(big).__name__")
    assert notebook.ns["kind"] == "ndarray"


def test_binding_or_deleting_the_name_forgets_it(reused: Notebook) -> None:
    reused.run("big = 1")
    assert pending(reused) == []
    assert reused.ns["big"] == 1
    reused.run(MAKE, "del big")
    assert "big" not in reused.ns
    assert pending(reused) == []


def test_a_pipeline_run_loads_nothing_that_no_step_reads(notebook: Notebook) -> None:
    cells = [MAKE, "%%step use\ntotal = int(big.sum())"]
    notebook.run(*cells)
    notebook.restart()
    notebook.run(*cells, "%pipeline run")
    assert pending(notebook) == ["big"]
    notebook.run("assert total == big.sum()")


def test_the_status_of_a_pipeline_loads_nothing(reused: Notebook) -> None:
    (shown,) = reused.run("%pipeline status")
    assert "big" not in reused.ns
    assert "same code and inputs" in str(shown.displays)


def test_words_in_strings_comments_and_magics_count_as_names() -> None:
    assert {"x", "y", "z", "total"} <= identifiers("!cmd {x}\nf('@y')  # z\n%time total")


def test_small_outputs_are_there_at_once(notebook: Notebook) -> None:
    cell = "%%step small\nfew = list(range(10))"
    notebook.run(cell)
    notebook.restart()
    notebook.run(cell)
    assert notebook.ns["few"] == list(range(10))


def test_a_function_that_holds_a_large_value_is_there_at_once(notebook: Notebook) -> None:
    cells = [
        f"%%step make\nlarge = [bytearray({LARGE})]",
        "%%step define\nshift = 1\ndef total(extra, values=large): return len(values[0]) + extra + shift",
        "%%step use\nfound = total(2)",
    ]
    notebook.run(*cells)
    notebook.restart()
    ran = notebook.run(*cells)
    assert [each.status for each in ran] == ["cached"] * 3, [each.reason for each in ran]
    edited = notebook.run(cells[1].replace("shift = 1", "shift = 2"), cells[2])
    assert notebook.ns["found"] == LARGE + 4, [each.reason for each in edited]


FIGURE = (
    "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt",
    "%%step draw\nfig, ax = plt.subplots()\nlines = ax.plot([1, 2])\nplt.close(fig)",
)


def test_a_figure_waits_with_its_parts_until_one_of_them_is_named(notebook: Notebook) -> None:
    pytest.importorskip("matplotlib")
    notebook.run(*FIGURE)
    notebook.restart()
    assert notebook.run(*FIGURE)[1].status == "cached"
    assert sorted(pending(notebook)) == ["ax", "fig", "lines"]
    notebook.run("title = ax.get_title()")
    assert pending(notebook) == []
    assert notebook.ns["fig"].axes == [notebook.ns["ax"]]
    assert notebook.ns["ax"].lines[0] is notebook.ns["lines"][0]


def test_names_that_the_next_cell_binds_anew_do_not_load_a_figure(notebook: Notebook) -> None:
    pytest.importorskip("matplotlib")
    cells = (*FIGURE, FIGURE[1].replace("draw", "again").replace("[1, 2]", "[3, 4]"))
    notebook.run(*cells)
    notebook.restart()
    assert [each.status for each in notebook.run(*cells)[1:]] == ["cached", "cached"]
    assert sorted(pending(notebook)) == ["ax", "fig", "lines"]
    notebook.run("assert list(lines[0].get_ydata()) == [3, 4]")


def test_a_figure_that_an_earlier_function_reads_is_there_at_once(notebook: Notebook) -> None:
    pytest.importorskip("matplotlib")
    cells = (FIGURE[0], "def name(text): ax.set_title(text)", FIGURE[1])
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[2].status == "cached"
    assert pending(notebook) == []
    notebook.run("name('first')", "assert ax.get_title() == 'first'")


def test_a_figure_that_pyplot_has_open_is_there_at_once(notebook: Notebook) -> None:
    pytest.importorskip("matplotlib")
    cells = (FIGURE[0], FIGURE[1].replace("\nplt.close(fig)", ""))
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[1].status == "cached"
    notebook.run("plt.title('open')", "assert ax.get_title() == 'open'", "plt.close('all')")
