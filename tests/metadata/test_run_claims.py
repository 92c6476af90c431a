"""Runs of a living process that nobody runs any more: an interrupt came before their owner knew of them."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from zennb.core.records.records import Status
from zennb.metadata.processes import hostname
from zennb.metadata.run_claims import RunClaim

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tests.metadata.conftest import Make
    from zennb.metadata.store import MetadataStore


def running(make: Make, **fields: object) -> Any:
    plain = {"status": Status.RUNNING, "host": hostname(), "process": os.getpid(), "started": time.time()}
    return make.run(**{**plain, **fields})


def recorded(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        found = [status for (status,) in connection.execute("SELECT status FROM runs ORDER BY id")]
    connection.close()
    return found


def wait(store: MetadataStore) -> None:
    """Wait for what the store's own thread has to do: what is due first comes first."""
    done = threading.Event()
    store._database.write_later(0.0, lambda _: None, lambda _: done.set())
    assert done.wait(30)


def test_a_run_is_running_as_long_as_its_owner_says_so(store: MetadataStore, make: Make, path: Path) -> None:
    claim = RunClaim()
    run = store.begin_run(running(make), claim)
    assert [each.id for each in store.runs(status=Status.RUNNING)] == [run.id]
    claim.is_over = True
    assert store.runs(status=Status.RUNNING) == []
    assert [each.status for each in store.runs()] == [Status.INTERRUPTED]
    assert recorded(path) == ["interrupted"]


def test_a_run_without_a_claim_runs_as_long_as_its_process(store: MetadataStore, make: Make) -> None:
    run = store.begin_run(running(make))
    store.end_orphans()
    wait(store)
    assert [each.id for each in store.runs(status=Status.RUNNING)] == [run.id]


def test_orphans_are_recorded_without_a_listing(store: MetadataStore, make: Make, path: Path) -> None:
    claim = RunClaim()
    store.begin_run(running(make), claim)
    claim.is_over = True
    store.end_orphans()
    wait(store)
    assert recorded(path) == ["interrupted"]


def test_a_run_whose_end_is_recorded_stays_as_it_ended(store: MetadataStore, make: Make, path: Path) -> None:
    claim = RunClaim()
    run = store.begin_run(running(make), claim)
    store.add(make.step(), run=running(make, id=run.id, status=Status.COMPLETED))
    claim.is_over = True
    store.end_orphans()
    wait(store)
    assert recorded(path) == ["completed"]


def test_a_session_that_goes_on_is_no_orphan_of_its_last_cell(
    store: MetadataStore, make: Make, path: Path
) -> None:
    def goes_on(run: Any, claim: RunClaim) -> Any:
        begun: list[Any] = []
        done = threading.Event()

        def then(found: Any) -> None:
            begun.append(found)
            done.set()

        store.begin_run_later(run, 0.0, then, claim)
        assert done.wait(10)
        return begun[0]

    cut, next_one = RunClaim(), RunClaim()
    run = goes_on(running(make, kind="session"), cut)
    cut.is_over = True
    goes_on(run, next_one)
    store.end_orphans()
    wait(store)
    assert recorded(path) == ["running"]
    next_one.is_over = True
    store.end_orphans()
    wait(store)
    assert recorded(path) == ["interrupted"]


def test_a_process_knows_only_its_own_orphans(store: MetadataStore, make: Make) -> None:
    claim = RunClaim()
    run = store.begin_run(running(make, process=1), claim)
    claim.is_over = True
    assert [each.id for each in store.runs(status=Status.RUNNING)] == [run.id]
