"""Owns what the tests of stacks share: a home, a registry, and flavors that no package brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from traitlets import Unicode

from zennb import plugins
from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.components.component import Orchestrator, SecretRef, Visibility
from zennb.errors import MissingExtra
from zennb.metadata.store import MetadataStore
from zennb.registry.stack_registry import Registry
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path


class FarOrchestrator(Orchestrator):
    """Runs nothing, far away."""

    flavor = "far"
    description = "runs steps on a cluster"
    visibility = Visibility.NETWORK

    address = Unicode("", help="Where the cluster is.").tag(config=True)
    token = SecretRef(help="Access token.").tag(config=True)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise AssertionError


class FarStore(MemoryArtifactStore):
    """Pretends to be reachable from everywhere."""

    flavor = "bucket"
    description = "keeps artifacts in a bucket"
    visibility = Visibility.NETWORK

    closed = 0

    def close(self) -> None:
        self.closed += 1


CLASSES: dict[tuple[str, str], Any] = {
    ("orchestrator", "far"): FarOrchestrator,
    ("artifact_store", "bucket"): FarStore,
}


@pytest.fixture(autouse=True)
def more_flavors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the flavors `far` and `bucket` exist, and `absent`, whose library is not installed."""
    load = plugins.load

    def found(type: str, flavor: str) -> Any:
        if flavor == "absent":
            raise MissingExtra("flavor 'absent' is not installed; pip install absent")
        return CLASSES.get((type, flavor)) or load(type, flavor)

    monkeypatch.setattr(plugins, "load", found)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def metadata(home: Path) -> Iterator[MetadataStore]:
    store = MetadataStore(home / "metadata.db")
    yield store
    store.close()


@pytest.fixture
def registry(metadata: MetadataStore, home: Path) -> Registry:
    return Registry(metadata, home)


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    opened = Workspace(home)
    yield opened
    opened.close()
