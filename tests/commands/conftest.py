"""Owns what the tests of commands share: a workspace of their own, commands on it, and steps recorded in it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from zennb.commands.dispatch import run
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context, Outcome
from zennb.core.records.records import Run, Status, Step
from zennb.digests.digest import digest_value
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.materializers.signer import Signer
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    monkeypatch.chdir(tmp_path)
    opened = Workspace(tmp_path / ".zennb")
    yield opened
    opened.close()


@dataclass(frozen=True)
class Commands:
    """Runs command lines on one workspace."""

    workspace: Workspace
    session: Any = None
    said: list[str] = field(default_factory=list)

    def __call__(self, *words: str, interface: Interface = Interface.MAGIC) -> Outcome:
        context = Context(
            interface=interface,
            session=self.session,
            opener=lambda _start: self.workspace,
            say=self.said.append,
        )
        return run(words, context)

    def text(self, *words: str, interface: Interface = Interface.MAGIC) -> str:
        view = self(*words, interface=interface).view
        assert view is not None
        return view.text

    def data(self, *words: str, interface: Interface = Interface.MAGIC) -> Any:
        return self(*words, interface=interface).data


@pytest.fixture
def command(workspace: Workspace) -> Commands:
    return Commands(workspace)


Record = Callable[..., Step]


@pytest.fixture
def record(workspace: Workspace) -> Record:
    """Store values as outputs of a step, and record it as a run of its own."""

    def add(
        name: str,
        outputs: Mapping[str, object],
        *,
        inputs: Mapping[str, Any] | None = None,
        notebook: str = "study.ipynb",
        status: Status = Status.COMPLETED,
        **more: Any,
    ) -> Step:
        stack = workspace.open()
        repository = ArtifactRepository(store=stack.store, scope={}, signer=Signer())
        kept = repository.save({key: (value, digest_value(value)) for key, value in outputs.items()})
        run = Run(
            stack=stack.spec,
            notebook=notebook,
            status=status,
            started=time.time(),
            seconds=0.1,
            process=os.getpid(),
        )
        step = Step(
            name=name,
            notebook=notebook,
            status=status,
            started=time.time(),
            seconds=0.1,
            inputs=inputs or {},
            outputs=kept.artifacts,
            **{"reason": "first run", **more},
        )
        return workspace.metadata.add(step, run=run)

    return add
