from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from zennb.errors import StepRefused
from zennb.headless.scratch_folder import ScratchFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "data" / "deep" / "a.csv").write_text("1,2\n")
    (folder / "helper.py").write_text("x = 1\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("")
    return folder


def tree(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))


def test_each_run_starts_from_what_the_original_holds(study: Path, tmp_path: Path) -> None:
    place = ScratchFolder(study, tmp_path / "copy", limit=1)
    place.restore()
    assert place.folder == tmp_path / "copy" / "study"
    assert tree(place.folder) == ["data", "data/deep", "data/deep/a.csv", "helper.py"]
    (place.folder / "data" / "deep" / "a.csv").write_text("changed")
    (place.folder / "new.txt").write_text("")
    place.restore()
    assert (place.folder / "data" / "deep" / "a.csv").read_text() == "1,2\n"
    assert not (place.folder / "new.txt").exists()
    assert (study / "data" / "deep" / "a.csv").read_text() == "1,2\n"


def test_links_in_a_circle_and_pipes_are_no_obstacle(study: Path, tmp_path: Path) -> None:
    (study / "circle").symlink_to("circle")
    os.mkfifo(study / "pipe")
    scratch = ScratchFolder(study, tmp_path / "place", limit=1)
    scratch.restore()
    assert (scratch.folder / "circle").is_symlink()
    assert not (scratch.folder / "pipe").exists()


def test_a_folder_that_is_too_large_is_refused_before_anything_is_copied(study: Path, tmp_path: Path) -> None:
    (study / "big.bin").write_bytes(bytes(2_000_000))
    with pytest.raises(
        StepRefused, match=r"study holds more than .* \(at least 2 MB; at most 1 MB .*--limit MB"
    ):
        ScratchFolder(study, tmp_path / "copy", limit=1)
    assert not (tmp_path / "copy").exists()


def test_links_are_kept_inside_and_lead_to_the_original_place_outside(study: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text("far")
    (study / "far.csv").symlink_to("../elsewhere.csv")
    (study / "near.csv").symlink_to("data/deep/a.csv")
    (study / "all").symlink_to("data")
    place = ScratchFolder(study, tmp_path / "copy", limit=1)
    place.restore()
    assert (place.folder / "far.csv").read_text() == "far"
    (place.folder / "near.csv").write_text("changed")
    assert (place.folder / "all" / "deep" / "a.csv").read_text() == "changed"
    assert (study / "data" / "deep" / "a.csv").read_text() == "1,2\n"
