"""Files that Python does not open itself, and whose names stand in another file, which the step reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.test_unseen_files import NATIVE, agrees, make, need, step

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

LISTS = {
    "a line": ("list.txt", "a.csv\n", "found = [native(l.strip()) for l in open('list.txt')]", ""),
    "one of many": (
        "list.txt",
        "b.csv\na.csv\n",
        "found = [native(l) for l in open('list.txt').read().split()]",
        "",
    ),
    "JSON": (
        "c.json",
        '{"path": "a.csv"}',
        "import json\nfound = native(json.load(open('c.json'))['path'])",
        "",
    ),
    "YAML": ("c.yaml", "path: a.csv\n", "found = native(open('c.yaml').read().split()[1])", ""),
    "a path below a folder": (
        "c.txt",
        "data/part1.csv",
        "found = native(open('c.txt').read())",
        "",
    ),
    "the list in a variable": ("c.txt", "a.csv", "found = native(open(where).read())", ""),
    "a frame": (
        "list.txt",
        "a.csv\n",
        "import polars as pl\nfound = [pl.read_csv(l.strip()).rows() for l in open('list.txt')]",
        "polars",
    ),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("what", LISTS)
def test_a_file_that_another_file_names_counts(notebook: Notebook, what: str) -> None:
    name, text, body, library = LISTS[what]
    need(library)
    make()
    Path(name).write_text(text)
    before = f"{NATIVE}\nwhere = 'c.txt'"
    notebook.run(before, step(body))
    notebook.restart()
    notebook.run(before)
    assert notebook.run(step(body))[0].status == "cached"
    make({"a.csv": "x,y\n9,9\n", "data/part1.csv": "x,y\n8,8\n"})
    assert notebook.run(step(body))[0].status == "completed"
    assert agrees(notebook, body)
    if "b.csv" not in text:
        make({"b.csv": "x,y\n0,0\n"})
        assert notebook.run(step(body))[0].status == "cached", "it does not read this one"
