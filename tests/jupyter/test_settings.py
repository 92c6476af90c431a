"""Random state and process-wide settings: a step depends on them, and carries what it changes."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.random_state import PlainRandom

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran


def step(text: str, name: str = "s") -> str:
    return f"%%step {name}\n{text}"


def without_number(shown: str) -> str:
    return re.sub(r"Out\[\d+\]", "Out", shown)


def again(notebook: Notebook, *cells: str) -> list[Ran]:
    """Run cells in a new kernel."""
    notebook.restart()
    return notebook.run(*cells)


# Random state


@pytest.mark.parametrize(
    ("seed", "draw"),
    [
        ("import numpy as np\nnp.random.seed(1)", "x = float(np.random.rand())"),
        ("import random\nrandom.seed(1)", "x = random.random()"),
        ("import numpy as np\nnp.random.seed(1)", "x = float(np.random.randn())"),
        (
            "import numpy as np\nimport pandas as pd\nnp.random.seed(1)",
            "x = int(pd.Series(range(99)).sample(1).iloc[0])",
        ),
    ],
)
def test_random_numbers_go_on_after_reuse_as_they_did(notebook: Notebook, seed: str, draw: str) -> None:
    cells = [step(seed, "seed"), step(draw, "one"), step(draw.replace("x =", "y ="), "two")]
    notebook.run(*cells)
    expected = notebook.ns["x"], notebook.ns["y"]
    assert expected[0] != expected[1]
    assert [r.status for r in again(notebook, *cells)] == ["cached"] * 3
    assert (notebook.ns["x"], notebook.ns["y"]) == expected
    again(notebook, cells[0], cells[1])
    notebook.run(draw.replace("x =", "y ="))  # a plain cell goes on where the reused step left the state
    assert (notebook.ns["x"], notebook.ns["y"]) == expected


def test_another_seed_reaches_every_step_that_draws(notebook: Notebook) -> None:
    cells = [
        "import numpy as np",
        step("np.random.seed(1)", "seed"),
        step("x = np.random.rand()"),
        step("y = 1", "o"),
    ]
    notebook.run(*cells)
    cells[1] = cells[1].replace("1", "2")
    notebook.restart()
    reasons = [ran.reason for ran in notebook.run(cells[0], *cells[1:])[1:]]
    assert reasons == ["its code changed", "random state of numpy changed", "same code and inputs as run 1"]


def test_a_step_that_seeds_first_does_not_depend_on_what_was_drawn_before(notebook: Notebook) -> None:
    cell = step("import numpy as np\nnp.random.seed(3)\nx = np.random.rand(2)")
    notebook.run(cell, "np.random.rand()", cell)
    ran = notebook.run("np.random.rand()", cell)
    assert ran[1].status == "cached"
    assert np.random.rand() == np.random.RandomState(3).rand(3)[2]


def test_a_forced_run_of_a_seed_is_carried_too(notebook: Notebook) -> None:
    cells = [step("import numpy as np\nnp.random.seed(5)", "seed"), step("x = float(np.random.rand())")]
    notebook.run(cells[0], cells[0].replace("seed\n", "seed --rerun\n", 1), cells[1])
    expected = notebook.ns["x"]
    again(notebook, *cells)
    assert notebook.ns["x"] == expected


@pytest.mark.parametrize("draw", ["random.random()", "float(np.random.rand())"])
def test_numbers_that_nobody_seeded_are_those_of_the_run(notebook: Notebook, draw: str) -> None:
    if "np" in draw and np.random.mtrand._rand._bit_generator.seed_seq is None:  # other tests have seeded it
        np.random.set_state(np.random.RandomState().get_state())
        np.random.mtrand._rand._bit_generator.__init__()
    imports = "import random\nimport numpy as np"
    cells = [imports, step(f"x = {draw}"), step(f"y = {draw}", "t")]
    notebook.run(*cells)
    expected = notebook.ns["x"], notebook.ns["y"]
    assert [r.status for r in again(notebook, *cells)[1:]] == ["cached", "cached"]
    assert (notebook.ns["x"], notebook.ns["y"]) == expected
    assert notebook.run(cells[1])[0].status == "cached"
    assert notebook.run(cells[1].replace("%%step s", "%%step s --rerun"))[0].status == "completed"
    assert notebook.ns["x"] != expected[0]


def test_once_somebody_seeds_every_state_counts(notebook: Notebook) -> None:
    draw = step("import random\nx = random.random()")
    notebook.run(draw)
    one = notebook.ns["x"]
    ran = notebook.run("random.seed(3)", draw, draw)
    assert [r.status for r in ran[1:]] == ["completed", "completed"]
    assert ran[1].reason == "random state of random changed"
    seeded = random.Random(3)
    assert notebook.ns["x"] == [seeded.random(), seeded.random()][1]
    assert one != notebook.ns["x"]


def test_a_generator_that_drew_much_is_still_nobodys() -> None:
    state = PlainRandom()
    for _ in range(5_000):
        random.random()
    assert state.digest(state.read()) == UNTOUCHED
    random.seed(1)
    assert state.digest(state.read()) != UNTOUCHED
    random.random()
    assert state.digest(state.read()) != UNTOUCHED


def test_a_seed_in_a_plain_cell_counts(notebook: Notebook) -> None:
    cell = step("import random\nx = random.random()")
    notebook.run("import random\nrandom.seed(1)", cell)
    one = notebook.ns["x"]
    again(notebook, "import random\nrandom.seed(2)", cell)
    assert notebook.ns["x"] != one
    ran = again(notebook, "import random\nrandom.seed(1)", cell)
    assert ran[1].status == "cached"
    assert notebook.ns["x"] == one


# Settings


@pytest.mark.parametrize(
    ("imports", "change", "show"),
    [
        ("import numpy as np", "np.set_printoptions(precision=2)", "print(np.array([1 / 3]))"),
        ("import numpy as np", "_old = np.seterr(divide='raise')", "print(np.geterr()['divide'])"),
        ("import pandas as pd", "pd.set_option('display.max_rows', 4)", "pd.DataFrame({'a': range(9)})"),
        ("import pandas as pd", "pd.options.display.precision = 2", "pd.DataFrame({'a': [1 / 3]})"),
        (
            "import pandas as pd",
            "pd.options.display.float_format = '{:.1f}!'.format",
            "pd.DataFrame({'a': [1 / 3]})",
        ),
        (
            "import pandas as pd",
            "pd.options.display.float_format = lambda v: f'<{v:.1f}>'",
            "pd.DataFrame({'a': [1 / 3]})",
        ),
        (
            "import matplotlib.pyplot as plt",
            "plt.rcParams['figure.figsize'] = (3, 1)",
            "print(plt.rcParams['figure.figsize'])",
        ),
        ("import matplotlib.pyplot as plt", "plt.style.use('ggplot')", "print(plt.rcParams['axes.grid'])"),
        (
            "import matplotlib as mpl",
            "mpl.rc('lines', linewidth=7)",
            "print(mpl.rcParams['lines.linewidth'])",
        ),
        ("import decimal", "decimal.getcontext().prec = 5", "print(decimal.Decimal(1) / 3)"),
        ("import sys", "sys.path.append('somewhere-else')", "print(sys.path[-1])"),
        (
            "import warnings",
            "warnings.filterwarnings('ignore', category=UserWarning)",
            "warnings.warn('seen', UserWarning)",
        ),
        ("import warnings", "warnings.simplefilter('ignore')", "warnings.warn('seen', UserWarning)"),
        (
            "import sklearn",
            "sklearn.set_config(transform_output='pandas')",
            "print(sklearn.get_config()['transform_output'])",
        ),
        (
            "from IPython.core.interactiveshell import InteractiveShell",
            "InteractiveShell.ast_node_interactivity = 'all'",
            "1\n2",
        ),
    ],
)
def test_a_setting_is_carried_and_what_follows_shows_the_same(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, imports: str, change: str, show: str
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    with warnings.catch_warnings(), pd.option_context("display.max_rows", 60):
        warnings.simplefilter("default")
        notebook.restart()
        cells = [imports, step(change, "set"), step(show, "show")]
        first = notebook.run(*cells)
        assert [r.status for r in first[1:]] == ["completed", "completed"]
        from IPython.core.interactiveshell import InteractiveShell

        monkeypatch.setattr(InteractiveShell, "ast_node_interactivity", "last_expr")
        second = again(notebook, *cells)
        assert [r.status for r in second[1:]] == ["cached", "cached"], [r.reason for r in second[1:]]
        plain = notebook.run(show)[0]
        assert without_number(plain.out) == without_number(first[2].out)
        assert plain.err == ""


def test_another_setting_runs_the_steps_that_it_may_touch_again_and_no_other(notebook: Notebook) -> None:
    cells = [
        step("import numpy as np\nimport math", "imports"),
        step("np.set_printoptions(precision=2)", "set"),
        step("print(np.array([1 / 3]))", "show"),
        step("x = math.sqrt(2)", "other"),
    ]
    notebook.run(*cells)
    cells[1] = cells[1].replace("precision=2", "precision=3")
    ran = again(notebook, *cells)
    assert [r.status for r in ran] == ["cached", "completed", "completed", "cached"]
    assert ran[2].reason == "numpy print options changed"
    assert ran[2].out == "[0.333]\n"


def test_the_working_folder_is_carried(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "data.txt").write_text("below")
    cells = [
        step("import os\nos.chdir('sub')", "go"),
        step("from pathlib import Path\ntext = Path('data.txt').read_text()"),
    ]
    notebook.run(*cells)
    assert [r.status for r in again(notebook, *cells)] == ["cached", "cached"]
    assert (tmp_path / "sub").samefile(Path.cwd())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("import os\nos.chdir(os.path.join(TOP, 'inner'))", "import os\nos.path.basename(os.getcwd())"),
        (
            "def go():\n    import os\n    os.chdir(TOP + '/inner')\ngo()",
            "import os\nos.path.basename(os.getcwd())",
        ),
        ("%cd -q {TOP}/inner", "import os\nos.path.basename(os.getcwd())"),
        ("import sys\nsys.path.append('/added')", "import sys\n'/added' in sys.path"),
        (
            "import sys\nif '/added' not in sys.path:\n    sys.path.insert(0, '/added')",
            "import sys\n'/added' in sys.path",
        ),
        ("import sys\nsys.path.append('/a')\nsys.path.remove('/a')", "import sys\n'/a' in sys.path"),
        ("import sys\nsys.setrecursionlimit(4321)", "import sys\nsys.getrecursionlimit()"),
        (
            "import warnings\nwarnings.filterwarnings('ignore', message='hello')",
            "import warnings\nany('hello' in str(each[1]) for each in warnings.filters)",
        ),
        (
            "import warnings\nfrom numpy.exceptions import RankWarning\nwarnings.simplefilter('ignore', RankWarning)",
            "any(each[:3] == ('ignore', None, RankWarning) for each in __import__('warnings').filters)",
        ),
        ("import numpy as np\nnp.set_printoptions(precision=3)", "np.get_printoptions()['precision']"),
        ("import os\nos.environ['ADDED'] = 'low'", "import os\nos.environ.get('ADDED')"),
        ("import random\nrandom.seed(3)", "import random\nrandom.random()"),
    ],
)
def test_what_was_set_already_when_a_step_ran_is_set_in_a_new_kernel(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, shown: str
) -> None:
    """Edited and run again, a step finds what it sets as it sets it, and so seems to do nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    monkeypatch.delenv("ADDED", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    cells = [f"TOP = {str(tmp_path)!r}", step(text), step(f"{text}\nedited = 1"), shown]
    expected = notebook.run(*cells)[-1].result
    monkeypatch.delenv("ADDED", raising=False)
    assert again(notebook, cells[0], cells[2], shown)[-1].result == expected
    monkeypatch.delenv("ADDED", raising=False)
    *_, ran, last = again(notebook, cells[0], cells[2], shown)
    assert (ran.status, last.result) == ("cached", expected)


def test_what_is_taken_from_the_module_path_stays_away(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    cells = [
        "import sys\nsys.path.append('/there')",
        step("sys.path.remove('/there')"),
        "'/there' in sys.path",
    ]
    for status in ("completed", "cached"):
        _, ran, last = again(notebook, *cells)
        assert (ran.status, last.result) == (status, False)


def test_logging_that_is_set_up_in_a_step_is_set_up_every_time(notebook: Notebook) -> None:
    import logging

    handlers = list(logging.root.handlers)
    cell = step("import logging\nlogging.basicConfig(level=logging.INFO, force=True)")
    try:
        ran = notebook.run(cell, cell)
        assert ran[1].reason == "not cacheable: it sets up logging"
    finally:
        logging.root.handlers[:] = handlers


def test_settings_are_carried_through_a_pipeline_run(notebook: Notebook) -> None:
    cells = [
        step("import random\nrandom.seed(4)", "seed"),
        step("x = random.random()"),
    ]
    notebook.run(*cells)
    after = random.getstate()
    notebook.run("random.seed(99)", "%pipeline run")
    assert random.getstate() == after


def test_loading_a_library_is_no_use_of_its_random_state() -> None:
    script = (
        "from zennb.engine.environment.random_state import NumpyRandom\n"
        "state = NumpyRandom()\n"
        "before = state.read()\n"
        "import numpy.random\n"
        "assert before is None\n"
        "assert state.change(before, state.read()) is None\n"
        "numpy.random.rand()\n"
        "assert state.change(before, state.read()) is not None\n"
        "numpy.random.seed(1)\n"
        "one = state.digest(state.read())\n"
        "numpy.random.seed(2)\n"
        "assert one != state.digest(state.read())\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    "cell",
    [
        "rng = np.random.default_rng(7)",
        "rng = np.random.RandomState(7)",
        "import random\nrng = random.Random(7)",
        "from numpy.random import default_rng\nrng = default_rng(7)",
        "import random, warnings",
    ],
)
def test_generators_of_ones_own_and_imports_do_not_depend_on_the_global_state(
    notebook: Notebook, cell: str
) -> None:
    ran = notebook.run(
        "import numpy as np, random", step(cell), "_ = np.random.rand(), random.random()", step(cell)
    )
    assert ran[3].status == "cached", ran[3].reason


@pytest.mark.parametrize(
    "before",
    [
        "import matplotlib.pyplot as plt\nplt.style.use('ggplot')",
        "%autocall 0\nimport os",
        '"""What follows."""\nN = 3',
        "from numpy.random import seed",
    ],
)
def test_a_seed_below_what_draws_nothing_counts_as_first(notebook: Notebook, before: str) -> None:
    seed = "seed(3)" if "import seed" in before else "np.random.seed(3)"
    cell = step(f"{before}\nimport numpy as np\n{seed}\nx = float(np.random.rand())")
    with warnings.catch_warnings():
        # The style is that of the step already: setting another one would make it run once more, see docs/hashing.md.
        styled = "import matplotlib.pyplot as plt\nplt.style.use('ggplot')"
        ran = notebook.run(styled, "import numpy as np", cell, "_ = np.random.rand()", cell)
    assert ran[4].status == "cached", ran[4].reason


def test_a_step_that_asks_for_the_working_folder_runs_again_in_another_one(
    notebook: Notebook, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    cells = ["import os", "%%step where\nhere = os.path.basename(os.getcwd())", "%%step sum\ntotal = 1 + 1"]
    notebook.run(*cells, "os.chdir('other')")
    where, total = notebook.run(*cells[1:])
    assert (where.status, where.reason) == ("completed", "path of the current folder changed")
    assert notebook.ns["here"] == "other"
    assert total.status == "cached"
