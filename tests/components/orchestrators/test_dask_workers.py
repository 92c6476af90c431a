"""Workers of Dask that differ from the notebook's machine, or do not do what they are asked for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import distributed
import pytest

from zennb import plugins
from zennb.components.long_calls import long_calls
from zennb.components.orchestrators.dask_calls import call_text
from zennb.engine.remote import dispatch, left_running
from zennb.engine.remote.side_channel import LinkServer
from zennb.engine.run.pipeline_run import PipelineRun
from zennb.errors import InvalidConfiguration
from zennb.testing.steps import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel  # clusters are started

PATIENCE = 60.0


def made(**config: str) -> Any:
    return plugins.load("orchestrator", "dask").from_config("test", config)


def _started(program: str, *words: object) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard", *map(str, words)]
    return subprocess.Popen(line, stderr=subprocess.DEVNULL)


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bench, Path]]:
    """A bench, and the notebook's folder, which the worker lacks."""
    (tmp_path / "hidden" / "project").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "hidden" / "project")
    alone = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    try:
        subprocess.run([*alone, "mount", "-t", "tmpfs", "none", tmp_path / "hidden"], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no process can be given a view of its own of the files")
    scheduler = _started(
        "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", tmp_path / "at"
    )
    while not (tmp_path / "at").exists():
        time.sleep(0.05)
    hide = (
        f"mount -t tmpfs none {tmp_path / 'hidden'} && exec {sys.executable} -m distributed.cli.dask_worker"
    )
    line = f"{hide} --no-dashboard --no-nanny --nthreads 1 --scheduler-file {tmp_path / 'at'}"
    worker = subprocess.Popen([*alone, "sh", "-c", line], stderr=subprocess.DEVNULL, cwd=tmp_path)
    orchestrator = made(address=json.loads((tmp_path / "at").read_text())["address"])
    bench = Bench(orchestrator, tmp_path / "home")
    try:
        yield bench, tmp_path / "hidden" / "project"
    finally:
        bench.close()
        orchestrator.close()
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def test_a_worker_that_lacks_the_notebooks_folder_runs_steps_and_names_files_that_it_lacks(
    hidden: tuple[Bench, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, folder = hidden
    (folder / "data.csv").write_text("a\n1\n")
    (folder / "log.txt").write_text("first\n")
    assert bench.step("answer = 42").values == {"answer": 42}
    missed = bench.step("text = open('data.csv').read()").error
    assert isinstance(missed, FileNotFoundError)
    assert "`data.csv` exists on the notebook's side only" in missed.__notes__[0]
    assert "--depends-on" in missed.__notes__[0]
    for text, why in [
        ("from pathlib import Path\nfound = Path('data.csv').exists()", "it looks for `data.csv`"),
        ("import glob\nfound = glob.glob('*.csv')", "it lists `.`"),
        ("open('log.txt', 'a').write('more')", "it adds to `log.txt`"),
        ("open('big.bin', 'wb').write(bytes(2_000_000))", "it writes `big.bin`, which stays there"),
        ("open('../up.txt', 'w').write('up')", f"it writes `{folder.parent}/up.txt`, which stays there"),
    ]:
        assert why in str(bench.step(text).error)
    assert bench.step("open('out.txt', 'w').write('made there')").error is None
    assert (folder / "out.txt").read_text() == "made there"
    assert (folder / "log.txt").read_text() == "first\n"
    (folder.parent / "other").mkdir()
    monkeypatch.chdir(folder.parent / "other")
    gone = bench.step("answer = 43")
    assert f"the notebook has gone to the folder {folder.parent / 'other'} (`os.chdir`)" in str(gone.error)


def _bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **config: str) -> Bench:
    monkeypatch.chdir(tmp_path)
    bench = Bench(made(**config), tmp_path / "home")
    assert bench.step("answer = 42").values == {"answer": 42}  # there is a worker
    return bench


BLOCKED = "import ctypes\nprint('begun', flush=True)\nctypes.PyDLL(None).sleep({seconds})"
"""A step that no interrupt reaches; it holds Python's lock, so its worker does not answer either."""


def test_code_that_no_interrupt_reaches_is_ended_with_its_worker_where_that_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _bench(tmp_path, monkeypatch, arguments="{'n_workers': 1}", patience="30")
    assert bench.interrupted(BLOCKED.format(seconds=300), after="begun") < 3
    assert bench.step("answer = 42").seconds < PATIENCE
    done = bench.step(BLOCKED.format(seconds=300), timeout=0.5)
    assert str(done.error) == "the step ran longer than its --timeout; what was running is not kept."
    assert bench.step("answer = 42").seconds < PATIENCE
    bench.orchestrator.close()
    bench.close()


@pytest.mark.parametrize("is_near", [True, False])
def test_code_that_goes_on_running_is_named_and_so_is_what_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_near: bool
) -> None:
    notes: list[str] = []
    execute, expect = PipelineRun.execute, LinkServer.expect

    def noted(run: PipelineRun) -> Any:
        try:
            return execute(run)
        except KeyboardInterrupt as interrupt:
            notes.extend(interrupt.__notes__)
            raise

    def elsewhere(*given: Any, **named: Any) -> Any:
        call, link = expect(*given, **named)
        return call, link if is_near else replace(link, address="/no/such/socket")

    monkeypatch.setattr(PipelineRun, "execute", noted)
    monkeypatch.setattr(LinkServer, "expect", elsewhere)
    with distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        bench = _bench(tmp_path, monkeypatch, address=cluster.scheduler_address)
        (worker,) = cluster.scheduler.workers
        # What it prints arrives from far only while the lock is free; an interrupt that comes until then is ignored.
        pause = "import time\ntry:\n    for _ in range(10): time.sleep(0.1)\nexcept KeyboardInterrupt:\n    pass\n"
        slow = BLOCKED.replace("ctypes.Py", f"{pause}ctypes.Py")
        assert bench.interrupted(slow.format(seconds=6), after="begun") < 3
        where = f"its code goes on running on the Dask worker {worker} until it ends"
        assert f"Step 'step' was stopped, but {where}" in notes[0]
        done = bench.step(BLOCKED.format(seconds=6), timeout=0.5)
        assert where in str(done.error)
        seen: set[str] = set()
        is_over = threading.Event()
        watch = threading.Thread(target=_collect, args=(seen, is_over))
        watch.start()
        assert bench.step("answer = 43").values == {"answer": 43}
        is_over.set()
        watch.join()
        assert any(
            f"still running is the code of `step`, which was stopped, on the Dask worker {worker}" in each
            for each in seen
        )
        assert bench.step("answer = 44").values == {"answer": 44}
        assert long_calls() == []
        bench.orchestrator.close()
        bench.close()


@pytest.mark.parametrize("is_near", [True, False])
def test_code_that_went_on_running_is_forgotten_when_its_worker_is_lost(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_near: bool
) -> None:
    expect = LinkServer.expect

    def elsewhere(*given: Any, **named: Any) -> Any:
        call, link = expect(*given, **named)
        return call, link if is_near else replace(link, address="/no/such/socket")

    monkeypatch.setattr(LinkServer, "expect", elsewhere)
    monkeypatch.setattr(left_running, "_LOOK_EVERY", 0.2)
    address = _address(cluster)
    cluster()
    bench = _bench(tmp_path, monkeypatch, address=address, patience="30")
    # Interrupted while it can still say what it shows.
    slow = BLOCKED.replace(
        "ctypes.Py",
        "import os, time\nopen('pid', 'w').write(str(os.getpid()))\n"
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass\nctypes.Py",
    )
    assert bench.interrupted(slow.format(seconds=300), after="begun") < 3
    before = dispatch._left.waiting_note(bench.orchestrator)
    assert "still running is the code of `step`, which was stopped, on the Dask worker tcp://" in before
    # As a machine that is cut off: nothing closes the connection.
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGSTOP)
    client = bench.orchestrator.executor().client  # type: ignore[attr-defined]
    (worker,) = client.scheduler_info()["workers"]
    client.sync(client.scheduler.retire_workers, workers=[worker], remove=True, close_workers=False)
    end = time.monotonic() + PATIENCE
    while dispatch._left.waiting_note(bench.orchestrator):
        assert time.monotonic() < end, "it is waited for though its worker has gone"
        time.sleep(0.05)
    assert not [each for each in threading.enumerate() if each.name == "zennb-left"]
    cluster()
    assert bench.step("answer = 43").values == {"answer": 43}
    bench.orchestrator.close()
    bench.close()


def test_code_that_goes_on_running_is_not_forgotten_while_the_scheduler_does_not_answer(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_running, "_LOOK_EVERY", 0.1)
    address = _address(cluster)
    cluster()
    scheduler, worker = cluster.begun
    bench = _bench(tmp_path, monkeypatch, address=address, patience="30")
    follow = left_running.LeftRunning.follow_to_end

    def impatient(*given: Any) -> None:  # a call that is not stopped yet would be lost
        bench.orchestrator.executor()._patience = 0.1  # type: ignore[attr-defined]
        follow(*given)

    monkeypatch.setattr(left_running.LeftRunning, "follow_to_end", impatient)
    freeze = f"import os, signal\nos.kill({scheduler.pid}, signal.SIGSTOP)\n"
    assert bench.interrupted(freeze + BLOCKED.format(seconds=300), after="begun") < 5
    for pause in range(20):
        assert "still running is the code of `step`" in dispatch._left.waiting_note(bench.orchestrator)
        time.sleep(0.1)
        if pause == 10:  # it answers again, and has forgotten which worker ran the step
            os.kill(scheduler.pid, signal.SIGCONT)
            bench.orchestrator.executor()._patience = 30  # type: ignore[attr-defined]
    worker.kill()
    end = time.monotonic() + PATIENCE
    while dispatch._left.waiting_note(bench.orchestrator):
        assert time.monotonic() < end, "it is waited for though its worker has gone"
        time.sleep(0.05)
    bench.orchestrator.close()
    bench.close()


def _collect(seen: set[str], is_over: threading.Event) -> None:
    while not is_over.wait(0.1):
        seen.update(long_calls())


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Any]:
    """Return a function that starts a worker with code that runs before it; call it without one for the scheduler."""
    begun: list[subprocess.Popen[bytes]] = []
    # What is installed, but for zennb. Files with paths (`*.pth`), which may lead to it, count only in `site-packages`.
    (tmp_path / "packages").mkdir()
    for path in Path(distributed.__file__).parents[1].iterdir():
        if not path.name.startswith(("zennb", "__editable__")):
            (tmp_path / "packages" / path.name).symlink_to(path)

    def start(program: str, *words: object, before: str = "", lacks_zennb: bool = False) -> None:
        path = f"import sys; sys.path.append({str(tmp_path / 'packages')!r})" if lacks_zennb else "pass"
        main = f"import runpy; runpy.run_module('distributed.cli.{program}', run_name='__main__')"
        line = [sys.executable, *(["-S", "-E"] if lacks_zennb else []), "-c", f"{path}\n{before}\n{main}"]
        words = ("--no-dashboard", "--scheduler-file", tmp_path / "at", *words)
        with (tmp_path / "log").open("ab") as log:
            begun.append(subprocess.Popen([*line, *map(str, words)], stderr=log, cwd=tmp_path))

    def worker(**options: Any) -> None:
        start("dask_worker", "--nthreads", "1", "--no-nanny", **options)

    worker.at = tmp_path / "at"  # type: ignore[attr-defined]
    worker.begun = begun  # type: ignore[attr-defined]
    worker.start = start  # type: ignore[attr-defined]
    yield worker
    for process in begun:
        process.kill()
        process.wait()


def _address(cluster: Any, **options: Any) -> str:
    cluster.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", **options)
    while not cluster.at.exists():
        time.sleep(0.05)
    return str(json.loads(cluster.at.read_text())["address"])


def test_a_cluster_without_zennb_is_refused_with_what_to_install(cluster: Any) -> None:
    orchestrator = made(address=_address(cluster, lacks_zennb=True), patience="30")
    cluster(lacks_zennb=True)
    why = (
        r'zennb is not installed on the Dask worker tcp://\S+; there, type: pip install "zennb\[dask\]==\S+"$'
    )
    for _ in range(2):  # its worker has survived that
        with pytest.raises(InvalidConfiguration, match=why):
            orchestrator.submit(int)
    orchestrator.close()


def test_a_scheduler_needs_no_zennb(cluster: Any) -> None:
    orchestrator = made(address=_address(cluster, lacks_zennb=True), patience="30")
    cluster()
    assert orchestrator.submit(abs, -1).result(PATIENCE) == 1
    orchestrator.close()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"lacks_zennb": True}, "zennb is not installed on the Dask worker "),
        (
            {
                "before": "import cloudpickle, importlib.metadata as m\nv = m.version\n"
                "m.version = lambda name: '0.1' if name == 'cloudpickle' else v(name)"
            },
            f"\n  cloudpickle  {cloudpickle.__version__}  0.1 on tcp://",
        ),
    ],
    ids=["without zennb", "another cloudpickle"],
)
def test_a_worker_that_joins_later_gets_no_step_that_it_cannot_read(
    cluster: Any, options: Any, why: str
) -> None:
    orchestrator = made(address=_address(cluster), patience="30")
    cluster()
    assert orchestrator.submit(abs, -1).result(PATIENCE) == 1
    client = orchestrator.executor().client
    (first,) = client.scheduler_info()["workers"]
    cluster(**options)
    while len(client.sync(client.scheduler.identity)["workers"]) < 2:
        time.sleep(0.05)
    client.retire_workers([first])
    error = orchestrator.submit(abs, -1).exception(PATIENCE)
    assert isinstance(error, InvalidConfiguration)
    assert why in str(error)
    orchestrator.close()


def test_code_that_holds_much_data_passes_by_the_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _bench(tmp_path, monkeypatch, arguments="{'n_workers': 1}", patience="30")
    stored, sent = bench.run_context.store.digests, list[int]()
    before = set(stored())

    def text(content: bytes) -> Any:
        sent.append(len(content))
        return call_text(content)

    monkeypatch.setattr("zennb.components.orchestrators.dask.call_text", text)
    bench.cell(
        "import numpy\nclass Table:\n    rows = numpy.arange(3_000_000.0)\n"
        "    def total(self):\n        return self.rows.sum()"
    )
    assert bench.step("found = Table().total()").values == {"found": 4499998500000.0}
    assert max(sent) < 1_000_000
    assert max(map(bench.run_context.store.size, set(stored()) - before)) < 1_000_000
    bench.orchestrator.close()
    bench.close()


def test_an_outcome_with_the_files_of_its_step_passes_by_the_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _bench(tmp_path, monkeypatch, arguments="{'n_workers': 1}", patience="30")
    before, received = set(bench.run_context.store.digests()), list[int]()
    take = Future.set_result

    def noted(future: Any, result: Any) -> None:
        if type(future).__name__ == "_TaskFuture":  # what has come through the scheduler
            received.append(len(cloudpickle.dumps(result)))
        take(future, result)

    monkeypatch.setattr(Future, "set_result", noted)
    done = bench.step(
        "import random\nfor number in range(4):\n"
        "    open(f'{number}.bin', 'wb').write(random.Random(number).randbytes(900_000))"
    )
    assert done.error is None
    assert max(received) < 1_000_000
    # What stays in the store is what reuse needs: the files.
    monkeypatch.undo()
    large = [
        each
        for each in set(bench.run_context.store.digests()) - before
        if bench.run_context.store.size(each) > 1e6
    ]
    assert len(large) == 1
    bench.orchestrator.close()
    bench.close()
