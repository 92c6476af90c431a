"""Owns what the tests of the metadata store share: a store in a fresh directory, and records to put into it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import Artifact, CacheKeyParts, ComponentSpec, Run, StackSpec, Status, Step
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Make:
    """Makes records that differ where it matters and are plain elsewhere."""

    def artifact(self, name: str, content: str = "1", **fields: Any) -> Artifact:
        plain: dict[str, Any] = {
            "digest": digest(content)[:32],
            "blob": digest(f"bytes of {content}"),
            "materializer": "plain",
            "size": len(content),
            "type": "builtins.str",
            "summary": {"kind": "scalar", "text": content},
        }
        return Artifact(name=name, **{**plain, **fields})

    def step(self, name: str = "train", **fields: Any) -> Step:
        plain: dict[str, Any] = {
            "notebook": "study.ipynb",
            "status": Status.COMPLETED,
            "source": f"# {name}",
            "cache_key": digest(name),
            "started": 1000.0,
            "seconds": 0.5,
            "parts": CacheKeyParts(code=digest(name)[:32]),
        }
        return Step(name=name, **{**plain, **fields})

    def stack(self, name: str = "default") -> StackSpec:
        kinds = ("orchestrator", "artifact_store")
        parts = {kind: ComponentSpec(type=kind, name="default", flavor="local") for kind in kinds}
        return StackSpec(name=name, components=parts)

    def run(self, **fields: Any) -> Run:
        plain: dict[str, Any] = {
            "stack": self.stack(),
            "notebook": "study.ipynb",
            "started": 1000.0,
            "status": Status.COMPLETED,
        }
        return Run(**{**plain, **fields})


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metadata.db"


@pytest.fixture
def store(path: Path) -> Iterator[MetadataStore]:
    opened = MetadataStore(path)
    yield opened
    opened.close()


@pytest.fixture
def reopen(path: Path) -> Iterator[Callable[[], MetadataStore]]:
    """Open the same file once more, as another kernel would."""
    opened: list[MetadataStore] = []

    def another() -> MetadataStore:
        opened.append(MetadataStore(path))
        return opened[-1]

    yield another
    for each in opened:
        each.close()
