"""Names of files in texts: what is looked for, and what is none."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING, Any

import pytest

from zennb.engine.environment.named_paths import NamedPaths

if TYPE_CHECKING:
    from pathlib import Path


def read(texts: list[str], folder: Path) -> set[str]:
    """Return the files that count as read when a step opens all files of a folder."""
    paths = NamedPaths(texts, str(folder), counts=lambda _: True)
    paths.start()
    for each in sorted(folder.rglob("*.*")):
        os.close(os.open(each, os.O_RDONLY))
    paths.writers.stop()
    found = paths.stop(is_alone=True)
    return {os.path.relpath(path, folder) for path in found.read}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for name in ("a.csv", "data/b.csv", "data/c.txt"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("*.csv", {"a.csv"}),
        ("./*", {"a.csv", "data/b.csv", "data/c.txt"}),
        ("data/*", {"data/b.csv", "data/c.txt"}),
        ("*/b.csv", {"data/b.csv"}),
        ("*/*", {"data/b.csv", "data/c.txt"}),
        ("*.*", {"a.csv"}),
        ("select * from 'data/*.txt' /* all */", {"data/c.txt"}),
    ],
)
def test_a_pattern_names_what_it_matches(text: str, found: set[str], folder: Path) -> None:
    assert read([text], folder) == found


@pytest.mark.parametrize(
    "text",
    [
        "/* c */",
        "body { /* x */ color: red }",
        "/** Doc.\n * more\n */",
        "//*",
        "a = b /*",
        "*/",
        "/*/*/*",
        "**/",
    ],
)
def test_a_comment_of_another_language_is_no_pattern(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    look, listed = glob.iglob, os.listdir

    def matching(pattern: str, **more: Any) -> Any:
        asked.append(pattern)
        return look(pattern, **more)

    def listing(path: Any = ".") -> list[str]:
        asked.extend([str(path)] * (os.path.realpath(path) != os.path.realpath(folder)))
        return listed(path)

    monkeypatch.setattr(glob, "iglob", matching)
    monkeypatch.setattr(os, "listdir", listing)
    assert read([text], folder) == set()
    # What has letters is looked for, which finds nothing; what has none would list all folders, and those in them.
    assert [one for one in asked if not any(map(str.isalnum, one))] == []
