"""Steps that read the notebook's variables from the module `__main__`, and do not name them."""

from __future__ import annotations

import builtins
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

LIBRARY = """import sys
def ask(name): return getattr(sys.modules['__main__'], name)
def all_of(): return dict(vars(sys.modules['__main__']))
"""
SETUP = """import sys, inspect, library
import __main__ as m
n = 'g'
def f(): pass
def helper(): return sys.modules['__main__'].g"""

IN_A_THREAD = """import threading
r = []
_thread = threading.Thread(target=lambda: r.append(library.ask(n)))
_thread.start(), _thread.join()
r = r[0]"""
READS = [
    "r = sys.modules['__main__'].g",
    "r = getattr(sys.modules[__name__], 'g')",
    "_k = 'ma' + 'in'\nr = sys.modules[f'__{_k}__'].g",
    "r = sys.modules['__main__'].__dict__['g']",
    "r = vars(sys.modules.get('__main__'))['g']",
    "r = inspect.getmodule(f).g",
    "r = dict(inspect.getmembers(inspect.getmodule(f)))['g']",
    "r = f.__globals__['g']",
    "r = f.__globals__[n]",
    "r = getattr(sys.modules['__main__'], n)",
    "import operator\nr = operator.attrgetter('g')(sys.modules['__main__'])",
    "r = helper()",
    "r = library.ask('g')",
    "from library import ask\nr = ask(n)",
    "r = library.all_of()['g']",
    IN_A_THREAD,
    "r = get_ipython().user_module.g",
    "r = next(_v for _k, _v in sys.modules.items() if _k == '__main__').g",
    "import pkgutil\nr = pkgutil.resolve_name('__main__:g')",
    "import pickle\nr = pickle.loads(b'c__main__\\ng\\n.')",
    "g_before = library.ask('g')\nr = g_before",
    "import types\nr = types.SimpleNamespace(**{a: b for a, b in vars(m).items() if a == 'g'}).g",
]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("read", READS)
def test_a_variable_that_is_read_from_the_module_is_never_an_earlier_one(
    notebook: Notebook, read: str
) -> None:
    notebook.run(SETUP, "g = 1", f"%%step s\n{read}")
    notebook.restart()
    notebook.run(SETUP, "g = 2", f"%%step s\n{read}")
    assert notebook.run("r")[0].result == 2


QUIET = [
    "r = m.g",
    "from __main__ import g as _g\nr = _g",
    "h = 5\nr = sys.modules['__main__'].h",
    "import dataclasses\n@dataclasses.dataclass\nclass P:\n    x: 'g' = 1\nr = P().x",
    "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int = 1\nr = P().x",
    "import typing\ndef k(x: 'int') -> 'str': ...\nr = len(typing.get_type_hints(k))",
    "import enum\nclass E(enum.Enum):\n    A = 1\nr = E.A.value",
    "r = inspect.getsource(f)",
    "r = inspect.getmodule(sorted) is None",
    "import pickle\nr = pickle.loads(pickle.dumps(f)) is f",
    "import pickle\nr = len(pickle.dumps(a))",
    "import cloudpickle\nr = cloudpickle.loads(cloudpickle.dumps(lambda: g))()",
    "import cloudpickle\nr = cloudpickle.loads(cloudpickle.dumps(sys.modules['__main__'])) is sys.modules['__main__']",
    "r = hasattr(sys.modules['__main__'], '__file__')",
    "from joblib import Parallel, delayed\nr = Parallel(n_jobs=2)(delayed(f)() for _ in range(2))",
    "import copy\nr = copy.deepcopy(a).x",
]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("quiet", QUIET)
def test_what_looks_up_its_own_types_there_is_reused(notebook: Notebook, quiet: str) -> None:
    for _ in range(2):
        notebook.run(SETUP, "class A: x = 1\na = A()\ng = 1")
        (done,) = notebook.run(f"%%step s\n{quiet}")
        notebook.restart()
    assert done.status == "cached", done.reason


def test_the_reason_names_what_was_read(notebook: Notebook) -> None:
    for _ in range(2):
        notebook.run("import sys\ng = 1")
        (one,) = notebook.run("%%step one\nr = sys.modules['__main__'].g")
        (every,) = notebook.run("%%step every\nr = len(vars(sys.modules['__main__']))")
    assert one.reason == "not cacheable: it reads `g` from the module `__main__`"
    assert every.reason == "not cacheable: it reads all variables of the notebook from the module `__main__`"
    assert type(sys.modules["__main__"]) is ModuleType


@pytest.mark.parametrize("check", ["doctest.testmod()", "unittest.main(argv=['x'], exit=False).result"])
def test_tests_that_are_found_in_the_notebook_are_run_with_the_code_they_test(
    notebook: Notebook, check: str
) -> None:
    code = "import unittest, doctest\ndef f():\n    '>>> f()\\n1'\n    return {}\n"
    code += "class T(unittest.TestCase):\n    def test_f(self): self.assertEqual(f(), 1)"
    found = []
    for value in (1, 2):
        notebook.run(code.format(value), f"%%step s\nr = str({check})")
        found.append(str(notebook.run("r")[0].result))
        notebook.restart()
    vars(builtins).pop("_", None)  # where doctest leaves the last value, and IPython keeps its own then
    assert "failures=0" in found[0] or "failed=0" in found[0]
    assert "failures=1" in found[1] or "failed=1" in found[1]


@pytest.mark.parametrize(("package", "status"), [("numba", "cached"), ("anybody", "completed")])
def test_a_compiler_of_functions_takes_the_variables_along(
    notebook: Notebook, package: str, status: str
) -> None:
    text = "import sys\ndef lookup_globals():\n    return sys.modules['__main__'].__dict__"
    cells = [
        f"import types\nlib = types.ModuleType('{package}')\nexec({text!r}, vars(lib))",
        "%%step s\nr = lib.lookup_globals() is not None",
    ]
    notebook.run(*cells)
    _, ran = notebook.run(*cells)
    assert ran.status == status, ran.reason


def test_a_step_in_a_pipeline_run_reads_its_own_variables_from_the_module(notebook: Notebook) -> None:
    cells = ["import sys\ng = 1", "%%step a\nh = 2", "%%step b\nr = sys.modules['__main__'].h + h"]
    notebook.run(*cells)
    notebook.run("%pipeline run", "g = 5")
    assert notebook.run("r")[0].result == 4
