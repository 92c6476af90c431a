"""Owns the contract of model registries, as tests: inherit `ModelRegistryContract` and define its fixtures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.models import ModelName
from zennb.core.records.records import Artifact
from zennb.errors import UnknownName
from zennb.testing.component import ComponentContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from zennb.components.models import ModelRegistry

__all__ = ["ModelRegistryContract", "late_payload"]


def late_payload(model: str, artifact: Artifact, *, alias: str, asked: float) -> dict[str, Any]:
    """Return what `ModelRegistry.deliver` takes, for an artifact that a step registered at a time."""
    return {
        "model": model,
        "version": None,
        "artifact": artifact.name,
        "artifact_version": artifact.version,
        "digest": artifact.digest,
        "alias": alias,
        "note": "",
        "tags": {},
        "asked": asked,
    }


class ModelRegistryContract(ComponentContract):
    """The contract of every model registry.

    Fixtures to define:
        registry: a new, empty registry. Close it afterwards.
        reopen: a function that returns another instance with the same content, as another kernel would open it.
        artifacts: only for registries that know the records of the home: two versions of `model` that are recorded.
    """

    @pytest.fixture
    def registry(self) -> Iterator[ModelRegistry]:
        """Yield an empty registry."""
        pytest.fail("Give a fixture `registry` that yields an empty registry.")

    @pytest.fixture
    def reopen(self) -> Callable[[], ModelRegistry]:
        """Return a function that returns a registry with the same content."""
        pytest.fail("Give a fixture `reopen` that returns a function.")

    @pytest.fixture
    def artifacts(self) -> Sequence[Artifact]:
        """Return two versions of an artifact."""
        return [
            Artifact(
                id=number,
                name="model",
                version=number,
                digest=f"{number}" * 32,
                blob=f"{number}" * 64,
                materializer="pickle",
                size=10,
                type="sklearn.svm.SVC",
            )
            for number in (1, 2)
        ]

    @pytest.fixture
    def component(self, registry: ModelRegistry) -> ModelRegistry:
        """Apply the tests of every component to the registry."""
        return registry

    def test_an_empty_registry_has_no_models(self, registry: ModelRegistry) -> None:
        assert registry.versions() == []
        assert registry.versions("classifier") == []

    def test_versions_count_from_one_and_stand_for_their_artifacts(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        assert [registry.register("classifier", each) for each in artifacts] == [1, 2]
        found = registry.versions("classifier")
        assert [each.version for each in found] == [2, 1]
        for version, artifact in zip(reversed(found), artifacts, strict=True):
            assert (version.artifact, version.artifact_version, version.digest) == (
                artifact.name,
                artifact.version,
                artifact.digest,
            )
            assert version.created > 0

    def test_models_are_listed_by_name_newest_first(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        for name in ("b model", "a", "b model"):
            registry.register(name, artifacts[0])
        found = [(each.name, each.version) for each in registry.versions()]
        assert found == [("a", 1), ("b model", 2), ("b model", 1)]

    def test_an_alias_stands_for_one_version(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        for each in artifacts:
            registry.register("classifier", each)
        registry.set_alias("classifier", "champion", 1)
        registry.set_alias("classifier", "candidate", 1)
        assert registry.find(ModelName("classifier", alias="champion")).version == 1
        registry.set_alias("classifier", "champion", 2)
        aliases = {each.version: each.aliases for each in registry.versions("classifier")}
        assert aliases == {2: ("champion",), 1: ("candidate",)}
        registry.delete_alias("classifier", "candidate")
        assert [each.aliases for each in registry.versions("classifier")] == [("champion",), ()]

    def test_notes_and_tags_are_kept(self, registry: ModelRegistry, artifacts: Sequence[Artifact]) -> None:
        registry.register("classifier", artifacts[0], note="first “try”", tags={"stage": "test", "flag": ""})
        (found,) = registry.versions("classifier")
        assert (found.note, dict(found.tags)) == ("first “try”", {"stage": "test", "flag": ""})
        registry.describe("classifier", 1, "second", {"stage": "live"})
        (found,) = registry.versions("classifier")
        assert (found.note, dict(found.tags)) == ("second", {"stage": "live"})

    def test_a_deleted_version_is_gone_with_its_aliases_and_its_number_is_not_given_again(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        for each in artifacts:
            registry.register("classifier", each)
        registry.set_alias("classifier", "champion", 2)
        registry.delete("classifier", 2)
        assert [(each.version, each.aliases) for each in registry.versions("classifier")] == [(1, ())]
        assert registry.register("classifier", artifacts[1]) == 3

    def test_a_model_without_versions_is_gone(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        registry.register("classifier", artifacts[0])
        registry.delete("classifier", 1)
        assert registry.versions() == []
        assert registry.register("classifier", artifacts[0]) >= 1

    def test_names_that_are_not_there_are_named_with_the_nearest(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        registry.register("classifier", artifacts[0])
        registry.set_alias("classifier", "champion", 1)
        with pytest.raises(UnknownName, match="did you mean 'classifier'"):
            registry.find(ModelName("classifer"))
        with pytest.raises(UnknownName, match="did you mean 'champion'"):
            registry.find(ModelName("classifier", alias="champ"))
        with pytest.raises(UnknownName, match="numbered '7'"):
            registry.find(ModelName("classifier", version=7))

    def test_a_late_delivery_registers_once_and_moves_no_alias_that_was_set_since(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        asked = time.time() - 3600
        registry.register("classifier", artifacts[0])
        registry.set_alias("classifier", "champion", 1)
        late = late_payload("classifier", artifacts[1], alias="champion", asked=asked)
        for _ in range(2):
            assert "'champion' was not given to classifier v2" in registry.deliver(late)
            aliases = {each.version: each.aliases for each in registry.versions("classifier")}
            assert aliases == {2: (), 1: ("champion",)}
        assert registry.deliver({**late, "alias": "candidate"}) == ""
        assert registry.find(ModelName("classifier", alias="candidate")).version == 2
        gone = registry.deliver({**late, "version": 9})
        assert "was not given to classifier v9, which was deleted" in gone

    def test_others_find_what_was_registered(
        self,
        registry: ModelRegistry,
        reopen: Callable[[], ModelRegistry],
        artifacts: Sequence[Artifact],
    ) -> None:
        registry.register("classifier", artifacts[0])
        registry.set_alias("classifier", "champion", 1)
        other = reopen()
        try:
            assert other.versions() == registry.versions()
        finally:
            other.close()
