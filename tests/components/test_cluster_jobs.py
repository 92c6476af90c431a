from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest

pytest.importorskip("executorlib")
pytest.importorskip("h5py")

from executorlib import api

from zennb.components.cluster_jobs import ClusterOrchestrator, _perform
from zennb.components.component import Visibility
from zennb.errors import InvalidConfiguration, WorkerLost
from zennb.testing.orchestrator import OrchestratorContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor, Future

pytestmark = [
    pytest.mark.kernel,  # processes are started
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning"
    ),  # executorlib leaves processes to themselves
]

PATIENCE = 60.0


class OneMachine(ClusterOrchestrator):
    """The files of a cluster's jobs, without a cluster."""

    flavor = "one_machine"
    description = "runs each step in a process of this machine"
    system = "the test cluster"

    def cluster_executor(self, **options: Any) -> Executor:
        return api.TestClusterExecutor(**options)  # type: ignore[no-any-return]


def made(folder: Path, **config: str) -> OneMachine:
    options = {"cache_directory": str(folder / "jobs"), "workers": "2", "refresh": "0.02", **config}
    return OneMachine.from_config("test", options)


@pytest.fixture
def orchestrator(tmp_path: Path) -> Iterator[OneMachine]:
    found = made(tmp_path)
    yield found
    found.close()


class TestClusterJobs(OrchestratorContract):
    @pytest.fixture
    def orchestrator(self, tmp_path: Path) -> Iterator[OneMachine]:
        found = made(tmp_path)
        yield found
        found.close()


def _count(path: str) -> int:
    with open(path, "a") as file:  # noqa: PTH123
        file.write("x")
    return os.path.getsize(path)  # noqa: PTH202


def test_equal_calls_are_made_each_time(orchestrator: OneMachine, tmp_path: Path) -> None:
    path = str(tmp_path / "count")
    assert [orchestrator.submit(_count, path).result(PATIENCE) for _ in range(3)] == [1, 2, 3]
    assert list((tmp_path / "jobs").iterdir()) == []  # nothing of them stays


def test_a_call_finds_the_files_of_the_notebook(
    orchestrator: OneMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study").mkdir()
    monkeypatch.chdir(tmp_path / "study")
    assert orchestrator.submit(os.getcwd).result(PATIENCE) == str(tmp_path / "study")


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def _begin(path: Path) -> None:
    path.with_suffix(".pid").write_text(str(os.getpid()))
    time.sleep(PATIENCE)


def test_a_call_that_runs_is_ended_when_it_is_cancelled_and_the_next_one_runs(
    orchestrator: OneMachine, tmp_path: Path
) -> None:
    call = orchestrator.submit(_begin, tmp_path / "call")
    _wait_for(tmp_path / "call.pid")
    assert call.cancel()
    assert orchestrator.submit(abs, -1).result(PATIENCE) == 1
    pid = int((tmp_path / "call.pid").read_text())
    deadline = time.monotonic() + PATIENCE
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(pid)


def test_no_more_jobs_than_asked_for_are_in_the_queue(tmp_path: Path) -> None:
    orchestrator = made(tmp_path, workers="1")
    first = orchestrator.submit(_wait_for, tmp_path / "end")
    second = orchestrator.submit(_touch, tmp_path / "second")
    third = orchestrator.submit(_touch, tmp_path / "third")
    assert second.cancel()
    (tmp_path / "end").touch()
    assert (first.result(PATIENCE), third.result(PATIENCE)) == (None, None)
    assert not (tmp_path / "second").exists()
    orchestrator.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("times", [1, 5])
def test_calls_go_on_when_the_cluster_did_not_answer_a_moment(tmp_path: Path, times: int) -> None:
    """executorlib's thread ends with the first error; a call that it forgets must not hang for that."""
    orchestrator = made(tmp_path)
    jobs: Any = orchestrator.executor()
    call = orchestrator.submit(_wait_for, tmp_path / "end")
    seen: set[int] = set()
    for _ in range(times):
        deadline = time.monotonic() + PATIENCE
        while id(jobs._executor) in seen and not call.done() and time.monotonic() < deadline:
            time.sleep(0.02)
        if call.done():
            break
        seen.add(id(jobs._executor))
        jobs._executor.future_queue.put({"fn": None})
    (tmp_path / "end").touch()
    if times == 1:
        assert call.result(PATIENCE) is None
    else:
        error = call.exception(PATIENCE)
        assert isinstance(error, WorkerLost)
        assert "its jobs could not be followed" in str(error)
    assert orchestrator.submit(abs, -2).result(PATIENCE) == 2
    orchestrator.close()


LEAVE = """
import sys, time
from tests.components.test_cluster_jobs import made
from pathlib import Path
folder = Path(sys.argv[1])
orchestrator = made(folder)
from tests.components.test_cluster_jobs import _late
orchestrator.submit(_late, folder / "late")
while not (folder / "late.begun").exists():
    time.sleep(0.01)
"""


def _late(path: Path) -> None:
    path.with_suffix(".begun").touch()
    time.sleep(0.5)
    path.touch()


def test_a_process_that_ends_waits_for_no_job_and_ends_none(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LEAVE, str(tmp_path)], check=True, timeout=PATIENCE, cwd=Path.cwd())
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "late").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (tmp_path / "late").exists()


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"cache_directory": "jobs"}, "has to be an absolute path without spaces"),
        ({"cache_directory": "/tmp/my jobs"}, "has to be an absolute path without spaces"),
        ({"cache_directory": "/proc/none/jobs"}, "cannot be used"),
        ({"resources": "{'cores': 4}"}, "MPI processes"),
    ],
)
def test_what_cannot_work_is_said_in_one_sentence(tmp_path: Path, config: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidConfiguration, match=why):
        made(tmp_path, **config).submit(abs, 1)


def test_a_folder_that_the_node_does_not_have_is_named(tmp_path: Path) -> None:
    call = cloudpickle.dumps((abs, (-1,), {}))
    error, _ = cloudpickle.loads(_perform(call, str(tmp_path / "gone")))
    assert isinstance(error, WorkerLost)
    assert f"{tmp_path / 'gone'}, cannot be used on" in str(error)


def test_its_stores_have_to_be_reached_from_other_machines(tmp_path: Path) -> None:
    assert made(tmp_path).visibility is Visibility.NETWORK


def test_it_needs_a_folder() -> None:
    with pytest.raises(InvalidConfiguration, match="needs the option `cache_directory`"):
        OneMachine.from_config("test", {})


def test_a_result_that_comes_with_the_cancelling_does_no_harm(orchestrator: OneMachine) -> None:
    calls: list[Future[int]] = []
    for delay in (0.0, 0.3, 0.6, 0.9):
        call = orchestrator.submit(abs, -3)
        calls.append(call)
        threading.Timer(delay, call.cancel).start()
    assert orchestrator.submit(abs, -3).result(PATIENCE) == 3
    assert all(call.cancelled() or call.result(PATIENCE) == 3 for call in calls)


def _touch(path: Path) -> None:
    path.touch()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
