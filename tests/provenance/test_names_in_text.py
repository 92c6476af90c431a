"""What a notebook file tells of names in text: the same as a kernel knows (`tests/jupyter/test_names_in_text.py`)."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import pytest

from tests.jupyter.test_names_in_text import CASES, UNRELATED, Case
from tests.provenance.test_notebook import after
from zennb.core.reading.source import analyse
from zennb.provenance.steps import depends_on


def needed(cells: list[str], step: str, files: str = "") -> dict[str, str]:
    found = after(*cells, modules={"helpers": files} if files else None)
    parts: Any = SimpleNamespace(inputs={}, reached={})
    return depends_on(found, found.modules, analyse(ast.parse(step)), parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
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
