"""Runs the example of docs/components.md as a package of its own, found by its entry points."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from zennb.components.component import ArtifactStore, Component, Orchestrator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    info = tmp_path / "zennb_folder-1.0.dist-info"
    info.mkdir()
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    points = project["entry-points"]["zennb.flavors"]
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    lines = [f"{name} = {target}" for name, target in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[zennb.flavors]", *lines, ""]))
    return tmp_path


def test_the_example_passes_the_contracts(package: Path) -> None:
    paths = [str(package), str(ROOT), *filter(None, sys.path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_zennb_folder.py"],
        cwd=package,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 60


@pytest.mark.kernel
def test_the_quickstart_runs_on_the_example_as_it_runs_in_the_kernel(package: Path) -> None:
    def zennb(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "zennb", *words],
            cwd=package,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)]),
                "ZENNB_HOME": str(package / "home"),
                "JUPYTER_DATA_DIR": str(package / "jupyter"),
                "IPYTHONDIR": str(package / "ipython"),
            },
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    quickstart = str(ROOT / "notebooks" / "quickstart.ipynb")
    zennb("orchestrator", "register", "pool", "--flavor=pool", "--workers=2")
    zennb("artifact-store", "register", "other", "--flavor=local")
    zennb("stack", "register", "side", "-o", "pool", "-a", "other")
    zennb("run", quickstart)
    here = _digests(package / "home")
    said = zennb("run", quickstart, "--stack", "side", "--rerun")
    assert "completed" in said
    assert _digests(package / "home") == here
    again = zennb("run", quickstart, "--stack", "side")
    assert "cached" in again
    assert " completed " not in again.partition("quickstart.ipynb completed")[0].replace("zennb", "")


def _digests(home: Path) -> dict[str, str]:
    """Return the digest of what each name stands for now."""
    from zennb.metadata.store import MetadataStore

    store = MetadataStore(home / "metadata.db")
    try:
        return {artifact.name: artifact.digest for artifact in store.artifacts(kind="output", limit=500)}
    finally:
        store.close()


@pytest.mark.parametrize("door", [Component, Orchestrator, ArtifactStore])
def test_the_page_names_everything_a_door_asks_for(door: type[Component]) -> None:
    asked = {name for name in vars(door) if not name.startswith("_")} - {"type"}
    shown = PAGE[PAGE.index(f"class {door.__name__}(") :].partition("```")[0]
    assert not [name for name in sorted(asked) if f"{name}(" not in shown and f"{name}:" not in shown]
