"""Owns what the tests of space share: a home, and steps recorded in it as if they had run some days ago."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import CacheKeyParts, Run, Status, Step
from zennb.digests.digest import digest_value
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.materializers.signer import Signer
from zennb.metadata.processes import hostname
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from zennb.components.component import ArtifactStore
    from zennb.core.records.records import Artifact

DAY = 24 * 3600.0
DEAD = 2**22 + 7
"""A process id that no process has."""


def set_back(root: Path, seconds: float) -> None:
    """Let everything in a local store look as if it had been stored so long ago."""
    with closing(sqlite3.connect(root / "cache.db", isolation_level=None, timeout=10)) as connection:
        connection.execute("UPDATE Cache SET store_time = store_time - ?", (seconds,))
    for file in (root / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (time.time() - seconds,) * 2)


@dataclass
class Home:
    """A home, and what is recorded in it."""

    workspace: Workspace
    runs: dict[str, Run] = field(default_factory=dict)

    @property
    def metadata(self) -> Any:
        return self.workspace.metadata

    @property
    def store(self) -> ArtifactStore:
        return self.workspace.open().store

    def save(self, values: Mapping[str, object]) -> Mapping[str, Artifact]:
        """Store values, without a record."""
        repository = ArtifactRepository(
            store=self.store, scope={}, signer=Signer(), known=self.metadata.with_digests
        )
        return repository.save({key: (value, digest_value(value)) for key, value in values.items()}).artifacts

    def step(
        self,
        name: str,
        values: Mapping[str, object],
        *,
        days: float = 40,
        run: str = "",
        process: int = DEAD,
        status: Status = Status.COMPLETED,
        notebook: str = "study.ipynb",
        showed: bytes = b"",
        run_status: Status = Status.COMPLETED,
        **more: Any,
    ) -> Step:
        """Record a step that ran some days ago; those with one `run` belong to the same."""
        started = time.time() - days * DAY
        known = self.runs.get(run or "")
        own = (
            known
            if known is not None and run
            else Run(
                kind="session",
                stack=self.workspace.snapshot(),
                notebook=notebook,
                status=run_status,
                started=started,
                seconds=1.0,
                process=process,
                host=hostname(),
            )
        )
        outputs = more.pop("outputs", None) or {
            key: replace(each, created=started) if each.id is None else each
            for key, each in self.save(values).items()
        }
        step = Step(
            name=name,
            notebook=notebook,
            status=status,
            started=started,
            seconds=0.5,
            cache_key=f"{name}{sorted(values.items())!r}",
            parts=CacheKeyParts(code=name),
            displays=self.store.put([showed]) if showed else "",
            **{"outputs": outputs, "reason": "first run", **more},
        )
        added: Step = self.metadata.add(step, run=own)
        self.runs[run] = replace(own, id=added.run)
        return added

    def set_back(self, days: float = 40) -> None:
        """Let all bytes look as if they had been stored so long ago."""
        set_back(self.workspace.home / "artifacts", days * DAY)

    def has(self, *steps: Step) -> list[bool]:
        """Whether the bytes of all outputs of each step are there."""
        return [all(self.store.has(each.blob) for each in step.outputs.values()) for step in steps]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    opened = Workspace(tmp_path / ".zennb")
    yield Home(opened)
    opened.close()


@pytest.fixture
def another(home: Home) -> Iterator[Callable[[], Home]]:
    """Open the same home once more, as another kernel would."""
    opened: list[Workspace] = []

    def make() -> Home:
        opened.append(Workspace(home.workspace.home))
        return Home(opened[-1])

    yield make
    for each in opened:
        each.close()
