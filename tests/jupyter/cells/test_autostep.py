"""Cells that are steps without `%%step`: by a comment, or because every cell is one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from zennb.errors import StepRefused, UsageError
from zennb.jupyter.kernel.extension import load, unload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran


def is_step(ran: Ran) -> bool:
    return any("zennb" in shown["metadata"] for shown in ran.displays)


def test_the_comment_equals_the_magic(notebook: Notebook) -> None:
    body = "total = sum(rows)\nprint('summed')\ntotal"
    notebook.run("rows = [1, 2]")
    (typed,) = notebook.run(f"%%step add -o total\n{body}")
    notebook.restart()
    notebook.run("rows = [1, 2]")
    (commented,) = notebook.run(f"#| step: add -o total\n{body}")
    assert (typed.status, commented.status) == ("completed", "cached")
    assert commented.out.replace("Out[2]", "") == typed.out.replace("Out[2]", "")
    assert notebook.ns["total"] == 3


def test_the_comment_takes_options(notebook: Notebook) -> None:
    notebook.run("from pathlib import Path")
    body = "if not Path('tried').exists():\n    raise OSError(Path('tried').touch())\ndone = 1\nother = 2"
    (ran,) = notebook.run(f"#| label: fig-a\n#| step: stubborn --retries 2 -o done\n\n{body}")
    assert (ran.facts["step"], ran.facts["outputs"]) == ("stubborn", ["done"])


def test_without_a_name_the_first_binding_names_the_step(notebook: Notebook) -> None:
    (bare, colon) = notebook.run("#| step\nfirst = 1", "#| step:\nsecond = 2")
    assert (bare.facts["step"], colon.facts["step"]) == ("first", "second")


def test_a_step_by_comment_stays_as_typed(notebook: Notebook) -> None:
    text = "#| step: s\nx = 1\nx"
    notebook.run(text)
    assert notebook.shell.history_manager.input_hist_raw[-1] == text
    assert notebook.ns["In"][-1] == text
    record = notebook.shell.zennb_hooks.pipeline._session.registry.get("s")
    assert record.source == text


def test_plain_python_reads_the_cell(tmp_path: Path) -> None:
    text = "#| step: train -o model\nmodel = 1\n"
    assert isinstance(ast.parse(text).body[0], ast.Assign)
    file = tmp_path / "study.py"
    file.write_text(text)
    compile(file.read_text(), str(file), "exec")


def test_errors_stand_on_the_cells_own_lines(notebook: Notebook) -> None:
    ran = notebook.cell("#| label: a\n#| step: s\n\nx = 1\n1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "line 5" in ran.out
    assert "#| step: s" in ran.out
    assert "zennb_step" not in ran.out
    assert ran.status == "failed"


BROKEN = ["x = (1", "x = [1,\n", "x = 1 \\", "if True:", "def f(:\n    pass", "x = 'a"]


@pytest.mark.parametrize("body", BROKEN)
def test_a_syntax_error_is_the_users_own(notebook: Notebook, body: str) -> None:
    commented = notebook.cell(f"#| step: s\n{body}")
    plain = notebook.cell(f"# comment\n{body}")
    assert isinstance(commented.error, SyntaxError)
    assert isinstance(plain.error, SyntaxError)
    assert (commented.error.lineno, commented.error.msg) == (plain.error.lineno, plain.error.msg)
    assert not is_step(commented)
    (after,) = notebook.run("y = 2")
    assert not is_step(after)


def test_a_semicolon_silences_and_a_comment_behind_it_too(notebook: Notebook) -> None:
    quiet, remark, loud = notebook.run(
        "#| step: a\nx = 5\nx;", "#| step: b\nx = 5\nx;  # quiet", "#| step: c\nx = 5\nx  # loud"
    )
    assert "5" not in quiet.out + remark.out
    assert "5" in loud.out


def test_awaits_magics_shell_lines_and_futures_work(notebook: Notebook) -> None:
    (ran,) = notebook.run(
        "#| step: all\nfrom __future__ import annotations\nimport asyncio\nawait asyncio.sleep(0)\n"
        "%time y = 2\nlisted = !echo hello\ndef f(a: Missing) -> None: ...\nlisted[0]"
    )
    assert "hello" in ran.out
    assert notebook.ns["y"] == 2


def test_mistakes_are_told_and_the_cell_fails(notebook: Notebook) -> None:
    for text, sentence in {
        "#| step train\nx = 1": "lacks its colon",
        "#| step: train --cach\nx = 1": "#| step: no option '--cach'",
        "#| step: 'train\nx = 1": "close the quotes",
    }.items():
        ran = notebook.cell(text)
        assert isinstance(ran.error, UsageError), text
        assert sentence in str(ran.error)
        assert "x" not in notebook.ns
    ran = notebook.cell("#| step: s\n%%time\nx = 1")
    assert isinstance(ran.error, StepRefused)
    assert "Put it on the first line" in str(ran.error)


def test_the_comment_counts_inside_a_cell_magic_that_runs_a_cell(notebook: Notebook) -> None:
    notebook.run("%%capture kept\n#| step: inner\nz = 3")
    assert notebook.shell.zennb_hooks.pipeline.step_names() == ["inner"]
    assert notebook.ns["z"] == 3


def test_every_cell_is_a_step_while_autostep_is_on(notebook: Notebook) -> None:
    before, on, first, second, off, after = notebook.run(
        "a = 1", "%zennb autostep on", "b = 2", "c = a + b", "%zennb autostep off", "d = 4"
    )
    assert [is_step(each) for each in (before, on, first, second, off, after)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert (first.facts["step"], second.facts["step"]) == ("b", "c")
    assert notebook.shell.zennb_hooks.pipeline.step_names() == ["b", "c"]


def test_cells_of_autostep_are_reused_in_a_new_kernel(notebook: Notebook) -> None:
    cells = ("%zennb autostep on", "import json\nrows = [3, 1]", "rows.sort()\nrows")
    notebook.run(*cells)
    notebook.restart()
    _, *again = notebook.run(*cells)
    assert [each.status for each in again] == ["cached", "cached"]
    assert notebook.ns["rows"] == [1, 3]


def test_it_says_how_it_stands(notebook: Notebook) -> None:
    notebook.run("%zennb autostep on")
    (on,) = notebook.run("%zennb autostep --json")
    notebook.run("%zennb autostep off")
    (off,) = notebook.run("%zennb autostep")
    assert '"autostep": true' in on.displays[0]["data"]["text/plain"]
    assert off.displays[0]["data"]["text/plain"].startswith("Autostep is off.")
    ran = notebook.cell("%zennb autostep maybe")
    assert isinstance(ran.error, UsageError)


PLAIN = (
    "%%time\nplain = 1",
    "# only a remark",
    "",
    "%stack list",
    "stack list",
    "%pipeline\n%runs",
    "shown = %runs list",
    "rows?",
    "%load_ext zennb",
    "#| step: off\nplain = 1",
    "%zennb autostep on\nplain = 1",
    "import json",
    "import json\nfrom math import pi\n\ndef area(r): return pi * r\n\nclass Shape: pass",
    '"""What is loaded here."""\nimport json\n%load_ext zennb',
)


@pytest.mark.parametrize("text", PLAIN)
def test_some_cells_stay_plain(notebook: Notebook, text: str) -> None:
    notebook.run("rows = [1]", "%zennb autostep on")
    (ran,) = notebook.run(text)
    assert not is_step(ran)
    (after,) = notebook.run("x = 1")
    assert is_step(after)


def test_what_was_not_typed_stays_plain(notebook: Notebook) -> None:
    notebook.run("%zennb autostep on")
    notebook.shell.run_cell("silent = 1", silent=True)
    notebook.shell.run_cell("inspected = 1", store_history=False)
    assert notebook.shell.zennb_hooks.pipeline.step_names() == []
    notebook.run("get_ipython().run_cell('nested = 1', store_history=True)\nouter = 1")
    assert notebook.shell.zennb_hooks.pipeline.step_names() == ["outer"]
    assert notebook.ns["nested"] == 1


def test_a_step_by_magic_is_the_same_under_autostep(notebook: Notebook) -> None:
    _, ran = notebook.run("%zennb autostep on", "%%step mine\nx = 1")
    assert ran.facts["step"] == "mine"
    assert notebook.shell.zennb_hooks.pipeline.step_names() == ["mine"]


def test_a_cell_that_cannot_run_elsewhere_stays_plain_unless_asked(notebook: Notebook) -> None:
    notebook.run(
        "%orchestrator register pool --flavor=threads",
        "%stack register wide -o pool -a default --set",
        "%zennb autostep on",
    )
    (ran, other) = notebook.run("listed = !echo hello\nlisted[0]", "y = 2")
    assert not is_step(ran)
    assert "hello" in ran.out
    assert is_step(other)
    asked = notebook.cell("#| step: s\nlisted = !echo hello")
    assert isinstance(asked.error, StepRefused)


def test_unloading_ends_it(notebook: Notebook) -> None:
    notebook.run("%zennb autostep on")
    unload(notebook.shell)
    assert not is_step(notebook.cell("#| step: s\nx = 1"))
    load(notebook.shell)
    assert not is_step(notebook.cell("x = 1"))


def test_the_comment_is_completed(notebook: Notebook) -> None:
    from IPython.core.completer import provisionalcompleter

    def complete(text: str) -> list[str]:
        notebook.shell.zennb_hooks.completion.settle()
        with provisionalcompleter():
            return [found.text for found in notebook.shell.Completer.completions(text, len(text))]

    notebook.run("#| step: load\nrows = [1]")
    notebook.shell.zennb_hooks.completion.settle()
    assert complete("#| step: train --re") == ["--rerun", "--retries"]
    assert complete("#| step: lo") == ["load"]
    assert complete("%zennb autostep ") == ["on", "off"]


def test_two_cells_that_bind_nothing_are_two_steps(notebook: Notebook) -> None:
    notebook.run("%zennb autostep on", "rows = [1]", "print(rows)", "print(rows, 2)", "print(rows)")
    assert notebook.shell.zennb_hooks.pipeline.step_names() == ["rows", "print rows", "print rows-2"]


NOISE = {
    "all": ["quick", "slow", "quick", "slow"],
    "slow": ["slow", "slow"],
    "ran": ["quick", "slow"],
}


@pytest.mark.parametrize("lines", NOISE)
def test_how_noisy_it_is_can_be_set(notebook: Notebook, lines: str) -> None:
    cells = ("quick = 1", "import time\ntime.sleep(1.1)\nslow = 2")
    notebook.run("%zennb autostep on", f"%config ZennbAutostep.lines = {lines!r}")
    ran = [*notebook.run(*cells), *notebook.run(*cells)]
    assert [each.facts["step"] for each in ran if is_step(each)] == NOISE[lines]
    failed = notebook.cell("wrong = 1 / 0")
    assert failed.status == "failed"
    (asked,) = notebook.run("%%step quick\nquick = 1")
    assert is_step(asked)
    unload(notebook.shell)
    assert "ZennbAutostep" not in notebook.cell("%config").out
    load(notebook.shell)
