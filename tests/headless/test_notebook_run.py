"""A headless notebook is one run: what it says of itself, whatever ends it, and which steps belong to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat import v4

from zennb.core.records.records import Run, Status
from zennb.headless.execute import Execution, execute
from zennb.headless.handover import VARIABLE, hand_over, handed_over
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

kernel = pytest.mark.kernel
LOAD = "%load_ext zennb"
WAIT = "%%step wait\nimport time\nopen('begun', 'w').write('x')\ntime.sleep(600)\nz = 1"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    for name in ("ZENNB_STACK", VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace(tmp_path / "home")
    yield opened
    opened.close()


def make(folder: Path, *sources: str) -> Path:
    node = v4.new_notebook()
    node.cells += [v4.new_code_cell(text, id=f"c{place}") for place, text in enumerate(sources)]
    path = folder / "study.ipynb"
    nbformat.write(node, path)
    return path


def run(workspace: Workspace, path: Path, **options: Any) -> tuple[Execution, Run]:
    done = execute(path, workspace=workspace, **options)
    assert done.run is not None
    found = workspace.metadata.run(done.run)
    assert found is not None
    return done, found


def only(workspace: Workspace) -> Run:
    (found,) = workspace.metadata.runs()
    return found


@kernel
def test_a_notebook_of_fifty_steps_is_one_run_with_its_steps_below_it(
    tmp_path: Path, workspace: Workspace
) -> None:
    steps = [f"%%step s{number}\nx{number} = {number}" for number in range(49)]
    path = make(tmp_path, LOAD, "rate = 1", *steps, "%%step slow\nimport time\ntime.sleep(0.3)\ny = rate")
    _, first = run(workspace, path, parameters={"rate": "2"})
    assert (first.kind, first.status, first.notebook) == ("notebook", Status.COMPLETED, "study.ipynb")
    assert (first.steps, len(first.names)) == ({"completed": 50}, 50)
    assert (first.parameters, first.stack.name, first.process) == ({"rate": "2"}, "default", os.getpid())
    assert {"python", "zennb", "platform"} <= set(first.versions)
    assert first.computed >= 0.3
    assert first.saved == 0.0
    assert first.seconds > first.computed
    assert {step.run for step in workspace.metadata.steps(first.id or 0)} == {first.id}

    _, second = run(workspace, path, parameters={"rate": "2"})
    assert (second.status, second.steps) == (Status.CACHED, {"cached": 50})
    assert second.computed == 0.0
    assert 0.2 < second.saved <= first.computed
    assert [each.id for each in workspace.metadata.runs()] == [second.id, first.id]


@kernel
def test_a_notebook_without_steps_is_a_run_too(tmp_path: Path, workspace: Workspace) -> None:
    _, found = run(workspace, make(tmp_path, "x = 1"))
    assert (found.status, found.steps) == (Status.COMPLETED, {})


@kernel
def test_packages_of_the_steps_are_those_of_the_run(tmp_path: Path, workspace: Workspace) -> None:
    _, found = run(workspace, make(tmp_path, LOAD, "%%step a\nimport numpy as np\nx = np.arange(3)"))
    assert "numpy" in found.versions


@kernel
def test_a_pipeline_run_in_a_notebook_is_a_run_that_the_notebook_started(
    tmp_path: Path, workspace: Workspace
) -> None:
    path = make(tmp_path, LOAD, "%%step a\nimport time\ntime.sleep(0.2)\nx = 1", "%pipeline run --rerun")
    _, found = run(workspace, path)
    (inner,) = workspace.metadata.children(found.id or 0)
    assert (inner.kind, inner.parent, inner.names) == ("pipeline", found.id, {"a": "completed"})
    assert found.names == {"a": "completed"}
    assert inner.computed >= 0.2
    assert found.computed >= 0.4
    assert [each.id for each in workspace.metadata.runs(nested=False)] == [found.id]
    assert {each.id for each in workspace.metadata.runs()} == {found.id, inner.id}


@kernel
def test_a_reused_notebook_whose_pipeline_computed_is_not_called_cached(
    tmp_path: Path, workspace: Workspace
) -> None:
    path = make(tmp_path, LOAD, "%%step a\nx = 1", "%pipeline run --rerun")
    run(workspace, path)
    _, again = run(workspace, path)
    assert (again.steps, again.status) == ({"cached": 1}, Status.COMPLETED)


@kernel
def test_a_step_on_another_stack_is_recorded_with_that_stack(tmp_path: Path, workspace: Workspace) -> None:
    path = make(
        tmp_path,
        LOAD,
        "%%step a\nx = 1",
        "%stack copy default other\n%stack set other",
        "%%step b\ny = 2",
        "%%step c\nz = 3",
        "%stack set default",
        "%%step d\nw = 4",
    )
    _, found = run(workspace, path)
    assert (found.stack.name, list(found.names)) == ("default", ["a", "d"])
    (inner,) = workspace.metadata.children(found.id or 0)
    assert (inner.kind, inner.stack.name, list(inner.names)) == ("session", "other", ["b", "c"])


@kernel
def test_a_failed_step_fails_the_run(tmp_path: Path, workspace: Workspace) -> None:
    done, found = run(workspace, make(tmp_path, LOAD, "%%step a\nx = 1", "%%step b\n1 / 0"))
    assert done.status is found.status is Status.FAILED
    assert found.names == {"a": "completed", "b": "failed"}


@kernel
def test_a_kernel_that_is_killed_fails_the_run_and_its_steps_stay(
    tmp_path: Path, workspace: Workspace
) -> None:
    kill = "%%step b\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    _, found = run(workspace, make(tmp_path, LOAD, "%%step a\nx = 1", kill))
    assert (found.status, found.names) == (Status.FAILED, {"a": "completed"})


@kernel
def test_a_run_that_is_refused_before_it_starts_is_none(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(LookupError):
        execute(make(tmp_path, "x = 1"), workspace=workspace, parameters={"nope": "1"})
    with pytest.raises(LookupError):
        execute(make(tmp_path, "x = 1"), workspace=workspace, stack="nope")
    assert workspace.metadata.runs() == []


def start(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "zennb", "run", str(path), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.05)


@kernel
def test_the_command_names_the_run_and_other_processes_see_it_go_on(
    tmp_path: Path, workspace: Workspace
) -> None:
    path = make(tmp_path, LOAD, "%%step a\nx = 1", WAIT.replace("600", "1"))
    with start(path) as process:
        wait_for(tmp_path / "begun")
        during = only(workspace)
        out, _ = process.communicate(timeout=60)
    assert (during.status, during.names) == (Status.RUNNING, {"a": "completed"})
    assert json.loads(out)["data"]["run"] == during.id
    assert only(workspace).status is Status.COMPLETED


@kernel
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_runner_the_run_shows_as_interrupted(
    tmp_path: Path, workspace: Workspace, number: signal.Signals
) -> None:
    with start(make(tmp_path, LOAD, "%%step a\nx = 1", WAIT, "%%step c\nc = 1")) as process:
        wait_for(tmp_path / "begun")
        process.send_signal(number)
        process.communicate(timeout=60)
    found = only(workspace)
    assert (found.kind, found.status) == ("notebook", Status.INTERRUPTED)
    assert found.names["a"] == "completed"
    assert "c" not in found.names


@kernel
def test_a_kernel_in_another_home_has_a_session_of_its_own(tmp_path: Path, workspace: Workspace) -> None:
    elsewhere = f"import os\nos.environ['ZENNB_HOME'] = {str(tmp_path / 'other')!r}"
    _, found = run(workspace, make(tmp_path, elsewhere, LOAD, "%%step a\nx = 1"))
    assert (found.status, found.names) == (Status.COMPLETED, {})
    other = Workspace(tmp_path / "other")
    assert [(each.kind, each.parent) for each in other.metadata.runs()] == [("session", None)]
    other.close()


@kernel
def test_a_program_that_the_notebook_starts_is_not_its_kernel(tmp_path: Path, workspace: Workspace) -> None:
    script = tmp_path / "inner.ipy"
    script.write_text(f"{LOAD}\nget_ipython().run_cell('%%step inner\\nx = 1').raise_error()\n")
    starts = (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'IPython', 'inner.ipy'], check=True)"
    )
    _, found = run(workspace, make(tmp_path, LOAD, "%%step a\ny = 1", starts))
    assert found.names == {"a": "completed"}
    inner = next(each for each in workspace.metadata.runs() if each.id != found.id)
    assert (inner.kind, inner.names) == ("session", {"inner": "completed"})


@kernel
def test_a_notebook_run_by_a_notebook_says_who_started_it(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "inner").mkdir()
    inner = make(tmp_path / "inner", LOAD, "%%step b\nx = 1")
    words = f"[sys.executable, '-m', 'zennb', 'run', {str(inner)!r}]"
    starts = f"import subprocess, sys\nsubprocess.run({words}, check=True)"
    _, found = run(workspace, make(tmp_path, LOAD, "%%step a\ny = 1", starts))
    (started,) = workspace.metadata.children(found.id or 0)
    assert (started.kind, started.names) == ("notebook", {"b": "completed"})
    assert found.names == {"a": "completed"}


@kernel
def test_the_commit_of_the_folder_is_that_before_the_notebook_ran(
    tmp_path: Path, workspace: Workspace
) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(("git", *who, *words), cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    path = make(tmp_path, "open('data.csv', 'w').write('changed')")
    _, found = run(workspace, path)
    assert (found.commit, found.dirty) == ("", None)
    git("init", "-q")
    (tmp_path / "data.csv").write_text("1")
    git("add", "study.ipynb", "data.csv")
    git("commit", "-qm", "first")
    _, clean = run(workspace, path)
    _, dirty = run(workspace, path)
    assert (clean.commit, clean.dirty) == (git("rev-parse", "HEAD"), False)
    assert (dirty.commit, dirty.dirty) == (clean.commit, True)


def test_only_a_run_that_goes_on_is_handed_over(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata, spec = workspace.metadata, workspace.snapshot()
    parent = os.getppid()

    def told(**fields: Any) -> Run | None:
        begun = metadata.begin_run(Run(**{"kind": "notebook", "stack": spec, "process": parent, **fields}))
        for name, value in hand_over(begun, metadata).items():
            monkeypatch.setenv(name, value)
        return handed_over(metadata)

    found = told()
    assert found is not None
    assert found.kind == "notebook"
    assert told(status=Status.INTERRUPTED) is None
    assert told(kind="pipeline") is None
    assert told(process=os.getpid()) is None
    monkeypatch.setenv(VARIABLE, "no json")
    assert handed_over(metadata) is None
    monkeypatch.setenv(VARIABLE, json.dumps({"run": found.id, "home": "/elsewhere"}))
    assert handed_over(metadata) is None
