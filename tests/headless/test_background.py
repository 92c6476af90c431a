"""Notebook files that are run in the background: as they were, without whoever started them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from zennb.commands.dispatch import run as run_command
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context
from zennb.core.records.metrics import Metric
from zennb.engine.background.live_curves import read_curves
from zennb.engine.background.run_files import RunFiles
from zennb.errors import BrokenNotebook, UnknownName, ZennbError
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

GATE = "from pathlib import Path\nimport time\nwhile not Path('gate').exists():\n    time.sleep(0.02)"
CELLS = (
    "%load_ext zennb",
    "depth = 2\nprint('plain', depth)",
    f"{GATE}\n",
    "%%step double\nprint('in a step')\ntwice = depth * 2",
    "password = 'c4nary-7f3a-91'\nprint(password, twice)",
)


def written(*cells: str, name: str = "study.ipynb") -> Path:
    path = Path(name)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells]), path)
    return path


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    for name in ("IPYTHONDIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    found = Workspace(tmp_path / "home")
    yield found
    for run in found.metadata.runs(status="running"):
        os.kill(run.process, signal.SIGKILL)
    found.close()


@pytest.fixture
def command(workspace: Workspace) -> Any:
    def typed(*words: str) -> Any:
        return run_command(words, Context(interface=Interface.TERMINAL, opener=lambda _start: workspace))

    return typed


def test_a_notebook_runs_as_it_was_and_is_followed_to_its_end(
    workspace: Workspace, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    written(*CELLS)
    outcome = command("run", "study.ipynb", "--background", "-p", "depth=5", "-o", "done.ipynb")
    assert outcome.view.text.startswith("◌ run 1 began in the background at ")
    assert " (double); `zennb runs attach 1` shows" in outcome.view.text
    assert outcome.data["status"] == "running"
    written("1 / 0")  # what happens to the file does not reach the run
    assert "· double" in command("runs", "list").view.text
    Path("gate").touch()
    outcome = command("runs", "attach", "1")
    shown = capsys.readouterr().out
    assert outcome.code == 0
    assert "run 1 completed in the background" in outcome.view.text
    places = [shown.find(part) for part in ("plain 2\n", "in a step\n", "✔ double  completed", "•••• 10\n")]
    assert -1 < places[0] < places[1] < places[2] < places[3], shown
    assert workspace.metadata.steps(1)[0].name == "double"
    assert Path("done.ipynb").exists()
    for file in (workspace.home / "background").iterdir():
        assert b"c4nary" not in file.read_bytes(), file
    assert command("runs", "attach", "1").view.text == outcome.view.text
    assert capsys.readouterr().out == shown


def test_a_failing_notebook_and_one_that_is_stopped(
    workspace: Workspace, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    written("%load_ext zennb", "%%step bad\n1 / 0")
    command("run", "study.ipynb", "--background")
    outcome = command("runs", "attach", "1")
    assert outcome.code == 1
    assert "`zennb runs attach 1` shows why" in outcome.view.text
    assert "ZeroDivisionError" in capsys.readouterr().out
    waits = f"import zennb\nzennb.log(loss=0.5, step=7)\nprint('waits')\n{GATE}"
    written("%load_ext zennb", "%%step good\nx = 1", f"%%step endless\n{waits}")
    command("pipeline", "run", "study.ipynb", "--background")
    log = workspace.home / "background" / "run-2.jsonl"
    deadline = time.monotonic() + 120
    while "waits" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while not (curves := read_curves(RunFiles(workspace.home, 2))):  # those of steps that run now
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert curves == {"endless": {"loss": Metric(last=0.5, points=((7, 0.5),))}}
    outcome = command("runs", "stop", "2")
    assert "run 2 interrupted in the background" in outcome.view.text
    assert "what 1 step made stays" in outcome.view.text
    found = workspace.metadata.run(2)
    assert found is not None
    assert found.status.value == "interrupted"


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        (["nothing.ipynb"], UnknownName, "no notebook"),
        (["study.ipynb", "-p", "nope=1"], UnknownName, "no parameter 'nope'"),
        (["study.ipynb", "--stack", "nope"], UnknownName, "no stack 'nope'"),
        (["broken.ipynb"], BrokenNotebook, "broken.ipynb"),
    ],
)
def test_what_is_wrong_is_said_at_once(
    workspace: Workspace, command: Any, words: list[str], error: type[ZennbError], sentence: str
) -> None:
    written(*CELLS)
    Path("broken.ipynb").write_text("{")
    with pytest.raises(error, match=sentence):
        command("run", *words, "--background")
    assert workspace.metadata.runs() == []
