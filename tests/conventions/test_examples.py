"""Every example in the documents runs as it stands; and the runner finds those that do not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conventions.offenders import ROOT, label

RUNNER = Path(__file__).with_name("run_examples.py")
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def run(file: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a file's examples in a process and folder of their own, as a reader would."""
    own = {
        "ZENNB_HOME": folder / ".zennb",
        "IPYTHONDIR": folder / ".ipython",
        "JUPYTER_DATA_DIR": folder / ".jupyter",
    }
    env = {**os.environ, **{name: str(path) for name, path in own.items()}}
    env |= {"MPLBACKEND": "agg", "PYTHONPATH": os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")])}
    command = [sys.executable, str(RUNNER), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=env)


@pytest.mark.parametrize("file", DOCUMENTS, ids=label)
def test_the_examples_of_a_document_run(file: Path, tmp_path: Path) -> None:
    done = run(file, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def page(folder: Path, text: str) -> Path:
    file = folder / "page.md"
    file.write_text(text)
    return file


def test_the_blocks_of_a_file_share_their_names(tmp_path: Path) -> None:
    inside_a_list = "1. item\n\n   ```python\n   assert x == 1\n   ```\n\n"
    text = f"```python\nx = 1\n```\ntext\n\n{inside_a_list}```text\n1/0\n```\n"
    done = run(page(tmp_path, text), tmp_path)
    assert (done.returncode, done.stdout) == (0, f"\n{tmp_path / 'page.md'}: 2 examples run\n")


def test_a_block_that_raises_fails_its_file_and_is_named_by_line(tmp_path: Path) -> None:
    done = run(page(tmp_path, "# Title\n\n```python\nx = 1\n1/0\n```\n"), tmp_path)
    assert done.returncode == 1
    assert re.search(r"page\.md:4: ZeroDivisionError", done.stderr)


@pytest.mark.parametrize("language", ["python", "ipython"])
def test_a_block_marked_as_raising_must_raise(tmp_path: Path, language: str) -> None:
    text = f"```{language} raises\nint('x')\n```\n```{language}\nint('3')\n```\n"
    done = run(page(tmp_path, text), tmp_path)
    assert done.returncode == 0, done.stderr
    done = run(page(tmp_path, f"```{language} raises\nint('3')\n```\n"), tmp_path)
    assert done.returncode == 1
    assert "this should raise, and did not" in done.stderr


def test_magics_run_in_a_shell_with_zennb_over_the_same_names(tmp_path: Path) -> None:
    text = (
        "```python\nx = 20\n```\n```ipython\n%%step add\ny = x + 1\n```\n"
        "```ipython\n%pipeline run\n```\n```python\nassert y == 21\n```\n"
    )
    done = run(page(tmp_path, text), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_magic_that_fails_fails_its_file(tmp_path: Path) -> None:
    done = run(page(tmp_path, "```ipython\n%stack set nowhere\n```\n"), tmp_path)
    assert done.returncode == 1
    assert "nowhere" in done.stderr


def test_python_blocks_hold_no_magics(tmp_path: Path) -> None:
    done = run(page(tmp_path, "```python\n%stack\n```\n"), tmp_path)
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr


def test_an_unknown_mark_is_refused(tmp_path: Path) -> None:
    done = run(page(tmp_path, "```python skip\n1\n```\n"), tmp_path)
    assert done.returncode == 1
    assert "unknown mark" in done.stderr
