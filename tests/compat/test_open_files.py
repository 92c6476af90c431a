"""Open files that another one, opened at the same place, would not replace: they have no place."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from zennb.compat.open_archives import archive_place
from zennb.compat.open_files import opened_again, place_in_file

if TYPE_CHECKING:
    from collections.abc import Callable
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


def test_a_file_whose_descriptor_somebody_holds_has_no_place(text: Path) -> None:
    with text.open() as file, text.open("rb") as other:
        buffer: Any = file.buffer
        raw = buffer.raw, other.raw
        del buffer
        assert place_in_file(file) is place_in_file(other) is None
        del raw
        assert place_in_file(file) is not None
        assert place_in_file(other) is not None


ENDS = {
    "windows": (b"a\r\nb\r\n", "utf-8", "\r\n"),
    "all": (b"a\r\nb\nc\rd", "utf-8", ("\r", "\n", "\r\n")),
    "two bytes": ("a\r\nb\n".encode("utf-16"), "utf-16", ("\n", "\r\n")),
}


READS: list[Callable[[Any], object]] = [
    lambda _file: None,
    lambda file: file.read(1),
    lambda file: file.read(3),
    lambda file: file.readline(),
    lambda file: file.read(),
]


@pytest.mark.parametrize("reads", READS)
@pytest.mark.parametrize("kind", ENDS)
def test_looking_at_a_text_file_leaves_what_it_says_and_reads(
    tmp_path: Path, kind: str, reads: Callable[[Any], object]
) -> None:
    content, encoding, newlines = ENDS[kind]
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    for newline in (None, ""):
        with (
            path.open(encoding=encoding, newline=newline) as file,
            path.open(encoding=encoding, newline=newline) as same,
        ):
            for each in (file, same):
                reads(each)
            place = place_in_file(file)
            assert place is not None
            assert file.newlines == same.newlines == place.newlines
            with opened_again(*place) as again:
                assert place_in_file(again) == place
                assert again.newlines == file.newlines
                assert again.read() == same.read() == file.read()
            assert file.newlines in {newlines, None}


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


PARTS: dict[str, Callable[[Any], object]] = {
    "file": lambda archive: archive.fp,
    "entry": lambda archive: archive.getinfo("n"),
    "list of entries": lambda archive: archive.infolist(),
    "names": lambda archive: archive.NameToInfo,
    "raw file": lambda archive: archive.fp.raw,
}


@pytest.mark.parametrize("part", PARTS)
def test_an_archive_of_which_somebody_holds_a_part_has_no_place(tmp_path: Path, part: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("n", "1")
    with zipfile.ZipFile(path) as archive:
        held = PARTS[part](archive)
        assert archive_place(archive) is None
        del held
        assert archive_place(archive) is not None


@pytest.mark.parametrize("name", ["note", "debug"])
def test_an_archive_with_an_attribute_of_the_users_has_no_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("n", "1")
    with zipfile.ZipFile(path) as archive:
        setattr(archive, name, 3)
        assert archive_place(archive) is None
