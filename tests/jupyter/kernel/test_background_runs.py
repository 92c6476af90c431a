"""Runs in a process of their own are started, followed, stopped and found again; afterwards they are cached."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.background import GATE, PATIENCE, ended, opened, run_of, said, until
from zennb import api
from zennb.core.records.records import Status
from zennb.metadata.processes import is_alive

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran

pytestmark = pytest.mark.usefixtures("no_run_left")

STEP = "%%step train --background\nprint('training')\nmodel = double(xs)\nmodel.sum()"
PLAIN = "import numpy as np\nxs = np.arange(5)\nfactor = 3\ndef double(x):\n    return x * factor"


def test_a_step_in_the_background_is_cached_afterwards(notebook: Notebook) -> None:
    notebook.run(PLAIN)
    (started,) = notebook.run(STEP)
    assert (started.status, started.facts["run"], started.out) == ("running", 1, "")
    assert "  started  (first run; in the background at " in said(started)
    assert "`%runs attach 1`" in started.reason
    assert ended() == "completed"
    (plain,) = notebook.run("print(model.tolist())")
    assert plain.out == "[0, 3, 6, 9, 12]\n"
    assert "run 1 completed in the background" in said(plain)
    assert "→ model" in said(plain)
    assert said(notebook.run("1")[0]) == ""  # it is said once
    (again,) = notebook.run(STEP)
    assert (again.status, again.out) == ("cached", "training\nOut[5]: np.int64(30)\n")
    notebook.restart()
    notebook.run(PLAIN)
    (later,) = notebook.run(STEP.replace(" --background", ""))
    assert (later.status, later.out) == ("cached", "training\nOut[2]: np.int64(30)\n")


def test_attach_shows_what_comes_and_then_binds_it(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path")
    body = (
        "import sys\nfrom IPython.display import HTML, display\nprint('first')\ndisplay(HTML('<b>x</b>'))\n"
    )
    notebook.run(f"%%step s --background\n{body}{GATE}print('second', file=sys.stderr)\ny = 3\ny")
    until('"text":"first')
    (progress,) = notebook.run("%runs list")
    assert "◌ s" in said(progress)
    opened()
    (ran,) = notebook.run("%runs attach 1")
    assert "first\n" in ran.out
    assert "second\n" in ran.err
    assert any(shown["data"].get("text/html") == "<b>x</b>" for shown in ran.displays)
    assert "✔ s  completed" in said(ran)
    assert "run 1 completed in the background" in said(ran)
    assert notebook.ns["y"] == 3
    (after,) = notebook.run("%runs attach 1")
    assert (after.out, after.err) == (ran.out, ran.err)
    (data,) = notebook.run("%runs attach 1 --json")
    found = data.displays[-1]["data"]
    assert "second" in str(found)
    assert data.out == ""


def line_of(started: Ran, later: Ran) -> str:
    """Return what a later cell has made of the line of a step that was started in the background."""
    (place,) = [each["transient"]["display_id"] for each in started.displays]
    (line,) = [each for each in later.displays if (each["transient"] or {}).get("display_id") == place]
    assert line["update"]
    assert line["metadata"]["zennb"]["status"] != "running"
    return str(line["data"]["text/plain"])


def test_the_cell_of_the_step_shows_what_it_showed_and_how_it_ended(notebook: Notebook) -> None:
    _, started = notebook.run(PLAIN, STEP)
    assert ended() == "completed"
    (later,) = notebook.run("1")
    line = line_of(started, later)
    assert line.startswith("training\nnp.int64(30)\n✔ train  completed"), line
    assert line.rstrip().endswith("→ model  (first run)"), line


def test_the_cell_of_a_step_that_failed_shows_why(notebook: Notebook) -> None:
    (started,) = notebook.run("%%step wrong --background\nprint('begun')\nratio = 1 / 0")
    assert ended() == "failed"
    line = line_of(started, notebook.cell("1"))
    assert line.startswith("begun\n"), line
    assert line.count("ZeroDivisionError: division by zero") == 1
    assert "✘ wrong  failed" in line


def test_the_cell_of_a_step_whose_process_was_killed_does_not_say_running(notebook: Notebook) -> None:
    _, started = notebook.run("import time\nfrom pathlib import Path", f"%%step s --background\n{GATE}y = 1")
    os.kill(run_of(1).process, signal.SIGKILL)
    assert ended() == "interrupted"
    assert "s  interrupted" in line_of(started, notebook.cell("1"))


def test_attach_without_a_number_takes_the_only_run_that_goes_on(notebook: Notebook) -> None:
    refused = notebook.cell("%runs attach")
    assert "%runs attach: no run is in the background now" in str(refused.error)
    cells = [f"%%step {name} --background\n{GATE}{name}1 = 1" for name in ("a", "b")]
    notebook.run("import time\nfrom pathlib import Path", cells[0])
    opened()
    assert "✔ run 1 completed in the background" in said(notebook.run("%runs attach")[0])
    Path("gate").unlink()
    notebook.run(*(f"%%step {name} --background\n{GATE}{name}1 = 2" for name in ("a", "b")))
    refused = notebook.cell("%runs attach")
    assert "runs 3 and 2 are in the background; type `%runs attach 3` for one of them." in str(refused.error)
    opened()
    assert (ended(2), ended(3)) == ("completed", "completed")


def test_attach_shows_a_run_that_was_none_in_the_background(notebook: Notebook) -> None:
    notebook.run("%%step s\nprint('here')\ny = 1")
    assert "here" in said(notebook.run("%runs attach 1")[0])


def test_a_run_is_stopped_and_what_had_finished_stays(notebook: Notebook) -> None:
    Path("gate").touch()
    notebook.run("import time\nfrom pathlib import Path")
    notebook.run("%%step a\nx = 1", f"%%step b\n{GATE}y = x + 1")
    Path("gate").unlink()
    notebook.run("%pipeline run --background --rerun")
    number = api.workspace().metadata.runs(kind="pipeline")[0].id
    assert number is not None
    until('"step":"b","status":"running"', number)
    (ran,) = notebook.run(f"%runs stop {number}")
    assert "interrupted" in said(ran)
    states = {step.name: step.status.value for step in api.workspace().metadata.steps(number)}
    assert states == {"a": "completed", "b": "interrupted"}
    assert "has ended already" in said(notebook.run(f"%runs stop {number}")[0])
    error = notebook.cell("%runs stop 1").error
    assert error is None  # a session that does not run


def test_stop_without_a_number_takes_the_only_run_and_its_end_is_said_once(notebook: Notebook) -> None:
    assert "no run is in the background now; there is none to end." in str(notebook.cell("%runs stop").error)
    notebook.run("import time\nfrom pathlib import Path", f"%%step s --background\nprint('go')\n{GATE}y = 1")
    until('"text":"go')
    stopped, later = notebook.run("%runs stop", "1")
    assert said(stopped).count("run 1 interrupted in the background") == 1
    assert said(later) == ""


def test_a_run_whose_process_was_killed_is_interrupted(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path", f"%%step s --background\n{GATE}y = 1")
    os.kill(run_of(1).process, signal.SIGKILL)
    assert ended() == "interrupted"
    (ran,) = notebook.run("print('y' in globals())")
    assert ran.out == "False\n"
    assert "run 1 interrupted in the background" in said(ran)
    assert "interrupted" in said(notebook.run("%runs")[0])
    opened()
    notebook.run(f"%%step s --background\n{GATE}y = 1")
    assert ended(2) == "completed"


def test_a_run_of_before_the_machine_was_restarted_is_interrupted(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path", f"%%step s --background\n{GATE}y = 1")
    process = run_of(1).process
    with closing(sqlite3.connect(api.workspace().home / "metadata.db")) as database, database:
        changed = database.execute("UPDATE run_processes SET mark = 'another start of the system/1'")
        assert changed.rowcount == (1 if sys.platform == "linux" else 0)
    notebook.restart()
    if sys.platform == "linux":
        assert "interrupted" in said(notebook.run("%runs list")[0])
        assert "has ended already" in said(
            notebook.run("%runs stop 1")[0]
        )  # another process has that number now
    os.kill(process, 0)
    os.kill(process, signal.SIGKILL)


def test_what_a_crash_says_is_shown(notebook: Notebook) -> None:
    notebook.run("%%step s --background\nimport os, faulthandler\nos.write(2, b'out of luck')\nos.abort()")
    assert ended() == "interrupted"
    (ran,) = notebook.run("%runs attach 1")
    assert "out of luck" in ran.err
    assert "Fatal Python error" in ran.err


def test_reloading_the_extension_forgets_no_run(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path", f"%%step s --background\n{GATE}y = 1")
    notebook.run("%reload_ext zennb")
    opened()
    assert ended() == "completed"
    assert notebook.run("y")[0].result == 1


def test_two_runs_at_once(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path")
    notebook.run(f"%%step one --background\n{GATE}a = 1", f"%%step two --background\n{GATE}b = 2")
    assert [run.status.value for run in api.workspace().metadata.runs()] == ["running", "running"]
    opened()
    assert (ended(1), ended(2)) == ("completed", "completed")
    assert notebook.run("a + b")[0].result == 3


def test_a_step_that_runs_already_is_not_started_again(notebook: Notebook) -> None:
    cell = f"%%step s --background\n{GATE}y = z = 1\ndef f():\n    return 2"
    notebook.run("import time\nfrom pathlib import Path", cell)
    notebook.restart()
    notebook.run("import time\nfrom pathlib import Path\nz = 'mine'")
    (again,) = notebook.run(cell)
    assert (again.status, again.facts["run"]) == ("running", 1)
    assert "`y` is being made by run 1 in the background" in notebook.cell("%%step reader\nw = y").reason
    opened()
    assert ended() == "completed"
    (ran,) = notebook.run("print(y, z, f())")  # the kernel that found it binds what it made
    assert ran.out == "1 mine 2\n"
    assert "`z` is bound already" in said(ran)


def test_a_cell_that_reads_what_is_not_there_yet_says_which_run_makes_it(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path", f"%%step s --background\n{GATE}y = 1")
    ran = notebook.cell("%%step reader\nz = y")
    assert "`y` is being made by run 1 in the background" in ran.reason
    opened()
    assert ended() == "completed"
    assert notebook.run("%%step reader\nz = y")[0].status == "completed"


def test_a_pipeline_of_which_one_step_fails(notebook: Notebook) -> None:
    notebook.run(
        "ok = True", "%%step load\nrows = [1, 2]", "%%step train\nassert ok, 'no'\nmodel = sum(rows)"
    )
    notebook.run("%%step count\nn = len(rows)")
    notebook.run("ok = False", "del rows, model, n")
    (started,) = notebook.run("%pipeline run --background --rerun")
    number = api.workspace().metadata.runs(kind="pipeline")[0].id
    assert number is not None
    assert f"run {number} began in the background" in said(started)
    assert ended(number) == "failed"
    states = {step.name: step.status.value for step in api.workspace().metadata.steps(number)}
    assert states == {"load": "completed", "train": "failed", "count": "completed"}
    (ran,) = notebook.run("print(rows, n, 'model' in globals())")
    assert ran.out == "[1, 2] 2 False\n"
    assert "step 'train' failed" in said(ran)
    (attached,) = notebook.run(f"%runs attach {number}")
    assert "AssertionError" in said(attached)
    notebook.run("ok = True")
    assert notebook.run("%%step load\nrows = [1, 2]")[0].status == "cached"


def test_a_pipeline_with_parameters_and_steps_that_feed_each_other(notebook: Notebook) -> None:
    notebook.run("depth = 2", "%%step a\nx = [depth]", "%%step b\nx.append(1)", "%%step c\ny = sum(x)")
    notebook.run("%pipeline run --background -p depth=5")
    number = api.workspace().metadata.runs(kind="pipeline")[0].id
    assert number is not None
    assert ended(number) == "completed"
    assert run_of(number).parameters == {"depth": "5"}
    assert notebook.run("x, y, depth")[0].result == ([5, 1], 6, 2)
    notebook.run("%pipeline run -p depth=5")
    assert api.workspace().metadata.runs(kind="pipeline")[0].status is Status.CACHED


def test_the_files_of_a_run_go_with_its_record(notebook: Notebook) -> None:
    notebook.run("%%step s --background\ny = 1")
    assert ended() == "completed"
    notebook.run("%%step t\nz = 1")
    deadline = time.monotonic() + PATIENCE
    while is_alive(run_of(1).process, since=run_of(1).started):  # it closes its files
        assert time.monotonic() < deadline
        time.sleep(0.05)
    notebook.run("%runs delete 1 --yes")
    assert list((api.workspace().home / "background").iterdir()) == []


def test_headless_it_is_no_background_run(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENNB_RUNNING", '["/study.ipynb"]')
    assert notebook.run("%%step s --background\ny = 1")[0].status == "completed"
    notebook.run("%pipeline run --background")
    assert api.workspace().metadata.runs(kind="pipeline")[0].status is Status.CACHED


def test_the_functions_for_code(notebook: Notebook) -> None:
    notebook.run("import zennb, time\nfrom pathlib import Path", "%%step s\nprint('made')\ny = 1")
    notebook.run("run = zennb.run(rerun=True, background=True)")
    assert notebook.run("run.status.value, dict(run.names)")[0].result == ("running", {})
    (ran,) = notebook.run("done = run.attach()\ndone.status.value")
    assert ran.result == "completed"
    assert "made\n" in ran.out
    notebook.run(f"%%step w --background\n{GATE}z = 1")
    assert notebook.run("dict(zennb.runs()[0].names)")[0].result in ({"w": "waiting"}, {"w": "running"})
    assert notebook.run("zennb.runs()[0].stop().status.value")[0].result == "interrupted"
