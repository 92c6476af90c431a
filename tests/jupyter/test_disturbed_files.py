"""Files that somebody else changes while a step that writes them runs: what they hold in the end is not the step's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.background import GATE, ended, opened
from tests.jupyter.conftest import no_run_left  # noqa: F401 - a fixture
from tests.jupyter.test_unseen_files import NATIVE
from zennb.engine.environment.callers import untraced

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

CELLS = ["import os, shutil, sys\nfrom pathlib import Path"]

WRITES = {
    "at once": "Path('o.txt').write_text('mine');",
    "in two goes": "Path('o.txt').write_text('mi')\nwith open('o.txt', 'a') as _file:\n    _file.write('ne')",
    "by a move": "Path('draft').write_text('mine')\nos.replace('draft', 'o.txt')",
    "by a copy": "Path('draft').write_text('mine')\nshutil.copy('draft', 'o.txt')\nos.remove('draft')",
    "through a descriptor": (
        "_file = os.open('o.txt', os.O_WRONLY | os.O_CREAT | os.O_TRUNC)\nos.write(_file, b'mine')\nos.close(_file)"
    ),
    "in a folder that was there": "Path('there/o.txt').write_text('mine');",
    "in a folder that it makes": "os.makedirs('new/deep')\nPath('new/deep/o.txt').write_text('mine');",
    "through a link": "Path('link').write_text('mine');",
}
PLACES = {"in a folder that was there": "there/o.txt", "in a folder that it makes": "new/deep/o.txt"}

CHANGES = {
    "written": "Path(path).write_text('other')",
    "appended": "with open(path, 'a') as file: file.write('more')",
    "replaced": "Path('theirs').write_text('other'); os.replace('theirs', path)",
    "removed": "os.remove(path)",
    "moved away": "os.rename(path, 'elsewhere')",
}


def apart(path: str, change: str) -> None:
    """Change a file from another process."""
    code = f"import os\nfrom pathlib import Path\npath = {path!r}\n{change}"
    subprocess.run([sys.executable, "-c", code], check=True)


waiting: list[tuple[str, str]] = []


def _pause(event: str, _arguments: object) -> None:
    if event == "tests.pause":
        with untraced():
            for path, change in waiting:
                apart(path, change)


sys.addaudithook(_pause)


@pytest.fixture
def meanwhile() -> list[tuple[str, str]]:
    """What another process does at `sys.audit("tests.pause")`, which is no code of the step: a file, and the change."""
    waiting.clear()
    return waiting


def tells_writers() -> bool:
    from zennb.engine.environment.writer_watch import _system

    return _system() is not None


def clean() -> None:
    for path in ("o.txt", "there/o.txt", "draft", "theirs", "elsewhere", "target.txt"):
        Path(path).unlink(missing_ok=True)
    shutil.rmtree("new", ignore_errors=True)


def before() -> None:
    Path("there").mkdir(exist_ok=True)
    if not Path("link").is_symlink():
        Path("link").symlink_to("o.txt")


@pytest.mark.parametrize("how", WRITES)
@pytest.mark.parametrize("change", CHANGES)
def test_what_another_process_leaves_is_not_restored(
    notebook: Notebook, meanwhile: list[tuple[str, str]], how: str, change: str
) -> None:
    before()
    path = PLACES.get(how, "o.txt")
    step = f"%%step s\n{WRITES[how]}\nsys.audit('tests.pause')\nfound = 1"
    meanwhile.append((path, CHANGES[change]))
    (first,) = notebook.run(*CELLS, step)[1:]
    assert first.status == "completed"
    written = "link" if how == "through a link" else path
    meanwhile.clear()
    clean()
    notebook.restart()
    (again,) = notebook.run(*CELLS, step)[1:]
    assert Path(path).read_text() == "mine"
    assert again.status == "completed"
    assert (
        again.reason
        == f"not cacheable: {written}, which it writes, was changed by something else while it ran"
    )
    clean()
    notebook.restart()
    (third,) = notebook.run(*CELLS, step)[1:]  # this time it was alone
    assert third.status == "cached", third.reason
    assert Path(path).read_text() == "mine"


ALONE = {
    **WRITES,
    "over what was there": "Path('o.txt').write_text('old')\nPath('o.txt').write_text('mine')",
    "after it was removed": "Path('o.txt').write_text('old')\nos.remove('o.txt')\nPath('o.txt').write_text('mine')",
    "read in between": (
        "Path('o.txt').write_text('mi')\n_old = Path('o.txt').read_text()\nPath('o.txt').write_text('mine')"
    ),
    "two writers at once": (
        "with open('o.txt', 'w') as _a, open('o.txt', 'a') as _b:\n"
        "    _b.write('mi')\n    _b.flush()\n    _b.write('ne')"
    ),
    "by a thread": (
        "from threading import Thread\n_thread = Thread(target=Path('o.txt').write_text, args=('mine',))\n"
        "_thread.start()\n_thread.join()"
    ),
    "by way of a temporary file": (
        "import tempfile\nwith tempfile.NamedTemporaryFile('w', dir='.', delete=False) as _file:\n"
        "    _file.write('mine')\nos.replace(_file.name, 'o.txt')"
    ),
    "by way of a temporary folder": (
        "import tempfile\nwith tempfile.TemporaryDirectory(dir='.') as _folder:\n"
        "    Path(_folder, 'x').write_text('mine')\n    shutil.copy(Path(_folder, 'x'), 'o.txt')"
    ),
    "in a folder that it makes twice": (
        "os.mkdir('new')\nPath('new/x').write_text('')\nshutil.rmtree('new')\nos.mkdir('new')\n"
        "Path('new/o.txt').write_text('mine')"
    ),
    "in many files": (
        "os.mkdir('new')\nfor _each in range(300):\n    Path(f'new/{_each}').write_text('x')\n"
        "Path('new/o.txt').write_text('mine')"
    ),
    "truncated": "Path('o.txt').write_text('mine, all mine')\nos.truncate('o.txt', 4)",
}
PLACES |= {"in a folder that it makes twice": "new/o.txt", "in many files": "new/o.txt"}


@pytest.mark.parametrize("how", ALONE)
def test_what_the_step_alone_writes_is_restored(notebook: Notebook, how: str) -> None:
    before()
    path = PLACES.get(how, "o.txt")
    step = f"%%step s\n{ALONE[how]}\nfound = 1"
    assert notebook.run(*CELLS, step)[-1].status == "completed"
    clean()
    notebook.restart()
    (again,) = notebook.run(*CELLS, step)[1:]
    assert again.status == "cached", again.reason
    assert Path(path).read_text() == "mine"


def test_other_files_in_the_folder_do_not_matter(
    notebook: Notebook, meanwhile: list[tuple[str, str]]
) -> None:
    Path("log").write_text("")
    meanwhile += [("log", CHANGES["appended"]), ("theirs", CHANGES["written"])]
    step = f"%%step s\n{WRITES['at once']}\nsys.audit('tests.pause')\nfound = 1"
    assert [ran.status for ran in notebook.run(*CELLS, step, step)[1:]] == ["completed", "cached"]


READERS = {
    "python": "found = Path('d.csv').read_text()",
    "compiled code": "found = native('d.csv').decode()",
    "a map of memory": "import polars as pl\nfound = pl.read_csv('d.csv').write_csv()",
    "a map of a file": (
        "import mmap\nwith open('d.csv', 'rb') as _file:\n"
        "    found = bytes(mmap.mmap(_file.fileno(), 0, access=mmap.ACCESS_READ)).decode()"
    ),
}


@pytest.mark.parametrize("how", READERS)
@pytest.mark.parametrize("change", ["written", "replaced"])
def test_a_file_that_changes_after_it_was_read(
    notebook: Notebook, meanwhile: list[tuple[str, str]], how: str, change: str
) -> None:
    if "polars" in READERS[how]:
        pytest.importorskip("polars")
    Path("d.csv").write_text("a\n1\n")
    meanwhile.append(("d.csv", CHANGES[change].replace("'other'", "'a\\n2\\n'")))
    step = f"%%step s\n{READERS[how]}\nsys.audit('tests.pause')"
    notebook.run(*CELLS, NATIVE, step)
    assert notebook.ns["found"] == "a\n1\n"
    meanwhile.clear()
    (again,) = notebook.run(step)
    assert again.status == "completed"
    assert notebook.ns["found"] == "a\n2\n"
    assert notebook.run(step)[0].status == "cached"


@pytest.mark.usefixtures("no_run_left")
@pytest.mark.parametrize(
    "other", ["Path('o.txt').write_text('other');", "%%step t\nPath('o.txt').write_text('other');"]
)
def test_a_cell_beside_a_background_run(notebook: Notebook, other: str) -> None:
    body = f"Path('o.txt').write_text('mine')\nPath('at').touch()\n{GATE}found = 1"
    notebook.run(*CELLS, f"%%step s --background\n{body}")
    until_there("at")
    notebook.run(other)
    opened()
    assert ended() == "completed"
    notebook.run("found")
    Path("o.txt").unlink()
    (again,) = notebook.run(f"%%step s\n{body}")
    assert again.status == "completed", again.reason
    assert Path("o.txt").read_text() == "mine"


@pytest.mark.usefixtures("no_run_left")
def test_two_background_runs_beside_each_other(notebook: Notebook) -> None:
    bodies = [
        f"Path('o.txt').write_text('{name}')\nPath('at{name}').touch()\n{GATE}{name} = 1"
        for name in ("first", "second")
    ]
    notebook.run(*CELLS)
    for name, body in zip(("first", "second"), bodies, strict=True):
        notebook.run(f"%%step of_{name} --background\n{body}")
        until_there(f"at{name}")
    opened()
    assert {ended(1), ended(2)} == {"completed"}
    notebook.run("first + second")
    Path("o.txt").unlink()
    for name, body in zip(("first", "second"), bodies, strict=True):
        notebook.run(f"%%step of_{name}\n{body}")
        assert Path("o.txt").read_text() == name


def test_elements_on_threads_that_write_one_file(notebook: Notebook) -> None:
    notebook.run(*CELLS, "%orchestrator register side --flavor=threads", "import time", "names = ['a', 'b']")
    step = "%%step s --on side --map names\nPath('o.txt').write_text(names)\ntime.sleep(0.5)\nfound = names"
    (first,) = notebook.run(step)
    assert first.status == "completed"
    for each in ("a", "b"):
        notebook.run(f"names = ['{each}']", step)
        assert Path("o.txt").read_text() == each
    notebook.run("names = ['a', 'b']", step)
    assert Path("o.txt").read_text() == "b"


def until_there(path: str) -> None:
    deadline = time.monotonic() + 60
    while not Path(path).exists():
        assert time.monotonic() < deadline, f"{path} is not made"
        time.sleep(0.02)


NATIVE_WRITES = {
    "at once": "native('o.txt', b'mine');",
    "over what was there": "Path('o.txt').write_text('')\nnative('o.txt', b'mine');",
    "by pyarrow": (
        "import pyarrow as pa, pyarrow.csv\n"
        "pyarrow.csv.write_csv(pa.table({'mine': ['1']}), 'o.txt', pyarrow.csv.WriteOptions(quoting_style='none'))"
    ),
    "in a folder that was there": "native('there/o.txt', b'mine');",
}


@pytest.mark.skipif(not tells_writers(), reason="Linux does not say here who writes a file")
@pytest.mark.parametrize("how", NATIVE_WRITES)
@pytest.mark.parametrize("change", ["written", "appended", "replaced"])
def test_what_another_process_leaves_where_compiled_code_wrote_is_not_restored(
    notebook: Notebook, meanwhile: list[tuple[str, str]], how: str, change: str
) -> None:
    if how == "by pyarrow":
        pytest.importorskip("pyarrow")
    before()
    path = PLACES.get(how, "o.txt")
    step = f"%%step s\n{NATIVE_WRITES[how]}\nsys.audit('tests.pause')\nfound = 1"
    meanwhile.append((path, CHANGES[change]))
    notebook.run(*CELLS, NATIVE, step)
    meanwhile.clear()
    clean()
    notebook.restart()
    (again,) = notebook.run(*CELLS, NATIVE, step)[2:]
    assert (
        again.reason == f"not cacheable: {path}, which it writes, was changed by something else while it ran"
    )
    assert "mine" in Path(path).read_text()
    notebook.restart()
    clean()
    (third,) = notebook.run(*CELLS, NATIVE, step)[2:]
    assert third.status == "cached", third.reason
    assert "mine" in Path(path).read_text()


def test_elements_on_threads_whose_compiled_code_writes_one_file(notebook: Notebook) -> None:
    notebook.run(
        *CELLS, NATIVE, "%orchestrator register side --flavor=threads", "import time", "names = ['a', 'b']"
    )
    step = "%%step s --on side --map names\nnative('o.txt', names.encode())\ntime.sleep(0.5)\nfound = names"
    notebook.run(step)
    for each in ("a", "b"):
        notebook.run(f"names = ['{each}']", step)
        assert Path("o.txt").read_text() == each


def test_elements_on_threads_whose_compiled_code_writes_files_of_their_own(notebook: Notebook) -> None:
    notebook.run(
        *CELLS, NATIVE, "%orchestrator register side --flavor=threads", "import time", "names = ['a', 'b']"
    )
    step = "%%step s --on side --map names\nnative(f'o{names}.txt', b'mine')\ntime.sleep(0.5)\nfound = names"
    notebook.run(step)
    Path("oa.txt").unlink()
    (again,) = notebook.run(step)
    assert again.status == "cached", again.reason
    assert Path("oa.txt").read_text() == "mine"
