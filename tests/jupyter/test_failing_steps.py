"""Step cells that fail, are refused, or find their results damaged."""

from __future__ import annotations

import textwrap
import traceback
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook


def step(text: str, line: str = "") -> str:
    return f"%%step {line}\n" + textwrap.dedent(text).strip("\n")


def test_a_failing_step_binds_nothing_and_the_error_is_the_users_own(notebook: Notebook) -> None:
    notebook.run("xs = [1]\ny = 'old'")
    ran = notebook.cell(step("xs.append(2)\ny = 'new'\nz = 1 / 0", "bad"))
    assert isinstance(ran.error, ZeroDivisionError)
    assert ran.status == "failed"
    assert notebook.ns["y"] == "old"
    assert notebook.ns["xs"] == [1]
    assert "z" not in notebook.ns
    assert "line 4" in ran.out or "4 z = 1 / 0" in ran.out
    assert "pass" not in ran.out  # what stands in the first line is none of the user's
    assert "stepcell.py" not in ran.out
    assert "zennb_step" not in ran.out
    ok = notebook.cell(step("z = 1", "bad"))
    assert ok.status == "completed"


def test_a_missing_name_gets_a_hint_at_the_step_that_binds_it(notebook: Notebook) -> None:
    notebook.run(step("model = 1", "train"))
    notebook.restart()
    ran = notebook.cell(step("score = model + 1", "evaluate"))
    assert isinstance(ran.error, NameError)
    assert "step 'train'" in ran.reason


def test_retries_run_the_body_again_from_a_clean_start(notebook: Notebook) -> None:
    notebook.run("from pathlib import Path\nlog = Path('tries.txt')\nlog.write_text('')\nxs = []")
    body = "xs.append(1)\nn = log.write_text(log.read_text() + 'x')\nif n < 3: raise ValueError(n)"
    few = notebook.cell(step(body, "flaky --retries 1"))
    assert isinstance(few.error, ValueError)
    assert "n" not in notebook.ns
    ran = notebook.cell(step(body, "flaky --retries 3"))
    assert ran.error is None, ran.out
    assert notebook.ns["n"] == 3
    assert notebook.ns["xs"] == [1]


@pytest.mark.parametrize("options", ["", "--retries 2"])
def test_what_fails_after_the_body_is_shown_at_the_first_line_of_the_cell(
    notebook: Notebook, options: str
) -> None:
    ran = notebook.cell(step("a = 1\nb = 2\ng = (i for i in range(3))", f"s -o g {options}"))
    assert ran.error is not None
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(ran.error.__traceback__)
        if frame.filename.startswith("<ipython-input") or "ipykernel" in frame.filename
    ]
    assert lines
    assert set(lines) == {1}


def test_a_declared_output_that_cannot_be_stored_is_refused_by_name(notebook: Notebook) -> None:
    ran = notebook.cell(step("g = (i for i in range(3))", "s -o g"))
    assert "`g`" in str(ran.error)
    assert "generator" in str(ran.error)
    assert ran.status == "failed"


def test_an_undeclared_value_that_cannot_be_stored_is_bound_and_made_again_when_it_is_read(
    notebook: Notebook,
) -> None:
    (ran,) = notebook.run(step("g = (i for i in range(3))\nx = 1", "s"))
    assert ran.outputs == ["x", "g"]
    assert list(notebook.ns["g"]) == [0, 1, 2]
    (again, read) = notebook.run(step("g = (i for i in range(3))\nx = 1", "s"), "list(g)")
    assert again.status == "cached"
    assert read.result == [0, 1, 2]  # made again for the cell that reads it


def test_rerun_and_no_cache(notebook: Notebook) -> None:
    notebook.run(step("x = 1", "s"))
    (rerun,) = notebook.run(step("x = 1", "s --rerun"))
    assert (rerun.status, rerun.reason) == ("completed", "asked for with --rerun")
    notebook.run(step("y = 1", "t --no-cache"))
    (again,) = notebook.run(step("y = 1", "t --no-cache"))
    assert again.status == "completed"


def test_a_file_named_with_depends_on_counts(notebook: Notebook, tmp_path: Path) -> None:
    data = tmp_path / "data.txt"
    data.write_text("1")
    cell = step(f"from pathlib import Path\nx = Path({str(data)!r}).read_text()", f"s --depends-on {data}")
    notebook.run(cell)
    assert notebook.run(cell)[0].status == "cached"
    data.write_text("2")
    assert notebook.run(cell)[0].status == "completed"
    assert notebook.ns["x"] == "2"


def test_a_typo_in_the_step_line_is_one_sentence(notebook: Notebook) -> None:
    ran = notebook.cell(step("x = 1", "s --rerunn"))
    assert "--rerun" in str(ran.error)
    assert "x" not in notebook.ns


def spoil(home: Path, size: int) -> None:
    """Change a byte of the one stored file that has at least `size` bytes."""
    blobs = [path for path in home.rglob("*") if path.is_file() and path.stat().st_size >= size]
    assert len(blobs) == 1
    content = bytearray(blobs[0].read_bytes())
    content[-1] ^= 255
    blobs[0].chmod(0o600)
    blobs[0].write_bytes(content)


def test_a_damaged_artifact_is_not_a_hit(notebook: Notebook, tmp_path: Path) -> None:
    cell = step("import numpy as np\nx = np.arange(5_000)", "s")
    notebook.run(cell)
    spoil(tmp_path / "home" / "artifacts", 40_000)
    notebook.restart()
    (again,) = notebook.run(cell)
    assert again.status == "completed"
    assert "damaged" in again.reason
    assert int(notebook.ns["x"][-1]) == 4_999


@pytest.mark.parametrize("reader", ["x[-1]", step("last = x[-1]", "read"), step("last = x[-2]", "read")])
def test_a_large_artifact_that_is_damaged_is_made_again_for_the_cell_that_reads_it(
    notebook: Notebook, tmp_path: Path, reader: str
) -> None:
    cell = step("import numpy as np\nx = np.arange(100_000)", "make")
    notebook.run(cell)
    spoil(tmp_path / "home" / "artifacts", 800_000)
    notebook.restart()
    (reused,) = notebook.run(cell)
    assert reused.status == "cached"
    (ran,) = notebook.run(reader)
    made = next(shown["metadata"]["zennb"] for shown in ran.displays if "zennb" in shown["metadata"])
    assert (made["step"], made["status"]) == ("make", "completed")
    assert int(notebook.ns["x"][-1]) == 99_999
    (again,) = notebook.run(cell)
    assert again.status == "cached"


def test_an_interrupt_is_not_retried(notebook: Notebook, tmp_path: Path) -> None:
    log = tmp_path / "tries.txt"
    log.write_text("")
    notebook.run(f"from pathlib import Path\nlog = Path({str(log)!r})")
    ran = notebook.cell(
        step("log.write_text(log.read_text() + 'x')\nraise KeyboardInterrupt", "stop --retries 3")
    )
    assert isinstance(ran.error, KeyboardInterrupt)
    assert ran.status == "interrupted"
    assert log.read_text() == "x"
    (status,) = notebook.run("%pipeline status")
    assert "■ interrupted  the run before was interrupted" in status.displays[-1]["data"]["text/plain"]


def test_a_step_inside_a_step_is_refused(notebook: Notebook) -> None:
    ran = notebook.cell(step("get_ipython().run_cell('%%step inner\\ny = 1')\nx = 2", "outer"))
    assert "inside another step" in ran.out
    assert "y" not in notebook.ns
    assert notebook.ns["x"] == 2
