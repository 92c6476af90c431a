"""Names that share state stay one when their step is reused, or the step says that they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


def step(text: str, name: str) -> str:
    return f"%%step {name}\n{text}"


def test_a_record_array_and_the_array_below_it_stay_one(notebook: Notebook) -> None:
    cells = [
        step("import numpy as np\nplain = np.zeros(3, dtype=[('name', 'U4'), ('age', 'i4')])", "make"),
        step("record = plain.view(np.recarray)\nrecord.age += 1", "view"),
    ]
    notebook.run(*cells)
    notebook.restart()
    ran = notebook.run(*cells, step("record.age += 1\nages = plain['age'].tolist()", "grow"))
    assert [r.status for r in ran] == ["cached", "cached", "completed"], [r.reason for r in ran]
    assert notebook.ns["ages"] == [2, 2, 2]


def test_arrays_whose_common_memory_cannot_be_stored_are_not_reused(notebook: Notebook) -> None:
    make = step(
        "import numpy as np\nbase = np.ma.masked_array([1, 2, 3], mask=[0, 0, 1])\npart = base[:2]", "make"
    )
    notebook.run(make)
    notebook.restart()
    (again,) = notebook.run(make)
    assert again.reason.startswith("not cacheable: `base` and `part` share memory"), again.reason
    notebook.run("part[0] = 9")
    assert notebook.ns["base"][0] == 9


@pytest.mark.parametrize(
    "make",
    [
        "x, y = np.mgrid[:3, :3]",
        "x, y = np.arange(600).reshape(200, 3)[[3, 190]]",
        "def ends(rows): return rows[3], rows[-5]\nx, y = ends(np.arange(600).reshape(200, 3))",
        "x, y = np.arange(12.).reshape(2, 6)[:, ::2]",
    ],
)
def test_rows_of_an_array_that_nobody_else_has_stay_its_rows(notebook: Notebook, make: str) -> None:
    look = "same = x.base is y.base\nx[:] = 7\nfound = [same, x.tolist(), y.tolist()]"
    notebook.run("import numpy as np", make, look)
    plain = notebook.ns["found"]
    notebook.restart()
    cells = ["import numpy as np", step(make, "make"), step("total = x.sum()", "read"), look]
    notebook.run(*cells)
    notebook.restart()
    ran = notebook.run(*cells)
    assert [r.status for r in ran[1:3]] == ["cached", "cached"], [r.reason for r in ran]
    assert notebook.ns["found"] == plain


def test_rows_far_apart_are_not_stored_with_all_between_them(notebook: Notebook) -> None:
    notebook.run("import numpy as np", step("a = np.zeros((400, 10_000))\nx, y = a[0], a[-1]\ndel a", "make"))
    (made,) = notebook.shell.zennb_step.workspace.metadata.steps(1)
    assert sum(each.size for each in made.outputs.values()) < 1_000_000


def test_axes_in_an_array_belong_to_their_figure(notebook: Notebook) -> None:
    cells = [
        step("import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt", "use"),
        step("fig, axes = plt.subplots(2, 1)\nplt.close(fig)", "draw"),
        step("axes[0].set_title('one')", "title"),
        step("title = fig.axes[0].get_title()", "look"),
    ]
    notebook.run(*cells)
    notebook.restart()
    ran = notebook.run(*cells)
    assert [r.status for r in ran] == ["cached"] * 4, [r.reason for r in ran]
    assert notebook.ns["title"] == "one"


def test_a_column_under_two_names_is_written_to_under_one(notebook: Notebook) -> None:
    make = step(
        "import pandas as pd\ndf = pd.DataFrame({'a': ['x', 'y']})\ndf['b'] = df['a']\ncol = df['a']", "make"
    )
    notebook.run(make)
    notebook.restart()
    (again,) = notebook.run(make)
    notebook.run("df.loc[0, 'a'] = 'FIXED'", "col.iloc[1] = 'ALSO'")
    assert again.status == "cached", again.reason
    assert notebook.ns["df"].to_dict("list") == {"a": ["FIXED", "y"], "b": ["x", "y"]}
    assert notebook.ns["col"].tolist() == ["x", "ALSO"]
