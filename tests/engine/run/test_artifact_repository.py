"""Values become artifacts in one store, and come back sharing what they shared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.core.records.observed import Carried
from zennb.core.records.records import Artifact, Status, Step
from zennb.core.records.seal import Seal
from zennb.digests.digest import digest_value
from zennb.engine.run import artifact_repository
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.saved_output import SavedOutput, groups_of
from zennb.errors import (
    DamagedArtifact,
    MissingArtifact,
    MissingDefinition,
    NotStorable,
    UntrustedArtifact,
)
from zennb.materializers import registry
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zennb.components.component import Buffer
    from zennb.digests.digest import ValueDigest


class Counting(MemoryArtifactStore):
    """Counts how often it is asked to store something."""

    asked = 0

    def put_all(self, blobs: Sequence[Sequence[Buffer]]) -> list[str]:
        self.asked += 1
        return super().put_all(blobs)


def looks(values: Mapping[str, Any]) -> dict[str, tuple[Any, ValueDigest]]:
    return {name: (value, digest_value(value, name=name)) for name, value in values.items()}


class Bench:
    def __init__(self, folder: Path) -> None:
        self.store = Counting.from_config("counting", {})
        self.scope: dict[str, Any] = {"__name__": "__main__"}
        self.recorded: list[Artifact] = []
        self.signer = Signer(folder)
        self.repository = ArtifactRepository(
            store=self.store,
            scope=self.scope,
            signer=self.signer,
            known=lambda digests: {
                digest: [(each, self.step_of(each)) for each in self.recorded if each.digest == digest]
                for digest in digests
            },
        )

    def step_of(self, artifact: Artifact) -> Step:
        """Return a signed record of the step that put out an artifact."""
        message = artifact.blob.encode()
        seal = Seal(message, self.signer.sign_record(message))
        return Step(name="s", status=Status.COMPLETED, outputs={artifact.name: artifact}, seal=seal)

    def keep(self, values: Mapping[str, Any], **options: Any) -> SavedOutput:
        kept = self.repository.save(looks(values), **options)
        self.recorded[:0] = kept.artifacts.values()
        return kept


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_values_are_stored_at_once_and_come_back(bench: Bench) -> None:
    values = {"b": [1, 2], "a": "text", "c": np.arange(3)}
    kept = bench.keep(values)
    assert list(kept.artifacts) == ["b", "a", "c"]
    assert bench.store.asked == 1
    found = bench.repository.load(kept.artifacts)
    assert (found["b"], found["a"], found["c"].tolist()) == ([1, 2], "text", [0, 1, 2])
    assert {each.item for each in kept.artifacts.values()} == {None}
    assert not kept.refused


def test_each_name_of_a_group_is_searched_for_secrets_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(artifact_repository, "holds_secret", lambda name, _value: asked.append(name))
    inner = [1]
    bench.keep({name: [inner] for name in "abcd"})
    assert sorted(asked) == ["a", "b", "c", "d"]


def test_a_figure_and_its_axes_are_not_digested_again_once_stored(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    asked: list[Any] = []
    monkeypatch.setattr(registry, "_check_sharing", lambda *found: asked.append(found))
    kept = bench.keep({"fig": fig, "ax": ax})
    assert (asked, kept.artifacts["fig"].item, kept.artifacts["ax"].item) == ([], "fig", "ax")
    several, axes = plt.subplots(1, 2)
    axes[0].plot([1, 2])
    bench.keep({"fig": several, "axes": axes})  # the axes are an array, with memory that no figure has
    assert not asked
    memory = np.arange(4)
    bench.keep({"fig": several, "axes": axes, "memory": memory, "view": memory[1:], "both": [axes, memory]})
    (checked, _), *more = asked
    assert (sorted(checked), more) == (["axes", "both", "memory", "view"], [])
    plt.close("all")


def test_nothing_asks_the_store_for_nothing(bench: Bench) -> None:
    assert bench.repository.save({}) == SavedOutput(artifacts={}, refused={})
    assert bench.store.asked == 0


def test_values_that_share_state_are_stored_as_one_and_share_it_again(bench: Bench) -> None:
    inner = [1]
    kept = bench.keep({"inner": inner, "apart": [1], "outer": {"k": inner}})
    artifacts = kept.artifacts
    assert (artifacts["inner"].item, artifacts["outer"].item, artifacts["apart"].item) == (
        "inner",
        "outer",
        None,
    )
    assert artifacts["inner"].blob == artifacts["outer"].blob != artifacts["apart"].blob
    assert artifacts["inner"].digest == digest_value(inner).digest
    assert (artifacts["inner"].type, artifacts["outer"].type) == ("list", "dict")
    found = bench.repository.load(artifacts)
    assert found["outer"]["k"] is found["inner"]
    assert found["apart"] is not found["inner"]
    assert list(artifacts) == ["inner", "apart", "outer"]


def test_one_of_a_group_can_be_fetched_alone(bench: Bench) -> None:
    inner = [1]
    kept = bench.keep({"inner": inner, "outer": [inner]})
    assert bench.repository.load({"outer": kept.artifacts["outer"]}) == {"outer": [[1]]}


def test_a_value_that_cannot_be_stored_is_refused_by_name_with_its_group(bench: Bench) -> None:
    exec("class Model: pass\nmodel = Model()\nclass Model: pass", bench.scope)
    model = bench.scope["model"]
    kept = bench.keep({"model": model, "fine": [1], "models": [model]})
    assert set(kept.artifacts) == {"fine"}
    assert set(kept.refused) == {"model", "models"}
    assert "Model" in kept.refused["model"]


def test_a_value_recorded_before_is_not_written_again(bench: Bench) -> None:
    first = bench.keep({"x": [1, 2, 3]}).artifacts["x"]
    assert bench.keep({"x": [1, 2, 3]}).artifacts["x"] is first
    other = bench.keep({"y": [1, 2, 3]}).artifacts["y"]
    assert bench.store.asked == 1
    assert (other.name, other.blob, other.id) == ("y", first.blob, None)
    assert bench.repository.load({"y": other}) == {"y": [1, 2, 3]}


def test_a_value_whose_bytes_are_gone_is_written_again(bench: Bench) -> None:
    first = bench.keep({"x": [1, 2, 3]}).artifacts["x"]
    bench.store.delete(first.blob)
    again = bench.keep({"x": [1, 2, 3]}).artifacts["x"]
    assert again is not first
    assert bench.repository.load({"x": again}) == {"x": [1, 2, 3]}


def test_a_member_of_a_group_does_not_stand_for_a_value_alone(bench: Bench) -> None:
    inner = [1, 2, 3]
    bench.keep({"inner": inner, "outer": [inner]})
    alone = bench.keep({"x": [1, 2, 3]}).artifacts
    assert alone["x"].item is None
    assert bench.repository.load(alone) == {"x": [1, 2, 3]}


def test_what_was_captured_is_an_output_once_a_step_makes_it(bench: Bench) -> None:
    captured = bench.keep({"x": [1]}, kind="captured").artifacts["x"]
    assert bench.keep({"x": [1]}, kind="captured").artifacts["x"] is captured
    assert bench.keep({"y": [1]}, kind="captured").artifacts["y"].kind == "captured"
    made = bench.keep({"x": [1], "z": [1]}).artifacts
    assert (made["x"].kind, made["z"].kind) == ("output", "output")
    assert made["x"].blob == captured.blob
    assert bench.keep({"x": [1]}).artifacts["x"] is made["x"]


def test_what_a_step_made_stays_its_output_when_it_is_captured(bench: Bench) -> None:
    made = bench.keep({"x": [1]}).artifacts["x"]
    assert bench.keep({"x": [1]}, kind="captured").artifacts["x"] is made
    assert bench.keep({"y": [1]}, kind="captured").artifacts["y"].kind == "captured"


@pytest.mark.parametrize(
    ("value", "kind"),
    [(3, "parameter"), ("text", "parameter"), (None, "parameter"), ("x" * 80, "captured"), ([1], "captured")],
)
def test_a_captured_small_scalar_is_a_parameter(bench: Bench, value: Any, kind: str) -> None:
    assert bench.keep({"x": value}, kind="captured").artifacts["x"].kind == kind
    assert bench.keep({"x": value}).artifacts["x"].kind == "output"


def test_bytes_that_are_missing_are_named_by_their_artifact(bench: Bench) -> None:
    artifact = bench.keep({"x": [1]}).artifacts["x"]
    bench.store.delete(artifact.blob)
    with pytest.raises(MissingArtifact, match=r"the bytes of x v0 are not in this artifact store") as caught:
        bench.repository.load({"x": artifact})
    assert caught.value.digest == artifact.blob


def test_classes_are_found_in_the_scope_of_the_shelf(bench: Bench) -> None:
    exec("class Model: pass\nmodel = Model()", bench.scope)
    kept = bench.keep({"model": bench.scope["model"]}).artifacts
    other: dict[str, Any] = {"__name__": "__main__"}
    scoped = replace(bench.repository, scope=other)
    with pytest.raises(MissingDefinition, match="Model"):
        scoped.load(kept)
    exec("class Model: kind = 'other'", other)
    assert type(scoped.load(kept)["model"]) is other["Model"]
    assert type(bench.repository.load(kept)["model"]) is bench.scope["Model"]


def test_the_same_shelf_can_lead_into_another_store(bench: Bench) -> None:
    other = MemoryArtifactStore.from_config("other", {})
    kept = replace(bench.repository, store=other).save(looks({"x": [1]})).artifacts
    assert other.has(kept["x"].blob)
    assert not bench.store.has(kept["x"].blob)


def test_changes_come_back_and_a_plain_result_is_not_named_among_them(bench: Bench) -> None:
    changes = {"numpy print options": {"precision": 3}, "result": 42}
    carried = bench.repository.save_changes(changes)
    assert carried.names == ("numpy print options",)
    assert bench.repository.load_changes(carried) == changes
    assert bench.repository.load_changes(None) == {}


def test_changes_that_somebody_else_stored_are_refused(bench: Bench, tmp_path: Path) -> None:
    other = ArtifactRepository(store=bench.store, scope={}, signer=Signer(tmp_path / "of another user"))
    carried = other.save_changes({"files": {"/somewhere/startup.py": b"import os"}})
    with pytest.raises(UntrustedArtifact, match=r"not signed by you.*None of them was set or written"):
        bench.repository.load_changes(carried)


def test_changes_that_nobody_signed_are_refused(bench: Bench) -> None:
    forged = bench.keep({"x": {"module path": {"added": [[0, "/somewhere"]]}}}).artifacts["x"]
    with pytest.raises(DamagedArtifact):
        bench.repository.load_changes(Carried(blob=forged.blob, materializer=forged.materializer, names=()))


def test_changes_without_content_cannot_be_stored(bench: Bench) -> None:
    with pytest.raises(NotStorable, match="is a generator") as caught:
        bench.repository.save_changes({"odd": (each for each in "")})
    assert "odd" in str(caught.value.path)


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=1, max_size=6))
def test_groups_are_what_is_connected_through_shared_state(members: list[set[int]]) -> None:
    parts: list[list[int]] = [[number] for number in range(5)]
    values = {f"v{place}": [parts[each] for each in sorted(found)] for place, found in enumerate(members)}
    groups = groups_of(looks(values))
    assert sorted(name for group in groups for name in group) == sorted(values)
    together = {frozenset(group) for group in groups}
    expected: list[tuple[set[str], set[int]]] = []
    for place, found in enumerate(members):
        near = [each for each in expected if each[1] & found]
        expected = [each for each in expected if each not in near]
        names, numbers = {f"v{place}"}, set(found)
        for each in near:
            names |= each[0]
            numbers |= each[1]
        expected.append((names, numbers))
    assert together == {frozenset(names) for names, _ in expected}


def test_scalars_of_one_name_are_stored_ahead_in_one_call_and_no_secrets(tmp_path: Path) -> None:
    bench, scalars = Bench(tmp_path), dict[tuple[str, str], Artifact]()
    values: list[Any] = [1, 2.5, "text", [1], 1]
    seen = [(value, digest_value(value, name="x")) for value in values]
    bench.repository.capture_scalars("x", seen, scalars)
    assert bench.store.asked == 1
    assert {name for name, _ in scalars} == {"x"}
    assert len(scalars) == 3
    for value, digest in seen[:3]:
        saved = bench.repository.save({"x": (value, digest)}, kind="captured", scalars=scalars).artifacts
        assert (saved["x"].name, saved["x"].kind) == ("x", "parameter")
        assert bench.repository.load(saved) == {"x": value}
    assert bench.store.asked == 1
    hidden = [("hunter2-" * 4, digest_value("hunter2-" * 4, name="password"))]
    bench.repository.capture_scalars("password", hidden, scalars)
    assert bench.store.asked == 1
    assert "password" not in {name for name, _ in scalars}
