"""Pruning a store on a full disk: bytes are deleted first, and make the room in which that is noted."""

from __future__ import annotations

import os
import resource
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.space.conftest import DAY, Home
from zennb.components.artifact_stores.open_rows import Rows
from zennb.components.content import name_of
from zennb.core.records.space import PruneRule
from zennb.errors import StoreFull
from zennb.metadata.space import SpaceQueries
from zennb.registry.workspace import Workspace
from zennb.space.gone import freed
from zennb.space.prune import prune

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

OLDER = PruneRule(older=30 * DAY)
LARGE = "x" * 100_000


@pytest.fixture
def full() -> Iterator[Callable[[int], None]]:
    """Return a function after which no file grows beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Disk:
    """A disk on which nothing can be noted before a file is deleted."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        for owner, name in ((SpaceQueries, "note_freed"), (Rows, "apply")):
            patch.setattr(owner, name, self._unless_full(getattr(owner, name), name))
        unlink = Path.unlink

        def removed(path: Path, **more: Any) -> None:
            unlink(path, **more)
            self.is_full = self.is_full and "blobs" not in path.parts

        patch.setattr(Path, "unlink", removed)

    def _unless_full(self, work: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            deletes_rows = name == "note_freed" or (args[1].__name__ == "_free" and args[2])
            if self.is_full and deletes_rows:
                raise StoreFull("there is no room left")
            return work(*args)

        return call


def test_on_a_full_disk_bytes_are_deleted_before_that_is_noted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = home.step("make", {"x": LARGE, "y": [1]})
    home.step("other", {"z": 1}, days=2)
    home.set_back()
    with monkeypatch.context() as patch:
        disk = Disk(patch)
        done = prune(home.workspace, OLDER, delete=True)
    assert not disk.is_full
    assert {label for each in done.deleted or () for label in each.labels} == {"x v1", "y v1"}
    assert home.has(old) == [False]
    assert len(freed(home.workspace, old.outputs.values())) == 2
    assert not {each.blob for each in old.outputs.values()} & {each.digest for each in home.store.stored()}


def test_where_even_that_makes_no_room_the_bytes_are_said_to_be_gone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = home.step("make", {"x": LARGE})
    home.step("other", {"z": 1}, days=2)
    home.set_back()
    monkeypatch.setattr(SpaceQueries, "note_freed", _refused)
    with pytest.raises(StoreFull, match="the bytes of 1 blob of artifact store 'default' are deleted, but"):
        prune(home.workspace, OLDER, delete=True)
    assert home.has(old) == [False]


def _refused(*_: object) -> None:
    raise StoreFull("there is no room left")


def test_where_nothing_can_be_deleted_nothing_is_called_deleted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = home.step("make", {"y": [1]})
    home.step("other", {"z": 1}, days=2)
    home.set_back()
    with monkeypatch.context() as patch:
        Disk(patch)
        with pytest.raises(StoreFull):
            prune(home.workspace, OLDER, delete=True)
    assert home.has(old) == [True]
    assert freed(home.workspace, old.outputs.values()) == {}


def test_a_prune_that_is_killed_before_it_noted_anything_leaves_steps_that_run_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = home.step("make", {"x": LARGE})
    home.step("other", {"z": 1}, days=2)
    home.set_back()
    with monkeypatch.context() as patch:
        patch.setattr(SpaceQueries, "note_freed", _killed)
        with pytest.raises(KeyboardInterrupt):
            prune(home.workspace, OLDER, delete=True)
        blob = old.outputs["x"].blob
        Disk(patch)
        patch.setattr("zennb.components.artifact_stores.freeing._removed", _killed_after)
        with pytest.raises(KeyboardInterrupt):
            home.store.free([blob], before=1e12)
    assert home.has(old) == [False]
    assert home.store.present([blob]) == frozenset()
    again = home.step("make", {"x": LARGE}, days=0)
    assert home.has(again) == [True]
    assert home.store.verify() == []


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def _killed_after(files: Any, digest: str) -> bool:
    files.remove(digest)
    raise KeyboardInterrupt


@pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")
@pytest.mark.parametrize("room", [20_000, 33_000], ids=["no room for SQLite's index", "room for the index"])
def test_a_terminal_that_begins_on_a_full_disk_frees_space(
    home: Home, full: Callable[[int], None], room: int
) -> None:
    old = home.step("make", {"x": LARGE})
    home.step("other", {"z": 1}, days=2)
    home.set_back()
    home.workspace.close()
    full(room)
    with closing(Workspace(home.workspace.home)) as workspace:
        dry = prune(workspace, OLDER)
        there = workspace.open().store.present(_blobs(old.outputs.values()))
        done = prune(workspace, OLDER, delete=True)
        noted = freed(workspace, old.outputs.values())
        left = workspace.open().store.present(_blobs(old.outputs.values()))
    full(resource.RLIM_INFINITY)
    assert (len(dry.plan.blobs), len(there)) == (1, 1)
    assert (len(done.deleted or ()), len(noted), left) == (1, 1, frozenset())
    with closing(Workspace(home.workspace.home)) as workspace:
        store = workspace.open().store
        assert store.put([b"y" * 100_000]) == name_of(b"y" * 100_000)
        assert store.verify() in ([], list(_blobs(old.outputs.values())))


def _blobs(artifacts: Any) -> Sequence[str]:
    return [each.blob for each in artifacts]
