"""Names in text that only running shows: from files, from the environment, or worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.jupyter.test_joined_names import FIT, MORE, QUERY, SALES
from tests.jupyter.test_names_in_text import Case

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

_FRAME = f"import base64, json, os, sys\nfrom pathlib import Path\n{QUERY}"
_SQL = f"import duckdb, os\n{SALES}\nfrom pathlib import Path"
UNSEEN = {
    "a file": Case(_FRAME, "r = len(df.query(Path('q.txt').read_text()))", "lo_cut = 6", files="a > @lo_cut"),
    "an expression in a file": Case(
        _FRAME, "r = df.eval(Path('q.txt').read_text()).tolist()", "lo_cut = 6", files="a + @lo_cut"
    ),
    "an expression of all": Case(
        _FRAME, "r = pd.eval(Path('q.txt').read_text()).tolist()", "lo_cut = 6", files="df.a + lo_cut"
    ),
    "JSON": Case(
        _FRAME,
        "r = len(df.query(json.loads(Path('q.txt').read_text())['q']))",
        "lo_cut = 6",
        files='{"q": "a > @lo_cut"}',
    ),
    "the environment": Case(
        f"{_FRAME}\nos.environ['Q_Q'] = 'a > @lo_' + 'cu' + chr(116)",
        "r = len(df.query(os.environ['Q_Q']))",
        "lo_cut = 6",
    ),
    "base64": Case(_FRAME, "r = len(df.query(base64.b64decode(b'YSA+IEBsb19jdXQ=').decode()))", "lo_cut = 6"),
    "backwards": Case(_FRAME, "t = 'tuc_ol@ > a'\nr = len(df.query(t[::-1]))", "lo_cut = 6"),
    "a table in a file": Case(
        _SQL,
        "r = duckdb.sql(Path('q.txt').read_text()).fetchall()",
        MORE,
        library="duckdb",
        files="select count(*) from sales_2020",
    ),
    "the name of a table": Case(
        _SQL,
        "t = Path('q.txt').read_text()\nr = duckdb.sql(f'from {t}').fetchall()",
        MORE,
        library="duckdb",
        files="sales_2020",
    ),
    "a table in the environment": Case(
        f"{_SQL}\nos.environ['Q_Q'] = 'from sales_' + str(2000 + 20)",
        "r = duckdb.sql(os.environ['Q_Q']).fetchall()",
        MORE,
        library="duckdb",
    ),
    "a formula in a file": Case(
        f"from pathlib import Path\n{FIT}",
        "r = smf.ols(Path('q.txt').read_text(), dd).fit().params.tolist()",
        "def ff1(x): return x * 3",
        library="statsmodels",
        files="y ~ ff1(x)",
    ),
    "a function of formulas by its name": Case(
        f"{FIT}\nkinds = {{'o': 'ols'}}",
        "r = [getattr(smf, k)('y ~ ff1(x)', dd).fit().params.tolist() for k in kinds.values()]",
        "def ff1(x): return x * 3",
        library="statsmodels",
    ),
    "an array in a file": Case(
        "from pathlib import Path\nimport numexpr as ne, numpy as np\narr_x = np.arange(3)",
        "r = ne.evaluate(Path('q.txt').read_text()).tolist()",
        "arr_x = np.arange(4)",
        library="numexpr",
        files="arr_x + 1",
    ),
}


@pytest.mark.parametrize("what", UNSEEN)
def test_what_a_text_names_is_never_an_earlier_value(notebook: Notebook, tmp_path: Path, what: str) -> None:
    case = UNSEEN[what]
    if case.library:
        pytest.importorskip(case.library)
    if case.files:
        (tmp_path / "q.txt").write_text(case.files)
    step = f"%%step s\n{case.step}"
    notebook.run(case.cells, step)
    first = notebook.ns["r"]
    notebook.restart()
    notebook.run(case.cells, case.edit, step)
    got = notebook.ns["r"]
    assert got != first
    notebook.run(case.step)
    assert notebook.ns["r"] == got


def test_the_reason_names_the_variable(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("a > @lo_cut")
    step = "%%step s\nr = len(df.query(Path('q.txt').read_text()))"
    notebook.run(_FRAME, step)
    reason = notebook.run(step)[0].reason
    assert reason == "not cacheable: it looks up `lo_cut`, which no text that it can see contains"


REUSED = {
    "columns": ("a = 5", "r = len(df.query(Path('q.txt').read_text()))", "a > 3"),
    "a name of its own": ("", "mine = 3\nr = len(df.query(Path('q.txt').read_text()))", "a > @mine"),
    "a formula that is written out": (FIT, "r = smf.ols('y ~ ff1(x)', dd).fit().params.tolist()", ""),
    "a name that is written out": ("", "r = len(df.query('a > @lo_cut'))", ""),
}


@pytest.mark.parametrize("what", REUSED)
def test_other_texts_do_not_bar_reuse(notebook: Notebook, tmp_path: Path, what: str) -> None:
    cells, text, content = REUSED[what]
    if cells == FIT:
        pytest.importorskip("statsmodels")
    (tmp_path / "q.txt").write_text(content)
    for _ in range(2):
        notebook.run(_FRAME, cells)
        (done,) = notebook.run(f"%%step s\n{text}")
        notebook.restart()
    assert done.status == "cached", done.reason
