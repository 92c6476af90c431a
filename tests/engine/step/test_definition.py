"""A step as its cell states it: its name, its code, and whether it shows its last value."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.steps import step
from zennb.engine.step.definition import is_silent, nodes


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("model = 1\nother = 2", "model"),
        ("_private = 1\npublic = 2", "public"),
        ("import math\nroot = math.sqrt(2)", "root"),
        ("def fit(): pass", "fit"),
    ],
)
def test_a_step_without_a_name_is_called_after_the_first_public_name_it_binds(text: str, name: str) -> None:
    assert step(text, "").name == name


def test_a_step_without_a_name_is_called_after_its_first_declared_output() -> None:
    assert step("a = 1\nb = 2", "", outputs=("b", "a")).name == "b"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("for row in rows:\n    total = row", "total"),
        ("for row in rows:\n    pass", "loop rows"),
        ("with open('x') as file:\n    text = file.read()", "text"),
        ("# ## Load the data!\nprint(rows)", "load the data"),
        ("#| label: fig\n\n# Plot\nplt.show()", "plot"),
        ("print(total, 3)", "print total"),
        ("plt.plot(rows)\nplt.show()", "show plt"),
        ("total", "show total"),
        ("print(1)", "print"),
        ("1 + 1", "step"),
    ],
)
def test_a_name_is_what_the_cell_assigns_or_its_title_or_what_it_calls(text: str, name: str) -> None:
    assert step(text, "").name == name


def test_a_name_does_not_change_with_an_edit() -> None:
    assert step("print(total, 1)", "").name == step("print(total, 2)  # again", "").name
    assert step("# Load\nprint(1)", "").name == step("# Load\nshow(2)", "").name


def test_a_semicolon_that_silences_the_last_value_is_part_of_the_code() -> None:
    assert step("x = 1\nx").code != step("x = 1\nx;").code
    assert step("x = 1").code == step("x = 1;").code  # nothing would be shown either way


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        ("x;", True),
        ("x;  # quiet", True),
        ("x;\n\n# a remark\n", True),
        ("x", False),
        ("x  # not this one;", False),
        ("x = 1;", False),
        ("", False),
        ("plot('#fff');", True),
        ("plot('ä #');  # quiet;", True),
        ("plot('#;')", False),
        ("(plot(\n  '#;'  # a;\n));", True),
        ("plot('#;') \\\n;", True),
        ("'''one;\n#two;'''", False),
    ],
)
def test_a_value_is_silent_when_a_semicolon_follows_it(text: str, silent: bool) -> None:
    assert is_silent(ast.parse(text), text) is silent


@given(st.lists(st.sampled_from(["", "   ", "# remark", "  # other;"])))
def test_what_stands_below_a_semicolon_does_not_matter_as_long_as_it_is_no_code(below: list[str]) -> None:
    text = "\n".join(["x;", *below])
    assert is_silent(ast.parse(text), text)


def test_a_tree_is_walked_once_for_its_texts_and_targets() -> None:
    tree = ast.parse("a.b = 'one'\nd['two'] = 3\ndel e.f\ng = h.i")
    found = nodes(tree)
    assert found.texts == {"one", "two"}
    assert [ast.unparse(target) for target in found.targets] == ["a.b", "d['two']", "e.f"]
    assert nodes(tree) is found
