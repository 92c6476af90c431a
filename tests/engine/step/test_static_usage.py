"""What reading a step tells of its surroundings: modules used, generators seeded first, texts, files of shell lines."""

from __future__ import annotations

import ast
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.engine.steps import Notebook, step
from zennb.core.magic_lines.magics import parse_python
from zennb.core.records.setting_names import FOLDER_PATH, MODULE_PATH, RECURSION_LIMIT, WARNING_FILTERS
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.engine.step.definition import StepOptions, define
from zennb.engine.step.static_usage import StaticUsage, static_usage

if TYPE_CHECKING:
    from pathlib import Path

SCOPE: dict[str, Any] = {
    "np": np,
    "random": random,
    "plt": plt,
    "rand": np.random.rand,
    "shuffle": random.shuffle,
    "seed": random.seed,
    "own": np.random.default_rng(0),
    "n": 3,
}


def found(text: str, packages: tuple[str, ...] = (), **scope: Any) -> StaticUsage:
    statements = parse_python(text)
    assert statements is not None
    tree = ast.Module(body=statements, type_ignores=[])
    step = define(tree, options=StepOptions(), source=text, text=text, filename="<cell>")
    return static_usage(step, resolve_dependencies(step.analysis, {**SCOPE, **scope}), packages)


def test_modules_are_those_whose_parts_are_used() -> None:
    assert {"numpy.random.rand", "numpy"} <= found("x = np.random.rand(3)").modules
    assert "numpy.random" not in found("x = np.arange(3)").modules
    assert "random.random" in found("import random as r\nx = r.random()").modules
    assert "pandas" in found("x = 1", packages=("pandas",)).modules


def test_importing_alone_is_no_use() -> None:
    text = "import numpy.random\nimport random as r\nfrom numpy import random as nr"
    assert found(text).modules == {"numpy"}


def test_functions_count_by_the_generator_that_they_belong_to() -> None:
    assert "numpy.random.rand" in found("x = rand(3)").modules
    assert "random.shuffle" in found("shuffle(xs)", xs=[1]).modules


def test_a_class_of_the_users_that_is_only_named_like_a_generator_is_none() -> None:
    class Random:
        def shuffle(self) -> None: ...

    assert "random.shuffle" not in found("draw()", draw=Random().shuffle).modules


def test_what_a_function_of_the_notebook_uses_is_used() -> None:
    scope: dict[str, Any] = dict(SCOPE)
    exec("def draw(): return np.random.rand()", scope)
    scope["draw"].__module__ = "__main__"
    assert "numpy.random.rand" in found("x = draw()", **scope).modules


@pytest.mark.parametrize(
    "text",
    [
        "x = np.random.default_rng(3)",
        "x = np.random.RandomState(1)",
        "x = random.Random(1)",
        "x = own.random()",
    ],
)
def test_a_generator_of_ones_own_is_no_use_of_the_global_one(text: str) -> None:
    assert not {name for name in found(text).modules if name.startswith(("numpy.random", "random"))}


PLAIN, NUMPY = "random state of random", "random state of numpy"
SEEDS: dict[str, set[str]] = {
    "random.seed(3)": {PLAIN},
    "np.random.seed(3)": {NUMPY},
    "np.random.seed(n)\nrandom.seed(n)": {PLAIN, NUMPY},
    "np.random.seed(seed=3)": {NUMPY},
    "seed(3)": {PLAIN},
    "import random as r\nr.seed(3)": {PLAIN},
    "import numpy.random\nnumpy.random.seed(3)": {NUMPY},
    "from numpy.random import seed as s\ns(3)": {NUMPY},
    "from random import seed\nseed(3)": {PLAIN},
    "'a docstring'\nk = 3\ndef f(): ...\nimport os\npass\nrandom.seed(k)": {PLAIN},
    "%matplotlib inline\nplt.style.use('ggplot')\nnp.set_printoptions(precision=3)\nrandom.seed(3)": {PLAIN},
    "x = random.seed(3)": {PLAIN},
    "x = f()\nrandom.seed(3)": set(),
    "random.random()\nrandom.seed(3)": set(),
    "random.seed(3)\nx = f()\nnp.random.seed(3)": {PLAIN},
    "random.seed(f())": set(),
    "random.seed()\n": {PLAIN},
    "if n: random.seed(3)": set(),
    "other.seed(3)": set(),
    "own.seed(3)": set(),
    "!ls\nrandom.seed(3)": set(),
    "for _ in xs: pass\nrandom.seed(3)": set(),
}


@pytest.mark.parametrize("text", SEEDS)
def test_generators_count_as_seeded_before_anything_could_draw_from_them(text: str) -> None:
    assert found(text, f=len, other=SimpleNamespace(seed=print), xs=[1]).seeds == SEEDS[text]


def test_texts_are_the_string_constants() -> None:
    assert found("x = 'one'\ny = f'two {x}'\nz = b'no'").texts == {"one", "two "}


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("!cat a.csv b.csv", ("a.csv", "b.csv")),
        ("x = !cat a.csv", ("a.csv",)),
        ("%time\nx = 1", ()),
        ("%cd data", ()),
        ("%run script.py", ()),
        ("x = 1", ()),
    ],
)
def test_files_that_shell_lines_read_are_named(text: str, files: tuple[str, ...]) -> None:
    assert found(text).files == files


@pytest.mark.parametrize(
    ("plain", "cell", "settings"),
    [
        ("import os", "y = os.getcwd()", [FOLDER_PATH]),
        ("from os import getcwd as here", "y = here()", [FOLDER_PATH]),
        ("from pathlib import Path", "y = Path.cwd()", [FOLDER_PATH]),
        ("from pathlib import Path", "y = Path('a').resolve()", [FOLDER_PATH]),
        ("import os", "y = os.path.abspath('a')", [FOLDER_PATH]),
        ("import os\ndef f(): return os.getcwd()", "y = f()", [FOLDER_PATH]),
        (
            "from pathlib import Path\ndef g(): return Path.cwd()\ndef f(): return [g() for _ in 'a']",
            "y = g()",
            [FOLDER_PATH],
        ),
        (
            "from pathlib import Path\nclass A:\n    def f(self): return Path('x').absolute()",
            "y = A().f()",
            [FOLDER_PATH],
        ),
        ("from pathlib import Path", "y = Path('a').exists()", []),
        ("import os", "y = os.listdir()", []),
        ("", "y = open('a.txt', 'w')", []),
        ("import os", "os.chdir('..')", [FOLDER_PATH]),
        ("import os\ndef go(): os.chdir('..')", "go()", [FOLDER_PATH]),
        ("import sys", "sys.path.append('x')", [MODULE_PATH]),
        ("", "from sys import path\npath.insert(0, 'x')", [MODULE_PATH]),
        ("import sys\ndef f(): sys.path.append('x')", "f()", [MODULE_PATH]),
        ("import site", "site.addsitedir('x')", [MODULE_PATH]),
        ("import sys, os", "y = os.path.join(sys.prefix, 'x')", []),
        ("import sys", "sys.setrecursionlimit(3000)", [RECURSION_LIMIT]),
        ("import sys", "x = sys.getrecursionlimit()", [RECURSION_LIMIT]),
        ("import warnings", "warnings.simplefilter('ignore')", [WARNING_FILTERS]),
        ("import warnings", "with warnings.catch_warnings(): warnings.simplefilter('ignore')", []),
    ],
)
def test_code_that_asks_for_a_setting_or_sets_it_is_told_by_its_names(
    plain: str, cell: str, settings: list[str], tmp_path: Path
) -> None:
    notebook = Notebook(tmp_path)
    notebook.cell(plain)
    assert notebook.resolve(step(cell)).uses.settings == set(settings)
