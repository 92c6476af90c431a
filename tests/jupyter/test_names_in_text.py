"""Names inside text: a step depends on every variable that a library may look up in a text that it can see."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

LIBRARY = '''
"""Looks names up in the frames above, as query engines do. What it is called says nothing."""

import inspect
import re
import sys


def _found(frame, text):
    found = []
    for word in re.findall(r"[^\\W\\d]\\w*", text):
        here = frame
        while here is not None:
            if word in here.f_locals or word in here.f_globals:
                found.append(here.f_locals.get(word, here.f_globals.get(word)))
                break
            here = here.f_back
    return [each() if callable(each) else each for each in found if not isinstance(each, type(sys))]


def sql(text):
    return _found(inspect.currentframe().f_back, text.partition("from")[2])


def evaluate(text):
    return _found(sys._getframe(1), text)


def lookup(text):
    return evaluate(text)


class Engine:
    def run(self, text):
        return _found(sys._getframe(1), text)


def ols(formula, data=None):
    return _found(sys._getframe(1), formula.partition("~")[2])
'''


@pytest.fixture(autouse=True)
def framelib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "framelib.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    yield
    for name in ("framelib", "helpers"):
        sys.modules.pop(name, None)


@dataclass(frozen=True, slots=True)
class Case:
    """Cells, the step, and what is edited."""

    cells: str
    step: str
    edit: str = "limit = 2"
    library: str = ""
    files: str = ""


FRAME = "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})\nlimit = 1"
CASES = {
    "a query in a variable": Case(f"{FRAME}\nexpr = 'a > @limit'", "r = len(df.query(expr))"),
    "a query in a list": Case(f"{FRAME}\nqs = ['a > @limit']", "r = [len(df.query(q)) for q in qs]"),
    "a query in a dictionary": Case(
        f"{FRAME}\nqs = {{'big': {{'text': 'a > @limit'}}}}", "r = len(df.query(qs['big']['text']))"
    ),
    "a query in an object": Case(
        f"{FRAME}\nclass Q:\n    def __init__(self): self.text = 'a > @limit'\nq = Q()",
        "r = len(df.query(q.text))",
    ),
    "a query on a class": Case(f"{FRAME}\nclass Q:\n    text = 'a > @limit'", "r = len(df.query(Q.text))"),
    "a query in a constant of a function": Case(
        f"{FRAME}\ndef text(): return 'a > @limit'", "r = len(df.query(text()))"
    ),
    "a query in a default": Case(
        f"{FRAME}\ndef few(frame, expr='a > @limit'): return len(frame.query(expr))", "r = few(df)"
    ),
    "a query handed to a helper": Case(
        f"{FRAME}\ndef few(frame, expr): return len(frame.query(expr))", "r = few(df, 'a > @limit')"
    ),
    "a query that a closure holds": Case(
        f"{FRAME}\ndef maker(expr): return lambda frame: len(frame.query(expr))\nfew = maker('a > @limit')",
        "r = few(df)",
    ),
    "a query with its name put in": Case(f"{FRAME}\nname = 'limit'", "r = len(df.query(f'a > @{name}'))"),
    "a query that is joined": Case(
        f"{FRAME}\nname = 'limit'", "text = ' '.join(['a >', '@' + name])\nr = len(df.query(text))"
    ),
    "a method got by its name": Case(f"{FRAME}\nexpr = 'a > @limit'", "r = len(getattr(df, 'query')(expr))"),
    "a method of the class": Case(f"{FRAME}\nexpr = 'a > @limit'", "r = len(pd.DataFrame.query(df, expr))"),
    "a query of what a call gives": Case(
        f"{FRAME}\nexpr = 'a > @limit'", "r = len(df.head(3).copy().query(expr))"
    ),
    "a constant of a local module": Case(
        f"{FRAME}\nimport helpers", "r = len(df.query(helpers.EXPR))", files="EXPR = 'a > @limit'"
    ),
    "an assignment": Case(f"{FRAME}\nexpr = 'b = a * @limit'", "r = df.eval(expr).b.tolist()"),
    "an expression that is joined": Case(FRAME, "r = pd.eval('df.a ' + '* limit').tolist()"),
    "an expression handed to a helper": Case(
        f"{FRAME}\ndef compute(text): return pd.eval(text).tolist()", "r = compute('df.a * limit')"
    ),
    "an expression under another name": Case(
        f"{FRAME}\nfrom pandas import eval as compute\nexpr = 'df.a * limit'", "r = compute(expr).tolist()"
    ),
    "an expression with an import in the step": Case(
        f"{FRAME}\nexpr = 'df.a * limit'", "import pandas as p\nr = p.eval(expr).tolist()"
    ),
    "an array expression": Case(
        "limit = 1\nexpr = 'limit * 2'\nimport numexpr",
        "r = int(numexpr.evaluate(expr))",
        library="numexpr",
    ),
    "tables in a variable": Case(
        "import duckdb, pandas as pd\nsales = pd.DataFrame({'a': [1]})\nquery = 'select sum(a) from sales'",
        "r = duckdb.sql(query).fetchall()",
        edit="sales = pd.DataFrame({'a': [2]})",
        library="duckdb",
    ),
    "a quoted table": Case(
        "import duckdb, pandas as pd\nsales = pd.DataFrame({'a': [1]})",
        "r = duckdb.sql('select sum(a) from \"sales\"').fetchall()",
        edit="sales = pd.DataFrame({'a': [2]})",
        library="duckdb",
    ),
    "two tables": Case(
        "import duckdb, pandas as pd\naa = pd.DataFrame({'a': [1]})\nbb = pd.DataFrame({'b': [1]})",
        "r = duckdb.sql('select sum(a + b) from aa, bb').fetchall()",
        edit="bb = pd.DataFrame({'b': [2]})",
        library="duckdb",
    ),
    "tables of a context": Case(
        "import polars as pl\nsales = pl.DataFrame({'a': [1]})\nquery = 'select sum(a) as a from sales'",
        "r = pl.SQLContext(register_globals=True).execute(query).collect().item()",
        edit="sales = pl.DataFrame({'a': [2]})",
        library="polars",
    ),
    "tables of a function": Case(
        "import polars as pl\nsales = pl.DataFrame({'a': [1]})\nquery = 'select sum(a) as a from sales'",
        "r = pl.sql(query).collect().item()",
        edit="sales = pl.DataFrame({'a': [2]})",
        library="polars",
    ),
    "a function in a formula": Case(
        "import statsmodels.formula.api as smf, pandas as pd\ndf = pd.DataFrame({'y': [1, 2, 4.], 'x': [1, 2, 3.]})\n"
        "def mine(x): return x * 2\nformula = 'y ~ mine(x)'",
        "r = smf.ols(formula, df).fit().params.tolist()",
        edit="def mine(x): return x * 3",
        library="statsmodels",
    ),
    "tables of a stand-in": Case(
        "import framelib\nlimit = 1\ntables = ['limit']",
        "r = framelib.sql('select * from ' + ', '.join(tables))",
    ),
    "a formula of a stand-in": Case(
        "import framelib\nlimit = 1\ndef mine(): return limit\nf = 'y ~ mine'", "r = framelib.ols(f)"
    ),
    "a function of a stand-in under another name": Case(
        "from framelib import evaluate as work\nlimit = 1\nexpr = 'limit'", "r = work(expr)"
    ),
    "a function that nobody has heard of": Case(
        "import framelib\nlimit = 1\nexpr = 'limit'", "r = framelib.lookup(expr)"
    ),
    "a method that nobody has heard of": Case(
        "import framelib\nlimit = 1\nexpr = 'limit'", "r = framelib.Engine().run(expr)"
    ),
    "an engine that was made before": Case(
        "import framelib\nlimit = 1\nexpr = 'limit'\nengine = framelib.Engine()", "r = engine.run(expr)"
    ),
    "code of the user's own that looks into frames": Case(
        "import helpers\nlimit = 1\nname = 'limit'",
        "r = helpers.find(name)",
        files="import sys\ndef find(name): return sys._getframe(1).f_globals[name]",
    ),
    "a constant of a module that text names": Case(
        f"{FRAME}\nimport helpers\nexpr = 'a > @LIMIT'",
        "r = helpers.few(df, expr)",
        edit="helpers.LIMIT = 2",
        files="LIMIT = 1\ndef few(frame, expr): return len(frame.query(expr))",
    ),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    found = CASES[request.param]
    if found.library:
        pytest.importorskip(found.library)
    if found.files:
        (tmp_path / "helpers.py").write_text(found.files)
        importlib.invalidate_caches()
    return found


def step(notebook: Notebook, case: Case) -> Ran:
    return notebook.run(f"%%step s\n{case.step}")[0]


def plain(notebook: Notebook, case: Case) -> object:
    notebook.run(case.step)
    return notebook.ns["r"]


def test_a_name_in_a_text_is_an_input(notebook: Notebook, case: Case) -> None:
    notebook.run("import sys\nsys.path.insert(0, '')\nother = 1", case.cells)
    before = step(notebook, case)
    assert before.status == "completed"
    first = notebook.ns["r"]
    assert step(notebook, case).status == "cached"
    notebook.run("other = 2")
    assert step(notebook, case).status == "cached", "it has nothing to do with it"
    notebook.run(case.edit)
    again = step(notebook, case)
    assert again.status == "completed", again.reason
    got = notebook.ns["r"]
    assert got != first
    assert plain(notebook, case) == got


def test_it_is_reused_in_a_new_kernel(notebook: Notebook, case: Case) -> None:
    start = "import sys\nsys.path.insert(0, '')"
    notebook.run(start, case.cells)
    step(notebook, case)
    first = notebook.ns["r"]
    notebook.restart()
    notebook.run(start, case.cells)
    assert step(notebook, case).status == "cached"
    assert notebook.ns["r"] == first
    notebook.run(case.edit)
    assert step(notebook, case).status == "completed"


UNRELATED = {
    "a column of a query": (f"{FRAME}\na = 5", "r = len(df.query('a > 1'))", "a = 6"),
    "a word of a title": (f"{FRAME}\nlimit = 1", "r = 'the limit'", "limit = 2"),
    "a method of a model": (
        "class M:\n    def evaluate(self, x): return x\nm = M()\nlimit = 1",
        "r = m.evaluate('limit')",
        "limit = 2",
    ),
    "words beside a model that is put into another mode": (
        "class M:\n    def eval(self): return 1\nm = M()\nlimit = 1",
        "r = (m.eval(), 'from limit')",
        "limit = 2",
    ),
    "text without a name": (f"{FRAME}\nexpr = 'a > 1'", "r = len(df.query(expr))", "limit = 2"),
}


@pytest.mark.parametrize(("cells", "text", "edit"), UNRELATED.values(), ids=UNRELATED)
def test_a_word_that_nothing_looks_up_is_no_input(
    notebook: Notebook, cells: str, text: str, edit: str
) -> None:
    notebook.run(cells, f"%%step s\n{text}")
    notebook.run(edit)
    assert notebook.run(f"%%step s\n{text}")[0].status == "cached"


def test_a_step_that_binds_a_word_of_its_query_is_reused(notebook: Notebook) -> None:
    pytest.importorskip("polars")
    cells = "import polars as pl\nsales = pl.DataFrame({'price': [1, 2]})"
    text = "%%step s\nprice = pl.sql('select price from sales where price > 1').collect().item()"
    notebook.run(cells, text)
    assert notebook.run(text)[0].status == "cached"
    notebook.restart()
    notebook.run(cells)
    assert notebook.run(text)[0].status == "cached"
