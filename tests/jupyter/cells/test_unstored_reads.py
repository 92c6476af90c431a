"""What makes an output again that cannot be stored, what does not, and what it leaves as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.cells.test_unstored_outputs import notes, pending
from zennb.errors import LostOutput
from zennb.jupyter.cells import unstored_outputs

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MAKE = "%%step make\nv = (n * size for n in range(3))\nx = size + 1\nprint('made')"


@pytest.fixture
def reused(notebook: Notebook) -> Notebook:
    """A notebook in a new kernel whose one step was reused."""
    notebook.run("size = 2", MAKE)
    notebook.restart()
    assert notebook.run("size = 2", MAKE)[-1].status == "cached"
    assert pending(notebook) == {"v"}
    assert "v" not in notebook.ns
    return notebook


@pytest.mark.parametrize(
    "cell",
    [
        "got = list(v)",
        "%%step read\ngot = list(v)",
        "#| step: read\ngot = list(v)",
        "%%time\ngot = list(v)",
        "%time got = list(v)",
        "got = [n for n in v]",
        "def f():\n    return list(v)\ngot = f()",
        "got = list(globals()['v'])",
        "got = list(eval('v'))",
        "import __main__\ngot = list(__main__.v)",
        "from __main__ import v\ngot = list(v)",
        "exec('from __main__ import v as w')\ngot = list(w)",
        "from __future__ import annotations\ngot = list(v)",
    ],
)
def test_a_cell_that_reads_it_gets_it(reused: Notebook, cell: str) -> None:
    ran = reused.run(cell)[0]
    assert reused.ns["got"] == [0, 2, 4]
    assert notes(ran) == ["make ran again: `v` cannot be stored and this cell reads it"]
    assert "made" not in ran.out
    assert not pending(reused)


@pytest.mark.parametrize(
    "cell",
    [
        "y = 1",
        "# v is not read here",
        "y = 'v'",
        "y = dir()",
        "y = len(globals())",
        "y = len(vars())",
        "if __name__ == '__main__':\n    y = 1",
        "import timeit\ny = timeit.timeit('size', 'from __main__ import size', number=1)",
        "%who",
        "%whos",
        "%pipeline status",
        "%artifacts show v",
        "v = 3",
        "for v in range(2):\n    pass",
        "%%step other\ny = 1",
        "%%step other\nv = 1",
    ],
)
def test_other_cells_do_not_run_its_step(reused: Notebook, cell: str) -> None:
    ran = reused.run(cell)[0]
    assert not notes(ran)
    assert "v" not in reused.ns or not pending(reused)


@pytest.mark.parametrize("cell", ["del v", "%%step gone\ndel v", "del v, x"])
def test_a_cell_can_delete_it(reused: Notebook, cell: str) -> None:
    assert not notes(reused.run(cell)[0])
    assert not pending(reused)
    assert "v" not in reused.ns
    assert isinstance(reused.cell("v").error, NameError)
    reused.run(MAKE, "got = list(v)")
    assert reused.ns["got"] == [0, 2, 4]


def test_a_cell_that_does_not_delete_it_after_all_leaves_it(reused: Notebook) -> None:
    assert not notes(reused.run("if size > 7:\n    del v")[0])
    assert "v" not in reused.ns
    assert notes(reused.run("got = list(v)")[0])
    assert reused.ns["got"] == [0, 2, 4]


@pytest.mark.parametrize(
    "cell",
    [
        "def f(v):\n    return v",
        "class A:\n    def f(self):\n        v = 1\n        return [v for v in 'ab'], self.v",
        "y = lambda v: (lambda: v)",
        "def f(parts):\n    return [v.get() for v in parts]",
        "def f():\n    for v in range(2):\n        yield v",
    ],
)
def test_functions_with_a_variable_of_that_name_do_not_read_it(notebook: Notebook, cell: str) -> None:
    cells = ["size = 2", MAKE, cell, f"%%step define\n{cell}", "y = 1", "%%step other\nz = 1"]
    notebook.run(*cells)
    notebook.restart()
    ran = notebook.run(*cells)
    assert [each.status for each in (ran[1], ran[3], ran[5])] == ["cached"] * 3
    assert not [note for each in ran for note in notes(each)]
    assert pending(notebook) == {"v"}


@pytest.mark.parametrize("place", ["before", "after", "in a step"])
def test_functions_that_read_it_find_it(notebook: Notebook, place: str) -> None:
    define = "def total():\n    return sum(v)"
    if place == "in a step":
        define = f"%%step define\n{define}"
    cells = ["size = 2", *([define, MAKE] if place == "before" else [MAKE, define]), "got = total()"]
    for _ in range(2):
        notebook.run(*cells)
        assert notebook.ns["got"] == 6
        notebook.restart()


def test_our_own_magics_do_not_make_what_a_function_reads(notebook: Notebook) -> None:
    cells = ["size = 2", "def total():\n    return sum(v)", MAKE]
    notebook.run(*cells)
    notebook.restart()
    notebook.run(*cells, "%pipeline status", "%artifacts")
    assert pending(notebook) == {"v"}


def test_what_the_notebook_holds_by_now_stays(reused: Notebook) -> None:
    reused.run("size = 50", "x = 'changed'", "n = 'mine'", "got = list(v)")
    # The generator looks `size` up when it runs, as in a plain kernel.
    assert reused.ns["got"] == [0, 50, 100]
    assert (reused.ns["x"], reused.ns["size"], reused.ns["n"]) == ("changed", 50, "mine")


def test_it_is_made_with_the_inputs_of_then(notebook: Notebook) -> None:
    cells = ["size = 2", "%%step make\nv = (n for n in (size, size * 2))"]
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[-1].status == "cached"
    notebook.run("size = 7", "got = next(v)")
    assert (notebook.ns["got"], notebook.ns["size"]) == (2, 7)


def test_an_earlier_value_of_the_name_is_not_seen(notebook: Notebook) -> None:
    notebook.run("size = 2", MAKE)
    notebook.restart()
    notebook.run("size = 2", "v = 'older'", MAKE)
    assert "v" not in notebook.ns
    notebook.run("got = list(v)")
    assert notebook.ns["got"] == [0, 2, 4]


def test_each_time_its_step_is_reused_it_is_new(reused: Notebook) -> None:
    reused.run("got = next(v)", MAKE, "got = (got, list(v))")
    assert reused.ns["got"] == (0, [0, 2, 4])


def test_random_states_and_settings_are_those_of_reuse(notebook: Notebook) -> None:
    seed = "%%step seed\nimport random\nrandom.seed(3)"
    make = (
        "%%step make\nimport numpy as np\nnp.set_printoptions(precision=3)\n"
        "a = random.random()\nv = (n for n in (a,))\nb = random.random()"
    )
    after = [
        "c = random.random()",
        "got = (list(v), a, b, c, random.random(), np.get_printoptions()['precision'])",
    ]
    notebook.run(seed.partition("\n")[2], make.partition("\n")[2], *after)
    wanted = notebook.ns["got"]
    notebook.restart()
    for _ in range(2):
        notebook.run(seed, make, *after)
        assert notebook.ns["got"] == wanted
        notebook.restart()


@pytest.mark.parametrize("place", ["plain", "a step"])
def test_it_is_made_by_the_functions_of_then(notebook: Notebook, place: str) -> None:
    define = "def g():\n    return {}\ndef f(n):\n    return n + g()"
    if place == "a step":
        define = f"%%step define\n{define}"
    cells = [
        define.format(1),
        "%%step make\nv = (n for n in (f(3),))",
        define.format(2),
        "got = list(v), f(3)",
    ]
    for _ in range(2):
        notebook.run(*cells)
        assert notebook.ns["got"] == ([4], 5)
        notebook.restart()


def test_a_database_that_has_changed_since_is_connected_to(notebook: Notebook) -> None:
    with sqlite3.connect("x.db") as made:
        made.execute("create table t (a)")
    made.close()
    make = "%%step make\nimport sqlite3\nv = sqlite3.connect('x.db')"
    more = "with sqlite3.connect('x.db') as _w:\n    _w.execute('insert into t values (7)')\n_w.close()"
    for number in (1, 2):
        ran = notebook.run(make, more, "got = v.execute('select * from t').fetchall()\nv.close()")
        assert notebook.ns["got"] == [(7,)] * number
        assert ran[0].status == "completed"  # the file is another one each time
        notebook.restart()
    notebook.run(make)
    notebook.restart()
    assert notebook.run(make)[0].status == "cached"
    notebook.run(more, "got = v.execute('select * from t').fetchall()\nv.close()")
    assert notebook.ns["got"] == [(7,)] * 3


def test_a_file_that_has_changed_since_is_not_read_as_if_it_had_not(notebook: Notebook) -> None:
    Path("a.txt").write_text("one")
    make = "%%step make\nwith open('a.txt') as _f:\n    v = (n for n in _f.read())"
    notebook.run(make)
    notebook.restart()
    notebook.run(make)
    Path("a.txt").write_text("two")
    ran = notebook.cell("got = next(v)")
    assert isinstance(ran.error, LostOutput)
    assert "a.txt changed" in str(ran.error)
    assert notebook.run(make)[0].reason == "a.txt changed"
    notebook.run("got = next(v)")
    assert notebook.ns["got"] == "t"


def test_a_step_that_makes_something_else_each_time_says_so(notebook: Notebook) -> None:
    make = "%%step make\nx = id(object())\nimport os\nx = os.times().elapsed\nv = (n for n in (x,))"
    notebook.run(make)
    notebook.restart()
    assert notebook.run(make)[0].status == "cached"
    ran = notebook.cell("got = list(v)")
    assert isinstance(ran.error, LostOutput)
    assert "it makes another `x` each time" in str(ran.error)


def test_an_interrupt_on_the_way_leaves_everything_as_it_was(
    reused: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    reused.run("x = 7", "n = 'mine'")
    before = {name: value for name, value in reused.ns.items() if not name.startswith("_")}

    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(unstored_outputs, "resolve_step", interrupted)
        assert isinstance(reused.cell("got = list(v)").error, KeyboardInterrupt)
    assert {name: value for name, value in reused.ns.items() if not name.startswith("_")} == before
    assert pending(reused) == {"v"}
    reused.run("got = list(v)")
    assert (reused.ns["got"], reused.ns["x"]) == ([0, 2, 4], 7)


def test_a_pipeline_run_makes_it_for_a_step_that_reads_it(notebook: Notebook) -> None:
    read = "%%step read\ntotal = sum(v) + 1"
    notebook.run("size = 2", MAKE, read)
    assert notebook.ns["total"] == 7
    notebook.restart()
    notebook.run("size = 2", MAKE)
    ran = notebook.run(read)[0]
    assert ran.status == "completed"
    assert ran.reason == "not cacheable: it reads `v`, a generator"
    del notebook.ns["total"]
    notebook.run(MAKE, "%pipeline run")
    assert notebook.ns["total"] == 7


@pytest.mark.parametrize("cell", ["v?", "v.close?", "%%step r\nv.close?", "%%step r\nv??", "%pinfo v"])
def test_help_on_it_finds_it(reused: Notebook, cell: str) -> None:
    ran = reused.run(cell)[0]
    assert notes(ran) == ["make ran again: `v` cannot be stored and this cell reads it"]
    assert "not found" not in ran.out


def test_a_cached_function_of_the_user_shares_nothing_with_a_connection(notebook: Notebook) -> None:
    cells = (
        "import functools, sqlite3\n@functools.lru_cache\ndef double(x):\n    return 2 * x\ndouble(1)",
        "%%step connect\nconnection = sqlite3.connect(':memory:')",
        "connection.execute('select 1').fetchall()",
    )
    notebook.run(*cells)
    notebook.restart()
    _, again, read = notebook.run(*cells)
    assert again.status == "cached"
    assert read.result == [(1,)]
    notebook.run("connection.close()")
