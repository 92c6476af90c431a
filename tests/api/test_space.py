"""`zennb.usage`, `zennb.prune`, and the handles of artifacts and runs that say what was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import zennb
from tests.space.conftest import Home, home
from zennb import api
from zennb.errors import InUse, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["home"]


@pytest.fixture
def old(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Two versions of `x` from forty days ago, and a newer run."""
    monkeypatch.setenv("ZENNB_HOME", str(home.workspace.home))
    for number in (1, 2):
        home.step("make", {"x": [number]})
    home.step("other", {"y": [0]}, days=2)
    home.set_back()
    yield home
    api.close()


def test_usage_is_an_object_with_numbers_that_shows_itself(old: Home) -> None:
    found: Any = zennb.usage()
    assert (found.size, found.stores[0].blobs, found.saved) == (
        sum(each.size for each in old.store.stored()),
        3,
        0.0,
    )
    assert "by notebook" in repr(found)
    assert "text/html" in found._repr_mimebundle_()
    assert zennb.usage(stack="default").size == found.size


def test_a_prune_only_says_what_it_would_delete_unless_told_to(old: Home) -> None:
    found: Any = zennb.prune(older="30d")
    assert ([each.labels for each in found.plan.blobs], found.deleted) == ([("x v1",), ("x v2",)], None)
    assert "zennb.prune(..., yes=True)" in repr(found)
    assert len(list(old.store.stored())) == 3
    done: Any = zennb.prune(older="30d", yes=True)
    assert len(done.deleted) == 2
    with pytest.raises(UsageError, match="in one way"):
        zennb.prune()


def test_an_artifact_is_pinned_and_says_when_it_was_deleted(old: Home) -> None:
    second, first = zennb.artifacts("x")
    first.pin()
    assert (first.is_pinned, second.is_pinned, first.freed) == (True, False, None)
    zennb.prune(older="30d", yes=True)
    assert first.freed is None
    assert second.freed is not None
    assert "to free space" in repr(second)
    assert first.load() == [1]
    first.unpin()
    zennb.prune(older="30d", yes=True)
    assert first.freed is not None


@pytest.mark.usefixtures("old")
def test_a_run_is_deleted_by_its_handle() -> None:
    newest, second, _ = zennb.runs()
    assert second.delete().steps == 1
    assert [run.id for run in zennb.runs()] == [3, 1]
    with pytest.raises(InUse, match="newest"):
        newest.delete()
