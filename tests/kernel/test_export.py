"""The notebooks as pages: run headless, exported with nbconvert, readable without a kernel."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.kernel

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
STACKS = QUICKSTART.with_name("stacks.ipynb")
HAS_KERNELSPEC = """import sys
from jupyter_client.kernelspec import find_kernel_specs
sys.exit("python3" not in find_kernel_specs())"""


def test_the_quickstart_becomes_a_page(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(QUICKSTART, folder)
    run(environment, folder, "-m", "zennb", "run", "quickstart.ipynb", "-o", "done.ipynb")
    run(environment, folder, "-m", "nbconvert", "--to", "html", "done.ipynb")
    # The notebook runs its pipeline on another stack at its end, which takes what has not changed from the first one.
    check((folder / "done.html").read_text(encoding="utf-8"), "(completed|cached)")
    spec = subprocess.run([sys.executable, "-c", HAS_KERNELSPEC], env=environment, check=False)
    if spec.returncode == 0:  # nbconvert finds a kernel by name only
        run(environment, folder, "-m", "nbconvert", "--to", "html", "--execute", "quickstart.ipynb")
        check((folder / "quickstart.html").read_text(encoding="utf-8"), "cached")


def test_understanding_stacks_runs_twice_and_its_panels_can_be_read_without_a_kernel(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(STACKS, folder)
    for _ in range(2):
        run(environment, folder, "-m", "zennb", "run", "stacks.ipynb", "-o", "done.ipynb")
    run(environment, folder, "-m", "nbconvert", "--to", "html", "done.ipynb")
    check_panels(words((folder / "done.html").read_text(encoding="utf-8")))


def test_the_saved_outputs_of_understanding_stacks_can_be_read_as_they_are() -> None:
    node = nbformat.read(STACKS, as_version=4)
    shown = [output.data for cell in node.cells for output in cell.get("outputs", ()) if "data" in output]
    check_panels(words(" ".join("".join(data.get("text/html", "")) for data in shown)))
    assert not any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    assert "widgets" not in node.metadata


def check_panels(text: str) -> None:
    """Both stacks, the runs of each, and the panel's static face are there."""
    assert re.search(r"● active my_stack default \(local\) my_artifact_store \(local\)", text)
    assert re.search(r"notebook default \S*\.ipynb", text)
    assert re.search(r"pipeline of \d+ my_stack \S*\.ipynb", text)
    assert "This is how it stood when it was shown; run %stack picker for the panel itself." in text
    assert (
        "an isolated place to run untrusted code not offered: a process of the user keeps nobody out" in text
    )
    assert "Traceback" not in text
    assert "model not found" not in text


def words(page: str) -> str:
    text = html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?(code|span)[^>]*>", "", page)))
    return " ".join(text.replace("\ufe0e", "").split())


def run(environment: dict[str, str], folder: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def check(page: str, state: str) -> None:
    steps = ("load", "split", "features", "train", "evaluate", "stability", "plot")
    words = html.unescape(re.sub(r"<[^>]+>", " ", page)).replace("\xa0", " ")
    for step in steps:
        assert re.search(rf"\b{step}\s+{state}\b", words), f"no status line of {step}"
    assert "my_stack" in words
    assert 'alt="' in page, "the pipeline graph has a text twin"
    assert "Traceback" not in words
    assert "<script>alert" not in page
