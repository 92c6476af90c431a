"""Lets other programs change diskcache's settings: nothing is forgotten."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import diskcache
import pytest

from zennb.components.artifact_stores.inspection import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.components.artifact_stores.local import LocalArtifactStore

FORGETFUL = {"eviction_policy": "least-recently-stored", "size_limit": 1, "cull_limit": 10}


def settings(root: Path) -> dict[str, object]:
    with diskcache.Cache(str(root)) as cache:
        return {key: cache.reset(key) for key in SETTINGS}


def test_the_settings_of_a_new_store_forget_nothing(store: LocalArtifactStore, tmp_path: Path) -> None:
    store.put([b"x"])
    assert settings(tmp_path / "store") == SETTINGS
    assert SETTINGS["eviction_policy"] == "none"
    assert SETTINGS["cull_limit"] == 0
    assert store.notices == []


def test_an_opener_with_its_own_settings_is_put_right_and_reported(
    store: LocalArtifactStore, tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    store.put([b"x"])
    diskcache.Cache(str(tmp_path / "store"), **FORGETFUL).close()
    assert settings(tmp_path / "store") != SETTINGS
    again = opener()
    again.put([b"y"])
    assert settings(tmp_path / "store") == SETTINGS
    assert "eviction_policy=least-recently-stored" in again.notices[0]


@pytest.mark.parametrize("when", ["before it is opened", "while it is open"])
def test_nothing_is_evicted_although_the_settings_were_changed(
    when: str, store: LocalArtifactStore, tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    stored = store.put_all([[os.urandom(20000)] for _ in range(20)])
    diskcache.Cache(str(tmp_path / "store"), **FORGETFUL).close()
    writer = opener() if when == "before it is opened" else store
    stored += [writer.put([os.urandom(20000)]) for _ in range(20)]
    assert all(writer.has(digest) for digest in stored)
    assert sorted(writer.digests()) == sorted(stored)


def test_a_plain_diskcache_with_these_settings_does_forget(tmp_path: Path) -> None:
    """Shows that the test above can fail."""
    with diskcache.Cache(str(tmp_path), **FORGETFUL) as cache:
        for number in range(40):
            cache.set(number, os.urandom(20000))
        assert len(cache) < 40


def test_a_default_opener_changes_nothing(
    store: LocalArtifactStore, tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    digest = store.put([b"x"])
    diskcache.Cache(str(tmp_path / "store")).close()
    again = opener()
    assert again.has(digest)
    assert again.notices == []


def test_diskcache_removes_none_of_our_files_when_it_checks_and_mends(
    store: LocalArtifactStore, tmp_path: Path
) -> None:
    digest = store.put([os.urandom(100_000)])
    assert store.verify() == []
    assert store.has(digest)
    assert not list((tmp_path / "store" / "quarantine").iterdir())


@pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")
def test_settings_that_a_full_disk_kept_as_they_were_are_put_right_and_reported_later(
    store: LocalArtifactStore, tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    resource = pytest.importorskip("resource")
    digest = store.put([b"x"])
    store.close()
    diskcache.Cache(str(tmp_path / "store"), **FORGETFUL).close()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        again = opener()
        found, told = again.has(digest), list(again.notices)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (found, told) == (True, [])
    again.put([b"y"])  # there is room again
    assert settings(tmp_path / "store") == SETTINGS
    assert "eviction_policy=least-recently-stored" in again.notices[0]
