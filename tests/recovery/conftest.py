"""Owns a home that a kernel has filled, copied for each test, and what its values are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zennb import api
from zennb.errors import ZennbError
from zennb.materializers.signer import Signer
from zennb.recovery.repair import Repair, repair_home
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

FILL = """
import os
from IPython.core.interactiveshell import InteractiveShell
from zennb import api
from zennb.jupyter.kernel.extension import load

shell = InteractiveShell.instance()
load(shell)


def run(*cells):
    for cell in cells:
        shell.run_cell(cell).raise_error()


run("import numpy as np", "%%step small\\na = [1, 2, 3]\\nprint(a)", "%%step big\\nb = np.arange(50_000.0) + a[0]")
run("%artifact-store register mine --flavor=local", "%stack register mine -o default -a mine", "%stack set mine")
run("%%step there\\nc = {'k': 'v'}", "%%step text\\nt = 'x' * 40_000")
api.workspace().metadata.backups.make()
run("%stack set default", "%%step later\\nd = sum(a)", "%%step changed\\na.append(4)")
os._exit(0)  # as when a kernel is killed: the latest records are in the log
"""

VALUES: dict[str, Any] = {"a": [1, 2, 3, 4], "c": {"k": "v"}, "t": "x" * 40_000, "d": 6}
"""The small values by name, as they are now; `b` is an array."""


@dataclass(frozen=True)
class Home:
    """A home that a test may damage."""

    path: Path
    signer: Signer

    @property
    def store(self) -> Path:
        return self.path / "artifacts"

    def blob(self, name: str) -> Path:
        """The file of a large value, `b` or `t`."""
        sizes = {"b": 300_000, "t": 30_000}
        found = [path for path in self.path.rglob("blobs/*/*") if path.is_file()]
        return next(path for path in found if (path.stat().st_size > 300_000) == (sizes[name] > 100_000))

    def repair(self) -> Repair:
        return repair_home(self.path, signer=self.signer)

    def values(self) -> dict[str, Any]:
        """What can be loaded, by name."""
        found = {}
        opened = Workspace(self.path)
        try:
            for name in [*VALUES, "b"]:
                try:
                    found[name] = api.load_artifact(opened, api.find_artifact(opened, name))
                except ZennbError:
                    continue
        finally:
            opened.close()
        return found


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home, and the user's key beside it."""
    place = tmp_path_factory.mktemp("filled")
    more = {
        "ZENNB_HOME": str(place / "home"),
        "IPYTHONDIR": str(place / "ipython"),
        "JUPYTER_DATA_DIR": str(place / "jupyter"),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZENNB_")} | more
    root = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    subprocess.run(
        [sys.executable, "-c", FILL], check=True, env=environment, cwd=place, stdout=subprocess.DEVNULL
    )
    return place


@pytest.fixture
def home(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    for name in ("home", "jupyter"):
        shutil.copytree(filled / name, tmp_path / name)
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    yield Home(tmp_path / "home", Signer(tmp_path / "jupyter" / "zennb"))
    api.close()
