"""Pruning a store: what is kept, what the records say of what is gone, and what happens beside other kernels."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.space.conftest import DAY, Home, set_back
from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.core.planning.pruning import JUST_STORED, NEEDED, PINNED
from zennb.core.records.records import Status
from zennb.core.records.space import PruneRule
from zennb.errors import StoreError, UsageError
from zennb.metadata.space import SpaceQueries
from zennb.recovery.record_copies import MAGIC
from zennb.space.gone import freed
from zennb.space.prune import prune

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.records import Step

OPEN = 4711
"""The process of a kernel that tests call open."""

OLDER = PruneRule(older=30 * DAY)
LEFT = PruneRule(unreferenced=True)


def labels(done: Any) -> list[str]:
    return sorted(label for each in done.plan.blobs for label in each.labels)


def test_a_dry_run_names_everything_and_deletes_nothing(home: Home) -> None:
    old, new = home.step("make", {"x": [1]}), home.step("make", {"x": [2]}, days=2)
    home.set_back()
    done = prune(home.workspace, OLDER)
    assert (labels(done), done.deleted, done.size) == (["x v1"], None, old.outputs["x"].size)
    assert home.has(old, new) == [True, True]
    assert freed(home.workspace, old.outputs.values()) == {}


@pytest.mark.parametrize("value", [[1, 2], "x" * 100_000], ids=["row", "file"])
def test_what_is_deleted_is_gone_and_its_record_says_so_until_it_is_stored_again(
    home: Home, value: object
) -> None:
    old = home.step("make", {"x": value})
    home.step("other", {"y": 1}, days=2)
    home.set_back()
    done = prune(home.workspace, OLDER, delete=True)
    assert (len(done.deleted or ()), done.later, home.has(old)) == (1, 0, [False])
    (note,) = freed(home.workspace, old.outputs.values()).values()
    assert (note.store, note.size) == ("default", old.outputs["x"].size)
    again = home.step("make", {"x": value}, days=0)
    assert home.has(again) == [True]
    assert home.metadata.space.freed([again.outputs["x"].blob]) == {}


def test_reusing_a_step_does_not_take_the_note_of_deleted_bytes_away(home: Home) -> None:
    old = home.step("make", {"x": [1]})
    home.set_back()
    prune(home.workspace, OLDER, delete=True)
    home.step("make", {}, days=0, status=Status.CACHED, outputs=old.outputs, reused=old.id)
    assert list(freed(home.workspace, old.outputs.values())) == [old.outputs["x"].blob]


def test_a_pinned_version_stays(home: Home) -> None:
    old = home.step("make", {"x": [1]})
    home.set_back()
    home.metadata.space.pin(old.outputs["x"].id)
    done = prune(home.workspace, OLDER, delete=True)
    assert (home.has(old), done.plan.spared) == ([True], {PINNED: old.outputs["x"].size})
    home.metadata.space.unpin(old.outputs["x"].id)
    prune(home.workspace, OLDER, delete=True)
    assert home.has(old) == [False]


def test_what_a_run_of_the_last_day_needs_stays_and_what_it_has_replaced_goes(home: Home) -> None:
    edits = [home.step("make", {"x": [number]}, days=0.5, run="today") for number in range(6)]
    home.set_back(1)
    done = prune(home.workspace, PruneRule(to=0), delete=True)
    assert home.has(*edits) == [False] * 5 + [True]
    assert list(done.plan.spared) == [NEEDED]


def test_what_an_open_kernel_needs_stays_however_old_it_is_and_what_it_has_replaced_goes(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = home.step("load", {"rows": [1, 2]}, run="open", process=OPEN).outputs
    first = home.step("fit", {"model": 1.5}, run="open", inputs=inputs, showed=b"it showed this")
    second = home.step("fit", {"model": 2.5}, run="open", inputs=inputs)
    closed = home.step("fit", {"model": 3.5}, run="closed", notebook="other.ipynb")
    home.set_back()
    with monkeypatch.context() as patch:
        _only_alive(patch, OPEN)
        prune(home.workspace, OLDER, delete=True)
    assert home.store.has(inputs["rows"].blob)
    assert home.has(first, second, closed) == [False, True, False]
    assert not home.store.has(first.displays)
    prune(home.workspace, OLDER, delete=True)
    assert home.has(second) == [False]


def test_the_last_good_record_of_a_step_that_fails_now_stays_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = home.step("fit", {"model": 1.5}, run="open", process=OPEN)
    home.step("fit", {}, run="open", status=Status.FAILED)
    home.set_back()
    _only_alive(monkeypatch, OPEN)
    prune(home.workspace, PruneRule(to=0), delete=True)
    assert home.has(good) == [True]


def test_what_a_notebook_with_an_open_kernel_stands_for_stays_even_if_an_older_run_made_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = home.step("load", {"rows": [1, 2]}, run="closed")
    home.step("fit", {"model": 2.5}, run="open", process=OPEN)
    home.set_back()
    _only_alive(monkeypatch, OPEN)
    prune(home.workspace, OLDER, delete=True)
    assert home.has(held) == [True]


def _only_alive(patch: pytest.MonkeyPatch, process: int) -> None:
    patch.setattr("zennb.metadata.space.is_alive", lambda number, *, since: number == process)


def test_bytes_that_a_kept_version_shares_stay(home: Home) -> None:
    shared: list[int] = [1]
    group = home.step("make", {"a": shared, "b": {"inside": shared}})
    assert len({each.blob for each in group.outputs.values()}) == 1
    home.step("read", {}, days=2, inputs={"b": group.outputs["b"]})
    home.set_back()
    prune(home.workspace, OLDER, delete=True)
    assert home.has(group) == [True]


def copy_of(step: Step, *, recorded: float, **named: Any) -> bytes:
    """What lies beside the values of a step, so that its record can be written again."""
    columns = {"name": step.name, "notebook": step.notebook, "started": step.started, "key": step.cache_key}
    body = {
        "recorded": recorded,
        "step": {**columns, "displays": named.pop("displays", "")},
        "inputs": {},
        **named,
    }
    return MAGIC + bytes(32) + json.dumps(body).encode()


def test_leftovers_go_and_copies_of_records_that_exist_stay(home: Home) -> None:
    named = home.step("make", {"x": [1]}, showed=b"shown")
    deleted = replace(named, name="deleted")
    left, copy, old, odd = home.store.put_all(
        [
            [b"left by a killed kernel"],
            [copy_of(named, recorded=0.0)],
            [copy_of(deleted, recorded=0.0)],
            [MAGIC, bytes(32), b"of another format"],
        ]
    )
    home.set_back()
    done = prune(home.workspace, LEFT, delete=True)
    assert {each.digest for each in done.deleted or ()} == {left, old}
    assert home.has(named) == [True]
    assert all(home.store.has(each) for each in (copy, odd, named.displays))


def test_where_records_were_lost_their_copies_stay_with_everything_that_they_name(home: Home) -> None:
    made = home.step("make", {"x": [1]})
    lost = replace(made, name="lost")
    output, shown, left = home.store.put_all([[b"its output"], [b"what it showed"], [b"left"]])
    outputs = {"y": {"blob": output}}
    (copy,) = home.store.put_all([[copy_of(lost, recorded=9e9, outputs=outputs, displays=shown)]])
    home.set_back()
    done = prune(home.workspace, LEFT, delete=True)
    assert [each.digest for each in done.deleted or ()] == [left]
    assert all(home.store.has(each) for each in (copy, output, shown))


def test_what_was_stored_a_moment_ago_stays_since_its_record_may_follow(home: Home) -> None:
    digest = home.store.put([b"just stored"])
    done = prune(home.workspace, LEFT, delete=True)
    assert (done.deleted, done.plan.spared) == ((), {JUST_STORED: 11})
    assert home.store.has(digest)


def test_what_a_running_step_stored_before_it_began_stays_however_long_it_runs(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.step("make", {"x": [1]}, process=OPEN, run_status=Status.RUNNING, days=10)
    captured, older = home.store.put([b"an input"]), home.save({"old": 1})["old"]
    home.set_back(9)
    _set_back_one(home, older.blob, 2)
    with monkeypatch.context() as patch:
        _only_alive(patch, OPEN)
        prune(home.workspace, LEFT, delete=True)
        assert home.store.has(captured)
        assert not home.store.has(older.blob)
    prune(home.workspace, LEFT, delete=True)
    assert not home.store.has(captured)


def _set_back_one(home: Home, digest: str, days: float) -> None:
    with closing(sqlite3.connect(home.workspace.home / "artifacts" / "cache.db")) as connection, connection:
        connection.execute("UPDATE Cache SET store_time = store_time - ? WHERE key = ?", (days * DAY, digest))


def test_a_value_that_was_stored_before_counts_as_stored_now(home: Home) -> None:
    home.step("make", {"x": [1, 2, 3]})
    home.set_back()
    artifact = home.save({"y": [1, 2, 3]})["y"]  # its record is not written yet
    prune(home.workspace, OLDER, delete=True)
    assert home.store.has(artifact.blob)


@pytest.mark.parametrize("change", ["recorded", "pinned", "stored", "touched"])
def test_what_is_stored_named_or_pinned_between_the_choice_and_the_deletion_stays(
    home: Home, another: Callable[[], Home], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    old, gone = home.step("make", {"x": [1]}), home.step("make", {"x": [2]})
    home.set_back()
    content = bytes(home.store.get(old.outputs["x"].blob))
    other, noted = another(), SpaceQueries.note_freed

    def meanwhile(self: SpaceQueries, *args: Any) -> None:
        noted(self, *args)
        if change == "pinned":
            other.metadata.space.pin(old.outputs["x"].id)
        elif change == "stored":
            assert other.store.put([content]) == old.outputs["x"].blob
        elif change == "touched":
            assert other.save({"y": [1]})["y"].blob == old.outputs["x"].blob
        else:
            other.step("make", {}, days=0, status=Status.CACHED, outputs=old.outputs, reused=old.id)

    monkeypatch.setattr(SpaceQueries, "note_freed", meanwhile)
    done = prune(home.workspace, OLDER, delete=True)
    assert (home.has(old, gone), done.later) == ([True, False], 1)
    assert home.metadata.space.freed([old.outputs["x"].blob]) == {}


def test_a_prune_that_is_killed_before_it_deletes_leaves_no_false_note(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = home.step("make", {"x": [1]})
    home.set_back()

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SpaceQueries, "while_unchanged", killed)
        with pytest.raises(KeyboardInterrupt):
            prune(home.workspace, OLDER, delete=True)
    assert home.has(old) == [True]
    assert freed(home.workspace, old.outputs.values()) == {}
    prune(home.workspace, OLDER, delete=True)
    assert home.has(old) == [False]


def test_a_kernel_that_has_mapped_the_bytes_keeps_them(home: Home) -> None:
    old = home.step("make", {"x": b"x" * 100_000})
    view = home.store.get(old.outputs["x"].blob)
    home.set_back()
    prune(home.workspace, OLDER, delete=True)
    assert home.has(old) == [False]
    assert memoryview(view).nbytes >= 100_000
    assert bytes(view).count(b"x") >= 100_000


def test_a_store_that_cannot_delete_says_so_before_anything_is_noted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zennb.components.artifact_stores.local import LocalArtifactStore
    from zennb.components.component import ArtifactStore

    old = home.step("make", {"x": [1]})
    home.set_back()
    monkeypatch.setattr(LocalArtifactStore, "free", ArtifactStore.free)
    assert labels(prune(home.workspace, OLDER)) == ["x v1"]
    with pytest.raises(
        StoreError, match="'default' cannot free space: its flavor 'local' has no method `free`"
    ):
        prune(home.workspace, OLDER, delete=True)
    assert home.metadata.space.freed([old.outputs["x"].blob]) == {}


def test_what_is_unreferenced_here_is_left_in_a_store_that_another_home_may_use(
    home: Home, tmp_path: Any
) -> None:
    home.workspace.registry.register_component(
        "artifact_store", "far", "local", {"path": str(tmp_path / "far")}
    )
    home.workspace.registry.register_stack("far", {"orchestrator": "default", "artifact_store": "far"})
    store = home.workspace.open("far").store
    theirs = store.put([b"of another home"])
    set_back(tmp_path / "far", 90 * DAY)
    with pytest.raises(UsageError, match="outside this home"):
        prune(home.workspace, LEFT, stack="far", delete=True)
    assert prune(home.workspace, PruneRule(to=0), stack="far", delete=True).deleted == ()
    assert store.has(theirs)


def test_a_store_in_memory_is_pruned_by_its_own_times(home: Home) -> None:
    home.workspace.registry.register_component("artifact_store", "mem", "memory", {})
    home.workspace.registry.register_stack("mem", {"orchestrator": "default", "artifact_store": "mem"})
    store = home.workspace.open("mem").store
    assert isinstance(store, MemoryArtifactStore)
    old, new = store.put([b"old"]), store.put([b"new"])
    store._times[old] -= DAY
    done = prune(home.workspace, LEFT, stack="mem", delete=True)
    assert [each.digest for each in done.deleted or ()] == [old]
    assert store.has(new)


def test_another_process_sees_what_was_deleted_and_why(home: Home) -> None:
    old = home.step("make", {"x": [1]})
    home.set_back()
    prune(home.workspace, OLDER, delete=True)
    code = "import zennb; zennb.load('x', version=1)"
    environment = {
        **os.environ,
        "ZENNB_HOME": str(home.workspace.home),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert f"the bytes of {old.outputs['x'].label} were deleted on " in done.stderr
    assert "to free space; run step 'make' again." in done.stderr
