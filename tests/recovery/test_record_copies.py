"""Each completed step is on record once more, signed, beside its values."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.artifact_stores.health import Values
from zennb.core.records.observed import Carried, Observed
from zennb.core.records.records import (
    Artifact,
    CacheKeyParts,
    ComponentSpec,
    Run,
    StackSpec,
    Status,
    Step,
)
from zennb.materializers.signer import Signer
from zennb.metadata.steps import NewStep
from zennb.recovery.record_copies import MAGIC, is_copy, opened_copy, sealed_copy
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.recovery.conftest import Home


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "key")


def artifact(name: str, **more: Any) -> Artifact:
    plain: dict[str, Any] = {
        "digest": "a" * 32,
        "blob": "b" * 64,
        "materializer": "plain",
        "size": 3,
        "type": "int",
    }
    return Artifact(name=name, **{**plain, **more})


PARTS = CacheKeyParts(code="c" * 32, inputs={"x": "a" * 32}, packages={"python": "3.13"})
STEP = Step(
    name="train",
    notebook="study.ipynb",
    status=Status.COMPLETED,
    source="%%step train\nm = fit(x)",
    cache_key="k" * 64,
    parts=PARTS,
    started=1000.5,
    seconds=2.0,
    inputs={"x": artifact("x", id=7, version=3, needs=("A",))},
    outputs={"m": artifact("m", summary={"text": "3"}, packages=("numpy",))},
    observed=Observed(files={"data.csv": "state"}),
    carried=Carried(blob="d" * 64, materializer="plain", names=("locale",)),
    provenance={"x": "somewhere"},
)
COMPONENTS = {
    kind: ComponentSpec(type=kind, name="default", flavor="local")
    for kind in ("orchestrator", "artifact_store")
}
RUN = Run(
    id=4,
    kind="session",
    notebook="study.ipynb",
    stack=StackSpec(name="s", components=COMPONENTS),
    status=Status.COMPLETED,
    started=1000.0,
    host="here",
    process=12,
    parent=3,
)


def test_a_copy_gives_the_record_back_without_its_ids(signer: Signer) -> None:
    content = sealed_copy(NewStep.of(STEP, None), RUN, signer=signer)
    assert content is not None
    assert is_copy(content)
    copy = opened_copy(content, signer=signer)
    assert copy is not None
    known = replace(STEP.inputs["x"], id=None)
    assert copy.step == replace(STEP, inputs={"x": known})
    assert copy.run == replace(RUN, id=None, parent=None)
    assert abs(copy.recorded - time.time()) < 60


@pytest.mark.parametrize("place", [0, 7, 8, 39, 40, 100, -1])
def test_a_copy_that_was_changed_is_not_opened(signer: Signer, place: int) -> None:
    content = bytearray(sealed_copy(NewStep.of(STEP, None), RUN, signer=signer) or b"")
    content[place] ^= 1
    assert opened_copy(content, signer=signer) is None


def test_a_copy_by_somebody_else_is_not_opened(signer: Signer, tmp_path: Path) -> None:
    content = sealed_copy(NewStep.of(STEP, None), RUN, signer=Signer(tmp_path / "another"))
    assert content is not None
    assert opened_copy(content, signer=signer) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"step": 1}', b"[" * 100_000, json.dumps({"recorded": 1}).encode()],
)
def test_what_this_user_has_signed_and_is_no_copy_is_not_opened(signer: Signer, body: bytes) -> None:
    assert opened_copy(MAGIC + signer.sign([MAGIC, body]) + body, signer=signer) is None


def test_a_copy_of_an_older_format_lacks_only_what_it_lacks(signer: Signer) -> None:
    content = sealed_copy(NewStep.of(STEP, None), RUN, signer=signer)
    assert content is not None
    found = json.loads(content[40:])
    del found["step"]["provenance"]
    body = json.dumps(found).encode()
    copy = opened_copy(MAGIC + signer.sign([MAGIC, body]) + body, signer=signer)
    assert copy is not None
    assert copy.step.provenance == {}


def test_where_nothing_can_be_signed_the_step_is_recorded_without_a_copy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert sealed_copy(NewStep.of(STEP, None), RUN, signer=Signer(tmp_path / "file" / "key")) is None


def test_a_kernel_stores_a_copy_of_each_completed_step(home: Home) -> None:
    opened = Workspace(home.path)
    steps = {step.name: step for step in opened.metadata.latest_steps("")}
    opened.close()
    found = {}
    for root in (home.store, *(home.path / "stores").iterdir()):
        with Values(root) as values:
            for _, content in values.starting_with(MAGIC):
                copy = opened_copy(content, signer=home.signer)
                assert copy is not None
                found[copy.step.name] = copy.step
    assert found.keys() == steps.keys()
    for name, step in found.items():
        assert step.cache_key == steps[name].cache_key
        assert {each: item.blob for each, item in step.outputs.items()} == {
            each: item.blob for each, item in steps[name].outputs.items()
        }


def test_a_copy_costs_little(signer: Signer) -> None:
    """The figure is for people (`pytest -s`): a busy machine would fail any limit."""
    new, seconds = NewStep.of(STEP, None), []
    for _ in range(200):
        started = time.perf_counter()
        sealed_copy(new, RUN, signer=signer)
        seconds.append(time.perf_counter() - started)
    print(f"a copy of a record: {statistics.median(seconds) * 1e6:.0f} µs")
