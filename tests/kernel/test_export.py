"""The quickstart as a page: run headless, exported with nbconvert, readable without a kernel."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
HAS_KERNELSPEC = """import sys
from jupyter_client.kernelspec import find_kernel_specs
sys.exit("python3" not in find_kernel_specs())"""


def test_the_quickstart_becomes_a_page(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(QUICKSTART, folder)
    run(environment, folder, "-m", "zennb", "run", "quickstart.ipynb", "-o", "done.ipynb")
    run(environment, folder, "-m", "nbconvert", "--to", "html", "done.ipynb")
    check((folder / "done.html").read_text(encoding="utf-8"), "completed")
    spec = subprocess.run([sys.executable, "-c", HAS_KERNELSPEC], env=environment, check=False)
    if spec.returncode == 0:  # nbconvert finds a kernel by name only
        run(environment, folder, "-m", "nbconvert", "--to", "html", "--execute", "quickstart.ipynb")
        check((folder / "quickstart.html").read_text(encoding="utf-8"), "cached")


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
