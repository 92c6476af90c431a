"""Cells run by hand belong to the session of their kernel: one run per kernel and stack."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import Run, Status, Step
from zennb.jupyter.cells import cell_runs as cellrun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

SLOW = "time.sleep(0.2)"


def metadata(notebook: Notebook) -> Any:
    return notebook.shell.zennb_step.workspace.metadata


def runs(notebook: Notebook) -> list[Run]:
    """The runs, the first at the front."""
    return list(reversed(metadata(notebook).runs()))


def only(notebook: Notebook) -> Run:
    (found,) = runs(notebook)
    return found


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_cells_are_one_run_with_what_they_add_up_to(notebook: Notebook) -> None:
    notebook.run(
        "import time\nrate = 3",
        f"%%step slow\n{SLOW}\nx = rate",
        "%%step arrays\nimport numpy as np\ny = np.arange(x)",
        f"%%step slow\n{SLOW}\nx = rate",
    )
    found = only(notebook)
    assert (found.kind, found.status, found.parent) == ("session", Status.CACHED, None)
    assert (found.steps, found.names) == (
        {"completed": 2, "cached": 1},
        {"slow": "completed", "arrays": "completed"},
    )
    assert found.parameters == {"rate": "3"}
    assert {"python", "zennb", "platform", "numpy"} <= set(found.versions)
    assert 0.2 <= found.computed < found.seconds
    assert 0.1 < found.saved <= found.computed
    assert found.process == os.getpid()


def test_what_looks_like_a_secret_is_no_parameter_that_one_can_read(notebook: Notebook) -> None:
    notebook.run("api_token = 'hunter2'\nrate = 3", "%%step a\nx = len(api_token) * rate", "rate = 4")
    notebook.run("%%step a\nx = len(api_token) * rate")
    assert only(notebook).parameters == {"api_token": "••••", "rate": "4"}


def test_the_state_of_a_session_is_that_of_its_latest_step_or_failed_while_one_is(notebook: Notebook) -> None:
    for cell, status in (
        ("%%step a\nx = 1", "completed"),
        ("%%step b\n1 / 0", "failed"),
        ("%%step c\nraise KeyboardInterrupt", "interrupted"),
        ("%%step a\nx = 1", "failed"),
        ("%%step b\ny = 1", "completed"),
        ("%%step a\nx = 1", "cached"),
    ):
        notebook.cell(cell)
        assert only(notebook).status.value == status
    assert only(notebook).names == {"a": "completed", "b": "completed", "c": "interrupted"}


def test_each_stack_has_a_session_of_its_own(notebook: Notebook) -> None:
    notebook.run(
        "%stack copy default other",
        "%%step a\nx = 1",
        "%%step b --stack other\ny = 1",
        "%%step c\nz = 1",
        "%stack set other",
        "%%step d\nw = 1",
    )
    assert [(run.stack.name, list(run.names)) for run in runs(notebook)] == [
        ("default", ["a", "c"]),
        ("other", ["b", "d"]),
    ]


def test_a_stack_that_was_changed_is_another_one(notebook: Notebook) -> None:
    notebook.run(
        "%artifact-store register mine --flavor=local",
        "%stack register s -o default -a default --set",
        "%%step a\nx = 1",
        "%stack update s -a mine",
        "%%step b\ny = 1",
    )
    assert [(run.stack.artifact_store.name, list(run.names)) for run in runs(notebook)] == [
        ("default", ["a"]),
        ("mine", ["b"]),
    ]


def test_another_kernel_has_another_session(notebook: Notebook) -> None:
    notebook.run("%%step a\nx = 1")
    notebook.restart()
    notebook.run("%%step a\nx = 1", "%%step b\ny = 1")
    assert [run.names for run in runs(notebook)] == [{"a": "completed"}, {"a": "cached", "b": "completed"}]


def test_loading_the_extension_again_goes_on_with_the_session(notebook: Notebook) -> None:
    notebook.run("%%step a\nx = 1", "%load_ext zennb\n%reload_ext zennb", "%%step b\ny = 1")
    assert list(only(notebook).names) == ["a", "b"]


def test_a_session_that_a_forked_process_knows_is_not_its_own(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("%%step a\nx = 1")
    session = notebook.shell.zennb_step
    run_context = session.context()
    mine = session.runs._ongoing(run_context, 1.0)
    monkeypatch.setattr("zennb.engine.run.run_context.os.getpid", lambda: 1)
    assert session.runs._ongoing(run_context, 1.0) is not mine
    monkeypatch.undo()
    assert session.runs._ongoing(session.context(), 1.0) is mine


def test_a_session_says_running_again_while_a_step_takes_more_than_a_moment(notebook: Notebook) -> None:
    notebook.run("import time", "%%step a\nx = 1")
    assert only(notebook).status is Status.COMPLETED
    value_digest = "seen = [(run.id, run.status.value) for run in zennb.runs()]"
    notebook.run("import zennb", f"%%step slow\n{SLOW}\n{value_digest}")
    assert notebook.ns["seen"] == [(1, "running")]
    assert only(notebook).status is Status.COMPLETED


def test_a_session_does_not_say_running_while_a_step_of_a_moment_runs(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cellrun, "MAX_LOST_SECONDS", 5.0)  # a moment, for a machine that is busy
    value_digest = "seen = [run.status.value for run in zennb.runs()]"
    notebook.run("import zennb", "%%step a\nx = 1", f"%%step b\n{value_digest}")
    assert notebook.ns["seen"] == ["completed"]
    assert only(notebook).steps == {"completed": 2}


def test_a_step_of_a_moment_costs_one_transaction(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cellrun, "MAX_LOST_SECONDS", 5.0)
    notebook.run("%%step a\nx = 1")
    database = metadata(notebook)._database
    statements: list[str] = []
    database._worker.call(database._connection.set_trace_callback, statements.append)
    notebook.run("%%step b\ny = 1")
    database._worker.call(database._connection.set_trace_callback, None)
    assert statements.count("BEGIN IMMEDIATE") == 1
    assert only(notebook).steps == {"completed": 2}


def test_what_a_cell_left_to_be_written_is_not_written_after_the_next(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cellrun, "MAX_LOST_SECONDS", 0.3)
    notebook.run("%%step a\nx = 1")
    session = notebook.shell.zennb_step
    broken = session.runs.cell(session.context(), started=time.time())
    broken.begin(session.live_line(metadata(notebook).steps(1)[0]))  # and never ended
    notebook.run("%%step b\ny = 1")
    time.sleep(0.5)
    assert only(notebook).status is Status.COMPLETED


def test_a_session_begun_by_a_cell_that_never_came_to_its_end_goes_on(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cellrun, "MAX_LOST_SECONDS", 0.0)
    session = notebook.shell.zennb_step
    broken = session.runs.cell(session.context(), started=time.time())
    broken.begin(session.live_line(Step(name="broken", status=Status.RUNNING)))
    until(lambda: runs(notebook))
    assert only(notebook).status is Status.RUNNING
    notebook.run("%%step a\nx = 1")
    assert (only(notebook).status, only(notebook).names) == (Status.COMPLETED, {"a": "completed"})


def test_a_clock_that_is_set_back_leaves_a_session_as_long_as_it_was(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("%%step a\nx = 1")
    seconds = only(notebook).seconds
    monkeypatch.setattr(cellrun, "time", SimpleNamespace(time=lambda: 0.0))
    notebook.run("%%step b\ny = 1")
    assert only(notebook).steps == {"completed": 2}
    assert only(notebook).seconds == seconds


def test_a_pipeline_run_is_a_run_beside_the_session(notebook: Notebook) -> None:
    notebook.run("%%step a\nx = 1", "%pipeline run --rerun", "%%step b\ny = 1")
    assert [(run.kind, run.parent, list(run.names)) for run in runs(notebook)] == [
        ("session", None, ["a", "b"]),
        ("pipeline", None, ["a"]),
    ]


def test_failed_attempts_are_on_record_and_shown(notebook: Notebook) -> None:
    notebook.run("from pathlib import Path\nlog = Path('tries.txt')\nlog.write_text('')")
    body = "n = log.write_text(log.read_text() + 'x')\nif n < 3: raise ValueError(f'try {n}')"
    began = time.perf_counter()
    notebook.run(f"%%step flaky --retries 3 --delay 0.1\n{body}")
    assert time.perf_counter() - began >= 0.2
    (step,) = metadata(notebook).steps(1)
    assert [each.failure.message for each in step.attempts] == ["try 1", "try 2"]
    assert step.reason == "first run"
    (shown,) = notebook.run("%runs show 1")[0].displays
    text = shown["data"]["text/plain"]
    assert "after 2 failed attempts" in text
    assert "ValueError: try 2" in text
    (told,) = notebook.run("%runs logs 1 flaky")[0].displays
    assert "ValueError: try 1" in told["data"]["text/plain"]


@pytest.mark.parametrize("delay", ["nan", "inf"])
def test_a_delay_that_cannot_be_waited_is_refused(notebook: Notebook, delay: str) -> None:
    ran = notebook.cell(f"%%step a --retries 1 --delay {delay}\nx = 1")
    assert "--delay takes seconds from 0 on" in str(ran.error)
    assert "x" not in notebook.ns


def test_what_past_steps_printed_and_showed_is_told(notebook: Notebook) -> None:
    notebook.run("%%step talk\nprint('hello')\nx = [1, 2]\nx", "%%step quiet\ny = 1")
    notebook.cell("%%step bad\nprint('before')\nvalue = 1 / 0")
    (shown,) = notebook.run("%runs logs 1")[0].displays
    lines = shown["data"]["text/plain"].splitlines()
    assert lines[0].startswith("✔ talk  completed")
    assert lines[1:3] == ["hello", "[1, 2]"]
    assert lines[3].startswith("✔ quiet  completed")
    assert lines[4] == "no output"
    assert lines[5].startswith("✘ bad  failed")
    assert lines[6] == "before"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    (talk,) = notebook.run("%runs logs 1 talk --json")[0].displays
    assert '"kind": "stream"' in talk["data"]["text/plain"]
    refused = notebook.cell("%runs logs 1 tlk")
    assert "no step of run 1 called 'tlk'; did you mean 'talk'" in str(refused.error)


def test_what_a_pipeline_step_printed_before_it_failed_is_told(notebook: Notebook) -> None:
    notebook.run(
        "ok = True", "%%step bad\nprint('before')\nif not ok: raise ValueError('no')\nx = 1", "ok = False"
    )
    assert notebook.cell("%pipeline run").error is not None
    (shown,) = notebook.run("%runs logs 2 bad")[0].displays
    text = shown["data"]["text/plain"]
    assert "before" in text.splitlines()
    assert text.endswith("ValueError: no")


def test_an_interrupted_step_keeps_what_it_printed(notebook: Notebook) -> None:
    notebook.cell("%%step bad\nprint('before')\nraise KeyboardInterrupt")
    (shown,) = notebook.run("%runs logs 1 bad")[0].displays
    assert "before" in shown["data"]["text/plain"].splitlines()


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(("git", *who, *words), cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_sessions_and_pipeline_runs_have_the_commit_of_the_folder(notebook: Notebook, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "data.csv").write_text("1")
    git(tmp_path, "add", "data.csv")
    git(tmp_path, "commit", "-qm", "first")
    notebook.run("%%step a\nx = 1")
    until(lambda: only(notebook).commit)
    (tmp_path / "data.csv").write_text("2")
    notebook.run("%pipeline run", "%%step b\ny = 1")
    until(lambda: runs(notebook)[1].commit)
    head = git(tmp_path, "rev-parse", "HEAD")
    assert [(run.commit, run.dirty) for run in runs(notebook)] == [(head, False), (head, True)]
    (shown,) = notebook.run("%runs show 2")[0].displays
    assert f"git commit  {head[:12]} with changes" in shown["data"]["text/plain"]
    assert str(tmp_path) not in str(runs(notebook))


def test_a_git_that_hangs_keeps_no_cell_waiting(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zennb.engine.run.git.TIMEOUT", 0.5)
    (tmp_path / ".git").mkdir()
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\ntouch asked\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    began = time.perf_counter()
    notebook.run("%%step a\nx = 1", "%%step b\ny = 1")
    assert time.perf_counter() - began < 5
    until(lambda: (tmp_path / "asked").exists())
    assert (only(notebook).commit, only(notebook).dirty) == ("", None)
    until(lambda: "zennb-git" not in [thread.name for thread in threading.enumerate()])


def test_no_thread_is_begun_where_there_is_no_repository(notebook: Notebook) -> None:
    notebook.run("%%step a\nx = 1")
    assert "zennb-git" not in [thread.name for thread in threading.enumerate()]
    assert (only(notebook).commit, only(notebook).dirty) == ("", None)


@pytest.mark.parametrize("cell", ["%unload_ext zennb", "%reload_ext zennb"])
def test_nothing_is_watched_after_a_cell_that_unloads_zennb(notebook: Notebook, cell: str) -> None:
    notebook.run("x = 1", cell, "x = 2")
    assert type(os.stat).__name__ == "builtin_function_or_method"
    assert type(os.environ).__name__ == "_Environ"
    notebook.run("%reload_ext zennb")
