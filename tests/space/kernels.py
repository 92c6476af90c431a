"""Owns the processes of the test of pruning beside kernels: two that run and reuse steps, and one that prunes.

They call what kernels call, in the same order, and note in a file of their own what they have announced. Each is killed
at a random moment.
"""

from __future__ import annotations

import json
import os
import random
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from zennb.core.records.records import CacheKeyParts, Run, Status, Step
from zennb.core.records.space import PruneRule
from zennb.digests.digest import digest_value
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.unit_of_work import WriteBuffer
from zennb.errors import MissingArtifact, StoreBusy
from zennb.materializers.signer import Signer
from zennb.metadata.processes import hostname
from zennb.metadata.space import SpaceQueries
from zennb.registry.workspace import Workspace
from zennb.space.prune import prune

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTENTS = 36
"""Different results; they come back again and again, while they are deleted again and again."""

GRACE = 30.0
DAY = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A step that a kernel has announced."""

    number: int
    step: int
    status: str
    blobs: tuple[str, ...]
    fault: str = ""


def content(number: int) -> dict[str, Any]:
    """What step `number` puts out: a small value, a large one, or two that share a list."""
    if number % 3 == 0:
        return {f"large{number % 4}": bytes([number]) * (40_000 + 1000 * number)}
    if number % 3 == 1:
        return {f"small{number % 4}": [number, "small"]}
    shared = [number]
    return {f"a{number % 4}": shared, f"b{number % 4}": {"inside": shared, "more": bytes([number]) * 50_000}}


@dataclass
class Kernel:
    """One process that runs and reuses steps."""

    home: Path
    log: Path
    chance: random.Random
    held: list[tuple[memoryview, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.home)
        self.metadata, stack = self.workspace.metadata, self.workspace.open()
        self.store, self.buffer = stack.store, cast("Any", WriteBuffer(stack.store))
        self.repository = ArtifactRepository(
            store=self.buffer, scope={}, signer=Signer(), known=self.metadata.with_digests
        )
        self.run = Run(
            kind="session",
            notebook=f"study{self.chance.randrange(3)}.ipynb",
            stack=stack.spec,
            status=Status.COMPLETED,
            started=time.time(),
            process=os.getpid(),
            host=hostname(),
        )
        self.file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def work(self) -> None:
        """Run or reuse steps until somebody kills this process."""
        while True:
            number = self.chance.randrange(CONTENTS)
            self._read_held()
            rerun = self.chance.random() < 0.3  # `--rerun`: results that are there already are stored again
            step, status = None if rerun else self._reused(number), "cached"
            if step is None:
                step, status = self._made(number), "completed"
            added = self.metadata.add(step, run=self.run)
            self.run = Run(**{**_fields(self.run), "id": added.run})
            blobs = {each.blob for each in added.outputs.values()} | {added.displays}
            blobs |= {each.blob for each in added.inputs.values()} if status == "completed" else set()
            self._say(Announced(number=number, step=added.id or 0, status=status, blobs=tuple(sorted(blobs))))

    def _made(self, number: int) -> Step:
        inputs = self._saved({"rate": number % 5}, kind="captured")
        self._pause()
        outputs = self._saved(content(number))
        displays = self.buffer.put([b"shown by step ", str(number).encode()])
        self.buffer.flush()
        self._pause()
        return self._step(number, Status.COMPLETED, outputs=outputs, inputs=inputs, displays=displays)

    def _reused(self, number: int) -> Step | None:
        for source in self.metadata.find(f"key{number}"):
            blobs = [*(each.blob for each in source.outputs.values()), source.displays]
            if not all(self.store.has(blob) for blob in blobs):
                continue
            try:
                values = self.repository.load(source.outputs)
                shown = bytes(self.store.get(source.displays))
                self._hold(source)
            except MissingArtifact:  # deleted since it was looked for: the step runs
                continue
            if values != content(number) or shown != f"shown by step {number}".encode():
                self._say(
                    Announced(number=number, step=0, status="", blobs=(), fault=f"reused {values!r:.80}")
                )
            return self._step(
                number, Status.CACHED, outputs=source.outputs, displays=source.displays, reused=source.id
            )
        return None

    def _hold(self, source: Step) -> None:
        """Keep large outputs mapped, as variables of a notebook are."""
        views = [
            memoryview(self.store.get(each.blob)) for each in source.outputs.values() if each.size > 40_000
        ]
        self.held = [*self.held, *((view, bytes(view[-64:])) for view in views)][-8:]

    def _read_held(self) -> None:
        for view, end in self.held:
            if bytes(view[-64:]) != end:
                self._say(Announced(number=0, step=0, status="", blobs=(), fault="a mapped output changed"))

    def _saved(self, values: Mapping[str, object], kind: str = "output") -> Any:
        digests = {name: (value, digest_value(value)) for name, value in values.items()}
        return self.repository.save(digests, kind=kind).artifacts

    def _step(self, number: int, status: Status, **more: Any) -> Step:
        return Step(
            name=f"step{number % 4}",
            notebook=self.run.notebook,
            status=status,
            started=time.time(),
            seconds=0.01,
            cache_key=f"key{number}",
            parts=CacheKeyParts(code=str(number)),
            source=f"# {number}",
            reason="first run",
            **more,
        )

    def _pause(self) -> None:
        if self.chance.random() < 0.3:
            time.sleep(self.chance.random() * 0.02)

    def _say(self, announced: Announced) -> None:
        os.write(self.file, json.dumps(asdict(announced)).encode() + b"\n")


def _fields(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__dataclass_fields__}


def kernel(home: Path, log: Path, seed: int) -> None:
    """Be a kernel until killed."""
    Kernel(home, log, random.Random(seed)).work()


def pruner(home: Path, log: Path, seed: int) -> None:
    """Prune by one rule after another until killed."""
    del log
    chance, workspace = random.Random(seed), Workspace(home)
    note_freed = SpaceQueries.note_freed

    def slowly(space: SpaceQueries, store: str, sizes: dict[str, int]) -> None:
        time.sleep(chance.random() * 0.05)  # a busy machine, between the choice and the deletion
        note_freed(space, store, sizes)

    SpaceQueries.note_freed = slowly  # type: ignore[method-assign]
    rules = (
        PruneRule(older=30 * DAY),
        PruneRule(keep=1),
        PruneRule(unreferenced=True),
        PruneRule(to=0),
        PruneRule(to=400_000),
    )
    while True:
        try:
            prune(workspace, chance.choice(rules), delete=True, grace=GRACE)
        except StoreBusy:
            continue
