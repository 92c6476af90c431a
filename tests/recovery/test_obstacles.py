"""Puts pipes in the places of files of databases, for which whoever opens them would wait for ever."""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.recovery.test_damage import make_pipe
from zennb.cli import main
from zennb.errors import StoreError
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from tests.recovery.conftest import Home


@pytest.mark.parametrize("name", ["metadata.db", "artifacts/cache.db"])
@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm"])
def test_what_is_in_the_way_is_named_at_once(
    home: Home, name: str, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = home.path / f"{name}{ending}"
    make_pipe(place)
    with (
        pytest.raises(StoreError, match=f"since {place} is not a file"),
        closing(Workspace(home.path)) as opened,
    ):
        list(opened.open().store.digests())
    assert main(["doctor"]) == 1
    assert f"{place}: it is not a file" in capsys.readouterr().out


def test_a_thread_that_opens_the_index_later_waits_for_no_pipe(home: Home) -> None:
    with closing(Workspace(home.path)) as opened:
        store = opened.open().store
        store.put([b"content"])
        make_pipe(home.store / "cache.db-journal")
        with pytest.raises(StoreError, match=r"cache\.db-journal is not a file"):
            store.has(hashlib.sha256(b"content").hexdigest())
