"""A planted secret is in no environment, command line, log or file of the processes that zennb starts."""

from __future__ import annotations

import getpass
import re
from typing import TYPE_CHECKING, Any

import distributed
import psutil
import pytest

import zennb
from tests.jupyter.background import GATE, ended, opened, run_of, until
from tests.jupyter.planted import forms, found_in_files, found_in_outputs, found_in_tables
from tests.keyrings import without_keyring
from zennb.components import secret_store
from zennb.errors import DeploymentFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

pytestmark = [
    pytest.mark.filterwarnings("always"),
    pytest.mark.kernel,
    pytest.mark.usefixtures("no_run_left"),
]

TYPED = "c4nary-typed-7f3a9b21"
"""A secret that `%secret set` asked for: other processes have no need of it."""
VARIABLE = "c4nary-variable-7f3a9b"
"""One from the environment, which child processes inherit, and whose value they can look up."""

PREPARED = (
    "%secret set TEAM",
    "from zennb.components.secret import Secret\nlength = len(Secret('secret:TEAM').reveal())",
    "%%step first\nmodel = length * 2",
)
SAYS = (
    "import logging, sys, warnings\nfrom zennb.components.secret import Secret\n"
    "said = 'no answer from ' + Secret('env:TEAM_ADDRESS').reveal()\n"
    "print(said, file=sys.stderr)\nwarnings.warn(said)\nlogging.getLogger('odd').warning(said)\n"
    "sys.__stderr__.write(said)\ndel said\n"
)
FAILS = "raise ExceptionGroup('two', [ValueError(Secret('env:TEAM_ADDRESS').reveal())])"


@pytest.fixture
def planted(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setattr(secret_store, "_of_process", {})
    monkeypatch.setattr(getpass, "getpass", lambda _prompt="": TYPED)
    monkeypatch.setenv("TEAM_ADDRESS", VARIABLE)
    without_keyring(monkeypatch)
    notebook.run(*PREPARED)
    yield notebook
    for each in zennb.deployments():
        each.delete()


def holding(processes: list[psutil.Process], secret: str) -> list[str]:
    """The processes, with all below them, whose environment or command line holds a secret."""
    assert processes
    every = [each for process in processes for each in (process, *process.children(recursive=True))]
    return [str(each) for each in every if secret in f"{each.environ()}{each.cmdline()}"]


def expect_nowhere(notebook: Notebook, folder: Path, ran: list[Ran]) -> None:
    ran += [notebook.cell(line) for line in ("%runs show 1", "%runs list", "%pipeline status", "%deployment")]
    notebook.stop()
    try:
        for secret in (TYPED, VARIABLE):
            assert found_in_outputs(ran, secret) == []
            assert found_in_tables(folder, secret) == []
            assert found_in_files(folder, secret) == []
    finally:
        notebook.start()


def steps(flags: str = "") -> list[str]:
    return [
        f"%%step says {flags}\n{SAYS}n = 1",
        f"%%step fails {flags}\nfrom zennb.components.secret import Secret\n{FAILS}",
    ]


def test_worker_processes(planted: Notebook, tmp_path: Path) -> None:
    planted.run(
        "%orchestrator register far --flavor=processes", "%stack register far -o far -a default --set"
    )
    ran = [planted.cell(text) for text in steps()]
    assert isinstance(ran[-1].error, ExceptionGroup)
    assert holding(psutil.Process().children(), TYPED) == []
    expect_nowhere(planted, tmp_path, ran)


def test_dask_its_workers_and_what_its_scheduler_tells(planted: Notebook, tmp_path: Path) -> None:
    with distributed.LocalCluster(n_workers=1, dashboard_address="127.0.0.1:0") as cluster:  # type: ignore[no-untyped-call]
        planted.run(
            f"%orchestrator register far --flavor=dask --address={cluster.scheduler_address}",
            f"%artifact-store register net --flavor=fsspec --url=file://{tmp_path}/blobs --shared=true",
            "%stack register far -o far -a net --set",
        )
        ran = [planted.cell(text) for text in steps()]
        assert isinstance(ran[-1].error, ExceptionGroup)
        with distributed.Client(cluster) as client:  # type: ignore[no-untyped-call]
            told: list[Any] = [
                client.scheduler_info(),
                client.get_events(),
                client.get_scheduler_logs(),
                client.get_worker_logs(),
                client.get_task_stream(),
                client.run_on_scheduler(_state_of),
            ]
        assert re.search(r"zennb-[0-9a-f]{32}", str(told)), "it tells of the steps"
        assert not [form for form in (*forms(TYPED), *forms(VARIABLE)) if form in str(told).encode()]
        assert holding(psutil.Process().children(), TYPED) == []
        expect_nowhere(planted, tmp_path, ran)


def _state_of(dask_scheduler: Any) -> str:
    return repr(
        [(each, each.run_spec, each.exception_text) for each in dask_scheduler.tasks.values()]
    ) + repr(dask_scheduler.transition_log)


def test_background_runs_and_their_snapshots(planted: Notebook, tmp_path: Path) -> None:
    _, fails = steps("--background")
    ran = planted.run(f"%%step says --background\n{SAYS}print('waits')\n{GATE}n = length")
    number = ran[0].facts["run"]
    until("waits", number)
    assert holding([psutil.Process(run_of(number).process)], TYPED) == []
    opened()
    assert ended(number) == "completed"
    ran.append(planted.cell(f"%runs attach {number}"))
    ran.append(planted.cell(fails))
    assert ended(ran[-1].facts["run"]) == "failed"
    ran.append(planted.cell(f"%runs attach {ran[-1].facts['run']}"))
    expect_nowhere(planted, tmp_path, ran)


def test_deployments_and_their_logs(planted: Notebook, tmp_path: Path) -> None:
    body = f"{SAYS}{FAILS}".replace("\n", "\n        ")
    planted.run(
        f"%%step train\nclass Odd:\n    def predict(self, rows):\n        {body}\nmodel = Odd()",
        "%model register odd --from model",
        "%model deploy odd",
    )
    served = zennb.deployment("odd")
    with pytest.raises(DeploymentFailed, match="ExceptionGroup") as failed:
        served.predict([1])
    assert holding([psutil.Process(served.process)], TYPED) == []
    assert holding([psutil.Process(served.process)], served.token) == []
    ran = [planted.cell("%deployment logs odd"), planted.cell("%deployment show odd")]
    assert "no answer from ••••" in f"{ran[0].displays}"
    assert VARIABLE not in str(failed.value)
    expect_nowhere(planted, tmp_path, ran)
