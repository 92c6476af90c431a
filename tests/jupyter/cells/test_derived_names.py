"""Names of steps that nobody named: the same in the kernel and in the file, before and after it is saved."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.cells.test_autostep import is_step
from zennb.commands.file_pipeline import NotebookFile
from zennb.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.jupyter.conftest import Notebook


SAVED = {
    "a": ("markdown", "# Study\n\n## Load the data"),
    "b": ("code", "import json"),
    "c": ("code", "raw = '[3, 1]'\nrows = json.loads(raw)"),
    "d": ("code", "best = max(rows)\ntotal = sum(rows)"),
    "e": ("code", "print(total)"),
}
NAMES = ["load the data", "total", "print total"]


def save(
    notebook: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    saved: Mapping[str, tuple[str, str]] = SAVED,
    shown: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Save a notebook, with the names that its status lines show."""
    lines = {cell: {"zennb": {"step": name, "status": "completed"}} for cell, name in shown.items()}
    cells: list[dict[str, object]] = [
        {"id": cell, "cell_type": kind, "source": source, "metadata": {}}
        | (
            {"outputs": [{"metadata": lines.get(cell, {})}], "execution_count": None}
            if kind == "code"
            else {}
        )
        for cell, (kind, source) in {"on": ("code", "%zennb autostep on"), **saved}.items()
    ]
    file = Path("study.ipynb").absolute()
    file.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    monkeypatch.setenv("ZENNB_NOTEBOOK", str(file))
    return file


def run_saved(
    notebook: Notebook,
    edited: dict[str, str] | None = None,
    *,
    ids: bool = True,
    saved: Mapping[str, tuple[str, str]] = SAVED,
) -> list[str]:
    """Run the code cells, some of them edited, and return the names of their steps."""
    notebook.run("%zennb autostep on")
    names = []
    for cell, (kind, source) in saved.items():
        if kind == "code":
            ran = notebook.cell((edited or {}).get(cell, source), cell_id=cell if ids else f"vscode-{cell}")
            assert ran.error is None, ran.out
            names += [ran.facts["step"]] if is_step(ran) else []
    return names


@pytest.mark.parametrize("ids", [True, False])
def test_names_come_from_headings_and_from_what_other_cells_read(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, ids: bool
) -> None:
    file = save(notebook, monkeypatch)
    assert run_saved(notebook, ids=ids) == NAMES
    assert names_in_file(file) == NAMES


def test_an_edit_does_not_change_the_name(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    edits = {
        "c": "raw = '[3, 2]'\nother = 1\nrows = json.loads(raw)",
        "d": "worst = min(rows)\nbest = max(rows)\ntotal = sum(rows)",
        "e": "# the sum\nprint('sum', total)",
    }
    assert run_saved(notebook) == ["raw", "best", "print total"]  # the frontend does not name its file
    save(notebook, monkeypatch)
    assert run_saved(notebook, edits) == ["raw", "best", "print total"]
    assert run_saved(notebook, {"d": "total = 3"}) == ["raw", "total", "print total"]
    notebook.restart()
    assert run_saved(notebook, {"c": edits["c"], "d": edits["d"]}) == NAMES


def names_in_file(file: Path) -> list[str]:
    return [each.definition.name for each in NotebookFile(file).cells if each.definition is not None]


def planned(notebook: Notebook) -> list[str]:
    return [each.name for each in notebook.shell.zennb_hooks.pipeline.plan().steps]


TAKEN = {
    "m": ("markdown", "# Study\n\n## Load"),
    "a": ("code", "x = 1"),
    "b": ("code", "y = 2"),
    "c": ("code", "%%step\nz = x + y"),
}


@pytest.mark.parametrize(
    ("line", "names"), [("%%step load", ["x", "load", "z"]), ("%%step z", ["load", "z", "z-2"])]
)
def test_a_step_without_a_name_keeps_out_of_the_way_of_names_that_the_user_gives(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, line: str, names: list[str]
) -> None:
    save(notebook, monkeypatch, TAKEN)
    assert run_saved(notebook, saved=TAKEN) == ["load", "y", "z"]
    edited = {**TAKEN, "b": ("code", f"{line}\ny = 2")}
    run_saved(notebook, saved={"b": edited["b"]})
    assert planned(notebook) == names
    file = save(notebook, monkeypatch, edited)
    assert names_in_file(file) == names
    notebook.restart()
    assert run_saved(notebook, saved=edited) == names
    assert planned(notebook) == names


def test_names_do_not_depend_on_the_order_in_which_cells_run(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    plots = {
        cell: ("markdown", "## Plot") if cell.startswith("m") else ("code", f"{cell[0]} = {cell!r}")
        for cell in ("m1", "a1", "m2", "b1", "m3", "b2", "a2")
    }
    file = save(notebook, monkeypatch, plots)
    names = ["plot", "b", "b-2", "a-2"]
    assert names_in_file(file) == names
    assert run_saved(notebook, saved=plots) == names
    notebook.restart()
    assert run_saved(notebook, saved=dict(reversed(plots.items()))) == names[::-1]
    assert planned(notebook) == names


def test_a_name_from_before_the_file_was_saved_stands_for_the_step(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = {
        "m": ("markdown", "# Study\n\n## Load"),
        "a": ("code", "x = 1"),
        "n": ("markdown", "## Clean"),
        "b": ("code", "x = x + 1"),
        "c": ("code", "%%step late --after=x-2\nlate = 1"),
        "d": ("code", "%%step early --after=x\nearly = 1"),
    }
    assert run_saved(notebook, saved=cells) == ["x", "x-2", "late", "early"]

    def after() -> list[tuple[str, str]]:
        edges = notebook.shell.zennb_hooks.pipeline.plan().edges
        return sorted((edge.end, edge.start) for edge in edges if edge.end in {"early", "late"})

    assert after() == [("early", "x"), ("late", "x-2")]
    file = save(notebook, monkeypatch, cells)
    notebook.run(
        "%%step last --after=clean\nlast = 1", "%pipeline run --only load", "%pipeline explain clean"
    )
    notebook.restart()
    assert run_saved(notebook, saved=cells) == ["load", "clean", "late", "early"]
    assert after() == [("early", "load"), ("late", "clean")]
    assert NotebookFile(file).plan.parents("late") == ("clean",)
    notebook.run("%pipeline run --from x-2", "%pipeline explain x")
    file = save(notebook, monkeypatch, cells, {"a": "x", "b": "x-2"})
    notebook.restart()
    assert run_saved(notebook, saved=cells) == ["x", "x-2", "late", "early"]
    assert names_in_file(file) == planned(notebook) == ["x", "x-2", "late", "early"]
    assert "no step 'x-3'" in str(notebook.cell("%pipeline run --only x-3").error)


def test_two_cells_that_the_user_called_the_same_are_refused_once_both_are_saved(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = {"a": ("code", "%%step load\nx = 1"), "b": ("code", "%%step load\ny = 2")}
    save(notebook, monkeypatch, {"a": cells["a"]})
    assert run_saved(notebook, saved=cells) == ["load", "load"]
    assert planned(notebook) == ["load"]  # the cell may have been moved, and got another id
    file = save(notebook, monkeypatch, cells)
    refused = str(notebook.cell("%pipeline").error)
    assert refused.startswith("two steps are called 'load'")
    with pytest.raises(PlanError, match=refused):
        NotebookFile(file)
    edited = {**cells, "a": ("code", "%%step raw\nx = 1")}
    save(notebook, monkeypatch, edited)
    assert planned(notebook) == ["raw", "load"]  # the cell has not run since it was renamed
    save(notebook, monkeypatch, cells)
    assert run_saved(notebook, saved=cells) == ["load", "load"]
    renamed = {**cells, "b": ("code", "%%step clean\ny = 2")}
    assert run_saved(notebook, saved={"b": renamed["b"]}) == ["clean"]
    assert planned(notebook) == ["load", "clean"]
    file = save(notebook, monkeypatch, renamed)
    assert names_in_file(file) == planned(notebook) == ["load", "clean"]


def test_a_step_that_loses_its_name_keeps_its_records(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.csv").write_text("5")
    cells = {
        "f": (
            "code",
            "#| step: off\nfrom pathlib import Path\ndef grow(r): r.append(Path('a.csv').read_text())",
        ),
        "p": ("code", "#| step: off\nrows = []"),
        "m": ("markdown", "## Grow"),
        "a": ("code", "grow(rows)"),
        "b": ("code", "%%step total\ntotal = ''.join(rows)"),
    }
    save(notebook, monkeypatch, cells)
    assert run_saved(notebook, saved=cells) == ["grow", "total"]
    notebook.run("%%step grow\nother = 1")  # the name of a step that changes `rows` in place

    def states() -> dict[str, str]:
        return {each.name: each.state.value for each in notebook.shell.zennb_hooks.pipeline.plan().steps}

    assert states() == {"grow rows": "fresh", "total": "fresh", "grow": "fresh"}
    Path("a.csv").write_text("7")
    assert states() == {"grow rows": "stale", "total": "may run", "grow": "fresh"}
    notebook.run("%pipeline run")
    assert notebook.ns["total"] == "7"
