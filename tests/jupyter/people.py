"""Several people, each with a home, a signing key and a copy of the notebook's folder, and one store for all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.conftest import Notebook
from zennb.engine.sharing import shared_records
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["People", "bucket", "people", "records"]


class People:
    """Lets one person after the other work, each in a kernel of their own.

    Args:
        folder: where everything is.
        patch: sets the environment.
        register: options of `%artifact-store register shared`, besides the folder for local copies.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, register: str) -> None:
        self._folder, self._patch, self._register = folder, patch, register
        self._before = Path.cwd()
        self.notebook: Notebook | None = None

    def folder(self, name: str) -> Path:
        """Return somebody's copy of the notebook's folder."""
        return self._folder / name / "work"

    def turn(self, name: str) -> Notebook:
        """Let somebody sit down: a new kernel in their folder, on the stack with the shared store."""
        self.leave()
        work = self.folder(name)
        is_new = not (self._folder / name / "home").exists()
        work.mkdir(parents=True, exist_ok=True)
        for variable, folder in (
            ("ZENNB_HOME", "home"),
            ("IPYTHONDIR", "ipython"),
            ("JUPYTER_DATA_DIR", "jupyter"),
        ):
            self._patch.setenv(variable, str(self._folder / name / folder))
        self._patch.setenv("LOGNAME", name)
        for variable in ("ZENNB_NOTEBOOK", "JPY_SESSION_NAME", "ZENNB_STACK"):
            self._patch.delenv(variable, raising=False)
        os.chdir(work)
        Signer().sign([b""])
        self.notebook = Notebook(self._folder / name / "home")
        if is_new:
            copies = self._folder / name / "copies"
            self.notebook.run(
                f"%artifact-store register shared {self._register} --cache={copies}",
                "%stack register team -o default -a shared --set",
            )
        return self.notebook

    def key(self, name: str) -> str:
        """Return somebody's public key."""
        return Signer(self._folder / name / "jupyter" / "zennb").identity

    def leave(self) -> None:
        """End the kernel of whoever works."""
        if self.notebook is not None:
            self.notebook.set_back()
            self.notebook.stop()
            self.notebook = None
        os.chdir(self._before)

    def hurry(self, seconds: float) -> None:
        """Let shared records be asked for so long only."""
        self._patch.setattr(shared_records, "PATIENCE", seconds)


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    main = sys.modules["__main__"]
    found = People(tmp_path, monkeypatch, f"--flavor=fsspec --url=file://{tmp_path}/bucket")
    yield found
    found.leave()
    sys.modules["__main__"] = main


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


def records(bucket: Path) -> list[Path]:
    return sorted((bucket / "records").rglob("*.json"))
