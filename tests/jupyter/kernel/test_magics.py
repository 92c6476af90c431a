"""The line magics in a real shell, and the same lines in the terminal."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from zennb import cli
from zennb.errors import (
    InUse,
    InvalidConfiguration,
    NameTaken,
    UnfitStack,
    UnknownName,
    UsageError,
    ZennbError,
)
from zennb.jupyter.kernel.magics import register, unregister

if TYPE_CHECKING:
    from pathlib import Path

Notebook = Any

GUIDE = (
    "%artifact-store register my_artifact_store --flavor=local",
    "%stack register my_stack -o default -a my_artifact_store",
    "%stack set my_stack",
)


def shown(ran: Any) -> str:
    """The text of what a cell displayed."""
    return "\n".join(each["data"]["text/plain"] for each in ran.displays)


def test_the_words_of_the_guide_activate_a_stack(notebook: Notebook) -> None:
    notebook.run(*GUIDE)
    assert shown(notebook.cell("%stack")).startswith("stack my_stack  ● active")


def test_running_the_guide_again_changes_nothing(notebook: Notebook) -> None:
    notebook.run(*GUIDE)
    again = notebook.run(*GUIDE)
    assert "nothing changed" in shown(again[0])
    assert "nothing changed" in shown(again[1])


def test_what_is_shown_has_html_and_text(notebook: Notebook) -> None:
    (ran,) = notebook.run("%stack list")
    (display,) = ran.displays
    assert "<table" in display["data"]["text/html"]
    assert "default (local)" in display["data"]["text/plain"]
    assert ran.result is None


def test_names_are_escaped_where_they_are_shown(notebook: Notebook) -> None:
    notebook.run("%stack copy default '<img src=x onerror=alert(1)>'")
    (display,) = notebook.cell("%stack list").displays
    assert "<img" not in display["data"]["text/html"]


def test_an_error_under_json_is_shown_as_one_object_and_raised(notebook: Notebook) -> None:
    for line, kind in (("%runs show 99 --json", UnknownName), ("%stack list --jso --json", UsageError)):
        ran = notebook.cell(line)
        (display,) = ran.displays
        found = json.loads(display["data"]["text/plain"])
        assert (found["schema"], found["error"]["type"]) == (1, kind.__name__)
        assert display["data"]["application/vnd.zennb+json"] == found
        assert isinstance(ran.error, kind)
        assert (ran.out.count("\n"), "Traceback" in ran.out + ran.err) == (1, False)


def test_the_steps_of_a_run_are_bounded_in_json(notebook: Notebook) -> None:
    notebook.run("%%step a\nx = 1", "%%step b\ny = x + 1", "%%step c\nz = y + 1")
    (display,) = notebook.cell("%runs show 1 --limit 2 --json").displays
    found = json.loads(display["data"]["text/plain"])
    assert [step["name"] for step in found["data"]["steps"]] == ["a", "b"]
    assert found["cut"] == [{"path": "data.steps", "kept": 2, "of": None, "option": "--limit"}]
    (display,) = notebook.cell("%runs show 1 --json").displays
    found = json.loads(display["data"]["text/plain"])
    assert ([step["name"] for step in found["data"]["steps"]], found["cut"]) == (["a", "b", "c"], [])


def test_a_quote_that_is_never_closed_is_an_object_too(notebook: Notebook) -> None:
    ran = notebook.cell("%stack set 'a --json")
    (display,) = ran.displays
    found = json.loads(display["data"]["text/plain"])
    assert (found["command"], found["error"]["exit_code"]) == ("stack set", 2)
    assert isinstance(ran.error, UsageError)


def test_a_pipeline_run_under_json_shows_nothing_but_the_object(notebook: Notebook) -> None:
    notebook.run("%%step a\nx = 1\nprint('hi')")
    ran = notebook.cell("%pipeline run --rerun --json")
    (display,) = ran.displays
    found = json.loads(display["data"]["text/plain"])
    assert (found["command"], found["data"]["status"], ran.out) == ("pipeline run", "completed", "")
    notebook.cell("%%step a\n1 / 0")
    ran = notebook.cell("%pipeline run --json")
    (display,) = ran.displays
    assert json.loads(display["data"]["text/plain"])["error"]["type"] == "ZeroDivisionError"
    assert isinstance(ran.error, ZeroDivisionError)


def test_json_is_text_that_parses(notebook: Notebook) -> None:
    (ran,) = notebook.run("%stack list --json")
    assert [each["name"] for each in json.loads(shown(ran))["data"]] == ["default"]


def test_names_with_spaces_are_quoted_and_variables_filled_in(notebook: Notebook) -> None:
    notebook.run(
        "name = 'my store'",
        "%artifact-store register '{name}' --flavor=local",
        '%stack register s -o default -a "$name"',
    )
    assert "my store" in shown(notebook.cell("%stack describe s"))


def test_an_unclosed_quotation_is_a_sentence(notebook: Notebook) -> None:
    ran = notebook.cell("%stack set 'my stack")
    assert isinstance(ran.error, UsageError)
    assert str(ran.error).startswith("%stack set 'my stack: no closing quotation")


def test_loading_an_artifact_returns_its_value_and_shows_nothing_else(notebook: Notebook) -> None:
    notebook.run("%%step\nrows = [1, 2]")
    ran = notebook.cell("%artifacts load rows")
    assert (ran.result, ran.displays) == ([1, 2], [])
    notebook.run("taken = %artifacts load rows", "assert taken == [1, 2]")


def test_everything_is_under_one_magic_too(notebook: Notebook) -> None:
    assert shown(notebook.cell("%zennb stack list")) == shown(notebook.cell("%stack list"))
    assert shown(notebook.cell("%zennb version")).startswith("zennb ")
    assert "● active" in shown(notebook.cell("%zennb components"))
    assert "%zennb version" in shown(notebook.cell("%zennb help version"))


def test_a_dash_may_be_an_underscore(notebook: Notebook) -> None:
    assert shown(notebook.cell("%artifact_store list")) == shown(notebook.cell("%artifact-store list"))


@pytest.mark.parametrize(
    "line", ["%stack?", "?%stack", "%artifact-store?", "%artifact_store?", "%zennb?", "%pipeline??"]
)
def test_a_question_mark_shows_help_with_examples(notebook: Notebook, line: str) -> None:
    assert "Examples:" in notebook.cell(line).out


def test_a_mistake_shows_its_sentence_without_frames(notebook: Notebook) -> None:
    ran = notebook.cell("%stack lst")
    assert ran.out + ran.err == "UsageError: %stack lst: no verb 'lst'; did you mean 'list'?\n"


def test_pipelines_runs_and_artifacts_are_shown(notebook: Notebook) -> None:
    notebook.run("k = 2", "%%step load\nrows = [1, k]", "%%step total\ntotal = sum(rows)")
    assert "load → ✔ total" in shown(notebook.cell("%pipeline"))
    assert "✔ fresh" in shown(notebook.cell("%pipeline status"))
    assert "total  fresh: it would be reused" in shown(notebook.cell("%pipeline explain total"))
    assert "made by load (run 1)" in shown(notebook.cell("%artifacts lineage total"))
    assert "2 completed" in shown(notebook.cell("%runs show 1"))
    assert "2 of 2 steps" in shown(notebook.cell("%pipeline run -p k=5"))
    assert notebook.cell("%artifacts load total").result == 6


def test_a_magic_in_a_function_and_from_code_works(notebook: Notebook) -> None:
    notebook.run("get_ipython().run_line_magic('stack', 'list')", "if True:\n    %stack list")


def test_the_shell_is_left_as_it_was(notebook: Notebook) -> None:
    unregister(notebook.shell)
    before = dict(notebook.shell.magics_manager.magics["line"])
    transforms = list(notebook.shell.input_transformer_manager.cleanup_transforms)
    register(notebook.shell, None)
    register(notebook.shell, None)
    assert {"stack", "artifact-store", "artifact_store", "zennb"} <= set(
        notebook.shell.magics_manager.magics["line"]
    )
    unregister(notebook.shell)
    assert notebook.shell.magics_manager.magics["line"] == before
    assert notebook.shell.input_transformer_manager.cleanup_transforms == transforms


# One for each kind of error and of command. What each command refuses is tested with the command.
REFUSALS: list[tuple[str, type[ZennbError], str]] = [
    ("stack set my_stak", UnknownName, "no stack 'my_stak'; did you mean 'my_stack'?"),
    (
        "artifact-store register x --flavor=lokal",
        UnknownName,
        "no artifact store flavor 'lokal'; did you mean 'local'?",
    ),
    ("orchestrator register x --flavor=threads --worker=2", InvalidConfiguration, "did you mean `workers`?"),
    ("artifact-store register my_artifact_store --flavor=memory", NameTaken, "flavor: local → memory"),
    ("stack delete my_stack", InUse, "stack 'my_stack' is active; activate another one first"),
    ("stack lst", UsageError, "stack lst: no verb 'lst'; did you mean 'list'?"),
    ("stack set", UsageError, "stack set: NAME is missing; type"),
    ("artifacts load model", UnknownName, "no artifact 'model'; there are none yet."),
    ("artifacts show model --version new", UsageError, "--version takes a whole number, not 'new'."),
    ("zennb trust model", UnknownName, "no artifact 'model'; there are none yet."),
    ("zennb versoin", UsageError, "zennb: no command 'versoin'; did you mean 'version'?"),
]


@pytest.mark.parametrize(("line", "kind", "sentence"), REFUSALS, ids=[line for line, _, _ in REFUSALS])
def test_a_refusal_is_the_same_sentence_in_cell_and_terminal(
    notebook: Notebook, capsys: pytest.CaptureFixture[str], line: str, kind: type[ZennbError], sentence: str
) -> None:
    notebook.run(*GUIDE)
    ran = notebook.cell(f"%{line}")
    assert type(ran.error) is kind
    assert sentence in str(ran.error)
    assert ran.err + ran.out == f"{kind.__name__}: {ran.error}\n"
    capsys.readouterr()
    code = cli.main(shlex.split(line.removeprefix("zennb ")))
    assert code == (2 if kind is UsageError else 1)
    assert capsys.readouterr() == ("", f"{in_terminal(str(ran.error))}\n")


def in_terminal(sentence: str) -> str:
    """The same sentence with commands spelled as the terminal spells them."""
    return re.sub(r"%(?=[a-z])(?:zennb\b ?)?", "zennb ", sentence).replace("zennb : ", "zennb: ")


def test_a_stack_that_does_not_fit_is_refused_in_cell_and_terminal(
    notebook: Notebook, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from zennb.components.component import Visibility
    from zennb.components.orchestrators.threads import ThreadsOrchestrator

    monkeypatch.setattr(ThreadsOrchestrator, "visibility", Visibility.NETWORK)
    notebook.run("%orchestrator register far --flavor=threads")
    line = "stack register x -o far -a default"
    ran = notebook.cell(f"%{line}")
    assert type(ran.error) is UnfitStack
    assert "stack 'x' does not fit" in str(ran.error)
    capsys.readouterr()
    assert cli.main(line.split()) == 1
    assert "stack 'x' does not fit" in capsys.readouterr().err


@pytest.mark.kernel
def test_a_refusal_stops_a_headless_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    cells = ["%load_ext zennb", "%stack", "%stack set nothing", "reached = True"]
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(document, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
    with pytest.raises(CellExecutionError):
        client.execute()
    outputs = [cell.outputs for cell in document.cells]
    assert "text/html" in outputs[1][0].data
    assert outputs[2][0].ename == "UnknownName"
    assert outputs[2][0].traceback == [
        "UnknownName: no stack 'nothing'; known: default. List them with `%stack list`."
    ]
    assert outputs[3] == []
