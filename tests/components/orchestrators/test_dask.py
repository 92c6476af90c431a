from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dask
import distributed
import pytest
from dask.sizeof import sizeof

from zennb import plugins
from zennb.components.component import Visibility
from zennb.components.orchestrators import dask_calls
from zennb.engine.remote.side_channel import LinkServer
from zennb.errors import InvalidConfiguration, WorkerLost
from zennb.testing.orchestrator import OrchestratorContract
from zennb.testing.steps import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kernel  # clusters are started

PATIENCE = 60.0
ONE = {"arguments": "{'n_workers': 1}", "patience": "30"}


def made(**config: str) -> Any:
    return plugins.load("orchestrator", "dask").from_config("test", config)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    # Dask would give up workers that a test has killed and that are not back within 15 s.
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}),
        distributed.LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        yield cluster.scheduler_address


class TestDaskOrchestrator(OrchestratorContract):
    @pytest.fixture
    def orchestrator(self, scheduler: str) -> Iterator[Any]:
        orchestrator = made(address=scheduler)
        yield orchestrator
        orchestrator.close()

    def test_a_step_whose_worker_dies_fails_with_one_sentence_and_the_next_one_runs(
        self, bench: Bench
    ) -> None:
        done = bench.step("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
        assert isinstance(done.error, WorkerLost)
        assert "the Dask workers that ran the step died" in str(done.error)
        assert bench.step("answer = 42").values == {"answer": 42}

    def test_a_step_whose_worker_dies_once_begins_again_and_its_record_says_so(self, bench: Bench) -> None:
        done = bench.step(
            "import os, signal\nfrom pathlib import Path\nif not Path('tried').exists():\n"
            "    Path('tried').touch()\n    os.kill(os.getpid(), signal.SIGKILL)\nanswer = 42"
        )
        assert done.values == {"answer": 42}
        assert [attempt.failure.type for attempt in done.step.attempts] == ["WorkerLost"]

    def test_a_time_limit_ends_a_step_that_no_interrupt_reaches(self, bench: Bench) -> None:
        done = bench.step("import ctypes\nctypes.PyDLL(None).sleep(5)", timeout=0.5)
        assert type(done.error).__name__ == "StepTimeout"


@pytest.fixture
def far_bench(scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench whose workers cannot reach this process, as on other machines."""
    expect = LinkServer.expect

    def elsewhere(*given: Any, **named: Any) -> Any:
        call, link = expect(*given, **named)
        return call, replace(link, address="/no/such/socket")

    monkeypatch.setattr(LinkServer, "expect", elsewhere)
    monkeypatch.chdir(tmp_path)
    orchestrator = made(address=scheduler)
    bench = Bench(orchestrator, tmp_path / "home")
    yield bench
    bench.close()
    orchestrator.close()


def test_what_a_step_on_another_machine_shows_arrives_in_order_and_once(far_bench: Bench) -> None:
    done = far_bench.step(
        "import sys\nfrom IPython.display import HTML, display\n"
        "for number in range(2000):\n    print(number, end=' ')\n"
        "display(HTML('<b>second</b>'))\nprint('third', file=sys.stderr)\nprint('fourth')\n"
        "display(HTML('<i>' + 'x' * 400_000 + '</i>'))\nprint('after a large one')\n'last'"
    )
    assert done.error is None
    shown = [
        event.get("text") or event["data"].get("text/html") or event["data"]["text/plain"]
        for event in done.shown
    ]
    assert shown[0] == "".join(f"{number} " for number in range(2000))
    assert shown[1:4] == ["<b>second</b>", "third\n", "fourth\n"]
    assert len(shown[4]) == 400_007
    assert shown[5:] == ["after a large one\n", "'last'"]


def test_a_step_on_another_machine_shows_its_progress_and_stops_when_it_is_interrupted(
    far_bench: Bench, tmp_path: Path
) -> None:
    # It is interrupted once what it prints is here: it prints while it runs.
    seconds = far_bench.interrupted(
        "import time\nfrom pathlib import Path\nprint('begun')\n"
        "try:\n    for _ in range(600):\n        time.sleep(0.1)\n"
        "except KeyboardInterrupt:\n    Path('stopped').touch()\n    raise",
        after="begun",
    )
    assert seconds < PATIENCE / 2
    end = time.monotonic() + PATIENCE / 2
    while not (tmp_path / "stopped").exists():
        assert time.monotonic() < end, "it goes on running there"
        time.sleep(0.05)
    assert far_bench.step("print('again')\nanswer = 42").text == "again\n"


def test_without_an_address_a_cluster_is_started_and_closed_with_the_session() -> None:
    orchestrator = made(**ONE)
    assert orchestrator.visibility is Visibility.MACHINE
    worker = orchestrator.submit(os.getpid).result(PATIENCE)
    assert worker != os.getpid()
    os.kill(worker, signal.SIGINT)  # as Jupyter does it, with all processes of a kernel
    assert orchestrator.submit(os.getpid).result(PATIENCE) == worker
    # Dask estimates how large a result is by a sample of its elements.
    assert orchestrator.submit(_has_own_generator).result(PATIENCE)
    assert _has_own_generator()
    orchestrator.close()
    deadline = time.monotonic() + PATIENCE
    while _is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(worker)


def _has_own_generator() -> bool:
    before = random.getstate()
    sizeof(list(range(1000)))
    return random.getstate() == before


def test_a_cluster_elsewhere_needs_a_store_that_the_network_reaches(scheduler: str) -> None:
    assert made(address=scheduler).visibility is Visibility.NETWORK
    assert made(cluster="dask_kubernetes.operator.KubeCluster").visibility is Visibility.NETWORK


def test_a_scheduler_that_does_not_answer_is_one_sentence_within_the_patience() -> None:
    with pytest.raises(WorkerLost, match=r"tcp://127.0.0.1:9 does not answer within 1 s"):
        made(address="tcp://127.0.0.1:9", patience="1").submit(int)


def test_a_class_that_does_not_exist_is_one_sentence() -> None:
    with pytest.raises(InvalidConfiguration, match=r"there is no `no_such\.Cluster`"):
        made(cluster="no_such.Cluster").submit(int)


def test_a_class_of_clusters_is_looked_for_without_starting_one() -> None:
    made().probe(seconds=1)
    made(cluster="distributed.LocalCluster", arguments="{'no_such_option': 1}").probe(seconds=1)
    with pytest.raises(InvalidConfiguration, match=r"there is no `no_such\.Cluster`"):
        made(cluster="no_such.Cluster").probe(seconds=1)


def test_resources_that_no_worker_offers_are_no_reason_to_hang(scheduler: str) -> None:
    with pytest.raises(WorkerLost, match=r"no Dask worker that offers \{'GPU': 1\} was there within 1 s"):
        made(address=scheduler, resources="{'GPU': 1}", patience="1").submit(int)


def test_workers_that_have_gone_for_good_are_no_reason_to_hang() -> None:
    with distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
    ) as cluster:
        orchestrator = made(address=cluster.scheduler_address, patience="20")
        assert orchestrator.submit(abs, -1).result(PATIENCE) == 1
        orchestrator.executor()._patience = 1
        cluster.scale(0)
        while cluster.scheduler.workers:
            time.sleep(0.01)
        call = orchestrator.submit(abs, -1)
        with pytest.raises(WorkerLost, match=r"no Dask worker was left for 1 s while the step waited"):
            call.result(PATIENCE)
        orchestrator.close()


def test_a_cluster_of_this_machine_gets_back_workers_that_dask_has_given_up() -> None:
    orchestrator = made(arguments="{'n_workers': 1, 'processes': False}", patience="30")
    assert orchestrator.submit(abs, -1).result(PATIENCE) == 1
    cluster = orchestrator.executor()._cluster
    # As Dask does it 15 s after a process has died, if none has taken its place.
    cluster.sync(cluster.workers.pop(0).close)
    assert orchestrator.submit(abs, -2).result(PATIENCE) == 2
    orchestrator.close()


def test_workers_with_other_versions_are_refused_with_what_differs(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_calls, "_here", {**dask_calls.versions_here(), "Python": "3.0"})
    # Those that a test has killed may not be back yet.
    with pytest.raises(
        InvalidConfiguration, match=r"\n  Python   3\.0   3\.\d+ on tcp://127\.0\.0\.1:\d+(\n|$)"
    ):
        made(address=scheduler).submit(int)


def _sleep(folder: Path) -> None:
    (folder / "begun").touch()
    time.sleep(PATIENCE)


def test_a_scheduler_that_is_lost_ends_what_runs_and_the_next_call_connects_again(tmp_path: Path) -> None:
    cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    )
    orchestrator = made(address=cluster.scheduler_address, patience="2")
    call = orchestrator.submit(_sleep, tmp_path)
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    _end_scheduler(cluster)
    error = call.exception(PATIENCE)
    assert isinstance(error, WorkerLost)
    assert "the connection to the Dask scheduler was lost" in str(error)
    with pytest.raises(WorkerLost, match="does not answer"):
        orchestrator.submit(int)
    orchestrator.close()


def test_a_run_whose_scheduler_is_lost_fails_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    )
    orchestrator = made(address=cluster.scheduler_address, patience="2")
    bench = Bench(orchestrator, tmp_path / "home")
    threading.Thread(target=_close_once, args=(tmp_path / "begun", cluster), daemon=True).start()
    done = bench.step(
        "import time\nfrom pathlib import Path\nPath('begun').touch()\nfor _ in range(600):\n    time.sleep(0.1)"
    )
    assert isinstance(done.error, WorkerLost)
    assert str(done.error).startswith("the connection to the Dask scheduler was lost while the step ran.")
    assert done.step.status == "failed"
    assert done.seconds < PATIENCE / 2
    bench.close()
    orchestrator.close()


def test_a_scheduler_that_is_frozen_ends_what_runs_within_the_patience(tmp_path: Path) -> None:
    """Its connection stays open, as that of a machine that is cut off does."""
    scheduler, worker, orchestrator = _small_cluster(tmp_path, patience="20")
    orchestrator.executor()._patience = 1
    call = orchestrator.submit(_sleep, tmp_path)
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    scheduler.send_signal(signal.SIGSTOP)
    try:
        error = call.exception(PATIENCE)
        assert isinstance(error, WorkerLost)
        assert "the connection to the Dask scheduler was lost" in str(error)
        orchestrator.close()
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def test_many_calls_are_cancelled_at_once_also_when_the_scheduler_does_not_answer(tmp_path: Path) -> None:
    scheduler, worker, orchestrator = _small_cluster(tmp_path, patience="30")
    calls = [orchestrator.submit(_sleep, tmp_path) for _ in range(8)]
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    scheduler.send_signal(signal.SIGSTOP)
    try:
        began = time.perf_counter()
        assert all(call.cancel() for call in calls)
        assert time.perf_counter() - began < 2
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
        orchestrator.close()


def _small_cluster(
    tmp_path: Path, patience: str
) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes], Any]:
    """Return a scheduler and a worker as processes of their own, and an orchestrator that is connected."""
    scheduler = _started(
        "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", tmp_path / "at"
    )
    while not (tmp_path / "at").exists():
        time.sleep(0.05)
    worker = _started("dask_worker", "--scheduler-file", tmp_path / "at", "--nthreads", "1", "--no-nanny")
    orchestrator = made(address=json.loads((tmp_path / "at").read_text())["address"], patience=patience)
    assert orchestrator.submit(abs, -1).result(PATIENCE) == 1
    return scheduler, worker, orchestrator


def _started(program: str, *words: object) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard", *map(str, words)]
    return subprocess.Popen(line, stderr=subprocess.DEVNULL)


def _close_once(path: Path, cluster: Any) -> None:
    while not path.exists():
        time.sleep(0.01)
    _end_scheduler(cluster)


def _end_scheduler(cluster: Any) -> None:
    """End the scheduler before its workers, which the cluster itself would end first."""
    cluster.sync(cluster.scheduler.close)
    cluster.close()


def test_its_dashboard_is_known_while_it_is_connected(scheduler: str) -> None:
    orchestrator = made(address=scheduler)
    assert orchestrator.dashboard == ""
    orchestrator.submit(abs, -1).result(PATIENCE)
    assert orchestrator.dashboard.startswith("http://127.0.0.1:")
    orchestrator.close()
    assert orchestrator.dashboard == ""


@pytest.mark.parametrize(
    ("config", "expected"),
    [({"address": "tcp://host:8786"}, False), ({}, True), ({"cluster": "dask_kubernetes.KubeCluster"}, True)],
)
def test_to_try_out_a_cluster_would_start_it_unless_it_has_an_address(
    config: dict[str, str], expected: bool
) -> None:
    assert made(**config).on_demand is expected


def test_a_call_that_waits_can_be_cancelled(scheduler: str, tmp_path: Path) -> None:
    orchestrator = made(address=scheduler)
    busy = [orchestrator.submit(_wait_for, tmp_path / "end") for _ in range(2)]
    waiting = orchestrator.submit(_touch, tmp_path / "ran")
    assert waiting.cancel()
    (tmp_path / "end").touch()
    assert all(each.result(PATIENCE) is None for each in busy)
    orchestrator.close()
    assert not (tmp_path / "ran").exists()


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def _touch(path: Path) -> None:
    path.touch()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
