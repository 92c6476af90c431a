"""Where nothing is installed that runs notebooks, all else works, and running one says what to install."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from pathlib import Path

SAYS = 'running a notebook needs {}. Type: pip install "zennb[kernel]"'
HIDE = """
import sys
from importlib.machinery import PathFinder

class Rest(PathFinder):
    @classmethod
    def find_spec(cls, name, *more):
        return None if name.partition(".")[0] in {hidden!r} else super().find_spec(name, *more)

sys.meta_path[sys.meta_path.index(PathFinder)] = Rest
"""
NONE = ("ipykernel", "nbclient", "jupyter_client", "zmq")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    cells = [nbformat.v4.new_code_cell(text) for text in ("%load_ext zennb", "%%step load\nrows = [1, 2]")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "study.ipynb")
    return tmp_path


def python(folder: Path, program: str, hidden: tuple[str, ...] = NONE) -> subprocess.CompletedProcess[str]:
    text = HIDE.format(hidden=hidden) + program
    command = [sys.executable, "-c", text]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("hidden", "names"),
    [(NONE, "ipykernel and nbclient"), (("nbclient",), "nbclient"), (("ipykernel",), "ipykernel")],
)
@pytest.mark.parametrize("verb", ["run", "check"])
def test_the_terminal_says_in_one_sentence_what_to_install(
    folder: Path, verb: str, hidden: tuple[str, ...], names: str
) -> None:
    done = python(folder, f"from zennb.cli import main\nsys.exit(main([{verb!r}, 'study.ipynb']))", hidden)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].endswith(SAYS.format(names))
    assert "Traceback" not in done.stderr


def test_a_program_gets_the_same_sentence_as_an_error(folder: Path) -> None:
    done = python(folder, "import zennb\nzennb.run('study.ipynb')")
    assert (
        done.stderr.splitlines()[-1] == f"zennb.errors.MissingExtra: {SAYS.format('ipykernel and nbclient')}"
    )


@pytest.mark.parametrize(
    "words", [["pipeline", "status", "study.ipynb"], ["runs", "list"], ["stack", "list"]]
)
def test_what_runs_no_notebook_needs_none_of_it(folder: Path, words: list[str]) -> None:
    done = python(folder, f"from zennb.cli import main\nsys.exit(main({words!r}))")
    assert (done.returncode, done.stderr) == (0, "")


def test_steps_run_in_a_terminal_without_it(folder: Path) -> None:
    program = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext zennb").raise_error()
shell.run_cell("%%step load\\nrows = [1, 2]").raise_error()
print(shell.user_ns["rows"])
"""
    done = python(folder, program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[1, 2]"
