from __future__ import annotations

import ast
import json
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.commands.file_pipeline import NotebookFile
from zennb.commands.interface import Interface
from zennb.core.planning.expiry import by_hand
from zennb.core.reading.normal_form import normal_digest
from zennb.core.records.records import CacheKeyParts, Status
from zennb.digests.digest import digest_value
from zennb.errors import PlanError, UnknownName, UsageError
from zennb.headless.notebook_label import label

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.commands.conftest import Commands

Record = Any


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[..., Path]:
    """Write a notebook of these code cells into the home's project."""

    def write(*cells: str) -> Path:
        path = tmp_path / "study.ipynb"
        code: list[dict[str, Any]] = [
            {
                "cell_type": "code",
                "id": f"c{at}",
                "source": text,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for at, text in enumerate(cells)
        ]
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": code}))
        return path

    return write


def edges(path: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    return dict(NotebookFile(path).plan.edges)


def parts(cell: str, **inputs: object) -> CacheKeyParts:
    """Return what the key of a step was made of."""
    code = normal_digest(ast.parse(cell.partition("\n")[2]))
    return CacheKeyParts(
        code=code, inputs={name: digest_value(value).digest for name, value in inputs.items()}
    )


LOAD, TRAIN = "%%step load\nrows = [1, 2]", "%%step train\nmodel = sum(rows)"


def test_steps_are_linked_by_the_names_that_flow(notebook: Callable[..., Path]) -> None:
    assert edges(notebook("import os", LOAD, TRAIN)) == {("load", "train"): ("rows",)}


def test_a_step_without_name_is_called_after_what_it_binds(notebook: Callable[..., Path]) -> None:
    assert NotebookFile(notebook("%%step\nimport os\nrows = os.getcwd()")).plan.order == ("rows",)


def test_steps_with_one_worked_out_name_are_numbered(notebook: Callable[..., Path]) -> None:
    cells = ["%%step\nx = 1", "%%step\nx = 2", "%%step\nx = 3"]
    assert NotebookFile(notebook(*cells)).plan.order == ("x", "x-2", "x-3")


def test_magic_and_shell_lines_are_no_obstacle(notebook: Callable[..., Path], workspace: Any) -> None:
    cell = "%%step show\n%time\nfiles = !ls\n!echo {rows}\nhere = %pwd\nrows?\nlast = rows[-1]"
    found = NotebookFile(notebook(LOAD, cell))
    assert ("load", "show") in found.plan.edges
    assert {"files", "here", "last"} <= set(found.state(workspace).steps[1].binds)


def test_declared_names_count(notebook: Callable[..., Path], workspace: Any) -> None:
    found = NotebookFile(notebook(LOAD, "%%step report -i rows -o page\npage = 1\nother = 2"))
    (_, report) = found.state(workspace).steps
    assert (report.reads, report.binds) == (("rows",), ("page",))


def test_a_step_can_come_after_another_without_value(notebook: Callable[..., Path]) -> None:
    assert edges(notebook(LOAD, "%%step tell --after load\nprint(1)")) == {("load", "tell"): ()}


def test_nothing_has_run_in_a_new_home(notebook: Callable[..., Path], workspace: Any) -> None:
    found = NotebookFile(notebook(LOAD, TRAIN))
    steps = found.state(workspace).steps
    assert [(step.status, step.reason, step.state) for step in steps] == [("", "first run", "stale")] * 2


def test_what_was_run_as_written_is_up_to_date(
    notebook: Callable[..., Path], workspace: Any, record: Record
) -> None:
    record("load", {"rows": [1, 2]}, source=LOAD, parts=parts(LOAD))
    record("train", {"model": 3}, source=TRAIN, parts=parts(TRAIN, rows=[1, 2]))
    found = NotebookFile(notebook(LOAD, TRAIN))
    steps = found.state(workspace).steps
    assert [(step.name, step.status, step.state) for step in steps] == [
        ("load", "completed", "fresh"),
        ("train", "completed", "fresh"),
    ]


def test_edited_code_makes_a_step_stale_and_what_follows_may_run(
    notebook: Callable[..., Path], workspace: Any, record: Record
) -> None:
    record("load", {"rows": [1, 2]}, source=LOAD, parts=parts(LOAD))
    record("train", {"model": 3}, source=TRAIN, parts=parts(TRAIN, rows=[1, 2]))
    found = NotebookFile(notebook("%%step load\nrows = [5]", TRAIN))
    assert [(step.state, step.reason) for step in found.state(workspace).steps] == [
        ("stale", "its code changed"),
        ("may run", "needs step 'load', which would run again"),
    ]


def test_a_failed_step_is_not_up_to_date(
    notebook: Callable[..., Path], workspace: Any, record: Record
) -> None:
    record("load", {}, source=LOAD, parts=parts(LOAD), status=Status.FAILED, reusable=False)
    found = NotebookFile(notebook(LOAD))
    assert found.state(workspace).steps[0].reason == "the run before failed"


def test_records_are_found_under_the_name_the_kernel_gives_the_notebook(
    notebook: Callable[..., Path], workspace: Any, record: Record
) -> None:
    path = notebook(LOAD)
    record("load", {"rows": [1, 2]}, source=LOAD, notebook=label(path, workspace.home))
    record("other", {"rows": [3]}, source=LOAD, notebook="another.ipynb")
    assert set(NotebookFile(path).records(workspace)) == {"load"}


@pytest.mark.parametrize(
    ("cells", "kind", "sentence"),
    [
        (["%%step a\nx = "], UsageError, "code cell 1 cannot be read as Python: invalid syntax (line 2)."),
        (
            ["%%step a --rerunn\nx = 1"],
            UsageError,
            "code cell 1: %%step: no option '--rerunn'; did you mean '--rerun'?",
        ),
        (["%%step 'a\nx = 1"], UsageError, "code cell 1: No closing quotation"),
        (["%%step a\nx = 1", "%%step a\ny = 1"], PlanError, "two steps are called 'a'"),
    ],
)
def test_a_notebook_that_cannot_be_read_is_answered_in_a_sentence(
    notebook: Callable[..., Path], cells: list[str], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        NotebookFile(notebook(*cells))
    assert str(caught.value).startswith(sentence)


def test_an_unknown_notebook_is_answered_with_the_nearest(notebook: Callable[..., Path]) -> None:
    path = notebook(LOAD)
    with pytest.raises(UnknownName, match=r"did you mean '.*study.ipynb'"):
        NotebookFile(path.with_name("studdy.ipynb"))


def test_a_comment_makes_a_step_too(notebook: Callable[..., Path], workspace: Any) -> None:
    cells = ["#| label: a\n#| step: load\nrows = [1, 2]", "#| step: train -o model\nmodel = sum(rows)\nx = 1"]
    found = NotebookFile(notebook(*cells, "#| step: off\ny = 1"))
    assert dict(found.plan.edges) == {("load", "train"): ("rows",)}
    assert found.state(workspace).steps[1].binds == ("model",)


def test_autostep_makes_steps_of_the_cells_between_on_and_off(notebook: Callable[..., Path]) -> None:
    cells = [
        "a = 1",
        "%load_ext zennb\n%zennb autostep on",
        "b = a",
        "%%time\nc = b",
        "%stack",
        "broken = (",
        "#| step: off\nd = 1",
        "%%step mine\ne = b",
        "%zennb autostep off",
        "f = 1",
    ]
    assert NotebookFile(notebook(*cells)).plan.order == ("b", "mine")


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("#| step train\nx = 1", "code cell 1: `#| step train` lacks its colon"),
        ("#| step: train --cach\nx = 1", "#| step: no option '--cach'"),
        ("#| step: a\nx = (", "code cell 1 cannot be read as Python"),
    ],
)
def test_a_mistake_in_the_comment_is_told(notebook: Callable[..., Path], cell: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        NotebookFile(notebook(cell))
    assert sentence in str(raised.value)


# Cache options


def standing(path: Path, workspace: Any, name: str) -> tuple[str, str]:
    found = NotebookFile(path)
    step = found.state(workspace).step(name)
    assert step is not None
    return step.state.value, step.reason


def test_a_result_that_has_expired_is_stale_by_its_record_and_by_the_cell(
    notebook: Callable[..., Path], workspace: Any, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = record("load", {"rows": [1, 2]}, source=LOAD, parts=parts(LOAD))
    record("load", {"rows": [1, 2]}, source=LOAD, parts=parts(LOAD), status=Status.CACHED, reused=source.id)
    brief = notebook(LOAD.replace("%%step load", "%%step load --expires 1h"))
    assert standing(brief, workspace, "load")[0] == "fresh"
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3 * 3_600)
    assert standing(brief, workspace, "load") == ("stale", "expired 1 h ago (--expires 1h)")
    assert standing(notebook(LOAD), workspace, "load")[0] == "fresh"
    assert standing(notebook(LOAD.replace("load", "load --expires 4h")), workspace, "load")[0] == "fresh"


def test_a_stale_step_whose_values_are_ignored_makes_no_other_one_stale(
    notebook: Callable[..., Path], workspace: Any, record: Record
) -> None:
    record("load", {"rows": [1, 2]}, source=LOAD, parts=parts(LOAD))
    record("train", {"model": 3}, source=TRAIN, parts=parts(TRAIN, rows=[1, 2]))
    edited = "%%step load\nrows = [5]"
    ignoring = notebook(edited, TRAIN.replace("%%step train", "%%step train --ignore rows"))
    assert standing(ignoring, workspace, "train") == ("stale", "input `rows` is gone")  # it counted until now
    record("train", {"model": 3}, source=TRAIN, parts=parts(TRAIN))
    assert standing(ignoring, workspace, "train")[0] == "fresh"
    assert standing(notebook(edited, TRAIN), workspace, "train")[0] == "may run"


def test_a_result_that_expired_by_hand_says_so_also_where_it_was_reused(
    notebook: Callable[..., Path], workspace: Any, record: Record
) -> None:
    source = record("load", {"rows": [1, 2]}, source=LOAD, cache_key="k", parts=parts(LOAD))
    record(
        "load",
        {"rows": [1, 2]},
        source=LOAD,
        cache_key="k",
        parts=parts(LOAD),
        status=Status.CACHED,
        reused=source.id,
    )
    artifact = workspace.metadata.artifact("rows")
    assert len(workspace.metadata.expire(artifact, when=time.time(), why=by_hand(artifact.label))) == 2
    assert standing(notebook(LOAD), workspace, "load") == ("stale", "`rows v1` was expired by hand")


def test_what_is_not_stored_and_read_by_another_step_makes_its_step_run_every_time(
    notebook: Callable[..., Path], workspace: Any, record: Record
) -> None:
    cell = "%%step load --no-store rows\nrows = [1, 2]"
    record("load", {}, source=cell, parts=replace(parts(cell), options={"no-store rows": ""}))
    path = notebook(cell, TRAIN)
    assert standing(path, workspace, "load")[0] == "fresh"
    record("train", {"model": 3}, source=TRAIN, parts=parts(TRAIN, rows=[1, 2]))
    said = "not cacheable: step 'train' reads `rows`, which --no-store keeps out of the store"
    assert standing(path, workspace, "load") == ("stale", said)


def test_a_wrong_duration_names_the_cell(notebook: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match="code cell 1: `--expires 7` has no unit"):
        NotebookFile(notebook("%%step load --expires 7\nrows = 1"))


def test_code_that_is_nested_deeply_is_planned(notebook: Callable[..., Path], workspace: Any) -> None:
    terms = " + ".join(["a"] * 900)
    path = notebook("a = 1", f"b = {terms}", f"%%step deep\nx = {terms}\ny = b", "%%step after\nz = x")
    assert [step.name for step in NotebookFile(path).state(workspace).steps] == ["deep", "after"]


@pytest.mark.parametrize("nested", [f"{'-' * 20_000}1", " + ".join(["1"] * 100_000)], ids=["signs", "terms"])
def test_code_that_is_nested_too_deeply_is_named(nested: str, notebook: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match=r"code cell 2 .* nested too deeply"):
        NotebookFile(notebook("a = 1", f"%%step deep\nx = {nested}"))
    assert NotebookFile(notebook(f"x = {nested}", "%%step after\nz = 1")).plan.order == ("after",)


def test_the_status_of_a_file_runs_no_cell_and_imports_no_module(
    notebook: Callable[..., Path], command: Commands, tmp_path: Path, record: Record
) -> None:
    (tmp_path / "filelib.py").write_text("import os\nos.mkdir('imported')\ndef f():\n    return 1\n")
    cell = "%%step s\nn = filelib.f()"
    path = notebook("import os, filelib\nos.mkdir('ran')", "os.mkdir('ran')", cell)
    record("s", {"n": 1}, source=cell, parts=parts(cell))
    said = command.text("pipeline", "status", str(path), interface=Interface.TERMINAL)
    assert "filelib" in said
    assert "filelib" not in sys.modules
    assert not (tmp_path / "imported").exists()
    assert not (tmp_path / "ran").exists()
