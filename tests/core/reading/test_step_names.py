"""Names of steps that nobody named: from headings, from what other cells read, from the code."""

from __future__ import annotations

import ast

import pytest

from zennb.core.reading.source import analyse
from zennb.core.reading.step_names import NamedStep, derived_names, distinct_names, name_hints

MAGICS = frozenset({"zennb", "stack"})


def titles(*cells: str) -> list[str]:
    """Return the titles of code cells; cells that start with `#` and a blank are Markdown."""
    typed = [("markdown" if cell.startswith(("# ", "##")) else "code", cell) for cell in cells]
    return [each.title for each in name_hints(typed, MAGICS)]


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("## Load the data!", "load the data"),
        ("### 2.1 Clean `rows`, **twice** ###", "clean rows twice"),
        ("## See [the docs](https://example.org/a)", "see the docs"),
        ("## Über die Größe", "über die größe"),
        ("## " + "word " * 20, "word word word word word word"),
        ("## One\n\ntext\n\n### Two", "two"),
        ("## Setup\n```bash\n# no heading\n```", "setup"),
        ("## ***", ""),
        ("## --no-cache", "no-cache"),
        ("## -i x - y", "i x y"),
        ("## -", ""),
        ("## 2024", ""),
        ("## 3.", ""),
        ("## Q1 / 2024", "q1 2024"),
        ("## run[1]", "run 1"),
        ("## \u2764\ufe0f", ""),
        ("## हिन्दी में आँकड़े", "हिन्दी में आँकड़े"),
        ("## โหลดข้อมูล ที่นี่", "โหลดข้อมูล ที่นี่"),
        ("## Cafe\u0301 Zu\u0308rich", "café zürich"),
        ("## " + "กี" * 20, "กี" * 16),
        ("## a" + "กี" * 20, "a" + "กี" * 15),
    ],
)
def test_a_heading_names_the_step_below_it(heading: str, title: str) -> None:
    assert titles(heading, "rows = 1") == [title]


def test_it_names_the_first_cell_below_that_could_be_a_step() -> None:
    cells = (
        "## Load",
        "import json",
        "%stack",
        "#| step: off\na = 1",
        "",
        "rows = 1",
        "more = 2",
        "## Next",
        "b = 1",
    )
    assert titles(*cells) == ["", "", "", "load", "", "next"]


def test_the_title_of_a_notebook_names_nothing() -> None:
    assert titles("# Sales of 2026", "rows = 1") == [""]
    assert titles("# Load", "rows = 1", "# Train", "model = 1") == ["load", "train"]


def test_hints_say_what_other_cells_read() -> None:
    cells = [("code", "tmp = 1\nrows = [tmp]"), ("code", "%%step add\ntotal = sum(rows)"), ("code", "x = (")]
    first, second, broken = (each.read_elsewhere for each in name_hints(cells, MAGICS))
    assert "rows" in first
    assert not {"tmp", "total"} & (first | second | broken)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("for name, group in frames.items():\n    print(name, len(group))", "loop frames"),
        ("for n in range(3):\n    total = n", "total"),
        ("# Look at all\nfor frame in frames:\n    frame.info()", "look at all"),
        ("print(total)", "print total"),
        ("total", "show total"),
        ("for _ in '12': pass", "step"),
    ],
)
def test_a_cell_that_assigns_nothing_is_named_after_what_it_does(code: str, name: str) -> None:
    tree = ast.parse(code)
    assert derived_names(analyse(tree), outputs=None, tree=tree, text=code) == (name,)


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        ([("", "load x"), ("load", ""), ("", "z")], ["x", "load", "z"]),
        ([("", "load x", "x"), ("", "x")], ["x load", "x-2"]),
        ([("", "x"), ("", "x", "x"), ("", "clean x", "x-2")], ["x-3", "x", "x-2 clean"]),
        ([("", "load x", "load"), ("", "load y", "load")], ["load x", "y"]),
        ([("", "y", "x"), ("", "x"), ("x", "", "a")], ["y", "x-2", "x"]),
        ([("", "x"), ("x", "")], ["x-2", "x"]),
        ([("", "plot x"), ("", "plot y"), ("", "plot y")], ["plot x", "y", "y-2"]),
        ([("", "total x"), ("", "total")], ["x", "total"]),
        ([("", "load x"), ("", "x")], ["load x", "x-2"]),
        ([("", "load rows tmp"), ("", "rows n")], ["load rows tmp", "n"]),
        ([("a", ""), ("a", "")], ["a", "a"]),
    ],
)
def test_a_name_stands_for_one_step_and_is_first_what_the_user_says(
    steps: list[tuple[str, ...]], names: list[str]
) -> None:
    found = distinct_names(
        [
            NamedStep(given=given, derived=tuple(derived.split()), shown="".join(shown))
            for given, derived, *shown in steps
        ]
    )
    assert [" ".join(each) for each in found] == names
