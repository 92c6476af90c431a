"""Runs the example of docs/materializers.md as a package of its own, found by its entry points."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from zennb.materializers.materializer import Materializer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "materializers.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Put the example into a folder as `pip install` would, and return that."""
    folder = tmp_path / "site-packages"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    info = folder / "zennb_tracks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join([*lines, ""]))
    return folder


def run(package: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=package.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)]),
            "ZENNB_HOME": str(package.parent / "home"),
            "JUPYTER_DATA_DIR": str(package.parent / "jupyter"),
            "IPYTHONDIR": str(package.parent / "ipython"),
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_passes_the_contracts(package: Path) -> None:
    said = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(package / "test_zennb_tracks.py"))
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) >= 18


CELLS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def cell(text):
    done = shell.run_cell(text)
    done.raise_error()
cell("%load_ext zennb")
cell("%%step walk\\nfrom tracks import Track\\ntrack = Track('lake', [[1.0, 2.0]])")
cell("%%step extend\\ntrack.points.append([3.0, 4.0])")
cell("%artifacts show track")
cell("%artifacts")
import zennb
print(zennb.artifacts()[0].materializer, zennb.load("track").points)
"""


def test_a_notebook_stores_shows_and_reuses_what_the_example_is_for(package: Path) -> None:
    for word in ("completed", "cached"):
        said = run(package, "-c", CELLS)
        assert said.count(f"  {word}  ") == 2
        assert "[3.0, 4.0]" in said.partition("track [[")[0]  # the preview
        assert "track [[1.0, 2.0], [3.0, 4.0]]" in said


def test_the_page_names_everything_a_materializer_can_have() -> None:
    asked = {name for name in vars(Materializer) if not name.startswith("_")} - {"exact"}
    table = PAGE[PAGE.index("| method or attribute |") :]
    assert not [name for name in sorted(asked) if f"`{name}" not in table]
