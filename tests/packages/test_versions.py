"""The versions of packages, as they are loaded."""

from __future__ import annotations

import importlib
import shutil
import sys
import time
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from zennb.packages.versions import _installed, _looked, note_loaded, versions

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def test_name_and_version_are_read_without_the_readme_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "grids-1.5.dist-info"
    info.mkdir()
    text = "Metadata-Version: 2.1\nVersion:  1.5 \nName: Grids\nSummary: x\n\nName: other\nVersion: 9\n"
    (info / "METADATA").write_text(text)
    monkeypatch.setattr(metadata.Distribution, "metadata", property(lambda _self: pytest.fail("parsed")))
    found = _installed(metadata.Distribution.at(info))
    assert (found.name, found.version, found.folder) == ("Grids", "1.5", tmp_path)


def install(folder: Path, module: str, distribution: str, version: str, *, stated: bool) -> None:
    """Put a package where pip would, in place of an older version of it."""
    for old in folder.glob("*.dist-info"):
        shutil.rmtree(old)
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{module}.py,,\n")
    (folder / f"{module}.py").write_text(f'__version__ = "{version}"\n' if stated else "")
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    importlib.invalidate_caches()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path; what is imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == tmp_path:
            del sys.modules[name]


@pytest.mark.parametrize("stated", [True, False], ids=["states its version", "states none"])
@pytest.mark.parametrize("distribution", ["upgraded_package", "another-Name"])
def test_a_package_upgraded_after_it_was_loaded_does_not_count_as_the_new_version(
    distribution: str, stated: bool, site: Path
) -> None:
    install(site, "upgraded_package", distribution, "1.0", stated=stated)
    importlib.import_module("upgraded_package")
    install(site, "upgraded_package", distribution, "2.0", stated=stated)
    # Nobody has asked for the version until now.
    assert versions(["upgraded_package"])[distribution] == ("1.0" if stated else "2.0 or earlier")


def test_a_package_that_was_installed_before_python_started_counts_by_what_is_installed(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "old_package", "old_package", "1.0", stated=False)
    monkeypatch.setitem(_looked, "time", time.time() + 60)
    importlib.import_module("old_package")
    assert versions(["old_package"])["old_package"] == "1.0"


def test_a_package_that_is_upgraded_before_it_is_loaded_counts_by_what_is_installed(site: Path) -> None:
    for version in ("1.0", "2.0"):
        install(site, "late_package", "late_package", version, stated=False)
    assert versions(["late_package"])["late_package"] == "2.0"


def test_a_package_that_one_cell_installs_and_the_next_one_loads_counts_by_what_is_installed(
    site: Path,
) -> None:
    install(site, "new_package", "new_package", "1.0", stated=False)
    note_loaded()
    importlib.import_module("new_package")
    assert versions(["new_package"])["new_package"] == "1.0"


def test_a_package_that_is_upgraded_in_a_later_cell_does_not_count_as_the_new_version(site: Path) -> None:
    install(site, "upgraded_later", "upgraded_later", "1.0", stated=False)
    note_loaded()
    importlib.import_module("upgraded_later")
    note_loaded()
    install(site, "upgraded_later", "upgraded_later", "2.0", stated=False)
    note_loaded()
    assert versions(["upgraded_later"])["upgraded_later"] == "2.0 or earlier"
