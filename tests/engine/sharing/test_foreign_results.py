from __future__ import annotations

from typing import Any

import pytest

from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.core.records.observed import ABSENT, Carried, Observed
from zennb.core.records.records import Artifact, Status, Step
from zennb.engine.sharing.foreign_results import bound_to_its_machine, needs_trust
from zennb.engine.step.recording import Recording
from zennb.errors import StoreError


def step(**more: Any) -> Step:
    return Step(name="s", status=Status.COMPLETED, **more)


@pytest.mark.parametrize(
    "observed",
    [
        {"files": {"/data/x.csv": "file 1"}},
        {"files": {"/home/ada/config": ABSENT}},
        {"files": {"C:\\data\\x.csv": "file 1"}},
        {"files": {"C:/data/x.csv": "file 1"}},
        {"files": {"\\\\server\\x.csv": "file 1"}},
        {"files": {"a/../../x.csv": "file 1"}},
        {"written": {"/tmp/x": "file 1"}},
        {"restored": {"/tmp/x": "file 1"}},
        {"environment": {"REGION": "0123"}},
        {"left": {"$REGION": "0123"}},
    ],
    ids=str,
)
def test_what_is_outside_the_folder_or_sealed_does_not_travel(observed: dict[str, Any]) -> None:
    assert bound_to_its_machine(step(observed=Observed(**observed)))


@pytest.mark.parametrize(
    "observed",
    [
        {},
        {"files": {"data/x.csv": "file 1", ".": "names 1", "..data": ABSENT}},
        {"written": {"out/x": "file 1"}, "restored": {"y": "file 2"}},
        {"environment": {"REGION": ABSENT}, "left": {"numpy print options": "1", "call 0000": "f()"}},
    ],
    ids=str,
)
def test_paths_in_the_folder_and_unset_variables_travel(observed: dict[str, Any]) -> None:
    assert bound_to_its_machine(step(observed=Observed(**observed))) == ""


def made(materializer: str) -> dict[str, Artifact]:
    return {
        "x": Artifact(name="x", digest="d", blob="b", materializer=materializer, size=1, type="list"),
    }


@pytest.mark.parametrize("materializer", ["plain", "numpy", "frame", "arrow_table", "picture"])
def test_data_needs_no_trust(materializer: str) -> None:
    carried = Carried(blob="b", materializer="plain", names=())
    found = step(outputs=made(materializer), carried=carried)
    assert needs_trust(found, MemoryArtifactStore(), named={"x"}) == ""


@pytest.mark.parametrize(
    "more",
    [
        {"outputs": made("pickle")},
        {"outputs": made("of a package")},
        {"outputs": {"evil": made("plain")["x"]}},
        {"deletes": ("evil",)},
        {"defines": ("evil",)},
        {"carried": Carried(blob="b", materializer="plain", names=("numpy print options",))},
        {"observed": Observed(restored={"x.txt": "file 1"})},
        {"observed": Observed(left={"call 0000": "1 set_theme"})},
    ],
    ids=str,
)
def test_whatever_can_run_code_or_change_anything_else_needs_trust(more: dict[str, Any]) -> None:
    assert needs_trust(step(**more), MemoryArtifactStore(), named={"x"})


def test_what_was_shown_is_read_and_judged() -> None:
    store, recording = MemoryArtifactStore(), Recording()
    recording.display({"text/plain": "x"})
    passive = store.put([recording.dump()])
    recording.display({"text/html": "<script>1</script>"})
    active = store.put([recording.dump()])
    assert needs_trust(step(displays=passive), store, named=()) == ""
    assert "scripts" in needs_trust(step(displays=active), store, named=())
    for digest in ("0" * 64, store.put([b"no recording"])):
        with pytest.raises(StoreError):
            needs_trust(step(displays=digest), store, named=())
