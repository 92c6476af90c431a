from __future__ import annotations

from typing import Any

import pytest
from nbformat import v4

from zennb.headless.instrumented import as_plain, as_steps, first_line, has_code, stays


def document(*sources: str) -> Any:
    return v4.new_notebook(cells=[v4.new_code_cell(text, id=f"c{at}") for at, text in enumerate(sources)])


def sources(node: Any) -> list[str]:
    return [cell.source for cell in node.cells]


def test_every_cell_with_code_becomes_a_step_below_a_cell_that_loads_zennb() -> None:
    node = document("x = 1", "# only words", "", "%matplotlib inline\nx")
    assert sources(as_steps(node, {})) == [
        "%load_ext zennb",
        "%%step\nx = 1",
        "# only words",
        "",
        "%%step\n%matplotlib inline\nx",
    ]


def test_cells_that_raise_or_start_with_another_cell_magic_stay() -> None:
    node = document("1 / 0", "%%bash\nls", "%stack list", "%%step a\nx = 1")
    assert sources(as_steps(node, {"c0": "ZeroDivisionError"}))[1:] == sources(node)
    assert stays("1 / 0", raised="ZeroDivisionError") == "raises ZeroDivisionError"
    assert stays("\n%%bash\nls", raised="") == "starts with %%bash"
    assert stays("x = 1\n%stack list", raised="") == "uses zennb itself"
    assert stays("#| step: off\nx = 1", raised="") == "says `step: off`"
    assert stays("%%step a\nx = 1", raised="") == stays("x = 1", raised="") == ""


def test_the_plain_form_has_no_steps_and_as_many_lines_and_cells() -> None:
    node = document("%%step a -o x\nx = 1", "x")
    assert sources(as_plain(node)) == ["pass", "# a step\nx = 1", "x"]
    assert sources(node)[0].startswith("%%step")  # the original is left alone


def test_the_plain_form_does_not_use_zennb() -> None:
    node = document(
        "%load_ext zennb\nx = 1", "#| label: a\n#| step: b\nx", "%zennb autostep on", "import zennb"
    )
    assert sources(as_plain(node))[1:] == ["pass\nx = 1", "#| label: a\n# step: b\nx", "pass", "import zennb"]


def test_autostep_makes_no_steps_of_cells_that_are_to_stay_plain() -> None:
    node = document("%zennb autostep on\n%stack", "x = 1", "#| step: off\ny = 2", "1 / 0")
    assert sources(as_steps(node, {"c3": "ZeroDivisionError"}))[1:] == [
        "pass\n%stack",
        "%%step\nx = 1",
        "# step: off\ny = 2",
        "1 / 0",
    ]


def test_more_cells_can_be_made_plain() -> None:
    node = document("%%step a\nx = 1", "x")
    assert sources(as_steps(node, {}, plain={"c0"}))[1:] == ["# a step\nx = 1", "%%step\nx"]


def test_a_step_that_raises_when_run_plain_is_plain_in_both_forms() -> None:
    node = document("%%step a\n1 / 0")
    assert sources(as_steps(node, {"c0": "ZeroDivisionError"}))[1] == "# a step\n1 / 0"


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("", ""),
        ("# a\n\n  # b", ""),
        ("# a\n\nx = 1  # c", "x = 1  # c"),
        ("%%step train\n# a\nfit()", "fit()"),
    ],
)
def test_the_first_line_of_code_names_a_cell(source: str, first: str) -> None:
    assert first_line(source) == first
    assert has_code(source) is bool(first)
