"""The versions of packages, as they are loaded."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from zennb.packages.versions import versions

if TYPE_CHECKING:
    import pytest


def test_a_package_counts_by_what_it_says_and_again_once_it_says_something_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = ModuleType("nobodys_package")
    monkeypatch.setitem(sys.modules, "nobodys_package", package)
    package.__dict__["__version__"] = "1.0"
    assert versions(["nobodys_package"])["nobodys_package"] == "1.0"
    package.__dict__["__version__"] = "2.0"
    assert versions(["nobodys_package"])["nobodys_package"] == "2.0"


def test_a_package_that_raises_when_asked_for_its_version_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("failing_package")

    def fail(name: str) -> object:
        raise KeyError(name)

    package.__dict__["__getattr__"] = fail
    monkeypatch.setitem(sys.modules, "failing_package", package)
    assert "failing_package" not in versions(["failing_package"])
