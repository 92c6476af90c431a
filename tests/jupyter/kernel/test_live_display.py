"""What is seen of a run while it goes on."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components import long_calls as calls
from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.engine.environment.callers import INSIDE
from zennb.jupyter.cells import cell_runs as cellrun
from zennb.jupyter.kernel import live_display as live
from zennb.jupyter.kernel.run_monitor import interrupt

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SLOW = (
    "import time\nprint('now at 7')\nuntil = time.time() + 0.8\nwhile time.time() < until: time.sleep(0.02)"
)
QUICK_STACK = (
    "%orchestrator register pool --flavor=threads --workers=2",
    "%artifact-store register ram --flavor=memory",
    "%stack register quick -o pool -a ram --set",
)


def texts(displays: list[dict[str, Any]]) -> list[str]:
    return [str(shown["data"].get("text/plain", "")) for shown in displays]


@pytest.mark.parametrize("stack", [(), QUICK_STACK], ids=["in the kernel", "in threads"])
def test_a_step_of_a_pipeline_shows_time_and_output_while_it_runs(
    notebook: Notebook, stack: tuple[str, ...]
) -> None:
    until_seen = "import os, time\nprint('now at 7')\nwhile not os.path.exists('seen'): time.sleep(0.02)"
    notebook.run(*stack, "open('seen', 'w').close()", f"%%step slow\n{until_seen}\nx = 1")
    Path("seen").unlink()
    watching = threading.Thread(target=_wait_for_two_clocks, args=(notebook,), daemon=True)
    watching.start()
    ran = notebook.cell("%pipeline run --rerun")
    watching.join()
    assert ran.error is None
    (identifier, *_) = (shown["transient"]["display_id"] for shown in ran.displays)
    # Behind the table, the lines of the cells above are updated.
    table = [shown for shown in ran.displays if shown["transient"]["display_id"] == identifier]
    *running, last = texts(table)
    assert any("◌ running" in text and "output of slow:\nnow at 7" in text for text in running)
    assert len(clocks(running)) >= 2
    assert "✔ completed" in last
    assert "now at 7" not in last
    assert [shown["update"] for shown in table] == [False] + [True] * len(running)


def clocks(shown: list[str]) -> set[str]:
    """Return what tables of a run say of the time that it has taken."""
    return {line.split("steps")[-1] for text in shown for line in text.split("\n") if "of 1 steps" in line}


def _wait_for_two_clocks(notebook: Notebook) -> None:
    """Let the step end when its table has been shown at two times, or after a long while."""
    INSIDE.busy = True  # the step is alone in asking for this file
    end = time.monotonic() + 30
    while len(clocks(texts([*notebook.shell.display_pub.outputs]))) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    Path("seen").touch()


def test_the_line_says_what_a_store_is_waiting_for(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_PATIENCE", 0.1)
    monkeypatch.setattr(calls, "_FROM", 0.0)
    real = LocalArtifactStore.put_all

    def slow(self: LocalArtifactStore, blobs: Any) -> list[str]:
        with calls.long_call("writing to s3://team", total=100) as call:
            call.moved = 40
            time.sleep(0.8)
            return real(self, blobs)

    monkeypatch.setattr(LocalArtifactStore, "put_all", slow)
    (ran,) = notebook.run("%%step slow\nx = bytes(100_000)")
    *line, _ = texts(ran.displays)
    assert any("writing to s3://team (40%)" in text for text in line), texts(ran.displays)


@pytest.mark.parametrize("stack", [(), QUICK_STACK], ids=["in the kernel", "in threads"])
def test_a_step_that_takes_long_has_a_line_while_it_runs_and_only_its_status_line_at_the_end(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, stack: tuple[str, ...]
) -> None:
    monkeypatch.setattr(live, "_PATIENCE", 0.1)
    notebook.run(*stack)
    (ran,) = notebook.run(f"%%step slow\n{SLOW}\nx = 1")
    *line, status = texts(ran.displays)
    assert line
    assert all(text.startswith("◌ slow  running") for text in line)
    assert all(re.search(r"at \d\d:\d\d:\d\d$", text) for text in line)
    assert status.startswith("✔ slow  completed")
    # The status line takes the place of the line, so that no empty output is left in the file.
    assert len({shown["transient"]["display_id"] for shown in ran.displays}) == 1
    assert [shown["update"] for shown in ran.displays] == [False] + [True] * len(line)
    (again,) = notebook.run(f"%%step slow\n{SLOW}\nx = 1")
    assert texts(again.displays)[-1].startswith("● slow  cached")
    assert "running" not in "".join(texts(again.displays))


LATE = "import time\nprint('early')\ntime.sleep(0.6)\nprint('late')\ntime.sleep(0.3)\n"


def events_of(notebook: Notebook, cell: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a frontend is asked to show, in order, and to clear; last what was printed."""
    asked: list[str] = []
    capture = notebook.shell.zennb_step.capture
    publish, show = capture._publish, notebook.shell._showtraceback

    def published(data: Any, *args: Any, **more: Any) -> None:
        asked.append(("update " if more.get("update") else "") + data.get("text/plain", ""))
        publish(data, *args, **more)

    def failed(kind: Any, value: Any, lines: Any) -> None:
        notebook.shell._last_traceback = lines  # as ipykernel's shell does
        asked.append(kind.__name__)
        show(kind, value, lines)

    monkeypatch.setattr(capture, "_publish", published)
    monkeypatch.setattr(capture, "_clear", lambda wait: asked.append(f"clear {wait}"))
    monkeypatch.setattr(notebook.shell, "_showtraceback", failed)
    out = notebook.cell(cell).out
    return [*asked, out]


@pytest.mark.parametrize("stack", [(), QUICK_STACK], ids=["in the kernel", "in threads"])
def test_what_is_shown_below_the_line_is_shown_again_without_it(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, stack: tuple[str, ...]
) -> None:
    monkeypatch.setattr(live, "_PATIENCE", 0.1)
    notebook.run(*stack)
    *asked, out = events_of(notebook, f"%%step slow\n{LATE}x = 1", monkeypatch)
    place = asked.index("clear True")
    assert all("slow  running" in each for each in asked[:place])
    (status,) = asked[place + 1 :]
    assert status.startswith("✔ slow  completed")
    assert out == "early\nlate\n" * 2  # the frontend shows only what came after the clearing


def test_of_a_step_that_fails_late_the_traceback_is_shown_again_too(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_PATIENCE", 0.1)
    *asked, _out = events_of(notebook, f"%%step slow\n{LATE}1 / 0", monkeypatch)
    place = asked.index("clear True")
    assert "ZeroDivisionError" in asked[:place]
    assert asked[place + 1] == "ZeroDivisionError"
    assert asked[place + 2].startswith("✘ slow  failed")
    assert len(asked) == place + 3


def test_long_output_is_not_shown_again(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_PATIENCE", 0.1)
    monkeypatch.setattr(live, "_MOST_REPEATED", 5)
    *asked, _out = events_of(notebook, f"%%step slow\n{LATE}x = 1", monkeypatch)
    assert "clear True" not in asked
    assert asked[-2] == "update "


def test_a_quick_step_has_its_status_line_only(notebook: Notebook) -> None:
    (ran,) = notebook.run("%%step quick\nx = 1")
    assert len(ran.displays) == 1


def test_many_steps_leave_one_thread_and_nothing_that_goes_on(notebook: Notebook) -> None:
    for number in range(12):
        notebook.run(f"%%step s{number}\nx{number} = {number}")
    assert [thread.name for thread in threading.enumerate()].count("zennb-live") <= 1
    assert notebook.shell.zennb_step.monitor.runs == []
    notebook.stop()
    assert "zennb-live" not in [thread.name for thread in threading.enumerate()]
    notebook.start()


@pytest.mark.parametrize("cell", ["%%step endless\n{body}", "%pipeline run --rerun"])
def test_what_runs_is_known_and_can_be_interrupted_from_another_thread(notebook: Notebook, cell: str) -> None:
    body = "import time\nfor _ in range(rounds): time.sleep(0.05)\nx = 1"
    notebook.run("rounds = 1", f"%%step endless\n{body}", "rounds = 2000")
    session = notebook.shell.zennb_step
    seen: list[list[str]] = []

    def watch() -> None:
        until = time.monotonic() + 30
        while not session.monitor.runs and time.monotonic() < until:
            time.sleep(0.01)
        seen.append([name for going in session.monitor.runs for name in going.steps])
        time.sleep(0.1)
        interrupt()

    thread = threading.Thread(target=watch)
    thread.start()
    ran = notebook.cell(cell.format(body=body))
    thread.join()
    assert isinstance(ran.error, KeyboardInterrupt)
    assert seen == [["endless"]]
    assert session.monitor.runs == []
    metadata = session.workspace.metadata
    assert metadata.runs(limit=1)[0].status.value == "interrupted"


def test_a_step_that_takes_more_than_a_moment_is_on_record_while_it_runs(notebook: Notebook) -> None:
    value_digest = "seen = [(run.id, run.status.value) for run in zennb.runs()]"
    notebook.run("import time, zennb", f"%%step slow\ntime.sleep(0.3)\n{value_digest}")
    ((number, status),) = notebook.ns["seen"]
    assert status == "running"
    notebook.run(value_digest)
    assert notebook.ns["seen"] == [(number, "completed")]


def test_a_step_of_a_moment_is_recorded_once_at_its_end(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cellrun, "MAX_LOST_SECONDS", 0.5)  # a moment, for a machine that is busy
    value_digest = "seen = [run.status.value for run in zennb.runs()]"
    notebook.run("import time, zennb", f"%%step quick\n{value_digest}")
    assert notebook.ns["seen"] == []
    time.sleep(0.6)
    notebook.run(value_digest)
    assert notebook.ns["seen"] == ["completed"]


def test_a_run_that_could_not_be_recorded_when_it_began_is_recorded_when_it_ends(notebook: Notebook) -> None:
    notebook.run("import sqlite3, time")
    database = notebook.shell.zennb_step.workspace.metadata._database
    notebook.ns["path"], database.deadline = str(database.path), 0.1
    hold = "other = sqlite3.connect(path, isolation_level=None)\n_ = other.execute('BEGIN IMMEDIATE')"
    free = "_ = other.execute('ROLLBACK')\nother.close()\ndel other"
    (ran,) = notebook.run(f"%%step s --no-cache\n{hold}\ntime.sleep(0.5)\n{free}\nx = 1")
    assert ran.status == "completed"
    metadata = notebook.shell.zennb_step.workspace.metadata
    (run,) = metadata.runs()
    assert (run.status.value, [step.name for step in metadata.steps(run.id)]) == ("completed", ["s"])


def test_what_a_step_prints_in_its_first_moment_is_seen_once_it_is_looked_at(notebook: Notebook) -> None:
    seen: list[str] = []
    monitor = notebook.shell.zennb_step.monitor
    notebook.ns["look"] = lambda: seen.extend(
        text for going in monitor.runs for text in going.tails().values()
    )
    notebook.run("import time", "%%step s\nprint('at once')\ntime.sleep(0.4)\nlook()")
    assert seen == ["at once"]
