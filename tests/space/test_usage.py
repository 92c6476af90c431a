"""The account of space: by store, notebook, step and stack; the largest and longest unused; what reuse saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.records import Status
from zennb.recovery.record_copies import MAGIC
from zennb.space.usage import usage

if TYPE_CHECKING:
    from tests.space.conftest import Home


def test_bytes_are_counted_by_store_notebook_step_and_stack(home: Home) -> None:
    big = [home.step("make", {"x": "x" * (100_000 + number)}, days=9 - number) for number in range(3)]
    small = home.step("other", {"y": [1]}, notebook="b.ipynb", showed=b"shown")
    left = home.store.put([b"left"])
    found = usage(home.workspace)
    sizes = [each.outputs["x"].size for each in big]
    (store,) = found.stores
    total = sum(sizes) + small.outputs["y"].size + 5 + 4
    assert (store.store, store.stacks, store.size, store.blobs) == ("default", ("default",), total, 6)
    assert (store.old, store.unreferenced, store.limit, found.size) == (sum(sizes[:2]), 4, None, total)
    assert [(each.name, each.size, each.old) for each in found.notebooks] == [
        ("study.ipynb", sum(sizes), sum(sizes[:2])),
        ("b.ipynb", small.outputs["y"].size + 5, 0),
    ]
    assert [(each.name, each.notebook) for each in found.steps] == [
        ("make", "study.ipynb"),
        ("other", "b.ipynb"),
    ]
    assert [(each.name, each.size) for each in found.stacks] == [("default", total - 4)]
    assert {each.name for each in found.largest[:3]} == {"x v1", "x v2", "x v3"}
    assert [each.size for each in found.largest] == sorted(
        (each.size for each in found.largest), reverse=True
    )
    assert found.oldest[0].step == "other"
    assert {each.name for each in found.largest} >= {"unreferenced", "output of other"}
    assert home.store.has(left)


def test_seconds_saved_by_reuse_are_counted(home: Home) -> None:
    made = home.step("make", {"x": [1]})
    for _ in range(2):
        home.step("make", {}, status=Status.CACHED, outputs=made.outputs, reused=made.id, saved=90.0)
    found = usage(home.workspace)
    assert (found.saved, found.reused) == (180.0, 2)
    assert [(each.name, each.saved, each.reused) for each in found.steps] == [("make", 180.0, 2)]
    assert [(each.name, each.saved) for each in found.stacks] == [("default", 180.0)]


def test_a_store_can_be_chosen_and_has_its_limit(home: Home) -> None:
    registry = home.workspace.registry
    registry.register_component("artifact_store", "small", "local", {"max_size": "2MB"})
    registry.register_stack("other", {"orchestrator": "default", "artifact_store": "small"})
    home.step("make", {"x": [1]})
    home.workspace.open("other").store.put([b"x" * 100])
    assert sorted(each.store for each in usage(home.workspace).stores) == ["default", "small"]
    (chosen,) = usage(home.workspace, stack="other").stores
    assert (chosen.store, chosen.size, chosen.limit, chosen.stacks) == ("small", 100, 2_000_000, ("other",))


def test_a_pinned_and_an_old_version_are_marked(home: Home) -> None:
    old = home.step("make", {"x": [1]})
    home.step("make", {"x": [2]})
    home.metadata.space.pin(old.outputs["x"].id)
    marks = {each.name: (each.is_old, each.is_pinned) for each in usage(home.workspace).largest}
    assert marks == {"x v1": (True, True), "x v2": (False, False)}


def test_copies_of_records_are_not_counted_as_leftovers(home: Home) -> None:
    home.step("make", {"x": [1]})
    home.store.put([MAGIC, bytes(32), b"of a format that is not known here"])
    found = usage(home.workspace)
    assert found.stores[0].unreferenced == 0
    assert {each.name for each in found.largest} == {"x v1"}
