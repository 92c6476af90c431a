"""SLURM without a cluster: `sbatch`, `squeue` and `scancel` are scripts that run the jobs on this machine."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("executorlib")
pytest.importorskip("pysqa")

from zennb import plugins
from zennb.components.component import Visibility
from zennb.engine.remote.side_channel import LinkServer
from zennb.errors import WorkerLost
from zennb.testing.steps import Bench

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.kernel,  # processes are started
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATIENCE = 60.0

SBATCH = """#!/bin/sh
cp "$2" "{folder}/script"
( sh "$2" > job.log 2>&1 & echo $! > "{folder}/pid" )
cat "{folder}/pid"
"""
SQUEUE = """#!/bin/sh
pid=$(cat "{folder}/pid" 2>/dev/null)
[ -e "{folder}/deaf" ] && {{ rm "{folder}/deaf"; echo "slurm_load_jobs error: timed out"; exit 1; }}
kill -0 "$pid" 2>/dev/null && echo "$pid|me|R|zennb|/" || true
"""
SCANCEL = """#!/bin/sh
pkill -P "$1"; kill "$1"
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a cluster: what was submitted last is in `script`."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL)):
        write(folder / name, text.format(folder=folder))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return folder


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def made(tmp_path: Path, **config: str) -> Any:
    options = {"cache_directory": str(tmp_path / "jobs"), "refresh": "0.05", **config}
    return plugins.load("orchestrator", "slurm").from_config("test", options)


def test_a_job_asks_for_what_the_options_say_and_leaves_nothing(cluster: Path, tmp_path: Path) -> None:
    asked = "{'partition': 'long', 'memory_max': 16, 'run_time_max': 90, 'setup': 'export READY=1'}"
    orchestrator = made(tmp_path, cores="4", resources=asked)
    assert orchestrator.submit(os.getenv, "READY").result(PATIENCE) == "1"
    orchestrator.close()
    script = (cluster / "script").read_text().splitlines()
    for line in ("cpus-per-task=4", "ntasks=1", "partition=long", "mem=16G", "time=2"):
        assert f"#SBATCH --{line}" in script
    assert not any("account" in line or "gpus" in line for line in script)
    assert script[-1].startswith(sys.executable)
    assert list((tmp_path / "jobs").iterdir()) == []


def test_a_job_that_is_gone_without_a_result_is_one_clear_failure(cluster: Path, tmp_path: Path) -> None:
    write(cluster / "sbatch", "#!/bin/sh\necho 'Killed: out of memory' > job.log\necho 4711\n")
    orchestrator = made(tmp_path)
    error = orchestrator.submit(abs, -1).exception(PATIENCE)
    assert isinstance(error, WorkerLost)
    assert "the SLURM job of the step ended without a result" in str(error)
    log = str(error).partition("its log is in ")[2].rstrip(".")
    assert log.startswith(str(tmp_path / "jobs"))
    orchestrator.close()


@pytest.mark.parametrize(
    ("sbatch", "why"),
    [
        (
            "#!/bin/sh\necho 'invalid partition specified: lnog'\nexit 1\n",
            "invalid partition specified: lnog",
        ),
        ("", "SLURM cannot be used here"),
    ],
)
def test_a_job_that_is_not_taken_says_why(cluster: Path, tmp_path: Path, sbatch: str, why: str) -> None:
    write(cluster / "sbatch", sbatch) if sbatch else (cluster / "sbatch").unlink()
    orchestrator = made(tmp_path)
    error = orchestrator.submit(abs, -1).exception(PATIENCE)
    assert isinstance(error, WorkerLost)
    assert why in str(error)
    orchestrator.close()


def _begin(path: Path) -> int:
    path.with_suffix(".begun").touch()
    while not path.exists():
        time.sleep(0.01)
    return 3


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_queue_that_does_not_answer_once_costs_no_job(cluster: Path, tmp_path: Path) -> None:
    (cluster / "deaf").touch()
    orchestrator = made(tmp_path)
    call = orchestrator.submit(_begin, tmp_path / "end")
    wait_for(tmp_path / "end.begun")
    while (cluster / "deaf").exists():
        time.sleep(0.02)
    first = (cluster / "pid").read_text()
    (tmp_path / "end").touch()
    assert call.result(PATIENCE) == 3
    assert (cluster / "pid").read_text() == first  # the job was found again, and not submitted twice
    orchestrator.close()


def test_a_job_is_cancelled_with_its_call(cluster: Path, tmp_path: Path) -> None:
    orchestrator = made(tmp_path)
    call = orchestrator.submit(_begin, tmp_path / "end")
    wait_for(tmp_path / "end.begun")
    pid = int((cluster / "pid").read_text())
    assert call.cancel()
    deadline = time.monotonic() + PATIENCE
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(pid)
    orchestrator.close()


def test_what_a_job_on_another_machine_prints_arrives_while_it_runs(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect = LinkServer.expect

    def elsewhere(*given: Any, **named: Any) -> Any:
        call, link = expect(*given, **named)
        return call, replace(link, address="/no/such/socket")

    monkeypatch.setattr(LinkServer, "expect", elsewhere)
    monkeypatch.chdir(tmp_path)
    orchestrator = made(tmp_path)
    bench = Bench(orchestrator, tmp_path / "home")
    text = "import time\nprint('begun')\nfor _ in range(600):\n    time.sleep(0.1)"
    assert bench.interrupted(text, after="begun") < PATIENCE / 2
    done = bench.step("for number in range(3):\n    print(number)")
    assert done.text == "0\n1\n2\n"
    bench.close()
    orchestrator.close()
    assert not list((tmp_path / "jobs").glob("*.messages"))


def test_its_nodes_are_other_machines(tmp_path: Path) -> None:
    assert made(tmp_path).visibility is Visibility.NETWORK
    assert plugins.load("orchestrator", "flux").visibility is Visibility.NETWORK


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
