"""Files that are read across cells: the place in a file is content like any other, as long as the file is the same."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import sqlite3
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)

KINDS = {
    "text": ("f = open('a.csv')", "one = f.readline()", "at = f.tell()", "rest = f.read()", "f.close()"),
    "bytes": ("f = open('a.csv', 'rb')", "one = f.read(3)", "rest = f.read()", "f.close()"),
    "moved back": ("f = open('a.csv')", "one = f.read()", "f.seek(2)", "rest = f.readlines()"),
    "other ends of lines": ("f = open('w.csv', newline='')", "one = f.readline()", "rest = f.read()"),
    "ends of lines made one": ("f = open('w.csv')", "one = f.readline()", "rest = f.read()"),
    "another encoding": (
        "f = open('u.txt', encoding='utf-16', errors='replace')",
        "one = f.read(3)",
        "rest = f.read()",
    ),
    "more than a buffer": ("f = open('long.txt')", "one = f.read(9000)", "rest = (f.read(10), f.tell())"),
    "in a list": (
        "files = [open(n) for n in ('a.csv', 'w.csv')]",
        "rest = [each.readline() for each in files]",
    ),
    "reader": ("import csv\nf = open('a.csv')\nreader = csv.reader(f)", "rest = [row for row in reader]"),
    "reader of rows": (
        "import csv\nf = open('a.csv')\nreader = csv.DictReader(f, delimiter=';')",
        "rest = list(reader)",
        "at = (reader.line_num, reader.fieldnames)",
    ),
    "reader at the end": (
        "import csv\nf = open('a.csv')\nreader = csv.reader(f)\nfor row in reader: pass",
        "rest = (reader.line_num, list(reader), f.read())",
        "f.close()",
    ),
    "reader of a closed file": (
        "import csv\nwith open('a.csv') as f:\n    reader = csv.DictReader(f)\n    rows = [*reader]",
        "rest = (reader.line_num, reader.fieldnames, f.closed)",
    ),
    "writer of a closed file": (
        "import csv\nwith open('b.csv', 'w', newline='') as f:\n    w = csv.writer(f)\n    w.writerow([1, 2])",
        "try:\n    w.writerow([3])\nexcept ValueError as error:\n    rest = str(error)",
    ),
    "archive": ("import zipfile\nz = zipfile.ZipFile('a.zip')", "rest = z.read('a.csv')", "z.close()"),
    "closed archive": (
        "import zipfile\nwith zipfile.ZipFile('a.zip') as z:\n    one = z.namelist()",
        "rest = (z.namelist(), z.fp, z.infolist()[0].file_size)",
    ),
    "compressed": (
        "import gzip\nwith gzip.open('a.gz', 'rt') as g:\n    one = g.read()\nwith gzip.open('a.gz') as b:\n    pass",
        "rest = (g.closed, b.closed, b.name, g.name)",
    ),
    "compressed otherwise": (
        "import bz2, lzma\nwith bz2.open('a.bz2', 'w') as b:\n    pass\nwith lzma.open('a.xz', 'w') as x:\n    pass",
        "rest = (b.closed, x.closed)",
    ),
    "closed database": (
        "import sqlite3\nconn = sqlite3.connect('a.db')\nconn.row_factory = sqlite3.Row\nconn.close()",
        "try:\n    conn.execute('select 1')\nexcept sqlite3.ProgrammingError as error:\n    rest = str(error)",
    ),
}


FILES = ("a.csv", "w.csv", "u.txt", "long.txt", "a.zip")


@pytest.fixture(autouse=True)
def _files(notebook: Notebook) -> Iterator[None]:
    Path("a.csv").write_text("a;b\n1;2\n3;4\n")
    Path("w.csv").write_bytes(b"a,b\r\n1,2\r\n3,4\r\n")
    Path("u.txt").write_text("añb日c\n" * 9, encoding="utf-16")
    Path("long.txt").write_text("0123456789abcdef\n" * 2000)
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("a.csv")
    with gzip.open("a.gz", "wb") as file:
        file.write(b"text")
    sqlite3.connect("a.db").close()
    yield
    # As in a notebook, nobody closes what a new kernel replaces.
    for each in gc.get_objects():
        if type(each) in {io.TextIOWrapper, io.BufferedReader} and getattr(each, "name", "") in FILES:
            each.close()


def test_each_cell_is_reused_and_an_edited_one_reads_what_it_would(notebook: Notebook) -> None:
    steps = {
        (kind, n): f"%%step s{at}_{n}\n{text}"
        for at, (kind, cells) in enumerate(KINDS.items())
        for n, text in enumerate(cells)
    }
    notebook.run(*steps.values())
    notebook.restart()
    again = {each: notebook.run(text)[0] for each, text in steps.items()}
    assert {each: ran.reason for each, ran in again.items() if ran.status != "cached"} == {}
    notebook.restart()
    for kind, cells in KINDS.items():
        plain: dict[str, object] = {}
        for n, text in enumerate(cells):
            exec(text, plain)
            is_last = "rest" in text
            (ran,) = notebook.run(steps[kind, n] + "\nedited = True" * is_last)
            if is_last:
                assert (kind, ran.status, notebook.ns["rest"]) == (kind, "completed", plain["rest"])
                break


READ = ("%%step opened\nf = open('a.csv')\none = f.readline()", "%%step read\nrest = f.read()")


def test_a_file_that_somebody_changes_is_read_again(notebook: Notebook) -> None:
    notebook.run(*READ)
    notebook.restart()
    Path("a.csv").write_text("a;b\n7;8\n")
    assert [ran.status for ran in notebook.run(*READ)] == ["completed", "completed"]
    assert notebook.ns["rest"] == "7;8\n"


def test_what_was_read_ahead_of_a_change_is_not_taken_for_what_the_file_holds(notebook: Notebook) -> None:
    """The rest of the file is in memory when it is changed, so what `read` gets is not what the file holds."""
    notebook.run(READ[0])
    Path("a.csv").write_text("a;b\n7;8\n")
    (read,) = notebook.run(READ[1])
    assert (notebook.ns["rest"], read.reason) == (
        "1;2\n3;4\n",
        "not cacheable: it reads `f`, an open file",
    )
    notebook.restart()
    assert [ran.status for ran in notebook.run(*READ)] == ["completed", "completed"]
    assert notebook.ns["rest"] == "7;8\n"


def test_a_file_has_read_ahead_as_far_when_its_step_is_reused(notebook: Notebook) -> None:
    notebook.run(*READ)
    notebook.restart()
    assert notebook.run(READ[0])[0].status == "cached"
    Path("a.csv").write_text("a;b\n7;8\n")
    notebook.run(READ[1])
    assert notebook.ns["rest"] == "1;2\n3;4\n"  # as in a plain kernel


def test_a_file_changed_between_two_cells_counts_though_nothing_ran(notebook: Notebook) -> None:
    opened = "%%step opened\nf = open('a.csv')"
    notebook.run(opened)
    Path("a.csv").write_text("a;b\n7;8\n")
    notebook.run(READ[1])
    notebook.restart()
    Path("a.csv").write_text("a;b\n1;2\n3;4\n")
    assert notebook.run(opened, READ[1])[1].status == "completed"
    assert notebook.ns["rest"] == "a;b\n1;2\n3;4\n"


def test_a_generator_over_a_file_keeps_it(notebook: Notebook) -> None:
    made, read = (
        "%%step made\nf = open('a.csv')\nlines = (line for line in f)",
        "first = next(lines), next(f)",
    )
    notebook.run(made)
    notebook.restart()
    assert notebook.run(made)[0].status == "cached"
    notebook.run(read)
    assert notebook.ns["first"] == ("a;b\n", "1;2\n")


def test_a_file_in_the_middle_of_a_loop_tells_no_place(notebook: Notebook) -> None:
    notebook.run("%%step made\nf = open('a.csv')\nfirst = next(f)", "%%step read\nsecond = next(f)")
    notebook.restart()
    made, read = notebook.run(
        "%%step made\nf = open('a.csv')\nfirst = next(f)", "%%step read\nsecond = next(f)"
    )
    assert (made.status, read.status, notebook.ns["second"]) == ("cached", "completed", "1;2\n")


def test_a_reader_keeps_its_dialect(notebook: Notebook) -> None:
    made = "%%step made\nimport csv\nr = csv.reader(['a;\"b;c\"', \"d;'e'\"], delimiter=';', quotechar=\"'\")"
    notebook.run(made, "%%step read\nrows = next(r)")
    notebook.restart()
    made_again, read = notebook.run(made, "%%step read\nrows = next(r)")
    assert (made_again.status, read.status) == ("cached", "cached")
    notebook.run("last = list(r), r.line_num")
    assert notebook.ns["rows"] == ["a", '"b', 'c"']
    assert notebook.ns["last"] == ([["d", "e"]], 2)
    assert notebook.ns["r"].dialect.delimiter == csv.reader([], delimiter=";").dialect.delimiter
