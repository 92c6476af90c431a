"""The registry of MLflow, in a database of its own; skipped where mlflow is not installed."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.mlflow_database import new_database
from zennb.components.component import Visibility
from zennb.components.model_registries.mlflow import MlflowModelRegistry
from zennb.core.records.models import ModelName
from zennb.errors import StoreBusy, StoreError, ZennbError
from zennb.testing.model_registry import ModelRegistryContract, late_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from zennb.components.models import ModelRegistry
    from zennb.core.records.records import Artifact

pytestmark = pytest.mark.filterwarnings("ignore")  # those of mlflow and its libraries


class TestMlflow(ModelRegistryContract):
    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        pytest.importorskip("mlflow")
        return new_database(tmp_path)

    @pytest.fixture
    def registry(self, uri: str) -> Iterator[ModelRegistry]:
        made = MlflowModelRegistry.from_config("mine", {"uri": uri})
        yield made
        made.close()

    @pytest.fixture
    def reopen(self, uri: str) -> Callable[[], ModelRegistry]:
        return lambda: MlflowModelRegistry.from_config("mine", {"uri": uri})

    def test_mlflow_itself_finds_the_version_and_its_artifact(
        self, registry: ModelRegistry, uri: str, artifacts: Sequence[Artifact]
    ) -> None:
        from mlflow import MlflowClient

        registry.register("classifier", artifacts[1], note="a note", tags={"stage": "test"})
        registry.set_alias("classifier", "champion", 1)
        found = MlflowClient(registry_uri=uri, tracking_uri=uri).get_model_version_by_alias(
            "classifier", "champion"
        )
        assert (found.source, found.description) == ("zennb://artifacts/model/2", "a note")
        assert found.tags["stage"] == "test"
        assert found.tags["zennb.digest"] == artifacts[1].digest

    def test_what_others_registered_is_left_out_and_left_alone(
        self, registry: ModelRegistry, uri: str, artifacts: Sequence[Artifact]
    ) -> None:
        from mlflow import MlflowClient

        client = MlflowClient(registry_uri=uri, tracking_uri=uri)
        client.create_registered_model("classifier")
        client.create_model_version("classifier", source="s3://bucket/other")
        assert registry.versions() == []
        assert registry.register("classifier", artifacts[0]) == 2
        assert registry.find(ModelName("classifier")).version == 2
        assert len(client.search_model_versions("name = 'classifier'")) == 2

    def test_names_with_quotes_are_found(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        registry.register("it's", artifacts[0])
        assert [each.name for each in registry.versions("it's")] == ["it's"]

    def test_late_deliveries_move_an_alias_in_the_order_in_which_steps_asked(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        registry.register("classifier", artifacts[0])
        registry.set_alias("classifier", "champion", 1)
        first, second = time.time() + 60, time.time() + 61  # longer than its database takes for an answer
        assert registry.deliver(late_payload("classifier", artifacts[1], alias="champion", asked=first)) == ""
        assert (
            registry.deliver(late_payload("classifier", artifacts[0], alias="champion", asked=second)) == ""
        )
        assert registry.find(ModelName("classifier", alias="champion")).version == 3
        before = time.time()
        registry.delete_alias("classifier", "champion")
        late = late_payload("classifier", artifacts[0], alias="champion", asked=before)
        assert "was taken away" in registry.deliver(late)

    def test_an_alias_that_mlflow_itself_has_set_is_not_moved_late(
        self, registry: ModelRegistry, uri: str, artifacts: Sequence[Artifact]
    ) -> None:
        from mlflow import MlflowClient

        registry.register("classifier", artifacts[0])
        registry.register("classifier", artifacts[1])
        registry.set_alias("classifier", "champion", 2)
        asked = time.time()
        MlflowClient(registry_uri=uri, tracking_uri=uri).set_registered_model_alias(
            "classifier", "champion", "1"
        )
        late = late_payload("classifier", artifacts[1], alias="champion", asked=asked)
        assert "was given to classifier v1, perhaps" in registry.deliver(late)
        assert registry.find(ModelName("classifier", alias="champion")).version == 1

    def test_what_mlflow_refuses_is_told_in_its_words(
        self, registry: ModelRegistry, artifacts: Sequence[Artifact]
    ) -> None:
        with pytest.raises(StoreError, match="Names cannot contain"):
            registry.register("a/b", artifacts[0])


def test_a_server_that_does_not_answer_is_named_in_time() -> None:
    pytest.importorskip("mlflow")
    made = MlflowModelRegistry.from_config("far", {"uri": "http://127.0.0.1:9", "timeout": "2"})
    assert made.visibility is Visibility.NETWORK
    with pytest.raises(ZennbError, match="MLflow at http:"):
        made.versions()


def test_a_server_that_accepts_and_never_answers_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        made = MlflowModelRegistry.from_config("far", {"uri": address, "timeout": "1"})
        with pytest.raises(StoreBusy, match="did not answer within 1 s"):
            made.versions()
        asked: list[object] = []
        monkeypatch.setattr(MlflowModelRegistry, "_ask", lambda _self, *call: asked.append(call))
        for _ in range(3):
            with pytest.raises(StoreBusy, match="did not answer a moment ago; check that it runs"):
                made.set_alias("model", "champion", 1)
        assert asked == []
        with pytest.raises(StoreBusy, match="did not answer within 1 s"):
            made.probe(seconds=1.0)
        assert len(asked) == 1


def test_nothing_of_mlflow_is_imported_before_it_is_asked() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from zennb import plugins; "
        "plugins.load('model_registry', 'mlflow').from_config('a', {'uri': 'sqlite:///x.db'}); "
        "print('mlflow' in sys.modules)"
    )
    pytest.importorskip("mlflow")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.split() == ["False"]
