"""Status lines and tables of steps carry their facts as data, which no viewer prefers to what can be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from zennb.core.records.check_findings import CellResult
from zennb.core.records.output_comparison import showing
from zennb.headless.execute import execute
from zennb.jupyter.kernel.status_data import DATA_TYPE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook


def data(shown: dict[str, Any]) -> dict[str, Any]:
    found = shown["data"][DATA_TYPE]
    assert found["schema"] == 1
    assert found == json.loads(json.dumps(found))
    return dict(found)


def test_a_status_line_carries_the_facts_of_its_metadata(notebook: Notebook) -> None:
    for status in ("completed", "cached"):
        ran = notebook.cell("%%step train\nmodel = 1")
        (line,) = ran.displays
        assert data(line) == {"schema": 1, **line["metadata"]["zennb"]}
        assert data(line)["status"] == status
        assert set(line["data"]) == {"text/plain", "text/html", DATA_TYPE}
    failed = notebook.cell("%%step train\n1 / 0").displays[-1]
    assert (data(failed)["status"], data(failed)["outputs"]) == ("failed", [])


def test_the_table_of_a_run_carries_data_once_it_has_ended(notebook: Notebook) -> None:
    notebook.run("%%step a\nx = 1", "%%step b\nimport time\ntime.sleep(0.4)\ny = x")
    shown = notebook.cell("%pipeline run --rerun").displays
    # Behind the table, the lines of the cells above are updated.
    *running, last = [each for each in shown if each["transient"] == shown[0]["transient"]]
    assert [DATA_TYPE in each["data"] for each in running] == [False] * len(running)
    found = data(last)
    assert (found["status"], [step["step"] for step in found["steps"]]) == ("completed", ["a", "b"])
    assert found["steps"] == last["metadata"]["zennb"]


@pytest.mark.parametrize("verb", ["show", "status", "explain train"])
def test_what_a_pipeline_looks_like_is_there_as_data(notebook: Notebook, verb: str) -> None:
    notebook.cell("%%step train\nmodel = 1")
    (shown,) = notebook.cell(f"%pipeline {verb}").displays
    (under_json,) = notebook.cell(f"%pipeline {verb} --json").displays
    assert data(shown) == json.loads(under_json["data"]["text/plain"])
    assert data(shown)["command"] == "pipeline " + verb.partition(" ")[0]


def test_other_commands_show_no_more_than_before(notebook: Notebook) -> None:
    (shown,) = notebook.cell("%stack").displays
    assert set(shown["data"]) == {"text/plain", "text/html"}


def test_a_status_line_is_no_output_of_the_cell_when_notebooks_are_compared(notebook: Notebook) -> None:
    ran = notebook.cell("%%step train\nmodel = 1")
    outputs = [{"output_type": "display_data", **shown} for shown in ran.displays]
    assert CellResult(showing=showing(outputs), status="completed", seconds=0).showing == showing([])


@pytest.mark.kernel
def test_a_saved_notebook_is_valid_and_shows_the_line_not_the_data(tmp_path: Path) -> None:
    path, out = tmp_path / "study.ipynb", tmp_path / "done.ipynb"
    cells = [
        nbformat.v4.new_code_cell("%load_ext zennb"),
        nbformat.v4.new_code_cell("%%step train\nmodel = 1"),
        nbformat.v4.new_code_cell("%pipeline status"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    done = execute(path, out=out, env={"ZENNB_HOME": str(tmp_path / "home")})
    assert [line.step for line in done.steps] == ["train"]
    node = nbformat.read(out, as_version=4)
    nbformat.validate(node)
    shown = node.cells[1].outputs[-1].data
    assert shown[DATA_TYPE]["step"] == "train"
    exporter: Any = HTMLExporter(template_name="basic")  # type: ignore[no-untyped-call]  # nbconvert is not annotated
    page, _ = exporter.from_notebook_node(node)
    assert "train" in page
    assert "vnd.zennb" not in page
    assert "&quot;schema&quot;" not in page
