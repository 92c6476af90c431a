"""Pipes, devices, folders, large files, nested JSON and bombs are refused before they cost time or memory."""

from __future__ import annotations

import json
import os
import sys
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.bounded_input import decompress, has_sensible_fields, open_file, parse_json, read_file

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices have no path there")


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 10)
    assert read_file(file, limit=10) == b"x" * 10
    with pytest.raises(OSError, match="larger than 0 kB"):
        read_file(file, limit=9)


@POSIX
def test_nothing_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a pipe or a device"):
        read_file(tmp_path / "pipe", limit=10)


@POSIX
def test_a_device_that_never_ends_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="a pipe or a device"):
        read_file(tmp_path / "zero", limit=10)


def test_a_folder_and_a_path_with_a_null_byte_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"directory|denied"):
        read_file(tmp_path, limit=10)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "a\0b", limit=10)


def test_deeply_nested_json_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * 200_000 + "]" * 200_000)


def test_json_that_would_fill_memory_is_refused_where_it_is_bounded() -> None:
    text = "[" + "[]," * 5_000_000 + "[]]"
    with pytest.raises(ValueError, match="more than 200 MB of memory"):
        parse_json(text, bounded=True)
    with pytest.raises(ValueError, match="more than 200 MB of memory"):
        parse_json(text.encode(), bounded=True)
    assert parse_json(json.dumps(["x" * 1_000_000]), bounded=True) == ["x" * 1_000_000]


def test_compressed_bytes_are_unpacked_up_to_the_limit() -> None:
    assert decompress(zlib.compress(b"a" * 100), limit=100) == b"a" * 100
    with pytest.raises(ValueError, match="holds more than 0 kB"):
        decompress(zlib.compress(b"a" * 101), limit=100)
    with pytest.raises(ValueError, match="cut short"):
        decompress(zlib.compress(os.urandom(500))[:-9], limit=1_000)
    with pytest.raises(ValueError, match="incorrect header"):
        decompress(b"nothing of the kind", limit=100)


@dataclass(frozen=True)
class Note:
    text: str = "a"
    count: int = 1
    sent: float = 1.5
    is_read: bool = False
    rest: Any = None


@pytest.mark.parametrize(
    "odd",
    [
        {"text": 1},
        {"text": None},
        {"count": "1"},
        {"count": 1.5},
        {"count": 10**400},
        {"sent": "now"},
        {"sent": float("nan")},
        {"sent": 1e12},
        {"sent": -(10**400)},
        {"is_read": 1},
    ],
    ids=lambda odd: str(odd)[:20],
)
def test_fields_of_another_kind_are_seen(odd: dict[str, Any]) -> None:
    assert has_sensible_fields(Note(rest=[{}]))
    assert has_sensible_fields(Note(sent=1))
    assert not has_sensible_fields(replace(Note(), **odd))


@POSIX
def test_opening_waits_for_no_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a pipe or a device"):
        open_file(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"one\ntwo")
    with open_file(tmp_path / "file") as file:
        assert file.readline() == b"one\n"
