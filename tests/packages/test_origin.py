"""Where modules come from, however they look."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from zennb.packages.origin import Origin, origin

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_namespace_package_whose_parent_failed_to_import_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its `__path__` asks the parent, which Python takes out of `sys.modules` when its import fails."""
    (tmp_path / "nobodys_package" / "parts").mkdir(parents=True)
    (tmp_path / "nobodys_package" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("nobodys_package.parts")
    monkeypatch.delitem(sys.modules, "nobodys_package")
    assert origin("nobodys_package.parts") is Origin.PACKAGE
    monkeypatch.delitem(sys.modules, "nobodys_package.parts")
