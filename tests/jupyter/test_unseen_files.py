"""Files that Python does not open itself: those that texts name count if somebody opens them, whoever that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

NATIVE = """
def native(path, data=None, flags=None):
    import ctypes, os
    libc = ctypes.CDLL(None)
    if data is not None:
        file = libc.open(os.fsencode(path), os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if flags is None else flags), 0o644)
        libc.write(file, data, len(data))
        return libc.close(file)
    file, buffer = libc.open(os.fsencode(path), os.O_RDONLY), ctypes.create_string_buffer(1000)
    length = libc.read(file, buffer, 1000)
    libc.close(file)
    return buffer.raw[:length]
"""
"""Reads or writes a file as compiled libraries do, without Python's knowledge."""

FILES = {
    "a.csv": "x,y\n1,2\n",
    "b.csv": "x,y\n3,4\n",
    "data/part1.csv": "x,y\n5,6\n",
    "data/part2.csv": "x,y\n7,8\n",
}


def step(text: str, name: str = "s") -> str:
    return f"%%step {name}\n{text}"


def need(library: str) -> None:
    """Skip the test where a library is not installed."""
    if library:
        pytest.importorskip(library)


def make(files: dict[str, str] = FILES) -> None:
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)


def agrees(notebook: Notebook, body: str) -> bool:
    """Whether a plain cell finds now what the step gave."""
    given = notebook.ns["found"]
    notebook.run(body)
    return bool(notebook.ns["found"] == given)


# name: (libraries, plain cells, the step, files that it reads, files that it does not read)
READS: dict[str, tuple[str, list[str], str, list[str], list[str]]] = {
    "a text of the step": ("", [], "found = native('a.csv')", ["a.csv"], ["b.csv"]),
    "a text that is an input": ("", ["path = 'a.csv'"], "found = native(path)", ["a.csv"], []),
    "a path that is an input": (
        "",
        ["from pathlib import Path\npath = Path('a.csv')"],
        "found = native(path)",
        ["a.csv"],
        [],
    ),
    "texts in a container": (
        "",
        ["conf = {'data': ['a.csv', 'b.csv'], 'other': 'data/part1.csv'}"],
        "found = [native(each) for each in conf['data']]",
        ["a.csv", "b.csv"],
        ["data/part1.csv"],
    ),
    "an attribute of an object": (
        "",
        ["class Conf:\n    def __init__(self):\n        self.path = 'a.csv'\nconf = Conf()"],
        "found = native(conf.path)",
        ["a.csv"],
        [],
    ),
    "an attribute of a class": (
        "",
        ["class Conf:\n    path = 'a.csv'"],
        "found = native(Conf.path)",
        ["a.csv"],
        [],
    ),
    "a text in a helper": (
        "",
        ["def load():\n    return native('a.csv')"],
        "found = load()",
        ["a.csv"],
        [],
    ),
    "a default of a helper": (
        "",
        ["def load(path='a.csv'):\n    return native(path)"],
        "found = load()",
        ["a.csv"],
        [],
    ),
    "a closure": (
        "",
        [
            "def loader(path):\n    def load():\n        return native(path)\n    return load",
            "load = loader('a.csv')",
        ],
        "found = load()",
        ["a.csv"],
        [],
    ),
    "a partial": (
        "",
        ["from functools import partial\nload = partial(native, 'a.csv')"],
        "found = load()",
        ["a.csv"],
        [],
    ),
    "a path that the step joins": (
        "",
        ["from pathlib import Path\nbase = Path('data')"],
        "found = native(base / 'part1.csv')",
        ["data/part1.csv"],
        ["data/part2.csv"],
    ),
    "a path joined from several parts": (
        "",
        ["import os\nbase = '.'"],
        "found = native(os.path.join(base, 'data', 'part1.csv'))",
        ["data/part1.csv"],
        ["data/part2.csv"],
    ),
    "a path in an f-string": (
        "",
        ["folder = 'data'"],
        "found = native(f'{folder}/part1.csv')",
        ["data/part1.csv"],
        ["data/part2.csv"],
    ),
    "a number in a name": (
        "",
        [],
        "found = [native(f'data/part{each}.csv') for each in (1,)]",
        ["data/part1.csv"],
        ["data/part2.csv"],
    ),
    "a number in a name, in a helper": (
        "",
        ["def load(number):\n    return native('data/part%d.csv' % number)"],
        "found = load(2)",
        ["data/part2.csv"],
        ["data/part1.csv"],
    ),
    "a name in two halves": (
        "",
        [],
        "found = [native('data/part' + str(each) + '.csv') for each in (1, 2)]",
        ["data/part1.csv", "data/part2.csv"],
        ["a.csv"],
    ),
    "a folder whose files are listed": (
        "",
        ["import os"],
        "found = [native(os.path.join('data', each)) for each in sorted(os.listdir('data'))]",
        ["data/part1.csv", "data/part2.csv", "data/part3.csv"],
        ["a.csv"],
    ),
    "a glob": (
        "",
        ["import glob"],
        "found = [native(each) for each in sorted(glob.glob('data/*.csv'))]",
        ["data/part1.csv", "data/part2.csv", "data/part3.csv"],
        ["a.csv"],
    ),
    "a folder from the environment": (
        "",
        ["import os\nos.environ['UNSEEN_DATA'] = 'data'"],
        "found = native(os.path.join(os.environ['UNSEEN_DATA'], 'part1.csv'))",
        ["data/part1.csv"],
        ["data/part2.csv"],
    ),
    "a whole path": (
        "",
        ["import os\npath = os.path.abspath('a.csv')"],
        "found = native(path)",
        ["a.csv"],
        ["b.csv"],
    ),
    "a column of a frame": (
        "pandas",
        ["import pandas as pd\nnames = pd.DataFrame({'path': ['a.csv'], 'n': [1]})"],
        "found = [native(each) for each in names['path']]",
        ["a.csv"],
        ["b.csv"],
    ),
    "polars": (
        "polars",
        ["import polars as pl"],
        "found = pl.read_csv('a.csv').rows()",
        ["a.csv"],
        ["b.csv"],
    ),
    "polars, a pattern": (
        "polars",
        ["import polars as pl"],
        "found = sorted(pl.read_csv('data/*.csv').rows())",
        ["data/part1.csv", "data/part2.csv", "data/part3.csv"],
        ["a.csv"],
    ),
    "polars, lazily in the step": (
        "polars",
        ["import polars as pl"],
        "found = pl.scan_csv('a.csv').collect().rows()",
        ["a.csv"],
        ["b.csv"],
    ),
    "polars, a frame of a plain cell": (
        "polars",
        ["import polars as pl\nlazy = pl.scan_csv('a.csv').select(pl.col('x') * 2)"],
        "found = lazy.collect().rows()",
        ["a.csv"],
        ["b.csv"],
    ),
    "polars, a frame in a container": (
        "polars",
        ["import polars as pl\nlazy = {'a': pl.scan_csv('a.csv')}"],
        "found = lazy['a'].collect().rows()",
        ["a.csv"],
        ["b.csv"],
    ),
    "polars, many files": (
        "polars",
        ["import polars as pl\nlazy = pl.scan_csv(['data/part1.csv', 'data/part2.csv', 'a.csv'])"],
        "found = lazy.collect().rows()",
        ["data/part1.csv", "data/part2.csv", "a.csv"],
        ["b.csv"],
    ),
    "polars, SQL": (
        "polars",
        ["import polars as pl"],
        "found = pl.SQLContext().execute(\"SELECT * FROM read_csv('a.csv')\").collect().rows()",
        ["a.csv"],
        ["b.csv"],
    ),
    "pyarrow": (
        "pyarrow",
        ["from pyarrow import csv"],
        "found = csv.read_csv('a.csv').to_pylist()",
        ["a.csv"],
        ["b.csv"],
    ),
    "pyarrow, a dataset": (
        "pyarrow",
        ["import pyarrow.dataset as ds"],
        "found = sorted(ds.dataset('data', format='csv').to_table().column('x').to_pylist())",
        ["data/part1.csv", "data/part2.csv", "data/part3.csv"],
        ["a.csv"],
    ),
    "pyarrow, a dataset of a plain cell": (
        "pyarrow",
        ["import pyarrow.dataset as ds\ndata = ds.dataset('data', format='csv')"],
        "found = sorted(data.to_table().column('x').to_pylist())",
        ["data/part1.csv", "data/part2.csv"],
        ["a.csv"],
    ),
    "polars, a pattern of a plain cell": (
        "polars",
        ["import polars as pl\nlazy = pl.scan_csv('data/part*.csv')\nlazy.collect();"],
        "found = sorted(lazy.collect()['x'])",
        ["data/part1.csv", "data/part2.csv", "data/part3.csv"],
        ["a.csv"],
    ),
    "polars, a folder of a plain cell": (
        "polars",
        ["import polars as pl\nlazy = pl.scan_csv('data')\nlazy.collect();"],
        "found = sorted(lazy.collect()['x'])",
        ["data/part1.csv", "data/part2.csv", "data/part3.csv"],
        ["a.csv"],
    ),
    "duckdb": (
        "duckdb",
        ["import duckdb"],
        "found = duckdb.sql(\"select * from 'a.csv'\").fetchall()",
        ["a.csv"],
        ["b.csv"],
    ),
    "duckdb, a pattern": (
        "duckdb",
        ["import duckdb"],
        "found = sorted(duckdb.sql(\"select x from read_csv('data/part*.csv')\").fetchall())",
        ["data/part1.csv", "data/part2.csv", "data/part3.csv"],
        ["a.csv"],
    ),
    "dask, a frame of a plain cell": (
        "dask.dataframe",
        [
            # Importing dask.dataframe sets this, but only once in the process of these tests.
            "import pandas as pd\npd.set_option('compute.use_numexpr', False)",
            "import dask.dataframe as dd\nlazy = dd.read_csv('data/part*.csv')\nlazy.compute();",
        ],
        "found = sorted(lazy.compute()['x'])",
        ["data/part1.csv", "data/part2.csv"],
        ["a.csv"],
    ),
    "worker processes of joblib": (
        "joblib",
        ["from joblib import Parallel, delayed"],
        "found = Parallel(n_jobs=2)(delayed(native)(path) for path in ['a.csv', 'b.csv'])",
        ["a.csv", "b.csv"],
        ["data/part1.csv"],
    ),
    "worker processes that read by Python": (
        "",
        [
            "from concurrent.futures import ProcessPoolExecutor\nfrom multiprocessing import get_context",
            "def load(path):\n    with open(path) as file:\n        return file.read()",
        ],
        """with ProcessPoolExecutor(2, mp_context=get_context('fork')) as pool:
            found = list(pool.map(load, ['a.csv', 'data/part1.csv']))\ndel pool""",
        ["a.csv", "data/part1.csv"],
        ["b.csv"],
    ),
    "a forked pool, names with numbers": (
        "",
        [
            "from multiprocessing import get_context",
            "def load(number):\n    with open(f'data/part{number}.csv') as file:\n        return file.read()",
        ],
        "with get_context('fork').Pool(2) as pool:\n    found = pool.map(load, [1, 2])\ndel pool",
        ["data/part1.csv", "data/part2.csv"],
        ["b.csv"],
    ),
}


@pytest.mark.parametrize(("library", "cells", "body", "read", "unread"), READS.values(), ids=READS)
def test_a_file_that_compiled_code_or_a_worker_reads_counts(
    notebook: Notebook, library: str, cells: list[str], body: str, read: list[str], unread: list[str]
) -> None:
    need(library)
    make()
    cells = [NATIVE, *cells]
    *_, first = notebook.run(*cells, step(body))
    *_, second = notebook.run(*cells, step(body))
    assert (first.status, second.status) == ("completed", "cached"), second.reason
    assert agrees(notebook, body)
    make(dict.fromkeys(unread, "x,y\n10,20\n"))
    notebook.restart()
    *_, kept = notebook.run(*cells, step(body))
    assert kept.status == "cached", kept.reason
    for number, path in enumerate(read):
        make({path: f"x,y\n{number},9\n"})
        notebook.restart()
        *_, changed = notebook.run(*cells, step(body))
        assert changed.status == "completed", path
        assert agrees(notebook, body)
    assert notebook.run(step(body))[0].status == "cached"


def test_a_name_that_nobody_opens_does_not_count(notebook: Notebook) -> None:
    make()
    cells = [
        "import os\nimport pandas as pd",
        step("paths = ['a.csv', 'data', os.path.join('data', 'part1.csv')]"),
    ]
    notebook.run(*cells)
    make({"a.csv": "", "data/part1.csv": "", "data/part9.csv": ""})
    assert notebook.run(cells[-1])[0].status == "cached"


def test_folders_around_the_notebook_are_not_gone_through(notebook: Notebook) -> None:
    make()
    cells = [
        "import os",
        step("places = [os.sep + 'tmp', '.', '..', '/', '~', 'a' * 5000, 'b.c\\0d', '**/*.csv']"),
    ]
    notebook.run(*cells)
    make({"new.csv": ""})
    assert notebook.run(cells[-1])[0].status == "cached"
