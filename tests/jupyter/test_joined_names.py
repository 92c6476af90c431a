"""Names that are put together while a step runs: the step depends on the variables that they may turn out to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.jupyter.test_names_in_text import FRAME, Case

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

QUERY = (
    "import pandas as pd\ndf = pd.DataFrame({'a': [1, 5, 9], 'b': [2, 4, 8]})\nlim_1, lim_2, lo_cut = 3, 8, 1"
)
SALES = "import pandas as pd\nsales_2020 = pd.DataFrame({'v': [1]})\nsales_2021 = pd.DataFrame({'v': [1]})"
MORE = "sales_2020 = pd.DataFrame({'v': [1, 2]})"
FIT = (
    "import statsmodels.formula.api as smf, pandas as pd\n"
    "dd = pd.DataFrame({'y': [1, 2, 4.], 'x': [1, 2, 3.]})\n"
    "def ff1(x): return x * 2\ndef f1(x): return x * 2"
)
JOINED = {
    "a field of an f-string": Case(
        QUERY, "r = [len(df.query(f'a > @lim_{i}')) for i in (1, 2)]", "lim_1 = 7"
    ),
    "a field before a name that is written out": Case(
        QUERY, "r = [len(df.query(f'{column} > @lim_1')) for column in 'ab']", "lim_1 = 7"
    ),
    "a percent sign": Case(QUERY, "r = len(df.query('a > @lim_%d' % 1))", "lim_1 = 7"),
    "a format": Case(QUERY, "r = len(df.query('a > @lim_{}'.format(1)))", "lim_1 = 7"),
    "a format in a variable": Case(
        f"{QUERY}\nt = 'a > @lim_{{}}'", "r = len(df.query(t.format(1)))", "lim_1 = 7"
    ),
    "a beginning": Case(f"{QUERY}\npre = 'lo'", "r = len(df.query(f'a > @{pre}_cut'))", "lo_cut = 6"),
    "parts of a list": Case(
        f"{QUERY}\nparts = ['lo', 'cut']", "r = len(df.query('a > @' + '_'.join(parts)))", "lo_cut = 6"
    ),
    "capitals": Case(QUERY, "r = len(df.query('a > @LO_CUT'.lower()))", "lo_cut = 6"),
    "a part that is replaced": Case(
        QUERY, "r = len(df.query('a > @xlo_cut'.replace('x', '')))", "lo_cut = 6"
    ),
    "a template": Case(
        f"{QUERY}\nfrom string import Template",
        "r = len(df.query(Template('a > @${p}_cut').substitute(p='lo')))",
        "lo_cut = 6",
    ),
    "a helper": Case(
        f"{QUERY}\ndef q(d, col, which): return len(d.query(f'{{col}} > @{{which}}_cut'))",
        "r = q(df, 'a', 'lo')",
        "lo_cut = 6",
    ),
    "a property": Case(
        f"{QUERY}\nclass F:\n    col = 'lo'\n    @property\n    def expr(self): return f'a > @{{self.col}}_cut'\n"
        "    def run(self, d): return len(d.query(self.expr))",
        "r = F().run(df)",
        "lo_cut = 6",
    ),
    "a sum of texts": Case(QUERY, "r = df.eval('z = a + @lim_' + '1').z.tolist()", "lim_1 = 7"),
    "a text that grows": Case(QUERY, "t = 'a > @lim_'\nt += '1'\nr = len(df.query(t))", "lim_1 = 7"),
    "a table of an f-string": Case(
        f"import duckdb\n{SALES}",
        "r = [duckdb.sql(f'select count(*) from sales_{y}').fetchall() for y in (2020, 2021)]",
        MORE,
        library="duckdb",
    ),
    "a table of a sum": Case(
        f"import duckdb\n{SALES}",
        "r = [duckdb.query('select count(*) from sales_' + str(y)).fetchall() for y in (2020, 2021)]",
        MORE,
        library="duckdb",
    ),
    "a table of two parts": Case(
        f"import duckdb\n{SALES}",
        "r = duckdb.sql('from ' + 'sal' + 'es_2020').fetchall()",
        MORE,
        library="duckdb",
    ),
    "tables of a list": Case(
        f"import duckdb\n{SALES}",
        "r = [duckdb.sql('select sum(v) from ' + t).fetchall() for t in [f'sales_{y}' for y in (2020, 2021)]]",
        MORE,
        library="duckdb",
    ),
    "a table of a frame library": Case(
        "import polars as pl\npol_a = pl.DataFrame({'q': [1]})",
        "r = pl.sql('select count(*) as n from pol_' + 'a').collect().item()",
        "pol_a = pl.DataFrame({'q': [1, 2]})",
        library="polars",
    ),
    "a function of a formula": Case(
        FIT,
        "r = [smf.ols(f'y ~ ff{i}(x)', dd).fit().params.tolist() for i in (1,)]",
        "def ff1(x): return x * 3",
        library="statsmodels",
    ),
    "a function with one letter": Case(
        FIT,
        "i = 1\nr = smf.ols(f'y ~ f{i}(x)', dd).fit().params.tolist()",
        "def f1(x): return x * 3",
        library="statsmodels",
    ),
    "an array": Case(
        "import numexpr as ne, numpy as np\narr_x = np.arange(3)",
        "r = [ne.evaluate(f'arr_{c}+1').tolist() for c in 'x']",
        "arr_x = np.arange(4)",
        library="numexpr",
    ),
    "a name of a stand-in's": Case(FRAME, "r = float(pd.eval('lim' + 'it'))"),
}


@pytest.mark.parametrize("what", JOINED)
def test_a_name_that_is_put_together_is_an_input(notebook: Notebook, what: str) -> None:
    case = JOINED[what]
    if case.library:
        pytest.importorskip(case.library)
    step = f"%%step s\n{case.step}"
    notebook.run(case.cells, "other = 1", step)
    first = notebook.ns["r"]
    notebook.restart()
    notebook.run(case.cells, "other = 2")
    assert notebook.run(step)[0].status == "cached"
    notebook.run(case.edit)
    again = notebook.run(step)[0]
    assert again.status == "completed", again.reason
    got = notebook.ns["r"]
    assert got != first
    notebook.run(case.step)
    assert notebook.ns["r"] == got


UNRELATED = {
    "a column before a hole": (f"{QUERY}\nab = 1", "n = 1\nr = len(df.query(f'a > {n}'))", "ab = 2"),
    "a text that is printed": (
        f"{QUERY}\nlim = 1",
        "n = len(df.query('a > 3'))\nprint(f'lim_{n}')",
        "lim_1 = 7",
    ),
    "a unit behind a number": (
        "import pandas as pd\ndays = 1\nx = 2",
        "r = float(pd.eval('x + 1'))\nprint(f'{r}s')",
        "days = 2",
    ),
    "another name": (QUERY, "r = [len(df.query(f'a > @lim_{i}')) for i in (1, 2)]", "lo_cut = 5"),
}


@pytest.mark.parametrize("what", UNRELATED)
def test_other_words_are_no_inputs(notebook: Notebook, what: str) -> None:
    cells, text, edit = UNRELATED[what]
    notebook.run(cells, f"%%step s\n{text}")
    notebook.run(edit)
    assert notebook.run(f"%%step s\n{text}")[0].status == "cached"
