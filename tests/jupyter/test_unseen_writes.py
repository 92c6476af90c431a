"""Files that Python does not write itself: compiled libraries and worker processes do, and reuse makes them again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.test_unseen_files import NATIVE, need, step

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


# name: (library, plain cells, the step, files that it writes)
WRITES: dict[str, tuple[str, list[str], str, list[str]]] = {
    "a text of the step": ("", [], "found = native('o.txt', b'one')", ["o.txt"]),
    "a path that the step joins": (
        "",
        ["from pathlib import Path\nout = Path('out')"],
        "out.mkdir(exist_ok=True)\nfound = native(out / 'o.txt', b'one')",
        ["out/o.txt"],
    ),
    "names that no text shows": (
        "",
        ["from pathlib import Path"],
        "Path('out').mkdir()\nfound = [native(Path('out') / chr(each), b'x') for each in (97, 98)]",
        ["out/a", "out/b"],
    ),
    "numbers in names": (
        "",
        [],
        "found = [native(f'o{each}.txt', b'x') for each in (1, 2)]",
        ["o1.txt", "o2.txt"],
    ),
    "written and read back": (
        "",
        ["from pathlib import Path"],
        "found = [native('o.txt', b'one'), native('o.txt'), Path('o.txt').read_text()]",
        ["o.txt"],
    ),
    "polars": (
        "polars",
        ["import polars as pl"],
        "pl.DataFrame({'x': [1]}).write_csv('o.csv')\nfound = 1",
        ["o.csv"],
    ),
    "polars, lazily": (
        "polars",
        ["import polars as pl"],
        "pl.LazyFrame({'x': [1]}).sink_parquet('o.parquet')\nfound = 1",
        ["o.parquet"],
    ),
    "pyarrow": (
        "pyarrow",
        ["import pyarrow as pa\nfrom pyarrow import parquet"],
        "parquet.write_table(pa.table({'x': [1]}), 'o.parquet')\nfound = 1",
        ["o.parquet"],
    ),
    "pyarrow, a dataset": (
        "pyarrow",
        ["import pyarrow as pa\nimport pyarrow.dataset as ds"],
        "ds.write_dataset(pa.table({'x': [1]}), 'o', format='parquet')\nfound = 1",
        ["o/part-0.parquet"],
    ),
    "pandas": (
        "pyarrow",
        ["import pandas as pd"],
        "pd.DataFrame({'x': [1]}).to_parquet('o.parquet')\nfound = 1",
        ["o.parquet"],
    ),
    "h5py": (
        "h5py",
        ["import h5py"],
        "with h5py.File('o.h5', 'w') as _file:\n    _file['x'] = 1\nfound = 1",
        ["o.h5"],
    ),
    "worker processes": (
        "joblib",
        ["from joblib import Parallel, delayed"],
        "found = Parallel(n_jobs=2)(delayed(native)(f'o{each}.txt', b'x') for each in (1, 2))",
        ["o1.txt", "o2.txt"],
    ),
    "worker processes that write by Python": (
        "",
        [
            "from multiprocessing import get_context",
            "def save(number):\n    with open(f'o{number}.txt', 'w') as file:\n        return file.write('x')",
        ],
        "with get_context('fork').Pool(2) as pool:\n    found = pool.map(save, [1, 2])\ndel pool",
        ["o1.txt", "o2.txt"],
    ),
}


@pytest.mark.parametrize(("library", "cells", "body", "written"), WRITES.values(), ids=WRITES)
def test_a_file_that_compiled_code_or_a_worker_writes_is_made_again(
    notebook: Notebook, library: str, cells: list[str], body: str, written: list[str]
) -> None:
    need(library)
    cells = [NATIVE, *cells]
    notebook.run(*cells, step(body))
    made = {path: Path(path).read_bytes() for path in written}
    assert [ran.status for ran in notebook.run(step(body), step(body))] == ["cached", "cached"]
    for path in written:
        Path(path).unlink()
    if Path(written[0]).parent.name:
        shutil.rmtree(Path(written[0]).parent)
    notebook.restart()
    *_, again = notebook.run(*cells, step(body))
    assert again.status == "cached", again.reason
    assert {path: Path(path).read_bytes() for path in written} == made
    if not Path(written[0]).parent.name:  # written over what is there
        edited = body + "\nmore = 1"
        assert [ran.status for ran in notebook.run(step(edited), step(edited))] == ["completed", "cached"]


def test_what_a_file_that_was_overwritten_holds_by_then_is_not_overwritten_again(notebook: Notebook) -> None:
    Path("o.txt").write_text("mine")
    cells = [NATIVE, step("found = native('o.txt', b'one')")]
    assert notebook.run(*cells)[-1].status == "completed"
    assert notebook.run(*cells)[-1].status == "cached"
    Path("o.txt").write_text("mine again")
    (changed,) = notebook.run(cells[-1])
    assert changed.reason == "o.txt, which it writes, changed"
    assert Path("o.txt").read_text() == "one"


@pytest.mark.parametrize(
    "body",
    [
        "native('o.txt', b'more', os.O_WRONLY | os.O_APPEND)",
        "native('o.txt', native('o.txt') + b'more')",
        "Path('o.txt').write_bytes(native('o.txt') + b'more')",
        "native('o.txt', Path('o.txt').read_bytes() + b'more')",
    ],
)
def test_a_step_that_changes_a_file_by_what_it_held_runs_every_time(notebook: Notebook, body: str) -> None:
    Path("o.txt").write_text("one ")
    cells = [NATIVE, "import os\nfrom pathlib import Path", step(body + ";")]
    notebook.run(*cells)
    assert [ran.status for ran in notebook.run(*cells[2:], *cells[2:])] == ["completed", "completed"]
    assert Path("o.txt").read_text() == "one moremoremore"


def test_a_file_that_got_its_name_by_a_link_and_has_no_other_is_made_again(notebook: Notebook) -> None:
    body = "Path('part').write_text('one')\nos.link('part', 'o.txt')\nos.unlink('part')"
    cells = ["import os\nfrom pathlib import Path", step(body)]
    notebook.run(*cells)
    Path("o.txt").unlink()
    notebook.restart()
    assert notebook.run(*cells)[-1].status == "cached"
    assert (Path("o.txt").read_text(), Path("part").exists()) == ("one", False)
