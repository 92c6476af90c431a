"""What a notebook file tells of names in text and of code that is read: what a kernel knows of them, too."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import pytest

from tests.jupyter.test_code_that_is_read import CASES as CODE
from tests.jupyter.test_code_that_is_read import FILES
from tests.jupyter.test_evaluated_annotations import READS as ANNOTATIONS
from tests.jupyter.test_evaluated_annotations import START
from tests.jupyter.test_joined_names import JOINED
from tests.jupyter.test_names_in_text import CASES, UNRELATED, Case, framelib  # noqa: F401
from tests.jupyter.test_shown_docstrings import READS as DOCSTRINGS
from zennb.core.reading.source import analyse
from zennb.provenance.cell_statements import read_cell
from zennb.provenance.module_source import ModuleSources
from zennb.provenance.notebook import Provenance
from zennb.provenance.steps import depends_on


def needed(cells: list[str], step: str, files: str = "", name: str = "helpers") -> dict[str, str]:
    """Return what a step depends on after some cells, with a module beside the notebook."""
    read = {name: files} if files else {}
    sources = ModuleSources(
        lambda path: (ast.parse(read[path]), False) if path in read else None,
        written=lambda path: read.get(path, ""),
    )
    found = Provenance(modules=sources)
    for number, cell in enumerate(cells, start=1):
        found.run(read_cell(cell), source=cell, number=number)
    reached = {f"constant {name}.a": "", f"class {name}.Base": "", f"function {name}.f": ""} if files else {}
    parts: Any = SimpleNamespace(inputs={}, reached=reached)
    return depends_on(found, sources, analyse(ast.parse(step)), parts, text=step)


@pytest.mark.parametrize("case", (CASES | JOINED).values(), ids=CASES | JOINED)
def test_a_name_in_a_text_is_a_dependency(case: Case) -> None:
    before = needed([case.cells], case.step, case.files)
    assert needed([case.cells, "other = 2"], case.step, case.files) == before
    assert needed([case.cells, case.edit], case.step, case.files) != before


@pytest.mark.parametrize("case", [each for each in CASES.values() if "limit = 2" in each.edit])
def test_a_plain_cell_that_looks_names_up_depends_on_them(case: Case) -> None:
    cells = [case.cells, case.step]
    before = needed(cells, "r", case.files)
    assert needed([case.cells, case.edit, case.step], "r", case.files)["r"] != before["r"]


@pytest.mark.parametrize(("cells", "text", "edit"), UNRELATED.values(), ids=UNRELATED)
def test_a_word_that_nothing_looks_up_is_no_dependency(cells: str, text: str, edit: str) -> None:
    assert needed([cells], text) == needed([cells, edit], text)


def test_a_connection_goes_on_looking_names_up() -> None:
    cells = ["import duckdb as d\nsales = 1\nq = 'from sales'", "con = d.connect()"]
    assert "sales" in needed(cells, "r = con.execute(q)")


@pytest.mark.parametrize("case", CODE)
def test_what_is_read_of_code_is_a_dependency(case: str) -> None:
    cells, step, edit = CODE[case]
    before = needed(cells, step)
    assert needed([*cells, "other = 2"], step) == before
    assert needed([*cells, edit], step) != before


@pytest.mark.parametrize("case", CODE)
def test_a_plain_cell_that_reads_code_depends_on_it(case: str) -> None:
    cells, step, edit = CODE[case]
    before = needed([*cells, step], "r")["r"]
    assert needed([*cells, edit, step], "r")["r"] != before


@pytest.mark.parametrize("case", FILES)
def test_what_is_read_of_a_module_is_a_dependency(case: str) -> None:
    step, before, after = FILES[case]
    assert needed([], step, before, "lib") != needed([], step, after, "lib")


def test_a_docstring_of_the_step_itself_is_a_dependency() -> None:
    step = "def f():\n    'One.'\nr = f.__doc__"
    assert needed([], step) != needed([], step.replace("One", "Two"))


@pytest.mark.parametrize(("cell", "read"), DOCSTRINGS.values(), ids=DOCSTRINGS)
def test_a_docstring_that_is_shown_is_a_dependency(cell: str, read: str) -> None:
    assert needed([cell], read) != needed([cell.replace("text one", "text two")], read)


@pytest.mark.parametrize(("cell", "read"), ANNOTATIONS.values(), ids=ANNOTATIONS)
def test_what_an_annotation_was_evaluated_to_is_a_dependency(cell: str, read: str) -> None:
    assert needed([START, "LIM = 5", cell], read) != needed([START, "LIM = 50", cell], read)
