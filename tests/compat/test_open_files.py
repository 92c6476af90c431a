"""Open files that another one, opened at the same place, would not replace: they have no place."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from zennb.compat.open_files import archive_place, place_in_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n")
    return path


def test_a_text_file_whose_buffer_somebody_holds_has_no_place(text: Path) -> None:
    with text.open() as file:
        assert place_in_file(file) is not None
        buffer = file.buffer
        assert place_in_file(file) is None
        del buffer
        assert place_in_file(file) is not None


def test_a_text_file_with_settings_of_its_own_has_no_place(text: Path) -> None:
    with text.open() as file:
        file.reconfigure(line_buffering=True)
        assert place_in_file(file) is None


def test_an_archive_that_was_changed_or_opened_with_settings_has_no_place(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("n", "1")
    with zipfile.ZipFile(path) as archive:
        assert archive_place(archive) is not None
        archive.filelist[0].comment = b"changed"
        assert archive_place(archive) is None
    with zipfile.ZipFile(path, metadata_encoding="cp437") as archive:
        assert archive_place(archive) is None
