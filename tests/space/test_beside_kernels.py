"""Pruning beside kernels that write and read, all killed at random: nothing that is needed is lost or half there.

A few rounds here; `make soak` does a thousand (ZENNB_PRUNE_ROUNDS).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.space.conftest import set_back
from tests.space.kernels import DAY, Announced, kernel, pruner
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from zennb.components.component import ArtifactStore

ROUNDS = int(os.environ.get("ZENNB_PRUNE_ROUNDS", "20"))
SEED = int(os.environ.get("ZENNB_PRUNE_SEED", "1"))

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed as POSIX has it")


@dataclass
class Arena:
    """A home, the processes that work on it, and what they have announced."""

    home: Path
    logs: Path
    chance: random.Random
    counts: dict[str, int] = field(default_factory=dict)

    def play(self, number: int) -> None:
        """Let two kernels and a pruner work, and kill each at a moment of its own."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.space.kernels"])
        self.log = self.logs / str(number)
        self.log.mkdir(parents=True)
        roles = [(kernel, "a"), (kernel, "b"), (pruner, "p")]
        processes = [
            context.Process(target=role, args=(self.home, self.log / name, self.chance.random()), daemon=True)
            for role, name in roles
        ]
        for process in processes:
            process.start()
        self._wait_until_both_have_announced()
        for process in self.chance.sample(processes, 3):
            time.sleep(self.chance.random() * 0.25)
            assert process.is_alive(), "a process ended by itself"
            os.kill(process.pid or 0, signal.SIGKILL)
        for process in processes:
            process.join()

    def _wait_until_both_have_announced(self) -> None:
        deadline = time.monotonic() + 60
        while not all(self._announced(name) for name in "ab"):
            assert time.monotonic() < deadline, "the kernels announced nothing"
            time.sleep(0.02)

    def _announced(self, name: str) -> list[Announced]:
        file = self.log / name
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        return [Announced(**{**found, "blobs": tuple(found["blobs"])}) for found in map(json.loads, lines)]

    def check(self) -> None:
        """Compare what was announced with what is there."""
        opened = Workspace(self.home)
        try:
            store = opened.open().store
            assert store.verify() == [], "something came back half"
            for name in "ab":
                self._check_kernel(opened, store, self._announced(name))
            self._check_records(opened, store)
        finally:
            opened.close()

    def _check_kernel(self, opened: Workspace, store: ArtifactStore, announced: list[Announced]) -> None:
        latest: dict[int, Announced] = {}
        for each in announced:
            assert not each.fault, each.fault
            self.counts[each.status] = self.counts.get(each.status, 0) + 1
            latest[each.number % 4] = each
        for each in latest.values():  # what a kernel has replaced by a later run of the same step may go
            gone = [blob for blob in each.blobs if not store.has(blob)]
            # A step that stored its results keeps them; one that reused some may find them deleted, and runs again.
            assert not gone or (
                each.status == "cached" and opened.metadata.space.freed(gone).keys() == set(gone)
            )

    def _check_records(self, opened: Workspace, store: ArtifactStore) -> None:
        """What a record names is there, or was deleted on purpose and the records say so."""
        named = {each.blob for each in opened.metadata.space.records().references}
        missing = named - store.present(named)
        assert missing == opened.metadata.space.freed(missing).keys()
        self.counts["deleted"] = self.counts.get("deleted", 0) + len(missing)

    def grow_old(self) -> None:
        """Let everything be from forty days ago, so that the next round may delete it."""
        set_back(self.home / "artifacts", 40 * DAY)
        opened = Workspace(self.home)
        try:
            columns = (("runs", "started"), ("steps", "started"), ("artifacts", "created"))
            for table, column in columns:
                sql = f"UPDATE {table} SET {column} = {column} - ? WHERE {column} > ?"
                opened.metadata._database.write(_execute, sql, (40 * DAY, time.time() - DAY))
        finally:
            opened.close()


def _execute(connection: sqlite3.Connection, sql: str, values: tuple[float, ...]) -> None:
    connection.execute(sql, values)


def test_nothing_that_is_needed_is_lost_and_nothing_deleted_comes_back_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    arena = Arena(tmp_path / ".zennb", tmp_path / "logs", random.Random(SEED))
    for number in range(ROUNDS):
        arena.play(number)
        arena.check()
        arena.grow_old()
    if ROUNDS > 20:
        with capsys.disabled():
            print(f"\n{ROUNDS} rounds of pruning beside kernels: {arena.counts}")
    assert all(arena.counts.get(each) for each in ("completed", "cached", "deleted"))
