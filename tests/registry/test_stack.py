from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import ComponentSpec, StackSpec
from zennb.errors import UnfitStack, UnknownName, UsageError
from zennb.registry.pool import Pool
from zennb.registry.stack import open_stack

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
    stack = open_stack(spec(), home)
    assert stack.store.name == "default"
    assert stack.orchestrator.name == "o"
    assert not home.exists()
    stack.close()


def test_the_default_store_lives_in_the_home_and_others_in_directories_of_their_own(home: Path) -> None:
    paths = [
        open_stack(spec(name="default"), home).store,
        open_stack(spec(name="../../etc"), home).store,
        open_stack(spec(name="mine"), home).store,
        open_stack(spec(name="mine", path=str(home / "given")), home).store,
    ]
    default, hostile, mine, given = (getattr(store, "path") for store in paths)  # noqa: B009 - flavors differ
    assert default == str(home / "artifacts")
    assert hostile.startswith(str(home / "stores"))
    assert len(mine.rpartition("/")[2]) == 12
    assert len({default, hostile, mine, given}) == 4
    assert given == str(home / "given")


def test_stacks_share_what_they_have_in_common(home: Path) -> None:
    pool = Pool(home)
    first, second = (open_stack(spec(store="memory"), home, pool=pool) for _ in range(2))
    third = open_stack(spec(store="memory", name="other"), home, pool=pool)
    digest = first.store.put([b"x"])
    first.close()
    assert second.store is first.store
    assert second.store.get(digest) == b"x"
    assert not third.store.has(digest)
    pool.close()


def test_a_stack_of_its_own_closes_its_components(home: Path) -> None:
    stack = open_stack(spec("far", "bucket"), home)
    store: Any = stack.store
    stack.close()
    assert store.closed == 1


def test_a_component_that_fails_to_close_keeps_no_other_from_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zennb.errors import StoreError

    pool = Pool(home)
    stack = open_stack(spec("far", "bucket"), home, pool=pool)
    store: Any = stack.store

    def fail(_self: object) -> None:
        raise StoreError("the cluster is gone.")

    monkeypatch.setattr(type(stack.orchestrator), "close", fail)
    pool.close()
    assert store.closed == 1


def test_an_unfit_or_incomplete_stack_does_not_open(home: Path) -> None:
    with pytest.raises(UnfitStack, match="stack 's' does not fit"):
        open_stack(spec("far", "local"), home)
    with pytest.raises(UsageError, match="needs an artifact store"):
        open_stack(StackSpec(name="s", components={"orchestrator": spec().orchestrator}), home)


def test_a_component_the_stack_does_not_have_is_refused(home: Path) -> None:
    stack = open_stack(spec(), home)
    with pytest.raises(
        UnknownName, match=r"'experiment-tracker'.*%stack update NAME --experiment-tracker=COMPONENT"
    ):
        stack.component("experiment-tracker")
    assert repr(stack) == "<Stack 's'>"
