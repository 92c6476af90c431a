from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import ComponentSpec, StackSpec
from zennb.errors import UnfitStack, UnknownName, UsageError
from zennb.registry.pool import Pool
from zennb.registry.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path


def spec(
    orchestrator: str = "local", store: str = "local", name: str = "default", **config: str
) -> StackSpec:
    parts = {
        "orchestrator": ComponentSpec(type="orchestrator", name="o", flavor=orchestrator),
        "artifact_store": ComponentSpec(type="artifact_store", name=name, flavor=store, config=config),
    }
    return StackSpec(name="s", components=parts)


def test_opening_a_stack_touches_nothing(home: Path) -> None:
    stack = Stack(spec(), Pool(home))
    assert stack.store.name == "default"
    assert stack.orchestrator.name == "o"
    assert not home.exists()


def test_the_default_store_lives_in_the_home_and_others_in_directories_of_their_own(home: Path) -> None:
    paths = [
        Stack(spec(name="default"), Pool(home)).store,
        Stack(spec(name="../../etc"), Pool(home)).store,
        Stack(spec(name="mine"), Pool(home)).store,
        Stack(spec(name="mine", path=str(home / "given")), Pool(home)).store,
    ]
    default, hostile, mine, given = (getattr(store, "path") for store in paths)  # noqa: B009 - flavors differ
    assert default == str(home / "artifacts")
    assert hostile.startswith(str(home / "stores"))
    assert len(mine.rpartition("/")[2]) == 12
    assert len({default, hostile, mine, given}) == 4
    assert given == str(home / "given")


def test_stacks_share_what_they_have_in_common(home: Path) -> None:
    pool = Pool(home)
    first, second = (Stack(spec(store="memory"), pool) for _ in range(2))
    third = Stack(spec(store="memory", name="other"), pool)
    digest = first.store.put([b"x"])
    assert second.store is first.store
    assert second.store.get(digest) == b"x"
    assert not third.store.has(digest)
    pool.close()


def test_a_component_that_fails_to_close_keeps_no_other_from_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zennb.errors import StoreError

    pool = Pool(home)
    stack = Stack(spec("far", "bucket"), pool)
    store: Any = stack.store

    def fail(_self: object) -> None:
        raise StoreError("the cluster is gone.")

    monkeypatch.setattr(type(stack.orchestrator), "close", fail)
    pool.close()
    assert store.closed == 1


def test_an_unfit_or_incomplete_stack_does_not_open(home: Path) -> None:
    with pytest.raises(UnfitStack, match="stack 's' does not fit"):
        Stack(spec("far", "local"), Pool(home))
    with pytest.raises(UsageError, match="needs an artifact store"):
        Stack(StackSpec(name="s", components={"orchestrator": spec().orchestrator}), Pool(home))


def test_a_component_the_stack_does_not_have_is_refused(home: Path) -> None:
    stack = Stack(spec(), Pool(home))
    with pytest.raises(
        UnknownName, match=r"'experiment-tracker'.*%stack update NAME --experiment-tracker=COMPONENT"
    ):
        stack.component("experiment-tracker")
    assert repr(stack) == "<Stack 's'>"
