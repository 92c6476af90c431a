"""The files, programs and environment variables that a step touches while it runs."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran


def step(text: str, name: str = "s") -> str:
    return f"%%step {name}\n{text}"


def again(notebook: Notebook, *cells: str) -> list[Ran]:
    """Run cells in a new kernel."""
    notebook.restart()
    return notebook.run(*cells)


# Files

LOADER = """from importlib import util
def loaded(path):
    spec = util.spec_from_file_location('tool', path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.f()
"""
BY_PATH = {
    "a loader": "value = loaded('tool.py')",
    "a runner": "import runpy\nvalue = runpy.run_path('tool.py')['f']()",
}


@pytest.mark.parametrize("load", BY_PATH.values(), ids=BY_PATH)
@pytest.mark.parametrize("is_compiled", [False, True], ids=["source", "compiled"])
def test_code_that_is_loaded_by_its_path_counts_as_a_file(
    notebook: Notebook, load: str, is_compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", not is_compiled)
    source = Path("tool.py")
    source.write_text("def f(): return 1")
    notebook.run(LOADER, step(load))
    (_, reused) = again(notebook, LOADER, step(load))
    assert reused.status == "cached", reused.reason
    source.write_text("def f(): return 222")
    again(notebook, LOADER, step(load))
    assert notebook.ns["value"] == 222


@pytest.mark.parametrize(
    "read",
    [
        "from pathlib import Path\ntext = Path('data.csv').read_text()",
        "import pandas as pd\ntext = pd.read_csv('data.csv')",
        "import numpy as np\ntext = np.loadtxt('data.csv', skiprows=1)",
        "import csv\nwith open('data.csv') as _file:\n    text = list(csv.reader(_file))",
        "def load(path):\n    with open(path) as file:\n        return file.read()\ntext = load('data.csv')",
    ],
)
def test_a_step_that_read_a_file_runs_again_when_the_file_changed_and_only_then(
    notebook: Notebook, tmp_path: Path, read: str
) -> None:
    data = tmp_path / "data.csv"
    data.write_text("a\n1\n")
    assert [r.status for r in notebook.run(step(read), step(read))] == ["completed", "cached"]
    data.write_text("a\n2\n")
    (changed,) = notebook.run(step(read))
    assert (changed.status, changed.reason) == ("completed", "data.csv changed")
    data.write_text("a\n1\n")
    (back,) = notebook.run(step(read))
    assert back.status == "cached", back.reason
    assert "1" in str(notebook.ns["text"])


ALTERED = {
    "os.chmod('data.csv', 0o600)": "sets the mode, owner or times of data.csv",
    "from pathlib import Path\nPath('data.csv').chmod(0o600)": "sets the mode, owner or times of data.csv",
    "os.utime('data.csv', (1000, 1000))": "sets the mode, owner or times of data.csv",
    "os.symlink('data.csv', 'link')": "makes the link link",
    "os.symlink('nowhere', 'link') if 1 else 0": "makes the link link",
    "os.link('data.csv', 'link')": "makes the link link",
}


@pytest.mark.parametrize("cell", ALTERED)
def test_what_is_set_of_a_file_besides_its_content_is_set_every_time(notebook: Notebook, cell: str) -> None:
    for _ in range(2):
        Path("link").unlink(missing_ok=True)
        Path("data.csv").write_text("a")
        Path("data.csv").chmod(0o644)
        _, ran = notebook.run("import os", step(f"{cell}\nx = 1"))
        assert ran.status == "completed"
        notebook.restart()
    assert ran.reason == f"not cacheable: it {ALTERED[cell]}, which reuse would not do"


USUAL = [
    "shutil.copy2('data.csv', 'copy.csv')",
    "pathlib.Path('made').touch()",
    "os.symlink('data.csv', 'link')\nos.remove('link')",
    "with tempfile.TemporaryDirectory() as _d: os.symlink('data.csv', _d + '/link')",
]


@pytest.mark.parametrize("cell", USUAL)
def test_links_that_are_gone_and_modes_of_copies_bar_no_reuse(notebook: Notebook, cell: str) -> None:
    Path("data.csv").write_text("a")
    cells = "import os, pathlib, shutil, tempfile", step(f"{cell}\nx = 1")
    notebook.run(*cells)
    _, ran = again(notebook, *cells)
    assert ran.status == "cached", ran.reason


def test_a_file_of_the_same_size_and_time_is_told_apart(notebook: Notebook, tmp_path: Path) -> None:
    data = tmp_path / "data.txt"
    data.write_text("one")
    stamp = data.stat()
    cell = step("from pathlib import Path\ntext = Path('data.txt').read_text()")
    notebook.run(cell, cell)
    data.write_text("two")
    os.utime(data, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    (changed,) = notebook.run(cell)
    assert changed.reason == "data.txt changed"
    assert notebook.ns["text"] == "two"


def test_a_file_that_is_gone_is_said_so_and_the_step_fails_as_the_cell_would(
    notebook: Notebook, tmp_path: Path
) -> None:
    (tmp_path / "data.txt").write_text("one")
    cell = step("from pathlib import Path\ntext = Path('data.txt').read_text()")
    notebook.run(cell)
    (tmp_path / "data.txt").unlink()
    ran = notebook.cell(cell)
    assert isinstance(ran.error, FileNotFoundError)


def test_a_file_that_was_missing_counts_as_missing(notebook: Notebook, tmp_path: Path) -> None:
    cell = step(
        "from pathlib import Path\ntry:\n    text = Path('later.txt').read_text()\n"
        "except FileNotFoundError:\n    text = ''"
    )
    notebook.run(cell)
    (tmp_path / "later.txt").write_text("now")
    (changed,) = notebook.run(cell)
    assert changed.reason == "later.txt is new"
    assert notebook.ns["text"] == "now"


def test_what_a_step_wrote_is_no_input_of_its_own_and_is_written_again(
    notebook: Notebook, tmp_path: Path
) -> None:
    cell = step(
        "from pathlib import Path\nPath('out.txt').write_text('made')\nback = Path('out.txt').read_text()"
    )
    assert [r.status for r in notebook.run(cell, cell)] == ["completed", "cached"]
    (tmp_path / "out.txt").write_text("spoilt")
    (changed,) = notebook.run(cell)
    assert (changed.status, (tmp_path / "out.txt").read_text()) == ("cached", "made")
    (tmp_path / "out.txt").unlink()
    (gone,) = notebook.run(cell)
    assert (gone.status, (tmp_path / "out.txt").read_text()) == ("cached", "made")


@pytest.mark.parametrize(("name", "size"), [("large.bin", 2_000_000), (".netrc", 5), ("my.key", 5)])
def test_what_is_too_large_or_too_private_to_be_kept_must_still_be_there(
    notebook: Notebook, tmp_path: Path, name: str, size: int
) -> None:
    cell = step(f"from pathlib import Path\n_ = Path({name!r}).write_bytes(b'x' * {size})")
    assert [r.status for r in notebook.run(cell, cell)] == ["completed", "cached"]
    (tmp_path / name).write_bytes(b"y")
    (changed,) = notebook.run(cell)
    assert changed.reason == f"{name}, which it writes, changed"
    (tmp_path / name).unlink()
    (gone,) = notebook.run(cell)
    assert gone.reason == f"{name}, which it writes, is gone"
    assert (tmp_path / name).stat().st_size == size


def test_a_notebook_that_tidies_up_behind_itself_is_reused(notebook: Notebook, tmp_path: Path) -> None:
    cells = [
        step("from pathlib import Path\nimport shutil\nPath('data').mkdir(exist_ok=True)", "folder"),
        step("size = Path('data/a.txt').write_text('one')", "write"),
        step("text = Path('data/a.txt').read_text()", "read"),
    ]
    notebook.run(*cells, "shutil.rmtree('data')")
    ran = again(notebook, *cells)
    assert [r.status for r in ran] == ["cached"] * 3, [r.reason for r in ran]
    assert (tmp_path / "data" / "a.txt").read_text() == "one"


def test_a_file_that_cannot_be_written_again_is_no_hit(notebook: Notebook, tmp_path: Path) -> None:
    cell = step("from pathlib import Path\n_ = Path('out').write_text('made')")
    notebook.run(cell)
    (tmp_path / "out").unlink()
    (tmp_path / "out").mkdir()
    ran = notebook.cell(cell)
    assert isinstance(ran.error, IsADirectoryError)


def test_a_step_that_appends_runs_every_time(notebook: Notebook, tmp_path: Path) -> None:
    cell = step("file = open('log.txt', 'a')\nfile.write('line')\nfile.close()\ndel file")
    (tmp_path / "log.txt").write_text("")
    assert [r.status for r in notebook.run(cell, cell)] == ["completed", "completed"]
    assert (tmp_path / "log.txt").read_text() == "lineline"


def test_files_written_in_one_step_and_read_in_the_next(notebook: Notebook) -> None:
    cells = [
        step("import numpy as np\nnp.save('a.npy', np.arange(3))", "save"),
        step("total = int(np.load('a.npy').sum())", "load"),
    ]
    notebook.run(*cells)
    assert [r.status for r in again(notebook, *cells)] == ["cached", "cached"]
    changed = notebook.run(cells[0].replace("3", "4"), cells[1])
    assert [r.reason for r in changed] == ["its code changed", "a.npy changed"]
    assert notebook.ns["total"] == 6


def test_a_listed_folder_counts_by_its_names(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").touch()
    cell = step("from pathlib import Path\nnames = sorted(p.name for p in Path('data').iterdir())")
    assert [r.status for r in notebook.run(cell, cell)] == ["completed", "cached"]
    (tmp_path / "data" / "b").touch()
    (changed,) = notebook.run(cell)
    assert changed.reason == "data changed"
    assert notebook.ns["names"] == ["a", "b"]


def test_a_folder_that_the_step_makes_and_lists_is_no_input_but_one_that_was_there_is(
    notebook: Notebook, tmp_path: Path
) -> None:
    cell = step(
        "from pathlib import Path\nPath('d').mkdir(exist_ok=True)\nnames = sorted(p.name for p in Path('d').iterdir())"
    )
    notebook.run(cell)
    (tmp_path / "d").rmdir()
    assert [r.status for r in again(notebook, cell)] == ["cached"]
    (tmp_path / "d" / "x").touch()
    (ran,) = notebook.run(cell.replace("exist_ok=True", "0o777, exist_ok=True"))
    assert notebook.ns["names"] == ["x"]
    (tmp_path / "d" / "y").touch()
    (changed,) = notebook.run(cell.replace("exist_ok=True", "0o777, exist_ok=True"))
    assert (ran.status, changed.reason) == ("completed", "d changed")


def test_a_temporary_file_that_came_and_went_does_not_count(notebook: Notebook) -> None:
    cell = step(
        "import os\nwith open('t.tmp', 'w') as _file: pass\nsize = os.path.getsize('t.tmp')\nos.remove('t.tmp')\n"
        "from tempfile import TemporaryDirectory\nwith TemporaryDirectory() as where: pass"
    )
    assert [r.status for r in notebook.run(cell, cell)] == ["completed", "cached"]


def test_a_database_that_is_only_read_counts_by_its_bytes(notebook: Notebook, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "d.db") as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    cell = step(
        "import sqlite3\n_c = sqlite3.connect('d.db')\nrows = _c.execute('SELECT x FROM t').fetchall()\n_c.close()"
    )
    assert [r.status for r in notebook.run(cell, cell)] == ["completed", "cached"]
    with sqlite3.connect(tmp_path / "d.db") as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    connection.close()
    (changed,) = notebook.run(cell)
    assert changed.reason == "d.db changed"
    assert notebook.ns["rows"] == [(1,), (2,)]


def test_files_of_packages_and_of_the_home_do_not_count(notebook: Notebook) -> None:
    notebook.run(step("from sklearn.datasets import load_iris\ndata = load_iris()"))
    [run] = notebook.shell.zennb_step.workspace.metadata.runs(limit=1)
    [made] = notebook.shell.zennb_step.workspace.metadata.steps(run.id)
    assert made.observed.files == {}
    assert made.observed.written == {}


@pytest.mark.parametrize("package", ["importlib.metadata", "importlib_metadata"])
def test_looking_for_what_is_installed_is_no_reading_of_the_folder(
    package: str, notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(package)
    monkeypatch.syspath_prepend("")
    cell = step(f"from {package} import distributions\nfound = len(list(distributions())) > 0")
    notebook.run(cell)
    (tmp_path / "new.txt").touch()
    assert notebook.run(cell)[0].status == "cached"


def test_a_program_that_the_step_starts_cannot_be_followed(notebook: Notebook) -> None:
    cell = step("import subprocess\nsaid = subprocess.run(['echo', 'x'], capture_output=True).stdout")
    first, second = notebook.run(cell, cell)
    assert (first.status, second.status) == ("completed", "completed")
    assert second.reason == "not cacheable: it runs `echo x`, whose effects cannot be seen"


# Environment


def test_an_environment_variable_that_the_step_read_counts(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = step("import os\nrate = os.environ.get('ZENNB_TEST_RATE', 'none')")
    monkeypatch.setenv("ZENNB_TEST_OTHER", "1")
    assert [r.status for r in notebook.run(cell, cell)] == ["completed", "cached"]
    monkeypatch.setenv("ZENNB_TEST_OTHER", "2")
    assert notebook.run(cell)[0].status == "cached"
    monkeypatch.setenv("ZENNB_TEST_RATE", "7")
    (changed,) = notebook.run(cell)
    assert changed.reason == "environment variable ZENNB_TEST_RATE changed"
    assert notebook.ns["rate"] == "7"


def test_the_value_of_a_variable_is_in_no_record(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZENNB_TEST_TOKEN", "hunter2-hunter2")
    notebook.run(step("import os\nlength = len(os.environ['ZENNB_TEST_TOKEN'])"))
    notebook.run(step("import os\nos.environ['ZENNB_TEST_COPY'] = os.environ['ZENNB_TEST_TOKEN']", "copy"))
    monkeypatch.delenv("ZENNB_TEST_COPY")
    notebook.stop()
    for file in (tmp_path / "home").rglob("*"):
        assert not file.is_file() or b"hunter2-hunter2" not in file.read_bytes(), file
    notebook.start()


def test_a_variable_set_to_what_the_code_says_is_set_again(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENNB_TEST_X", "off")
    cells = [
        step("import os\nos.environ['ZENNB_TEST_X'] = 'on'", "set"),
        step("x = os.environ['ZENNB_TEST_X']"),
    ]
    notebook.run(*cells)
    os.environ["ZENNB_TEST_X"] = "off"
    assert [r.status for r in again(notebook, *cells)] == ["cached", "cached"]
    assert os.environ["ZENNB_TEST_X"] == "on"


def test_a_variable_set_to_what_it_was_is_set_in_another_kernel_too(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENNB_TEST_X", "low")
    cell = step("import os\nos.environ['ZENNB_TEST_X'] = 'low'")
    notebook.run(cell)
    monkeypatch.delenv("ZENNB_TEST_X")
    assert again(notebook, cell)[0].status == "cached"
    assert os.environ["ZENNB_TEST_X"] == "low"


@pytest.mark.parametrize("line", ["!cat data.txt", "shown = !head -n 1 data.txt", "!ls"])
def test_a_shell_line_that_only_reads_counts_by_what_it_reads(
    notebook: Notebook, tmp_path: Path, line: str
) -> None:
    (tmp_path / "data.txt").write_text("one\n")
    first, second = notebook.run(step(line), step(line))
    assert (first.status, second.status) == ("completed", "cached"), second.reason
    assert second.out == first.out
    (tmp_path / "data.txt").unlink()
    (tmp_path / "other.txt").touch()
    (changed,) = notebook.run(step(line))
    assert changed.status == "completed"


def test_a_shell_line_reads_what_the_cell_wrote_before_it(notebook: Notebook) -> None:
    cell = step("from pathlib import Path\n_ = Path('a.txt').write_text('made')\n!cat a.txt")
    first, second = notebook.run(cell, cell)
    assert second.status == "cached"
    assert "made" in first.out
    assert second.out == first.out


def test_data_beside_what_zennb_keeps_in_its_home_counts(notebook: Notebook) -> None:
    cell = (
        "%%step read\nfrom pathlib import Path\nrows = Path('home/data.csv').read_text()\n"
        "marker = Path('home/STORE.json').read_text()"
    )
    notebook.run("%stack")
    Path("home/data.csv").write_text("1")
    notebook.run(cell)
    Path("home/STORE.json").write_text(Path("home/STORE.json").read_text() + " ")
    (same,) = notebook.run(cell)
    assert same.status == "cached"
    Path("home/data.csv").write_text("12")
    status = notebook.cell("%pipeline status").displays[-1]["data"]["text/plain"]
    assert "stale" in status
    (ran,) = notebook.run(cell)
    assert (ran.status, ran.reason) == ("completed", "home/data.csv changed")
