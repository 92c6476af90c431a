"""Steps whose worker processes ask about files, which Python tells there and not in the kernel."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="forks")

SAVE = """
def save(path):
    with open(path, 'w') as file, open('a.txt') as source:
        file.write(source.read())
"""
ABOUT = """
with ProcessPoolExecutor(1, mp_context=get_context('fork')) as pool:
    found = list(pool.map(about, ['a.txt']))
del pool
"""
POOL = "with get_context('fork').Pool(1) as pool:\n    found = {}\ndel pool"
CELLS = [
    "import os\nfrom concurrent.futures import ProcessPoolExecutor\nfrom multiprocessing import get_context",
    "def about(path): return os.path.exists(path), os.stat(path).st_size",
]


@pytest.mark.parametrize(
    "body",
    [
        POOL.format("pool.map(os.path.getsize, ['a.txt'])"),
        POOL.format("pool.map(os.path.getsize, [name for name in ['a.txt'] if os.path.basename(name)])"),
        ABOUT,
    ],
)
def test_the_size_of_a_file_that_a_worker_asks_for_counts(notebook: Notebook, body: str) -> None:
    Path("a.txt").write_text("abc")
    Path("b.txt").write_text("abc")
    cells = [*CELLS, f"%%step s\n{body}"]
    notebook.run(*cells)
    Path("b.txt").write_text("b")
    notebook.restart()
    *_, kept = notebook.run(*cells)
    assert kept.status == "cached", kept.reason
    Path("a.txt").write_text("abcd")
    notebook.restart()
    *_, changed = notebook.run(*cells)
    assert changed.status == "completed"
    assert "4" in str(notebook.ns["found"])
    assert notebook.run(cells[-1])[0].status == "cached"


def test_that_there_is_no_file_counts_where_workers_may_ask(notebook: Notebook) -> None:
    cells = [CELLS[0], "%%step s\n" + POOL.format("pool.map(os.path.exists, ['nope.txt'])")]
    notebook.run(*cells)
    assert notebook.run(cells[-1])[0].status == "cached"
    Path("nope.txt").touch()
    assert notebook.run(cells[-1])[0].status == "completed"
    assert notebook.ns["found"] == [True]


def test_a_pool_of_another_cell_has_workers(notebook: Notebook) -> None:
    Path("a.txt").write_text("abc")
    notebook.run(*CELLS, "pool = get_context('fork').Pool(1)")
    ask = "%%step s\nfound = pool.map(os.path.getsize, ['a.txt'])"
    try:
        notebook.run(ask)
        Path("a.txt").write_text("abcd")
        notebook.run(ask)
        assert notebook.ns["found"] == [4]
    finally:
        notebook.run("pool.terminate(); pool.join()")


def test_what_workers_write_or_read_counts_as_that(notebook: Notebook) -> None:
    Path("a.txt").write_text("abc")
    body = POOL.format("pool.map(save, ['out.txt']), os.path.exists('out.txt')")
    cells = [CELLS[0], SAVE, f"%%step s\n{body}"]
    notebook.run(*cells)
    Path("a.txt").touch()
    assert notebook.run(cells[-1])[0].status == "cached"
    Path("out.txt").unlink()
    assert notebook.run(cells[-1])[0].status == "cached"
