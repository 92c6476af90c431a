"""The index of what installed packages offer: when it is read anew, and when what is known still holds."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from zennb.packages import entry_points as offers
from zennb.packages.entry_points import MATERIALIZERS, offered, refresh

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = "[zennb.materializers]\n{name}.grids = grids:Grids\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    refresh()
    return tmp_path


def install(folder: Path, name: str) -> None:
    package = folder / "grids-1.0.dist-info"
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: grids\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(ENTRY.format(name=name))


def names() -> set[str]:
    refresh()
    return {offer.name for offer in offered(MATERIALIZERS) if offer.source == "grids"}


def test_a_file_saved_beside_the_notebook_does_not_make_the_index_be_read_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = offered(MATERIALIZERS)
    asked: list[str] = []
    monkeypatch.setattr(offers, "entry_offers", asked.append)
    (folder / "data.csv").write_text("a,b\n")
    (folder / "results").mkdir()
    refresh()
    assert offered(MATERIALIZERS) is before
    assert asked == []


def test_entry_points_are_parsed_only_where_a_package_offers_some(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def parse(*, group: str) -> tuple[()]:
        parsed.append(group)
        return ()

    monkeypatch.setattr(importlib.metadata, "entry_points", parse)
    offers.entry_offers(MATERIALIZERS)
    assert parsed == []
    install(folder, "first")
    refresh()
    with monkeypatch.context() as patched:  # a step that runs would seem to have listed the folders
        patched.setattr(os, "scandir", lambda path: pytest.fail(f"listed {path}"))
        offers.entry_offers(MATERIALIZERS)
    assert parsed == [MATERIALIZERS]


def test_a_package_counts_once_it_is_installed_again_and_no_more_once_it_is_gone(folder: Path) -> None:
    assert names() == set()
    install(folder, "first")
    assert names() == {"first.grids"}
    install(folder, "second")  # of the same version, as a package under development
    assert names() == {"second.grids"}
    shutil.rmtree(folder / "grids-1.0.dist-info")
    assert names() == set()
