"""Runs in a process of their own make what the cells make, or are refused; what changed meanwhile is kept."""

from __future__ import annotations

import textwrap
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

import zennb
from tests.jupyter.background import GATE, ended, opened, run_of, said
from zennb import api

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.usefixtures("no_run_left")

HERE = "import sys\nsys.path.insert(0, str(Path.cwd()))\n"
KINDS = {
    "a local module": (
        [f"{HERE}Path('bg_one.py').write_text('RATE = 2\\ndef f(x): return x * RATE')", "import bg_one"],
        "y = bg_one.f(4)",
        "y",
    ),
    "a constant of a module that the notebook set": (
        [
            f"{HERE}Path('bg_two.py').write_text('RATE = 2\\ndef f(x): return x * RATE')",
            "import bg_two\nbg_two.RATE = 5",
        ],
        "y = bg_two.f(4)",
        "y",
    ),
    "a class of the notebook and an instance": (
        [
            "class P:\n    def __init__(self, v): self.v = v\n    def up(self): return P(self.v + 1)",
            "p = P([1])",
        ],
        "q = p.v + P(3).v if False else P(p.v)",
        "q.v",
    ),
    "variables that share state": (
        ["a = [1]\nb = a"],
        "a.append(2)\nlength = len(b)",
        "length, a, b, a is b",
    ),
    "a frame": (
        ["import pandas as pd\ndf = pd.DataFrame({'x': [1, 2]})"],
        "df['z'] = df.x * 2",
        "df.z.tolist()",
    ),
    "text that names a variable": (
        ["import pandas as pd\ndf = pd.DataFrame({'x': [1, 2, 3]})\nlimit = 1"],
        "n = len(df.query('x > @limit'))",
        "n",
    ),
    "a setting": (["import decimal\ndecimal.getcontext().prec = 3"], "t = str(decimal.Decimal(1) / 3)", "t"),
    "a seeded generator": (["import random\nrandom.seed(3)"], "luck = random.random()", "luck"),
    "an environment variable": (["import os\nos.environ['LEVEL'] = '7'"], "y = os.environ['LEVEL']", "y"),
    "a call to a library": (
        ["import csv\ncsv.register_dialect('wide', delimiter=';')"],
        "rows = list(csv.reader(['1;2'], dialect='wide'))",
        "rows",
    ),
    "a closure": (["def adder(n):\n    return lambda x: x + n", "add = adder(5)"], "y = add(1)", "y"),
    "a secret": (["password = 'c4nary-7f3a'"], "size = len(password)", "size"),
    "a file": (["Path('d.txt').write_text('1 2')"], "n = len(Path('d.txt').read_text())", "n"),
    "its own definitions": (
        [],
        "import math\ndef area(r):\n    return math.pi * r\ny = area(1)",
        "y, area(2)",
    ),
    "a large output": (["import numpy as np"], "big = np.arange(100_000)", "int(big[-1])"),
    "a parameter": (["depth = 3"], "y = depth + 1", "y"),
    "a future import": (
        ["from __future__ import annotations"],
        "def f(x: Undefined): return 1\ny = f(1)",
        "y",
    ),
    "await": (["import asyncio"], "await asyncio.sleep(0)\ny = 1", "y"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_makes_what_the_cell_makes(notebook: Notebook, kind: str) -> None:
    before, body, value = KINDS[kind]
    before = ["from pathlib import Path", *before]
    notebook.run(*before)
    (started,) = notebook.run(f"%%step s --background\n{body}")
    assert started.status == "running"
    assert ended() == "completed", api.workspace().metadata.steps(1)
    result = notebook.run(value)[0].result
    changes_inputs = kind in {"variables that share state", "a frame"}  # it would change them once more
    assert changes_inputs or notebook.run(f"%%step s\n{body}")[0].status == "cached"
    notebook.restart()
    notebook.run(*before)
    assert notebook.run(f"%%step s\n{body}")[0].status == "cached"  # the same key in another kernel
    assert notebook.run(value)[0].result == result
    notebook.restart()
    notebook.run(*before, body)
    assert notebook.run(value)[0].result == result  # as a plain cell


REFUSED = {
    "a magic": (
        [],
        "%precision 3\nx = 1.5",
        "`%precision 3` in line 2 works only in the kernel. Run it without --background.",
    ),
    "eval": ([], "x = eval('1')", "it uses `eval(...)`"),
    "a generator": (["f = (n for n in range(3))"], "n = next(f)", "run it without --background"),
    "a lambda that holds a lock": (
        ["import threading\nlock = threading.Lock()\ndef g():\n    return lock.locked()"],
        "y = g()",
        "run it without --background",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_do_something_else_is_refused_before_it_starts(notebook: Notebook, kind: str) -> None:
    before, body, sentence = REFUSED[kind]
    notebook.run(*before)
    ran = notebook.cell(f"%%step s --background\n{body}")
    assert ran.error is not None
    assert sentence in str(ran.error)
    assert "on a stack" not in str(ran.error)
    assert api.workspace().metadata.runs(kind="pipeline") == []


def test_a_store_that_only_this_kernel_has_is_refused(notebook: Notebook) -> None:
    notebook.run("%artifact-store register here --flavor=memory", "%stack register m -o default -a here")
    ran = notebook.cell("%%step s --background --stack m\nx = 1")
    assert "exists in this kernel only" in str(ran.error)
    assert ran.status == "failed"


def test_a_replaced_part_of_a_library_is_refused(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textwrap, "dedent", textwrap.dedent)  # put back after the test
    notebook.run("import textwrap\ndef mine(text): return text.upper()", "textwrap.dedent = mine")
    notebook.run("%%step s --background\ny = textwrap.dedent('a')")
    assert ended() == "failed"
    failure = api.workspace().metadata.steps(1)[0].failure
    assert failure is not None
    assert "would not run the same" in failure.message
    assert "dedent" in failure.message


def test_a_name_that_changed_meanwhile_is_said_and_kept(notebook: Notebook) -> None:
    cell = f"%%step s --background\nimport csv\nfrom json import dumps\n{GATE}model = [1]\nscore = 2"
    meanwhile = "import csv\nfrom json import dumps\nmodel = 'mine'"
    notebook.run("import time\nfrom pathlib import Path\nmodel = 'old'", cell, meanwhile)
    opened()
    assert ended() == "completed"
    (ran,) = notebook.run("print(model, score)")
    assert ran.out == "mine 2\n"
    assert "csv" not in said(ran)
    assert "dumps" not in said(ran)
    assert "→ score" in said(ran)
    assert "`model` changed in the notebook since the run began" in said(ran)
    assert notebook.run(cell)[0].status == "cached"
    assert notebook.ns["model"] == [1]


@pytest.mark.parametrize(
    "meanwhile",
    ["xs.append(9)", "del model", "model = [0]"],
    ids=["input", "deleted", "rebound to an equal value"],
)
def test_what_is_no_change_of_an_output_or_none_at_all(notebook: Notebook, meanwhile: str) -> None:
    cell = f"%%step s --background\n{GATE}model = [n + 1 for n in xs]"
    notebook.run("import time\nfrom pathlib import Path\nxs = [1]\nmodel = [0]", cell, meanwhile)
    opened()
    assert ended() == "completed"
    (ran,) = notebook.run("print(globals().get('model'))")
    deleted = meanwhile.startswith("del")
    assert ran.out == ("None\n" if deleted else "[2]\n")  # of the inputs as they were
    assert ("`model` changed" in said(ran)) == deleted


def test_an_input_that_it_changes_and_the_notebook_too(notebook: Notebook) -> None:
    notebook.run(
        "import time\nfrom pathlib import Path\nxs = [1]", f"%%step s --background\n{GATE}xs.append(2)"
    )
    notebook.run("xs.append(7)")
    opened()
    assert ended() == "completed"
    (ran,) = notebook.run("print(xs)")
    assert ran.out == "[1, 7]\n"
    assert "`xs` changed" in said(ran)


@pytest.mark.parametrize(
    ("alias", "other"),
    [("zs = xs", "zs"), ("zs = [xs]", "zs[0]"), ("import numpy as np\nxs = np.zeros(3)\nzs = xs[:2]", "zs")],
    ids=["name", "list", "view"],
)
def test_a_name_that_an_input_got_meanwhile_is_said(notebook: Notebook, alias: str, other: str) -> None:
    *made, alias = alias.rpartition("\n")
    body = "xs[0] = 5" if made[0] else "xs.append(2)"
    notebook.run("import time\nfrom pathlib import Path\nxs = [1]\nother = [1]", made[0])
    notebook.run(f"%%step s --background\n{GATE}{body}\ny = 1", alias)
    opened()
    assert ended() == "completed"
    (ran,) = notebook.run("y")
    assert "`zs` keeps what `xs` held before the run, which changed `xs` in place; bind `zs` anew" in said(
        ran
    )
    assert 5 in notebook.ns["xs"] or 2 in notebook.ns["xs"]
    assert list(notebook.ns["zs"][0] if "[0]" in other else notebook.ns["zs"]) in ([1], [0, 0])


def test_names_that_go_another_way_are_not_said(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path\nxs = [1]\nzs = xs\nvs = [1]")
    notebook.run(f"%%step s --background\n{GATE}xs.append(2)\nvs = [*vs, 2]", "ws = vs")
    opened()
    assert ended() == "completed"
    (ran,) = notebook.run("print(xs, zs, xs is zs, vs, ws)")
    assert ran.out == "[1, 2] [1, 2] True [1, 2] [1]\n"
    assert "keep" not in said(ran)


TURN = "while not Path(f'turn{k}').exists():\n    time.sleep(0.02)\n"


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "the other way"])
@pytest.mark.parametrize("collected", [True, False], ids=["bound in between", "bound together"])
def test_of_one_step_that_was_started_twice_the_later_run_is_bound(
    notebook: Notebook, order: tuple[int, int], collected: bool
) -> None:
    cell = f"%%step s --background\n{TURN}y = k"
    notebook.run("import time\nfrom pathlib import Path\ny = 0\nk = 1", cell, "k = 2", cell)
    for number in order:
        Path(f"turn{number}").touch()
        assert ended(number) == "completed"
        if collected:
            assert notebook.run("print(y)")[0].out == f"{2 if order[0] == 2 else number}\n"
    assert notebook.run("print(y)")[0].out == "2\n"


def test_a_run_that_read_what_an_earlier_one_binds_leaves_that_alone(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path\nxs = [0]\nk = 1")
    notebook.run(f"%%step first --background\n{TURN}xs = [1]", "k = 2")
    notebook.run(f"%%step second --background\n{TURN}xs.append(2)")
    for number in (1, 2):
        Path(f"turn{number}").touch()
        assert ended(number) == "completed"
        (ran,) = notebook.run("print(xs)")
        assert ran.out == "[1]\n"
    assert "`xs` changed in the notebook since the run began" in said(ran)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ("def f(): return 2", "function `f`, which step 's' uses, changed since the run began"),
        ("rate = 4", ""),
    ],
    ids=["function", "input"],
)
def test_code_that_changed_meanwhile_is_said_and_the_step_is_stale(
    notebook: Notebook, edit: str, what: str
) -> None:
    cell = f"%%step s --background\n{GATE}y = f() + rate"
    notebook.run("import time\nfrom pathlib import Path\nrate = 3\ndef f(): return 1", cell, edit)
    opened()
    assert ended() == "completed"
    (ran,) = notebook.run("print(y)")
    assert ran.out == "4\n"  # of the code and inputs as they were
    assert what in said(ran)
    (status,) = notebook.run("%pipeline status")
    assert "fresh" not in said(status)
    assert notebook.run(cell)[0].status == "running"


@pytest.mark.parametrize("flavor", ["threads", "processes"])
def test_the_steps_run_where_the_stack_runs_them(notebook: Notebook, flavor: str) -> None:
    if flavor == "processes":
        pytest.importorskip("loky")
    notebook.run(f"%orchestrator register other --flavor={flavor}", "%stack register far -o other -a default")
    notebook.run(
        "import os\nos.environ['LEVEL'] = '7'\nrate = 2\ndef f(x): return [x * rate, os.environ['LEVEL']]"
    )
    notebook.run("%%step a --background --stack far\nprint('there')\nx = f(3)")
    assert ended() == "completed"
    assert run_of(1).stack.name == "far"
    assert notebook.run("x")[0].result == [6, "7"]
    (again,) = notebook.run("%%step a\nprint('there')\nx = f(3)")
    assert (again.status, again.out) == ("cached", "there\n")
    placed = "%%step o --background --on other\nimport os\np = os.getpid()"
    notebook.run(placed)
    number = api.workspace().metadata.runs(kind="pipeline")[0].id
    assert number is not None
    assert ended(number) == "completed"
    assert (notebook.run("p")[0].result == run_of(number).process) == (flavor == "threads")
    assert api.workspace().metadata.steps(number)[0].ran_on == f"other ({flavor})"
    notebook.run(
        "%pipeline forget o", "%%step b\ny = x + [1]", "%pipeline run --background --stack far --rerun"
    )
    number = api.workspace().metadata.runs(kind="pipeline")[0].id
    assert number is not None
    assert ended(number) == "completed"
    assert "there\n" in notebook.run(f"%runs attach {number}")[0].out


def test_the_status_of_the_file_knows_what_a_background_run_made(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = (
        "rate = 2\ndef f(x):\n    return x * rate",
        "%%step s --background\ny = f(3)",
        "%%step t\nz = y + 1",
    )
    nodes = [nbformat.v4.new_code_cell(text) for text in ("%load_ext zennb", *cells)]
    nbformat.write(nbformat.v4.new_notebook(cells=nodes), "study.ipynb")
    monkeypatch.setenv("ZENNB_NOTEBOOK", str(Path("study.ipynb").absolute()))
    notebook.run(*cells[:2])
    assert ended() == "completed"
    notebook.run(cells[2])

    def states() -> dict[str, str]:
        planned = zennb.plan("study.ipynb").steps
        return {step.name: step.state.value for step in planned}

    assert states() == {"s": "fresh", "t": "fresh"}
    nodes[1].source = cells[0].replace("2", "4")
    nbformat.write(nbformat.v4.new_notebook(cells=nodes), "study.ipynb")
    assert states()["s"] == "stale"
    assert states()["t"] != "fresh"


def test_the_status_does_not_take_what_was_kept_for_what_the_run_made(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = (
        "import time\nfrom pathlib import Path",
        f"%%step s --background\n{GATE}y = 3",
        "y = 5",
        "%%step t\nz = y + 1",
    )
    nodes = [nbformat.v4.new_code_cell(text) for text in ("%load_ext zennb", *cells)]
    nbformat.write(nbformat.v4.new_notebook(cells=nodes), "study.ipynb")
    monkeypatch.setenv("ZENNB_NOTEBOOK", str(Path("study.ipynb").absolute()))
    notebook.run(*cells[:3])
    opened()
    assert ended() == "completed"
    notebook.run(cells[3])
    assert notebook.ns["z"] == 6
    del nodes[3]  # now `t` would read what `s` makes
    nbformat.write(nbformat.v4.new_notebook(cells=nodes), "study.ipynb")
    (step,) = [step for step in zennb.plan("study.ipynb").steps if step.name == "t"]
    assert step.state.value != "fresh"


def test_nothing_secret_is_written_to_the_home(notebook: Notebook) -> None:
    notebook.run(
        "password = 'c4nary-7f3a-91'", "%%step s --background\nprint(password)\nsize = len(password)"
    )
    assert ended() == "completed"
    for path in (api.workspace().home / "background").iterdir():
        with suppress(FileNotFoundError):  # a part that was given its name in the meantime
            assert b"c4nary" not in path.read_bytes(), path


def test_a_result_that_cannot_leave_the_process_is_an_error(notebook: Notebook) -> None:
    notebook.run("%%step s --background\ngen = (n for n in range(3))\ny = 1")
    assert ended() == "failed"
    failure = api.workspace().metadata.steps(1)[0].failure
    assert failure is not None
    assert "run it without --background" in failure.message
