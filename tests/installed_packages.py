"""Owns how tests put a package with entry points on the path, as an installed distribution would be."""

from __future__ import annotations

import importlib
import shutil
import sys
from typing import TYPE_CHECKING

from zennb.packages import entry_points as offers

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["Packages"]


class Packages:
    """Distributions in a folder of their own, with their modules beside them.

    Args:
        folder: where they are put.
        monkeypatch: takes the folder off the path again.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = (
            folder / "site-packages"
        )  # what lies in such a folder is a package, not code of the user's
        self.folder.mkdir()
        self._before = set(sys.modules)
        monkeypatch.syspath_prepend(str(self.folder))

    def install(self, name: str, points: dict[str, dict[str, str]], **modules: str) -> None:
        """Install a distribution: group → entry point → target, and the texts of its modules."""
        info = self._info(name)
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = []
        for group, entries in points.items():
            lines += [f"[{group}]", *(f"{key} = {target}" for key, target in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for module, text in modules.items():
            (self.folder / f"{module}.py").write_text(text)
        self._noticed()

    def remove(self, name: str) -> None:
        """Uninstall a distribution; its modules may still be imported."""
        shutil.rmtree(self._info(name))
        self._noticed()

    def _noticed(self) -> None:
        importlib.invalidate_caches()
        offers._offering.clear()
        offers._found.clear()  # two changes may fall into one tick of the file system's clock

    def forget(self) -> None:
        """Forget every module that was imported from the folder."""
        for module in set(sys.modules) - self._before:
            if str(getattr(sys.modules[module], "__file__", "")).startswith(str(self.folder)):
                del sys.modules[module]

    def _info(self, name: str) -> Path:
        return self.folder / f"{name.replace('-', '_')}-1.0.dist-info"
