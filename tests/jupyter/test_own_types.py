"""Types of users and packages in steps: their digests and materializers count in a notebook as anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import zennb
from tests.installed_packages import Packages
from tests.jupyter.test_cache_options import shown
from tests.materializers.test_packages import GRIDS, PLUGIN
from zennb import api
from zennb.digests import hooks as digest_hooks
from zennb.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

BOX = """
import threading
class Box:
    def __init__(self, items):
        self.items, self.seen, self.lock = items, 0, threading.Lock()
    def __reduce__(self):
        return Box, (self.items,)
"""
CONTENT = "import zennb\n@zennb.digest(Box)\ndef content(box):\n    return box.items"
MAKE, USE = "%%step make\nbox = Box([1, 2])", "%%step use\nbox.seen += 1\ntotal = sum(box.items)"


@pytest.fixture(autouse=True)
def _no_hooks_left() -> Iterator[None]:
    yield
    digest_hooks._hooks.clear()


def test_a_step_that_makes_such_a_value_is_reused_and_so_is_one_that_reads_it(notebook: Notebook) -> None:
    first = notebook.run(BOX, CONTENT, MAKE, USE)[2:]
    notebook.restart()
    again = notebook.run(BOX, CONTENT, MAKE, USE)[2:]
    assert [ran.status for ran in (*first, *again)] == ["completed", "completed", "cached", "cached"]
    assert (first[1].outputs, notebook.ns["box"].items, notebook.ns["total"]) == (["total"], [1, 2], 3)


def test_a_change_of_what_counts_makes_an_output_and_a_new_digest_function_makes_it_run(
    notebook: Notebook,
) -> None:
    notebook.run(BOX, CONTENT, MAKE)
    (grown,) = notebook.run("%%step grow\nbox.items.append(3)")
    assert grown.outputs == ["box"]
    notebook.run(USE)
    (same,) = notebook.run(USE)
    notebook.run(CONTENT.replace("return box.items", "return tuple(box.items)"))
    (edited,) = notebook.run(USE)
    assert (same.status, edited.status) == ("cached", "completed")


def test_names_that_share_a_part_of_it_stay_together(notebook: Notebook) -> None:
    cells = [
        BOX,
        CONTENT.replace("return box.items", "return str(box.items)"),
        "%%step both\nitems = [1]\nbox = Box(items)",
        "%%step more\nitems.append(2)\nlength = len(box.items)",
    ]
    notebook.run(*cells)
    notebook.restart()
    *_, both, more = notebook.run(*cells)
    assert (both.status, more.status) == ("cached", "cached")
    assert notebook.ns["box"].items == [1, 2]
    notebook.ns["items"].append(3)
    assert notebook.ns["box"].items == [1, 2, 3]


def test_a_function_that_fails_is_named_and_the_step_runs_every_time(notebook: Notebook) -> None:
    notebook.run(BOX, CONTENT.replace("return box.items", "return box.nothing"))
    (ran,) = notebook.run(MAKE)
    (again,) = notebook.run(MAKE)
    assert "`box` is a Box whose digest function `content` raised AttributeError" in shown(ran)
    assert again.status == "completed"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    found = Packages(tmp_path, monkeypatch)
    found.install("grids", {}, grids=GRIDS)
    found.install(
        "zennb-grids",
        {"zennb.materializers": {"grid.grids.Grid": "zennb_grids:GridFiles"}},
        zennb_grids=PLUGIN,
    )
    yield found
    found.forget()


GRID = "%%step lay\nfrom grids import Grid\ngrid = Grid([1, 2, 3])"


@pytest.mark.usefixtures("packages")
def test_what_a_package_stores_is_shown_by_its_summary_and_reused(notebook: Notebook) -> None:
    notebook.run(GRID)
    (told,) = notebook.run("%artifacts show grid")
    assert "3 cells" in shown(told)
    assert "grid (zennb-grids)" in shown(told)
    assert "Grid object at" not in shown(told)
    notebook.restart()
    (again,) = notebook.run(GRID)
    assert (again.status, notebook.ns["grid"].cells) == ("cached", [1, 2, 3])
    assert api.artifacts()[0].materializer == "grid"
    assert zennb.load("grid").cells == [1, 2, 3]


def test_when_the_package_is_gone_the_step_runs_again_and_its_result_can_be_read(
    notebook: Notebook, packages: Packages
) -> None:
    notebook.run(GRID)
    packages.remove("zennb-grids")
    with pytest.raises(MissingExtra, match="'grid' of the package 'zennb-grids', which is not installed"):
        zennb.load("grid")
    notebook.restart()
    (late,) = notebook.run(GRID)
    said = (
        "`grid v1` is stored by the materializer 'grid' of the package 'zennb-grids', which is not installed"
    )
    assert (late.status, late.reason) == ("completed", said)
    assert [each.materializer for each in api.artifacts()] == ["pickle"]
    assert zennb.load("grid").cells == [1, 2, 3]
    (again,) = notebook.run(GRID)
    assert again.status == "cached"


def test_a_package_that_breaks_between_two_runs_stops_nothing(notebook: Notebook, packages: Packages) -> None:
    notebook.run(GRID)
    (packages.folder / "zennb_grids.py").write_text("1 / 0")
    packages.forget()
    notebook.restart()
    (late,) = notebook.run(GRID)
    assert late.status == "completed"
    assert "importing zennb_grids raised ZeroDivisionError" in late.reason
    assert "cannot be stored by the materializer 'grid' of the package 'zennb-grids'" in shown(late)
    assert notebook.ns["grid"].cells == [1, 2, 3]


TABLES = {
    "a frame whose class does not say how to make another": (
        (
            "class Table(pd.DataFrame):\n    def __init__(self, hypo):\n"
            "        super().__init__(columns=['hypo', 'prior'])\n        self.hypo = hypo\n        self.prior = 1\n"
            "    def total(self): return self.hypo.sum()"
        ),
        "t = Table([1, 2, 3])",
        "t['more'] = t.prior * 2",
        "print(type(t).__name__, t.total(), t.to_dict())",
    ),
    "a frame with metadata": (
        "class Table(pd.DataFrame):\n    _metadata = ['unit']",
        "t = Table({'a': [1, 2]})\nt.unit = 'm'",
        "t.unit = t.unit + '²'",
        "t.iloc[0, 0] = 9\nprint(type(t).__name__, t.unit, t.to_dict())",
    ),
    "a frame whose class says how": (
        "class Table(pd.DataFrame):\n    @property\n    def _constructor(self): return Table",
        "t = Table({'a': [1, 2]})",
        "t = t[t.a > 1]",
        "print(type(t).__name__, t.to_dict())",
    ),
    "a series": (
        "class Row(pd.Series):\n    def twice(self): return self * 2",
        "t = Row([1, 2], name='n')",
        "t[0] = 5",
        "print(type(t).__name__, t.name, t.twice().tolist())",
    ),
    "a frame and a plain one made of it": (
        "class Table(pd.DataFrame):\n    pass",
        "t = Table({'a': [1, 2]})\nplain = pd.DataFrame(t)",
        "t.loc[0, 'a'] = 7",
        "print(type(t).__name__, type(plain).__name__, t.a.tolist(), plain.a.tolist())",
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_tables_of_classes_of_the_notebook_are_reused(notebook: Notebook, case: str) -> None:
    define, make, change, show = TABLES[case]
    define = f"import pandas as pd\n{define}"
    expected = notebook.run(define, make, change, show)[-1].out
    steps = (define, f"%%step\n{make}", f"%%step changed\n{change}", show)
    for statuses in (["completed", "completed"], ["cached", "cached"]):
        notebook.restart()
        ran = notebook.run(*steps)
        assert [one.status for one in ran[1:3]] == statuses
        assert ran[-1].out == expected


def test_a_match_of_a_regular_expression_is_reused(notebook: Notebook) -> None:
    cells = (
        "%%step found\nimport re\nfound = re.search(r'(?P<key>\\w+)=(\\d+)', 'a; b=12')",
        "%%step read\nnumber = int(found[2])",
        "print(found, found['key'], found.span(), number)",
    )
    first = notebook.run(*cells)
    notebook.restart()
    again = notebook.run(*cells)
    assert [one.status for one in again[:2]] == ["cached", "cached"]
    assert again[2].out == first[2].out
