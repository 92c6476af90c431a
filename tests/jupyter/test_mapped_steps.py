"""Steps that are mapped over the elements of a variable: results, what runs again, failures, random numbers."""

from __future__ import annotations

import re
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.jupyter.mapped import FRAME, IMPORTS, elements_run, use
from zennb.engine.environment.callers import INSIDE
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran


def same(found: Any, expected: Any) -> bool:
    return repr(found) == repr(expected)


@pytest.mark.parametrize("flavor", ["local", "threads", "processes"])
@pytest.mark.parametrize(
    ("made", "body"),
    [
        ("xs = [1, 2, 3]", "y = xs * 2"),
        ("xs = (1, 'a', None)", "y = [xs]"),
        ("xs = range(3)", "y = xs"),
        ("xs = {'a': 1, 'b': 2}", "y = xs[0] * xs[1]"),
        ("xs = np.arange(3.0)", "y = type(xs), xs / 2"),
        ("xs = np.arange(12).reshape(2, 3, 2)", "y = xs.sum(axis=0)"),
        ("xs = np.array(['2020-01-01', '2021-01-01'], 'M8[D]')", "y = xs + 1"),
        ("xs = pd.Series([1.5, 2], index=list('ab'))", "y = xs"),
        ("xs = pd.Index(list('ab'))", "y = xs"),
        ("xs = pl.Series([1, 2])", "y = xs"),
        (f"{FRAME}\nxs = frame.groupby('k')", "y = xs[0], xs[1].v.sum(), len(xs[1])"),
        (f"{FRAME}\nxs = frame.groupby('k').v", "y = xs[0], xs[1].max()"),
        ("xs = [np.arange(3), np.zeros(2)]", "xs[0] = 7\ny = xs"),
        ("xs = []", "y = xs"),
    ],
)
def test_results_are_those_of_a_loop(notebook: Notebook, flavor: str, made: str, body: str) -> None:
    if flavor == "processes" and "[1, 2, 3]" not in made and "groupby('k')" not in made:
        pytest.skip("one kind of each is enough where a process has to start")
    loop = "\n    ".join(body.split("\n"))
    over = "xs.items()" if made.startswith("xs = {") else "xs"
    notebook.run(
        IMPORTS, made, f"_plain, _xs = [], xs\nfor xs in {over}:\n    {loop}\n    _plain.append(y)\nxs = _xs"
    )
    expected = notebook.ns["_plain"]
    notebook.run(*use(flavor), made)  # again: the loop may have changed its elements in place
    (ran,) = notebook.run(f"%%step mapped --map xs\n{body}")
    assert ran.status == "completed"
    assert same(notebook.ns["y"], expected)
    (again,) = notebook.run(f"%%step mapped --map xs\n{body}")
    assert again.status == "cached"
    notebook.restart()
    notebook.run(IMPORTS, made)
    (later, _) = notebook.run(f"%%step mapped --map xs\n{body}", "y")
    assert later.status == "cached"
    assert same(notebook.ns["y"], expected)


BODY = "def helper(x): return x * unit\n"
MAPPED = "%%step mapped --map xs\nprint('element', xs)\ny = helper(xs)"


@pytest.mark.parametrize(
    ("change", "ran", "of"),
    [
        ("xs.append(4)", 1, 4),
        ("xs.insert(0, 0)", 1, 4),
        ("xs.reverse()", 0, 3),
        ("xs = tuple(xs)", 0, 3),
        ("xs = np.array(xs)", 3, 3),  # other types of numbers
        ("xs.remove(2)", 0, 2),
        ("xs = [2, 2, 5, 5]", 1, 4),
        ("xs[1] = 9", 1, 3),
        ("unit = 3", 3, 3),
        ("def helper(x): return x * unit * 2", 3, 3),
        ("other = 3", None, 3),
    ],
)
def test_only_what_changed_runs_again(notebook: Notebook, change: str, ran: int | None, of: int) -> None:
    notebook.run(IMPORTS, f"unit = 1\n{BODY}", "xs = [1, 2, 3]", MAPPED, change)
    before = elements_run()
    assert before == 3
    (again,) = notebook.run(MAPPED)
    assert elements_run() - before == (ran or 0)
    assert again.status == ("cached" if ran is None else "completed")
    assert len(notebook.ns["y"]) == of
    expected = [notebook.ns["helper"](x) for x in notebook.ns["xs"]]
    assert same(notebook.ns["y"], expected)
    assert again.out.split() == [word for x in notebook.ns["xs"] for word in ("element", str(x))]


@pytest.mark.parametrize(
    ("change", "fresh"),
    [
        ("pass", "3 of 3 elements are fresh"),
        ("xs.append(4)", "3 of 4 elements are fresh"),
        ("xs.reverse()", "3 of 3 elements are fresh"),
        ("xs = [7]", "0 of 1 elements are fresh"),
        ("unit = 2", "0 of 3 elements are fresh"),
    ],
)
def test_status_plan_and_explanation_count_the_fresh_elements(
    notebook: Notebook, change: str, fresh: str
) -> None:
    notebook.run(f"import zennb\nunit = 1\n{BODY}", "xs = [1, 2, 3]", MAPPED, change)
    for command in ("%pipeline status", "%pipeline explain mapped", "%pipeline show"):
        (shown,) = notebook.run(command)
        assert fresh in " ".join(re.sub("<[^>]*>", " ", each["data"]["text/html"]) for each in shown.displays)
    notebook.run("remark = zennb.plan().steps[0].remark")
    assert fresh in notebook.ns["remark"]


@pytest.mark.parametrize("flavor", ["local", "threads", "processes"])
def test_a_failing_element_names_itself_and_the_others_are_kept(notebook: Notebook, flavor: str) -> None:
    # Linux does not say which of several elements side by side opens a file that all of them name.
    number = "'number'" if flavor == "local" else "chr(110)"
    cell = f"%%step mapped --map xs\nif xs == 3:\n    float(Path({number}).read_text())\ny = xs * 2"
    notebook.run(
        IMPORTS,
        *use(flavor),
        f"xs = [1, 2, 3, 4]\nnumber = Path({number})\nnumber.write_text('no')\ndel number",
    )
    failed = notebook.cell(cell)
    assert type(failed.error) is ValueError
    note = "element 2 (`xs[2]` = 3) failed; 3 of 4 are stored, and are not run again"
    assert note in failed.error.__notes__
    assert note not in "".join(
        shown["data"].get("text/plain", "") for shown in failed.displays
    )  # it is said above
    assert failed.status == "failed"
    assert note in failed.reason
    assert "y" not in notebook.ns
    (shown,) = notebook.run("%pipeline status")
    assert "3 of 4 elements" in " ".join(each["data"]["text/plain"] for each in shown.displays)
    assert elements_run() == 3
    (again,) = notebook.run(f"_ = Path({number}).write_text('1')", cell)[1:]
    assert "1 of 4 elements ran, 3 cached" in again.reason
    assert notebook.ns["y"] == [2, 4, 6, 8]


@pytest.mark.parametrize(
    ("options", "end"), [("", "os._exit(3)"), ("--timeout 1.5", "time.sleep(60)")], ids=["crash", "timeout"]
)
def test_an_element_whose_worker_ends_is_named(notebook: Notebook, options: str, end: str) -> None:
    notebook.run(IMPORTS, *use("processes"), "xs = [1, 2, 3]")
    failed = notebook.cell(f"%%step mapped --map xs {options}\nif xs == 3:\n    {end}\ny = xs * 2")
    assert isinstance(failed.error, ZennbError)
    lines = failed.error._render_traceback_()  # what IPython shows of it
    shown = "".join([*lines, *(each["data"].get("text/plain", "") for each in failed.displays)])
    assert shown.count("element 2 (`xs[2]` = 3) failed; 2 of 3 are stored, and are not run again") == 1
    assert "othing of" not in shown  # of the step as a whole it would be false


@pytest.mark.parametrize("flavor", ["local", "threads", "processes"])
def test_an_interrupt_keeps_what_is_done(notebook: Notebook, flavor: str) -> None:
    # A thread cannot be ended: it goes on until it sees the file.
    wait = "    Path('third').touch()\n    for _ in range(400):\n        time.sleep(0.05)\n"
    wait += "        if Path('go').exists(): raise SystemExit"
    cell = f"%%step mapped --map xs\nif xs == 3 and not Path('go').exists():\n{wait}\ny = xs * 2\n"
    cell += "Path(f'done{xs}').touch()"
    notebook.run(IMPORTS, *use(flavor), "xs = [1, 2, 3]")

    def interrupt() -> None:
        INSIDE.busy = True  # in a thread of its own the elements would be taken to have asked for these files
        while not Path("third").exists():
            time.sleep(0.01)
        while flavor == "threads" and len([*Path().glob("done?")]) < 2:
            time.sleep(0.01)
        time.sleep(0.5)  # the others are recorded
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    stopped = notebook.cell(cell)
    assert isinstance(stopped.error, KeyboardInterrupt)
    assert stopped.status == "interrupted"
    kept = elements_run()
    assert kept == 2 or (flavor == "processes" and kept)
    (again,) = notebook.run("Path('go').touch()", cell)[1:]
    assert f"{3 - kept} of 3 elements ran, {kept} cached" in again.reason
    assert notebook.ns["y"] == [2, 4, 6]


def test_elements_run_side_by_side(notebook: Notebook) -> None:
    notebook.run(IMPORTS, *use("threads"), "xs = [1, 2, 3]")
    # Each waits for the two others.
    body = "Path(f'at{xs}').touch()\n_end = time.time() + 20\n"
    body += "while len(list(Path().glob('at?'))) < 3 and time.time() < _end:\n    time.sleep(.01)\n"
    notebook.run(f"%%step mapped --map xs\n{body}met = time.time() < _end")
    assert notebook.ns["met"] == [True, True, True]


@pytest.mark.parametrize("flavor", ["local", "threads", "processes"])
def test_random_numbers_depend_on_the_element_and_the_seed_alone(notebook: Notebook, flavor: str) -> None:
    cell = "%%step {} --map xs\ny = np.random.rand(), random.random()"
    notebook.run(
        IMPORTS, *use(flavor), "xs = [1, 2, 3, 4]\nnp.random.seed(1); random.seed(1)", cell.format("a")
    )
    first = notebook.ns["y"]
    assert len(set(first)) == 4
    # The generators of the notebook are as they were.
    notebook.run("drawn = np.random.rand(), random.random()", "np.random.seed(1); random.seed(1)")
    notebook.run("expected = np.random.rand(), random.random()", "np.random.seed(1); random.seed(1)")
    assert notebook.ns["drawn"] == notebook.ns["expected"]
    assert notebook.run(cell.format("a"))[0].status == "cached"
    (reordered,) = notebook.run("xs = [4, 2, 5]", cell.format("a"))[1:]
    assert "1 of 3 elements ran" in reordered.reason
    assert notebook.ns["y"][:2] == [first[3], first[1]]
    notebook.run(cell.format("a") + ", 'other code'")
    assert notebook.ns["y"][0][:2] != first[3]
    (seeded,) = notebook.run("np.random.seed(2); random.seed(1)", cell.format("a"))[1:]
    assert "3 elements ran" in seeded.reason
    assert notebook.ns["y"][0] != first[3]
    notebook.run("%stack set default", "np.random.seed(1); random.seed(1)", "xs = [4, 3, 2, 1]")
    notebook.run(cell.format("a").replace("--map", "--rerun --map"))
    assert notebook.ns["y"] == first[::-1]


@pytest.mark.parametrize("flavor", ["local", "processes"])
def test_unseeded_elements_differ_and_stay_cached(notebook: Notebook, flavor: str) -> None:
    notebook.run(*use(flavor), "xs = [1, 2, 3]")
    cell = "%%step mapped --map xs\nimport random\nimport numpy as np\ny = np.random.rand(), random.random()"
    notebook.run(cell)
    drawn = notebook.ns["y"]
    assert len({n for n, _ in drawn}) == len({r for _, r in drawn}) == 3
    assert notebook.run("random.random()", cell)[1].status == "cached"


ADD = "os.environ['MAPPED_SUM'] = str(int(os.environ['MAPPED_SUM']) + xs)\ny = 1"
SET = "def keep(value): os.environ.update(MAPPED_SUM=f'is {value}')\nkeep(xs)\ny = 1"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["t = 0", "%%step s --map xs\nt = t + xs"], "reads `t`, which it also binds"),
        (["t = []", "%%step s --map xs\nt.append(xs)\ny = 1"], "changes `t` in place"),
        (["%%step s --map xs\ny = (i for i in range(xs))"], "`y` is a generator"),
        (["xs = 3", "%%step s --map xs\ny = 1"], "`xs` is a int"),
        (["xs = 'abc'", "%%step s --map xs\ny = 1"], "`xs` is a str"),
        (["xs = {1, 2}", "%%step s --map xs\ny = 1"], "`xs` is a set"),
        ([FRAME, "%%step s --map frame\ny = 1"], "is a data frame"),
        (["%%step s --map nothing\ny = 1"], "has no variable `nothing` yet"),
        (["%%step s --map xs --no-store y\ny = 1"], "--no-store"),
        (["%%step s --map xs --ignore xs\ny = 1"], "--ignore xs"),
        (["%%step s --map xs[1:]\ny = 1"], "--map takes the name of a variable, not `xs[1:]`"),
        (["%%step s -i frame.a\ny = 1"], "--input takes the name of a variable, not `frame.a`"),
        (["%%step s[1]\ny = 1"], "is how an element of a mapped step is named"),
        (
            ["import csv", "%%step s --map xs\ncsv.register_dialect(f'd{xs}', delimiter=';')\ny = 1"],
            "with a part of the element",
        ),
        (
            ["import os\nos.environ['MAPPED_SUM'] = '0'", f"%%step s --map xs\n{ADD}"],
            "it sets the environment variable MAPPED_SUM, whose value is not stored, and each element begins with",
        ),
        (["import os", f"%%step s --map xs\n{SET}"], "Set it in a cell above, or bind a name instead"),
    ],
)
def test_what_elements_cannot_do_is_refused(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, cells: list[str], why: str
) -> None:
    monkeypatch.setenv("MAPPED_SUM", "")
    notebook.run(IMPORTS, "xs = [1, 2]", *cells[:-1])
    before = {name: repr(notebook.ns[name]) for name in ("t", "xs") if name in notebook.ns}
    ran = notebook.cell(cells[-1])
    assert ran.error is not None
    assert why in str(ran.error)
    assert "y" not in notebook.ns
    assert {name: repr(notebook.ns[name]) for name in before} == before


def test_names_that_some_elements_do_not_bind_are_none_there(notebook: Notebook) -> None:
    notebook.run("xs = [1, 2, 3]")
    (ran,) = notebook.run("%%step mapped --map xs\n_half = xs / 2\nif xs > 1:\n    y = _half\nz = xs")
    assert notebook.ns["y"] == [None, 1.0, 1.5]
    assert "_half" not in notebook.ns
    assert "`y` is None for 1 of 3" in ran.reason


def test_what_the_cell_defines_is_bound_as_it_is(notebook: Notebook) -> None:
    cell = (
        "%%step mapped --map xs\nimport json as js\ndef double(x): return 2 * x\n"
        "class Box:\n    def __init__(self, value): self.value = value\ndef own(): return xs\n"
        "box = Box(double(xs))\ny = own()"
    )
    for _ in range(2):
        notebook.run("xs = [1, 2]", cell, "found = js.dumps(double(4)), [each.value for each in box], y")
        assert notebook.ns["found"] == ("8", [2, 4], [1, 2])
        assert type(notebook.ns["box"][0]) is notebook.ns["Box"]
        assert "own" not in notebook.ns  # it uses the element, and so differs from element to element
        notebook.restart()


def test_o_restricts_the_outputs(notebook: Notebook) -> None:
    notebook.run("xs = [1, 2]", "%%step mapped -o y --map xs\nrest = xs\ny = rest + 1")
    assert notebook.ns["y"] == [2, 3]
    assert "rest" not in notebook.ns


def test_the_element_can_be_bound_again(notebook: Notebook) -> None:
    notebook.run("xs = [1, 2]", "%%step mapped --map xs\nxs = xs + 1")
    assert notebook.ns["xs"] == [2, 3]


def output_of(ran: Ran) -> str:
    return ran.out + "".join(each["data"].get("text/plain", "") for each in ran.displays)


@pytest.mark.parametrize("flavor", ["local", "threads"])
def test_output_comes_in_the_order_of_the_elements_and_is_bounded(notebook: Notebook, flavor: str) -> None:
    notebook.run(IMPORTS, *use(flavor), "xs = [3, 2, 1]")
    cell = "%%step mapped --map xs\ntime.sleep(xs / 20)\nprint('first', xs)\ndisplay(10 * xs)\nxs"
    for _ in range(2):
        (ran,) = notebook.run(cell)
        assert ran.out == "first 3\nfirst 2\nfirst 1\n"
        shown = [each["data"]["text/plain"] for each in ran.displays][:6]
        assert shown == ["30", "3", "20", "2", "10", "1"]
    (much,) = notebook.run("xs = list(range(40))", "%%step mapped --map xs\nprint('x' * 2000)\ny = 1")[1:]
    assert 20_000 < len(much.out) < 21_000
    assert "31 elements have shown more than fits here" in much.out
    assert "%runs logs" in much.out


@pytest.mark.parametrize("flavor", ["local", "processes"])
def test_what_an_element_sets_does_not_reach_the_next_one(notebook: Notebook, flavor: str) -> None:
    cell = (
        "%%step mapped --map xs\nimport numpy as np\nseen = np.get_printoptions()['precision']\n"
        "np.set_printoptions(precision=xs)"
    )
    *_, ran = notebook.run(
        "import numpy as np\nnp.set_printoptions(precision=8)", *use(flavor), "xs = [3, 4]", cell
    )
    assert (
        "numpy print options: each element starts from the notebook's, the last one's is kept" in ran.reason
    )
    assert notebook.ns["seen"] == [8, 8]
    assert np.get_printoptions()["precision"] == 4  # as a loop leaves it
    notebook.restart()
    notebook.run("import numpy as np\nnp.set_printoptions(precision=8)", "xs = [3, 4]")
    assert notebook.run(cell)[0].status == "cached"
    assert np.get_printoptions()["precision"] == 4
    np.set_printoptions(precision=8)


def test_files_that_elements_write_are_restored(notebook: Notebook) -> None:
    body = "_ = Path('a.txt' if xs == 1 else 'b.txt').write_text(str(xs))\ny = xs"
    cell = f"%%step mapped --map xs\nfrom pathlib import Path\n{body}"
    notebook.run("xs = [1, 2]", cell)
    Path("a.txt").unlink()
    assert notebook.run(cell)[0].status == "cached"
    assert Path("a.txt").read_text() == "1"
    Path("b.txt").unlink()
    (ran,) = notebook.run("xs = [2, 1]", cell)[1:]
    assert "all 2 elements cached" in ran.reason
    assert Path("b.txt").read_text() == "2"


def test_a_file_that_elements_side_by_side_write_is_as_the_last_of_them_leaves_it(notebook: Notebook) -> None:
    # The first one writes when the other has ended.
    wait = "if xs == 1:\n    while not Path('end').exists():\n        time.sleep(.01)\n    time.sleep(.5)\n"
    body = f"{wait}_ = Path('o.txt').write_text(str(xs))\nif xs == 2:\n    _ = Path('end').touch()\ny = xs"
    cell = f"%%step mapped --map xs\n{body}"
    notebook.run(IMPORTS, *use("threads"), "xs = [1, 2]", cell)
    assert Path("o.txt").read_text() == "2"
    Path("o.txt").unlink()
    notebook.run(cell)
    assert Path("o.txt").read_text() == "2"


def test_a_file_that_one_element_reads_counts_for_it_alone(notebook: Notebook) -> None:
    for name in ("a", "b"):
        Path(f"{name}.txt").write_text(name)
    cell = "%%step mapped --map files\ntext = Path(files).read_text()"
    notebook.run("from pathlib import Path\nfiles = ['a.txt', 'b.txt']", cell)
    Path("b.txt").write_text("new")
    (ran,) = notebook.run(cell)
    assert "b.txt changed; 1 of 2 elements ran, 1 cached" in ran.reason
    assert notebook.ns["text"] == ["a", "new"]
