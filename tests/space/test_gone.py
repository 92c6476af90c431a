"""Versions that lost their bytes: which were deleted on purpose, and which records can be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.core.records.records import Status
from zennb.core.records.space import PruneRule
from zennb.errors import StoreError
from zennb.space.gone import forget, forgettable, freed
from zennb.space.prune import prune

if TYPE_CHECKING:
    from tests.space.conftest import Home


def test_only_versions_without_bytes_anywhere_can_be_forgotten(home: Home) -> None:
    gone, kept = home.step("make", {"x": [1]}), home.step("make", {"x": [2]}, days=2)
    home.step("other", {"y": [3]}, days=2)
    home.set_back()
    assert forgettable(home.workspace) == []
    prune(home.workspace, PruneRule(older=30 * 86_400.0), delete=True)
    assert forgettable(home.workspace) == [gone.outputs["x"]]
    assert forgettable(home.workspace, "y") == []
    assert forget(home.workspace, forgettable(home.workspace)) == 1
    assert home.metadata.history("x") == [kept.outputs["x"]]
    assert home.metadata.find(gone.cache_key) == []


def test_bytes_that_another_stack_has_are_not_gone(home: Home) -> None:
    step = home.step("make", {"x": [1]})
    home.step("other", {"y": [3]}, days=2)
    content = home.store.get(step.outputs["x"].blob)
    home.workspace.registry.register_component("artifact_store", "spare", "local", {})
    home.workspace.registry.register_stack("spare", {"orchestrator": "default", "artifact_store": "spare"})
    home.workspace.open("spare").store.put([content])
    home.set_back()
    prune(home.workspace, PruneRule(older=30 * 86_400.0), delete=True)
    assert home.has(step) == [False]
    assert freed(home.workspace, step.outputs.values()) == {}
    assert forgettable(home.workspace) == []


def test_what_a_reusable_result_was_made_from_stays_on_record(home: Home) -> None:
    rows = home.step("load", {"rows": [1, 2]})
    model = home.step("fit", {"model": 1.5}, inputs=rows.outputs, days=2)
    home.step("other", {"y": [3]}, days=1.5)
    home.set_back()
    home.store.delete(rows.outputs["rows"].blob)
    assert forgettable(home.workspace) == []
    (found,) = home.metadata.find(model.cache_key)
    assert home.workspace.signer.accepts(found)
    home.store.delete(model.outputs["model"].blob)
    assert [each.name for each in forgettable(home.workspace)] == ["model", "rows"]
    assert forget(home.workspace, forgettable(home.workspace)) == 2
    assert home.metadata.find(model.cache_key) == []


def test_a_step_that_lost_only_its_run_is_still_accepted(home: Home) -> None:
    made = home.step("load", {"rows": [1, 2]})
    home.step("load", {}, status=Status.CACHED, outputs=made.outputs, reused=made.id)
    home.metadata.deletions.delete([made.run])
    (found,) = home.metadata.find(made.cache_key)
    assert found.run is None
    assert home.workspace.signer.accepts(found)


def test_nothing_is_forgotten_while_a_store_cannot_be_asked(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.workspace.registry.register_component("artifact_store", "far", "local", {})
    home.workspace.registry.register_stack("far", {"orchestrator": "default", "artifact_store": "far"})
    opening = home.workspace.open

    def refused(name: str | None = None) -> object:
        if name == "far":
            raise StoreError("it is not mounted.")
        return opening(name)

    monkeypatch.setattr(home.workspace, "open", refused)
    with pytest.raises(StoreError, match="stack 'far' cannot be opened, so what its store holds is unknown"):
        forgettable(home.workspace)
