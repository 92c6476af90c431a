"""Magic and shell lines inside steps: replayed, executed again, or a reason to run the step every time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


def test_a_timing_is_shown_again_as_it_was(notebook: Notebook) -> None:
    text = "%%step s\n%time x = sum(range(1000))\nx"
    (first,) = notebook.run(text)
    notebook.restart()
    (again,) = notebook.run(text)
    assert (first.status, again.status) == ("completed", "cached")
    assert "Wall time" in first.out
    assert again.out == first.out


def test_a_shell_line_runs_every_time_and_the_status_says_why(notebook: Notebook, tmp_path: Path) -> None:
    text = "%%step s\nlisted = !ls -d *.txt\nlisted"
    (tmp_path / "a.txt").touch()
    (first,) = notebook.run(text)
    (tmp_path / "b.txt").touch()
    (again,) = notebook.run(text)
    why = "it runs `listed = !ls -d *.txt`, whose effects cannot be seen"
    assert first.reason == "first run"
    assert why in first.displays[-1]["data"]["text/plain"]
    assert (again.status, again.reason) == ("completed", f"not cacheable: {why}")
    assert list(notebook.ns["listed"]) == ["a.txt", "b.txt"]


@pytest.mark.parametrize("line", ["%who", "%run other.py", "%mine"])
def test_so_does_a_magic_that_nobody_knows(notebook: Notebook, tmp_path: Path, line: str) -> None:
    (tmp_path / "other.py").write_text("print('ran')")
    notebook.run(
        "from IPython.core.magic import register_line_magic\n@register_line_magic\ndef mine(line): ..."
    )
    first, again = notebook.run(f"%%step s\n{line}", f"%%step s\n{line}")
    assert (first.status, again.status) == ("completed", "completed")
    assert again.reason == f"not cacheable: it runs `{line}`, whose effects cannot be seen"


def test_a_helper_with_a_shell_line_makes_its_callers_run(notebook: Notebook) -> None:
    notebook.run("def tell():\n    !echo told")
    first, again = notebook.run("%%step s\ntell()\nx = 1", "%%step s\ntell()\nx = 1")
    assert (first.status, again.status) == ("completed", "completed")
    assert again.reason == "not cacheable: `tell` runs `!echo told`, whose effects cannot be seen"


def test_settings_are_made_again_on_reuse_and_shown_once(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RULE", raising=False)
    (tmp_path / "data").mkdir()
    text = "%%step settings\nimport math\n%precision 3\n%env RULE=14\n%cd data\nmath.pi"
    (first,) = notebook.run(text)
    notebook.restart()
    monkeypatch.delenv("RULE")
    monkeypatch.chdir(tmp_path)
    (again,) = notebook.run(text)
    assert (first.status, again.status) == ("completed", "cached")
    assert again.out == first.out
    assert again.out.count("env: RULE=14") == 1
    assert os.environ["RULE"] == "14"
    assert Path.cwd() == tmp_path / "data"
    (shown,) = notebook.run("2 * math.pi")
    assert "6.283\n" in shown.out
    assert notebook.shell.display_formatter.formatters["text/plain"].float_precision == "3"


def test_settings_and_definitions_are_made_in_their_order(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "beside.py").write_text("print('imported')\nVALUE = 7")
    notebook.run("import sys\nif '' not in sys.path: sys.path.insert(0, '')")
    text = "%%step s\n%cd lib\nimport beside\n%cd ..\nx = beside.VALUE"
    (first,) = notebook.run(text)
    notebook.restart()
    notebook.run("import sys\nsys.modules.pop('beside')\nif '' not in sys.path: sys.path.insert(0, '')")
    (again,) = notebook.run(text)
    assert (first.status, again.status) == ("completed", "cached"), again.reason
    assert again.out == first.out
    assert again.out.count("imported") == 1
    assert Path.cwd() == tmp_path


def test_a_setting_under_a_condition_runs_every_time(notebook: Notebook) -> None:
    text = "%%step s\nx = 1\nif x:\n    %precision 4"
    _, again = notebook.run(text, text)
    assert again.reason == "not cacheable: it sets something with `%precision 4`"


@pytest.mark.parametrize(
    ("code", "use"), [("(x,) = map(eval, 'K')", "eval"), ("x = globals()['K']", "globals()")]
)
def test_what_reading_cannot_see_through_runs_every_time(notebook: Notebook, code: str, use: str) -> None:
    notebook.run("K = 1", f"%%step s\n{code}", "K = 2")
    (again,) = notebook.run(f"%%step s\n{code}")
    assert (again.status, again.reason) == ("completed", f"not cacheable: it uses `{use}`")
    assert notebook.ns["x"] == 2


SHELL = {
    "a wildcard": ("!ls *.csv", {"b.csv": "2"}),
    "a wildcard in a folder's name": ("!cat d*/x.txt", {"d2/x.txt": "2"}),
    "a file that a wildcard finds": ("!cat *.csv", {"a.csv": "3,1"}),
    "a pipe": ("!cat a.csv | wc -l", {"a.csv": "1\n2\n3\n"}),
    "a pattern": ("!grep -c 1 a.csv", {"a.csv": "1\n1\n"}),
    "a folder that is counted": ("!ls | wc -l", {"more": ""}),
}
"""What it is → a line, and the files that change what it prints."""


@pytest.mark.parametrize("kind", SHELL)
def test_a_shell_line_that_only_reads_is_replayed_until_what_it_reads_changes(
    notebook: Notebook, tmp_path: Path, kind: str
) -> None:
    line, edit = SHELL[kind]
    for name, text in {"a.csv": "1\n", "d1/x.txt": "1"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    notebook.shell.system = notebook.shell.system_piped  # as in a kernel
    (first, again) = notebook.run(f"%%step s\n{line}", f"%%step s\n{line}")
    assert again.status == "cached", again.reason
    assert again.out == first.out
    for name, text in edit.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (edited,) = notebook.run(f"%%step s\n{line}")
    assert edited.status == "completed"
