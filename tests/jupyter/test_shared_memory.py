"""Values that stand on the same memory do so after reuse: a change of one shows in the other, as in a plain kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

IMPORTS = (
    "import array, warnings\n"
    "import numpy as np, pandas as pd, polars as pl, pyarrow as pa\n"
    "warnings.simplefilter('ignore')\n"
    "def attempt(change):\n"
    "    try:\n"
    "        change()\n"
    "    except Exception as error:\n"
    "        print(type(error).__name__)"
)
"""A change that the plain kernel refuses (a read-only array) must be refused after reuse, too."""

SET_X = "attempt(lambda: x.__setitem__(0, 9))\nprint(df, x, x.flags.writeable)"
SET_DF = "df.iloc[0, 0] = 8\nprint(df, x)"
DATES = "pd.date_range('2020', periods=3)"
DAY = "np.datetime64('2021-01-01')"

SHARED = {
    "a frame of an array, and its values": (
        "df = pd.DataFrame(np.arange(6.).reshape(3, 2))\nx = df.values",
        [SET_X, SET_DF],
    ),
    "a frame over an array, and its values": (
        "arr = np.arange(6.).reshape(3, 2)\ndf = pd.DataFrame(arr, copy=False)\nx = df.to_numpy()",
        [SET_X, SET_DF, "arr[1, 1] = 7\nprint(df, x)"],
    ),
    "a frame of columns, and its array": (
        "df = pd.DataFrame({'a': [1., 2], 'b': [3., 4]})\nx = df.to_numpy()",
        [SET_X, SET_DF],
    ),
    "a frame, and an array of one column": (
        "df = pd.DataFrame({'a': [1., 2], 'b': [3., 4]})\nx = df['a'].to_numpy()",
        [SET_X, SET_DF],
    ),
    "a frame that has a sharer, and its array": (
        "df = pd.DataFrame({'a': [1., 2], 'b': [3., 4]})\nother = df[:]\nx = df.to_numpy()",
        [SET_X, SET_DF + "\nprint(other)", "other.iloc[1, 1] = 5\nprint(df, x, other)"],
    ),
    "two frames over one array": (
        "arr = np.arange(6.).reshape(3, 2)\ndf = pd.DataFrame(arr, copy=False)\nx = pd.DataFrame(arr, copy=False)",
        ["df.iloc[0, 0] = 9\nprint(df, x, arr)", "arr[1, 1] = 8\nprint(df, x, arr)"],
    ),
    "a frame over an array, and a view of the frame": (
        "arr = np.arange(6.).reshape(3, 2)\ndf = pd.DataFrame(arr, copy=False)\nx = df[:]",
        ["arr[1, 1] = 8\nprint(df, x, arr)", "df.iloc[0, 0] = 9\nprint(df, x, arr)"],
    ),
    "a frame of a class of the notebook's": (
        "class Table(pd.DataFrame): pass\n\ndf = Table(np.arange(6.).reshape(3, 2))\nx = df.to_numpy()",
        [SET_X, SET_DF],
    ),
    "objects": (
        "s = pd.Series([1, 'a', None], dtype=object)\ny = s.values",
        [
            "attempt(lambda: y.__setitem__(0, 9))\nprint(list(s), y, y.flags.writeable)",
            "s[1] = 8\nprint(list(s), y)",
        ],
    ),
    "a frame of objects": (
        "df = pd.DataFrame({'a': ['x', 'y'], 'b': [1, None]}, dtype=object)\nx = df.values",
        [SET_X, SET_DF],
    ),
    "times": (
        f"s = pd.Series({DATES})\ny = s.to_numpy()",
        [
            f"attempt(lambda: y.__setitem__(0, {DAY}))\nprint(s, y, y.flags.writeable)",
            f"s[1] = {DAY}\nprint(s, y)",
        ],
    ),
    "times in a frame": (
        f"df = pd.DataFrame({{'t': {DATES}, 'n': 1}})\nx = df['t'].to_numpy()",
        [f"attempt(lambda: x.__setitem__(0, {DAY}))\nprint(df, x)", f"df.loc[1, 't'] = {DAY}\nprint(df, x)"],
    ),
    "nullable numbers over arrays": (
        "data, mask = np.arange(3), np.zeros(3, bool)\ns = pd.Series(pd.arrays.IntegerArray(data, mask), copy=False)",
        ["data[0] = 9\nmask[1] = True\nprint(s)", "s[2] = 7\nprint(data, mask)"],
    ),
    "nullable numbers, and their array": (
        "s = pd.Series([1, 2], dtype='Int64')\ny = s.to_numpy()",
        ["attempt(lambda: y.__setitem__(0, 9))\nprint(s, y)", "s[1] = 8\nprint(s, y)"],
    ),
    "an index over an array": (
        "x = np.arange(3)\nidx = pd.Index(x, copy=False)",
        ["x[0] = 9\nprint(idx, x)"],
    ),
    "the labels of a series": (
        "x = np.arange(3)\ns = pd.Series([1., 2, 3], index=x)",
        ["x[0] = 9\nprint(s.index, x)"],
    ),
    "the array of an index": (
        "s = pd.Series([1., 2, 3], index=[5, 6, 7])\nx = s.index.values",
        ["attempt(lambda: x.__setitem__(0, 9))\nprint(s, x, x.flags.writeable)"],
    ),
    "the names of columns": (
        "df = pd.DataFrame({'a': [1], 'b': [2]})\nx = df.columns.values",
        ["attempt(lambda: x.__setitem__(0, 'c'))\nprint(df, x)"],
    ),
    "categories": (
        "c = pd.Categorical(['a', 'b', 'a'])\ns = pd.Series(c, copy=False)\nx = s.cat.codes.values",
        ["c[0] = 'b'\nprint(s, c, x)"],
    ),
    "an array of arrow over one of numpy": (
        "arr = np.arange(5.)\na = pa.array(arr)",
        ["arr[0] = 9\nprint(a, arr)"],
    ),
    "a table of arrow over one of numpy": (
        "arr = np.arange(5)\nt = pa.table({'x': arr, 'y': ['a'] * 5})",
        ["arr[0] = 9\nprint(t, arr)"],
    ),
    "a buffer of arrow over an array": (
        "arr = np.arange(5)\nb = pa.py_buffer(arr)",
        ["arr[0] = 9\nprint(bytes(b), b.is_mutable)"],
    ),
    "a table of arrow over a frame": (
        "df = pd.DataFrame({'x': [1., 2, 3], 'y': [1, 2, 3]})\nt = pa.Table.from_pandas(df)",
        ["df.iloc[0, 0] = 9\nprint(df, t)"],
    ),
    "a series of polars over an array": (
        "arr = np.arange(5.)\ns = pl.Series('n', arr)",
        ["arr[0] = 9\nprint(s, arr)", "s[1] = 7\nprint(s, arr)"],
    ),
    "a frame of polars over an array": (
        "arr = np.arange(5)\np = pl.DataFrame({'x': arr, 'y': ['a'] * 5})",
        ["arr[0] = 9\nprint(p, arr)"],
    ),
    "rows of polars over an array": (
        "arr = np.arange(6.).reshape(3, 2)\ns = pl.Series('n', arr)",
        ["arr[0, 0] = 9\nprint(s, arr)"],
    ),
    "chunks of polars over arrays": (
        "arr = np.arange(3)\nrest = np.arange(2)\np = pl.Series('n', arr).append(pl.Series('n', rest))",
        ["arr[0] = 9\nrest[0] = 8\nprint(p)"],
    ),
    "a frame of polars over one of pandas": (
        "df = pd.DataFrame({'x': [1., 2, 3], 'y': [1, 2, 3]})\np = pl.from_pandas(df)",
        ["df.iloc[0, 0] = 9\nprint(df, p)"],
    ),
    "a tree of scipy's": (
        "from scipy.spatial import cKDTree\ndata = np.arange(8.).reshape(4, 2)\ntree = cKDTree(data)",
        ["data[0] = 5\nprint(tree.data, tree.query([[5., 5]]))"],
    ),
    "a tree over a frame": (
        "from scipy.spatial import KDTree\ndf = pd.DataFrame(np.eye(4, 2))\ntree = KDTree(df.values)",
        ["df.iloc[0, 0] = 5\nprint(tree.data, df)"],
    ),
    "arrays over parts of bytes": (
        "raw = bytearray(16)\na = np.frombuffer(raw, 'u1', 8)\nb = np.frombuffer(raw, 'u1', 8, 8)",
        ["raw[0] = raw[8] = 5\nprint(a, b)", "a[1] = 7\nprint(raw, b)"],
    ),
    "arrays over the same bytes": (
        "a = np.frombuffer(bytearray(8), 'u1')\nb = np.frombuffer(memoryview(a), 'u1')[2:]",
        ["a[3] = 5\nprint(a, b)"],
    ),
    "an array in Fortran order, and a view": (
        "f = np.asfortranarray(np.arange(6.).reshape(2, 3))\nv = f[:, 1:]",
        ["f[0, 1] = 9\nprint(f, v, f.flags.f_contiguous, v.strides)"],
    ),
    "axes in another order, and a view": (
        "f = np.arange(24.).reshape(2, 3, 4).transpose(1, 0, 2).copy('K')\nv = f[1:]",
        ["f[1, 0, 1] = 9\nprint(f, v, f.strides, v.strides)"],
    ),
    "times, and their array of pandas": (
        f"s = pd.Series({DATES})\ny = s.array",
        [f"y[0] = pd.Timestamp({DAY})\nprint(s, y)", f"s[1] = {DAY}\nprint(s, y)"],
    ),
    "numbers, and their array of pandas": (
        "s = pd.Series([1., 2])\ny = s.array",
        ["attempt(lambda: y.__setitem__(0, 9))\nprint(s, y)", "s[1] = 8\nprint(s, y)"],
    ),
    "nullable numbers, and their array of pandas": (
        "s = pd.Series([1, 2], dtype='Int64')\ny = s.array",
        ["attempt(lambda: y.__setitem__(0, 9))\nprint(s, y)", "s[1] = 8\nprint(s, y)"],
    ),
    "sparse numbers, and what they hold": (
        "s = pd.Series(pd.arrays.SparseArray([0, 0, 1.]))\ny = s.array.sp_values",
        ["y[0] = 9\nprint(s, y)"],
    ),
    "a frame, and its labels in another one": (
        "df = pd.DataFrame({'a': [1., 2], 'b': [3., 4]})\nother = df.set_index('a', drop=False)",
        ["df.iloc[0, 0] = 9\nprint(df, other, other.index)"],
    ),
    "a frame of arrow, its numbers, and both in a list": (
        "t = pa.table({'x': [1., 2, 3]})\nx = t['x'].chunk(0).to_numpy()\nboth = [t, x]",
        ["attempt(lambda: x.__setitem__(0, 9))\nprint(t, x)"],
    ),
    "views in a list": (
        "views = [np.arange(6.)]\nviews.append(views[0][2:])",
        ["views[1][0] = 9\nprint(views)"],
    ),
    "a frame and its array in a tuple": (
        "both = (pd.DataFrame(np.arange(6.).reshape(3, 2)),)\nboth = (*both, both[0].values)",
        ["both[0].iloc[0, 0] = 9\nprint(both)"],
    ),
    "an object with a frame and its array": (
        "class Box: pass\nbox = Box()\nbox.df = pd.DataFrame({'a': [1., 2]})\nbox.x = box.df['a'].to_numpy()",
        ["box.df.iloc[0, 0] = 9\nprint(box.df, box.x)"],
    ),
    "values inside a dictionary": (
        "df = pd.DataFrame(np.arange(6.).reshape(3, 2))\nkept = {'x': df.values, 'n': 1}",
        ["df.iloc[0, 0] = 9\nprint(df, kept)"],
    ),
}
"""Name → a cell that makes values, and cells that change them in place."""


@pytest.mark.parametrize("name", SHARED)
def test_a_change_shows_as_in_a_plain_kernel_and_the_step_is_reused(notebook: Notebook, name: str) -> None:
    made, changes = SHARED[name]
    notebook.run(IMPORTS, made)
    plain = [notebook.run(change)[0].out for change in changes]
    statuses = []
    for is_new in (True, False, True):
        if is_new:
            notebook.restart()
        notebook.run(IMPORTS)
        # Changed by the plain cells before, the values are those of the step again when it is reused.
        statuses.append(notebook.run(f"%%step made\n{made}")[0].facts)
        assert [notebook.run(change)[0].out for change in changes] == plain
    assert [each["status"] for each in statuses] == ["completed", "cached", "cached"], statuses


APART = {
    "a frame and a copy of its numbers": "df = pd.DataFrame({'a': [1., 2], 'b': [3., 4]})\nx = df.to_numpy().copy()",
    "a frame of several types and its array": "df = pd.DataFrame({'a': [1., 2], 'b': [3, 4]})\nx = df.to_numpy()",
    "a frame and its copy": "df = pd.DataFrame(np.arange(6.).reshape(3, 2))\nx = df.copy()",
    "a frame with missing numbers and its array": (
        "df = pd.DataFrame({'a': [1, None]}, dtype='Int64')\nx = df['a'].to_numpy(dtype=float, na_value=0)"
    ),
    "parts of bytes": "_raw = bytearray(16)\na = np.frombuffer(_raw, 'u1', 8)\nb = np.frombuffer(_raw, 'u1', 8, 8)",
    "arrays over text": "a = np.frombuffer(b'abcdef', 'u1')\nb = a.tobytes()",
    "arrow and its numbers, which nobody can write to": (
        "t = pa.table({'x': [1., 2, 3]})\nx = t['x'].chunk(0).to_numpy()"
    ),
    "two tables of arrow": "t = pa.table({'x': [1., 2, 3]})\nx = t.slice(1)",
    "polars and its numbers": "p = pl.DataFrame({'x': [1., 2, 3]})\nx = p['x'].to_numpy()",
    "two frames of polars": "p = pl.DataFrame({'x': [1., 2, 3]})\nx = p.with_columns(y=1)",
    "polars and arrow": "p = pl.DataFrame({'x': [1., 2, 3]})\nx = p.to_arrow()",
    "text": "s = pd.Series(['a', 'b'])\nx = s.str.upper()",
}


@pytest.mark.parametrize("name", APART)
def test_what_no_change_can_reach_is_stored_apart(notebook: Notebook, name: str) -> None:
    notebook.run(IMPORTS)
    assert notebook.run(f"%%step made\n{APART[name]}")[0].status == "completed"
    metadata = notebook.shell.zennb_step.workspace.metadata
    ((made,),) = [metadata.steps(run.id) for run in metadata.runs()]
    assert {each.item for each in made.outputs.values()} == {None}
    notebook.restart()
    notebook.run(IMPORTS)
    assert notebook.run(f"%%step made\n{APART[name]}")[0].status == "cached"


FROM_COLUMNS = {
    "its array": "x = e.to_numpy()",
    "its array, twice": "x = e.to_numpy()\ny = x[1:]",
    "a model of it": "x = {'endog': e, 'exog': e.to_numpy(), 'first': e.to_numpy()[:1]}",
    "a model of it, grown": "x = [e, e.to_numpy(), e.to_numpy()[:1]]\nx.append(1)",
}
LATER = {
    "the column": "e.iloc[0] = 9",
    "the frame": "df.iloc[0, 0] = 9",
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
@pytest.mark.parametrize("text", FROM_COLUMNS.values(), ids=FROM_COLUMNS)
@pytest.mark.parametrize(
    "frame", ["{'a': [1., 2, 3], 'b': [3., 4, 5]}", "np.arange(6.).reshape(3, 2)"], ids=["columns", "block"]
)
def test_arrays_of_a_column_see_what_they_would_in_a_plain_kernel(
    notebook: Notebook, frame: str, text: str, later: str
) -> None:
    index = "df.index = pd.period_range('2020', periods=3, freq='Q')\n"
    steps = [f"df = pd.DataFrame({frame})\n{index}", "e = df[df.columns[0]]", text, "z = [x, 1]\nprint(z)"]
    look = f"{later}\nprint(e, df, x)"
    notebook.run(IMPORTS, *steps)
    plain = notebook.run(look)[0].out
    for status in ("completed", "cached"):
        notebook.restart()
        notebook.run(IMPORTS)
        ran = notebook.run(*(f"%%step s{place}\n{step}" for place, step in enumerate(steps)))
        assert [each.status for each in ran] == [status] * 4, [each.reason for each in ran]
        assert notebook.run(look)[0].out == plain


def test_arrays_that_were_loaded_from_one_artifact_share_nothing(notebook: Notebook) -> None:
    cells = [
        "%%step made\npair = np.arange(3), np.arange(3)",
        "a, b = pair\ndel pair",
        "%%step total\ntotal = a.sum() + b.sum()",
        "%%step changed\na[0] = 5",
        "print(a, b)",
    ]
    notebook.run(IMPORTS)
    first = [ran.out for ran in notebook.run(*cells)]
    notebook.restart()
    notebook.run(IMPORTS)
    again = notebook.run(*cells)
    assert [ran.out for ran in again] == first
    assert [again[place].status for place in (0, 2, 3)] == ["cached"] * 3


CHAINS = {
    "a frame over an array of a plain cell": [
        "arr = np.arange(6.).reshape(3, 2)",
        "%%step a\ndf = pd.DataFrame(arr, copy=False)",
        "%%step b\narr[0, 0] = 9",
        "print(df, arr)",
    ],
    "an array of the frame of another step": [
        "%%step a\ndf = pd.DataFrame(np.arange(6.).reshape(3, 2))",
        "%%step b\nx = df.values",
        "%%step c\ndf.iloc[0, 0] = 9",
        "print(df, x)",
    ],
    "arrow over the array of another step": [
        "%%step a\narr = np.arange(5)",
        "%%step b\nt = pa.table({'x': arr})",
        "%%step c\narr[0] = 9",
        "print(arr, t)",
    ],
    "polars over the array of another step": [
        "%%step a\narr = np.arange(5)",
        "%%step b\np = pl.DataFrame({'x': arr})",
        "%%step c\narr[0] = 9",
        "print(arr, p)",
    ],
    "a tree over the array of another step": [
        "from scipy.spatial import KDTree",
        "%%step a\ndata = np.eye(4, 2)",
        "%%step b\ntree = KDTree(data)",
        "%%step c\ndata[0] = 9",
        "print(data, tree.data)",
    ],
    "large values": [
        "%%step a\ndf = pd.DataFrame(np.zeros((50_000, 4)))\nx = df.values",
        "df.iloc[0, 0] = 9\nprint(x[0], df.iloc[0, 0])",
    ],
}


@pytest.mark.parametrize("name", CHAINS)
def test_steps_pass_on_what_they_share(notebook: Notebook, name: str) -> None:
    notebook.run(IMPORTS)
    plain = [
        notebook.run(cell.partition("\n")[2] if cell.startswith("%%step") else cell)[0].out
        for cell in CHAINS[name]
    ]
    statuses = []
    for _ in range(3):
        notebook.restart()
        notebook.run(IMPORTS)
        ran = notebook.run(*CHAINS[name])
        assert [each.out for each in ran] == plain
        statuses.append({r.status for r, c in zip(ran, CHAINS[name], strict=True) if c.startswith("%%step")})
    assert statuses == [{"completed"}, {"cached"}, {"cached"}]


KEPT_APART = {
    "a buffer of arrow over bytes": (
        "raw = bytearray(8)\nb = pa.py_buffer(raw)",
        "raw[0] = 9\nprint(bytes(b))",
    ),
}


@pytest.mark.parametrize("name", KEPT_APART)
def test_a_step_whose_values_would_not_share_memory_again_runs_every_time_and_says_so(
    notebook: Notebook, name: str
) -> None:
    made, change = KEPT_APART[name]
    notebook.run(IMPORTS, made)
    plain = notebook.run(change)[0].out
    for reason in ("first run", "share memory, and would not after they are stored"):
        notebook.restart()
        notebook.run(IMPORTS)
        ran = notebook.run(f"%%step made\n{made}")[0]
        assert ran.status == "completed"
        assert reason in ran.reason
        assert notebook.run(change)[0].out == plain
