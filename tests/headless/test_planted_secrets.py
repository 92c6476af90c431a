"""A secret that is handed to a notebook file is neither in the executed file nor in the home nor in what is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from tests.jupyter.planted import forms, found_in_files, found_in_tables
from zennb.commands.dispatch import run as run_command
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context
from zennb.headless.execute import execute
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.kernel

VALUE = "c4nary-7f3a9b21<&>'x"
CELLS = (
    "%load_ext zennb",
    "password = 'none'",
    "%secret set TEAM",
    "%%step log_in\nsession = len(password)",
    "%%step ask\nraise ConnectionError('401 for https://me:' + password + '@example.org')",
    "%runs show 1",
    "import zennb\nboard = zennb.Dashboard()\nboard",
    "for button in board.pages.buttons.values():\n    button.click()",
    "%%step tell --notify team\nraise ValueError(password)",
    "from zennb.components.secret import Secret\nSecret('env:TEAM_ADDRESS').reveal() and None",
    "raise ValueError(Secret('env:TEAM_ADDRESS').reveal())",
)


def test_a_notebook_that_is_run_with_a_secret_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TEAM_ADDRESS", VALUE)
    for name in ("IPYTHONDIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in CELLS]), "study.ipynb"
    )
    opened, said = Workspace(tmp_path / "home"), list[str]()

    def typed(*words: str) -> Any:
        context = Context(interface=Interface.TERMINAL, opener=lambda _start: opened, say=said.append)
        return run_command(words, context)

    typed("alerter", "register", "team", "--flavor=local")
    execution = execute(
        "study.ipynb",
        parameters={"password": VALUE},
        out="done.ipynb",
        allow_errors=True,
        workspace=opened,
        on_step=lambda line: said.append(repr(line)),
    )
    said.append(repr(execution))
    outcomes = [typed("run", "study.ipynb", "-p", f"password={VALUE}", "-o", "failed.ipynb", "--json")]
    outcomes += [
        typed(*words.split(), "--json") for words in ("runs list", "runs show 1", "runs logs 1", "sync")
    ]
    opened.close()
    done = nbformat.read("done.ipynb", as_version=4)
    by_source = {cell.source: json.dumps(cell.outputs) for cell in done.cells}
    assert "Nobody can be asked for a secret here" in by_source["%secret set TEAM"]
    assert "ValueError" in by_source[CELLS[-1]]
    told = json.dumps(
        [said, *([each.view.text, each.view.html, each.data] for each in outcomes)], default=str
    )
    assert not [form for form in forms(VALUE) if form in told.encode()]
    assert found_in_tables(tmp_path, VALUE) == []
    assert found_in_files(tmp_path, VALUE) == []
