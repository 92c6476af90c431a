from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, cast

import pytest

from zennb.components.model_registries.local import LocalModelRegistry
from zennb.core.records.records import Artifact, Run, Status, Step
from zennb.errors import StoreError
from zennb.registry.workspace import Workspace
from zennb.testing.model_registry import ModelRegistryContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from zennb.components.models import ModelRegistry


class TestLocal(ModelRegistryContract):
    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Iterator[Workspace]:
        opened = Workspace(tmp_path / "home")
        yield opened
        opened.close()

    @pytest.fixture
    def registry(self, workspace: Workspace) -> ModelRegistry:
        return cast("ModelRegistry", workspace.own_component("model_registry"))

    @pytest.fixture
    def reopen(self, workspace: Workspace) -> Callable[[], ModelRegistry]:
        def opened() -> ModelRegistry:
            found = LocalModelRegistry.from_config("other", {})
            found.use(workspace.metadata.models)
            return found

        return opened

    @pytest.fixture
    def artifacts(self, workspace: Workspace) -> Sequence[Artifact]:
        return [recorded(workspace, number) for number in (1, 2)]

    def test_an_artifact_that_is_not_on_record_is_refused(self, registry: ModelRegistry) -> None:
        absent = Artifact(
            name="gone", version=1, digest="a", blob="b", materializer="pickle", size=1, type="int"
        )
        with pytest.raises(StoreError, match="gone v1 is not on record"):
            registry.register("classifier", absent)
        assert registry.versions() == []


def recorded(workspace: Workspace, number: int) -> Artifact:
    spec = workspace.snapshot()
    made = Artifact(
        name="model",
        digest=f"{number}" * 32,
        blob=f"{number}" * 64,
        materializer="pickle",
        size=10,
        type="sklearn.svm.SVC",
    )
    run = Run(
        stack=spec, notebook="a.ipynb", status=Status.COMPLETED, started=time.time(), process=os.getpid()
    )
    step = Step(
        name="train",
        notebook="a.ipynb",
        status=Status.COMPLETED,
        started=time.time(),
        outputs={"model": made},
    )
    return workspace.metadata.add(step, run=run).outputs["model"]
