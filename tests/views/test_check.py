from __future__ import annotations

import pytest

from zennb.core.records.check_findings import Check, CheckedCell, Share
from zennb.views.check import check, figure

CELLS = (
    CheckedCell(number=1, code="import numpy as np", cold=True, reused=True, cached=True),
    CheckedCell(
        number=2,
        code="<b>show()</b>",
        cold=False,
        reused=True,
        cached=False,
        reason="not cacheable: `g` is a generator",
        cold_difference="--- plain\n+++ step\n-1\n+<i>2</i>",
        pictures=False,
        seconds=(0.5, 4.0, 0.5),
    ),
    CheckedCell(number=4, code="time.time()", varies=True, cached=True, reused=True),
    CheckedCell(number=5, code="1 / 0", stays="raises ZeroDivisionError", cold=True),
)
FOUND = Check(name="a.ipynb", cells=CELLS, seconds=12.0, notes=("as steps: the kernel died.",))


def test_every_cell_has_a_row_that_says_how_it_went_and_why() -> None:
    rows = check(FOUND).text.split("\n")[2:]
    assert rows[0].split("  ")[2:] == ["import numpy as np", *rows[0].split("  ")[3:]]
    assert "same, reused" in rows[0]
    assert "DIFFERS" in rows[1]
    text = " ".join(" ".join(rows).split())
    assert "not cacheable: `g` is a generator; pictures differ;" in text
    assert "4.0 s as a step, 500 ms plain" in text
    assert "varies" in text
    assert "no step: it raises ZeroDivisionError" in text
    assert "not reached" in text


def test_what_differs_follows_and_the_figures_come_last() -> None:
    lines = check(FOUND).text.split("\n")
    at = lines.index("cell [2] in the first run: <b>show()</b>")
    assert lines[at + 1 : at + 5] == ["    --- plain", "    +++ step", "    -1", "    +<i>2</i>"]
    assert lines[-7:] == [
        "a.ipynb: 4 cells checked in 12.0 s",
        "as steps: the kernel died.",
        "pictures differ in 1 cell",
        "1 cell silently different",
        "  faithful on the first run  66.7% (2 of 3)",
        "  faithful in a new kernel   100.0% (3 of 3)",
        "  reused in a new kernel     66.7% (2 of 3)",
    ]


def test_code_is_escaped_in_html() -> None:
    html = check(FOUND).html
    assert "&lt;b&gt;show()&lt;/b&gt;" in html
    assert "<b>" not in html
    assert "<i>" not in html


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "100.0% (0 of 0)"), (3, 3, "100.0% (3 of 3)"), (9999, 10000, "99.9% (9999 of 10000)")],
)
def test_a_figure_is_never_rounded_up_to_a_hundred(part: int, whole: int, said: str) -> None:
    assert figure(Share(part=part, whole=whole)) == said


def test_a_notebook_without_code_has_nothing_to_check() -> None:
    assert check(Check(name="a.ipynb", cells=())).text.startswith("it has no code to check")
