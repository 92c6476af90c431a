"""A step that asks whether a file exists, how large it is or when it changed depends on that alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jupyter.conftest import Notebook

IMPORTS = (
    "import glob, os, shutil, stat\nfrom concurrent.futures import ThreadPoolExecutor\nfrom pathlib import Path\n"
    "name = 'a' + '.txt'"
)


def step(text: str, name: str = "s") -> str:
    return f"%%step {name}\n{text}"


def rewrite() -> None:
    """Other content of the same size, at the same time."""
    before = Path("a.txt").stat()
    Path("a.txt").write_text("two")
    os.utime("a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))


def grow() -> None:
    before = Path("a.txt").stat()
    Path("a.txt").write_text("longer")
    os.utime("a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))


def touch() -> None:
    os.utime("a.txt", ns=(1, 10**18))


def remove() -> None:
    Path("a.txt").unlink()


EXISTS, SIZE, TIME = {remove}, {remove, grow}, {remove, touch}

QUESTIONS: dict[str, set[Callable[[], None]]] = {
    "os.path.exists(name)": EXISTS,
    "os.path.isfile(name)": EXISTS,
    "os.path.isdir(name)": EXISTS,
    "os.path.lexists(name)": EXISTS,
    "os.access(name, os.R_OK)": EXISTS,
    "Path(name).exists()": EXISTS,
    "Path(name).is_file()": EXISTS,
    "any(map(os.path.exists, [name]))": EXISTS,
    "[each.name for each in map(Path, [name]) if each.exists()]": EXISTS,
    "os.path.getsize(name) if os.path.exists(name) else 0": SIZE,
    "Path(name).exists() and Path(name).stat().st_size": SIZE,
    "os.path.exists(name) and os.stat(name).st_size": SIZE,
    "os.path.exists(name) and os.path.getmtime(name)": TIME,
    "os.path.exists(name) and os.stat(name)[stat.ST_MTIME]": {remove, grow, touch},
    "Path(name).exists() and Path(name).stat().st_mtime_ns": TIME,
    "os.path.exists(name) and [os.path.getmtime(name), os.path.getsize(name)]": {remove, grow, touch},
    "os.path.exists(name) and [open(name).close(), os.path.getmtime(name)]": {remove, grow, touch, rewrite},
    "os.path.exists(name) and [each.st_size for each in map(os.stat, [name])]": SIZE,
    "os.path.exists(name) and [each.st_size for each in ThreadPoolExecutor(1).map(os.stat, [name])]": {
        remove,
        grow,
        touch,
    },
    "os.path.exists(name) and os.stat(name, dir_fd=os.open('.', os.O_RDONLY)).st_size": SIZE,
    "len(os.listdir('.'))": EXISTS,
    "[each.name for each in os.scandir('.')]": EXISTS,
    "[each.stat().st_size for each in os.scandir('.') if each.name == name]": SIZE,
    "glob.glob('a.*')": EXISTS,
    "glob.glob(name)": EXISTS,
}


@pytest.mark.parametrize(("question", "matter"), QUESTIONS.items(), ids=QUESTIONS)
@pytest.mark.parametrize("change", [rewrite, grow, touch, remove])
def test_what_was_asked_about_a_file_counts_and_nothing_else(
    notebook: Notebook, question: str, matter: set[Callable[[], None]], change: Callable[[], None]
) -> None:
    Path("a.txt").write_text("one")
    cells = [IMPORTS, step(f"found = {question}")]
    notebook.run(*cells)
    assert notebook.run(cells[1])[0].status == "cached"
    change()
    notebook.restart()
    *_, ran = notebook.run(*cells)
    assert (ran.status == "completed") == (change in matter), ran.reason
    given = notebook.ns["found"]
    notebook.run(f"found = {question}")
    assert given == notebook.ns["found"]


@pytest.mark.parametrize(
    "question", ["os.path.exists(name)", "Path(name).is_file()", "os.access(name, os.F_OK)"]
)
def test_a_file_that_was_not_there_counts_as_such(notebook: Notebook, question: str) -> None:
    cells = [IMPORTS, step(f"found = {question}")]
    notebook.run(*cells, cells[1])
    Path("a.txt").touch()
    (ran,) = notebook.run(cells[1])
    assert (ran.reason, notebook.ns["found"]) == ("a.txt is new", True)
    Path("a.txt").write_text("other")
    assert notebook.run(cells[1])[0].status == "cached"
    Path("a.txt").unlink()
    assert notebook.run(cells[1])[0].status == "cached"
    assert notebook.ns["found"] is False


@pytest.mark.parametrize(
    "body",
    [
        "if not os.path.exists('out'):\n    os.makedirs('out')",
        "if not Path('out').is_dir():\n    Path('out').mkdir()",
        "os.makedirs('out/inner', exist_ok=True)",
        "Path('out/inner').mkdir(parents=True, exist_ok=True)",
        "if not os.path.exists(name):\n    _ = Path(name).write_text('made')",
        "if os.path.exists(name):\n    os.remove(name)",
        "_ = Path(name).write_text('made')\nassert os.path.getsize(name) == 4",
        "_ = Path(name).write_text('made')\nos.remove(name)\nassert not os.path.exists(name)",
        "shutil.rmtree('out', ignore_errors=True)\nos.makedirs('out')",
    ],
)
def test_what_a_step_asks_about_its_own_work_lets_it_be_reused(notebook: Notebook, body: str) -> None:
    cells = [IMPORTS, step(body)]
    notebook.run(*cells)
    notebook.restart()
    *_, ran = notebook.run(*cells)
    assert ran.status == "cached", ran.reason


def test_a_file_of_ones_own_in_the_place_of_one_that_the_step_makes_is_not_overwritten(
    notebook: Notebook,
) -> None:
    cells = [IMPORTS, step("if not os.path.exists(name):\n    _ = Path(name).write_text('made')")]
    notebook.run(*cells)
    Path("a.txt").write_text("mine")
    assert notebook.run(cells[1])[0].reason == "a.txt is new"
    assert Path("a.txt").read_text() == "mine"


def test_a_function_of_os_can_be_pickled_and_kept(notebook: Notebook) -> None:
    notebook.run(
        "import pickle", step("from os import stat\nsame = pickle.loads(pickle.dumps(stat)) is stat")
    )
    assert notebook.ns["same"] is True
    assert notebook.ns["stat"] is os.stat
    assert type(os.stat).__name__ == "builtin_function_or_method"


def test_a_function_of_os_is_the_same_inside_a_step_and_outside(notebook: Notebook) -> None:
    plain, cell = "from os import stat, access", step("found = stat('a.txt').st_size, access('a.txt', 4)")
    Path("a.txt").write_text("one")
    notebook.run(plain, cell)
    notebook.restart()
    *_, ran = notebook.run(plain, cell)
    assert ran.status == "cached", ran.reason
    notebook.restart()
    kinds = [type(value).__name__ for value in (os.stat, os.lstat, os.access)]
    assert kinds == ["builtin_function_or_method"] * 3


@pytest.mark.parametrize(
    "removal",
    [
        "Path('old.txt').unlink(missing_ok=True)",
        "shutil.rmtree('old.txt', ignore_errors=True)",
        "try:\n    os.rename('old.txt', 'new.txt')\nexcept OSError:\n    pass",
    ],
)
def test_what_was_not_there_to_be_removed_may_be_there_the_next_time(
    notebook: Notebook, removal: str
) -> None:
    notebook.run(IMPORTS, step(f"{removal}\nn = 1"))
    notebook.restart()
    assert notebook.run(IMPORTS, step(f"{removal}\nn = 1"))[-1].status == "cached"
    Path("old.txt").mkdir() if "rmtree" in removal else Path("old.txt").write_text("1")
    notebook.restart()
    assert notebook.run(IMPORTS, step(f"{removal}\nn = 1"))[-1].status == "completed"
    assert not Path("old.txt").exists()
