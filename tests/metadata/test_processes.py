from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import Status
from zennb.metadata import processes
from zennb.metadata.processes import hostname, is_alive, mark_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.metadata.conftest import Make
    from zennb.metadata.store import MetadataStore


@pytest.fixture(scope="module")
def ended() -> int:
    """Process id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_this_process_is_alive() -> None:
    assert is_alive(os.getpid(), since=time.time())


def test_a_process_that_ended_is_not_alive(ended: int) -> None:
    assert not is_alive(ended, since=time.time())


def test_a_process_that_was_killed_is_not_alive_although_nobody_has_asked_how_it_ended() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        while process.returncode is None and is_alive(process.pid, since=time.time()):
            if sys.platform != "linux":  # which alone shows that a process waits for its parent to ask
                process.poll()


def test_what_is_no_process_id_is_not_alive() -> None:
    assert not any(is_alive(number, since=time.time()) for number in (0, -1, 2**31 - 1, 2**70))


@pytest.mark.parametrize("odd", [{"process": "x"}, {"process": b"1"}, {"since": ""}, {"mark": b"x"}])
def test_a_process_whose_record_is_odd_counts_as_alive(odd: dict[str, Any]) -> None:
    """So that a prune spares what it may need."""
    assert is_alive(**{"process": os.getpid(), "since": time.time(), **odd})


def test_a_process_that_took_over_the_number_of_another_is_not_that_one() -> None:
    tells = sys.platform == "linux"  # elsewhere the system does not tell when a process started
    assert is_alive(os.getpid(), since=1000.0) is not tells


def test_a_run_whose_process_is_gone_shows_as_interrupted(
    store: MetadataStore, make: Make, path: Path, ended: int
) -> None:
    now = time.time()
    hosts = ((hostname(), ended), (hostname(), os.getpid()), ("another machine", ended))
    dead, alive, elsewhere = (
        store.begin_run(make.run(status=Status.RUNNING, started=now, host=host, process=process))
        for host, process in hosts
    )

    def check() -> None:
        found = store.run(dead.id or 0)
        assert found is not None
        assert found.status is Status.INTERRUPTED
        assert store.runs(status=Status.RUNNING) == [elsewhere, alive]
        assert store.runs(status=Status.INTERRUPTED) == [found]

    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    check()  # although somebody else is writing, and keeps writing
    assert lock.execute("SELECT count(*) FROM runs WHERE status = 'interrupted'").fetchone() == (0,)
    lock.execute("ROLLBACK")
    check()
    assert lock.execute("SELECT id FROM runs WHERE status = 'interrupted'").fetchall() == [(dead.id,)]
    lock.close()


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the system does not tell when a process started"
)
@pytest.mark.parametrize("hours", [-5, 5], ids=["behind", "ahead"])
def test_a_run_of_a_kernel_whose_clock_is_wrong_runs_as_long_as_the_kernel(
    store: MetadataStore, make: Make, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = time.time() + hours * 3600
    alive = store.begin_run(
        make.run(status=Status.RUNNING, started=wrong, host=hostname(), process=os.getpid())
    )
    assert [run.id for run in store.runs(status=Status.RUNNING)] == [alive.id]
    # Another process has got the number since: by the clock it may have started before the run or after it.
    monkeypatch.setattr(processes, "mark_of", lambda _process: "another process")
    assert [run.id for run in store.runs(status=Status.INTERRUPTED)] == [alive.id]


def test_a_process_is_told_from_a_later_one_of_its_number_whatever_the_clock_says() -> None:
    mark = mark_of(os.getpid())
    tells = sys.platform == "linux"
    assert bool(mark) is tells
    assert is_alive(os.getpid(), since=1000.0 if tells else time.time(), mark=mark)
    assert is_alive(os.getpid(), since=time.time(), mark="0/1") is not tells


def test_what_is_gone_has_no_mark(ended: int) -> None:
    assert mark_of(ended) == ""
