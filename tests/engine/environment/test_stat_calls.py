"""Questions about files: what code asks is reported, and what zennb asks of its own files is not."""

from __future__ import annotations

import linecache
import os
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.artifact_stores import local
from zennb.engine.environment import stat_calls
from zennb.packages import entry_points
from zennb.sqlite_files import fingerprint, identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[list[tuple[Any, str]]]:
    assert tmp_path.exists()  # made before, since pytest asks for files as well
    found: list[tuple[Any, str]] = []
    stat_calls.watch(lambda path, what, _: found.append((path, what)))
    yield found
    stat_calls.unwatch()


def test_our_own_questions_are_not_reported(asked: list[tuple[Any, str]], tmp_path: Path) -> None:
    path = str(tmp_path / "zennb.db")
    identity(path)
    fingerprint(path)
    entry_points.refresh()
    linecache.getline(__file__, 1)
    linecache.checkcache(__file__)
    assert asked == []
    ours = {local.__name__, entry_points.__name__, identity.__module__, linecache.__name__}
    assert ours == stat_calls._OWN
    os.stat(path := str(tmp_path)).st_mtime  # noqa: PTH116 - as a user's code may ask
    assert [each for each, _ in asked] == [path]
