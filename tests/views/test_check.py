from __future__ import annotations

import pytest

from zennb.core.records.check_findings import Check, CheckedCell, EditTrial, Share
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


def test_each_cell_says_what_is_true_of_it() -> None:
    cells = (
        CheckedCell(number=1, code="%stack", stays="uses zennb itself", uncompared="it uses zennb itself"),
        CheckedCell(number=2, code="m", uncompared="it uses what zennb returns", cached=True),
        CheckedCell(
            number=3, code="%%file a", stays="starts with %%file", cold=True, reused=True, files=True
        ),
        CheckedCell(
            number=4,
            code="f()",
            cold=False,
            reused=False,
            cached=False,
            loud=True,
            failure="NameError: f",
            reason="it failed as a step with NameError, so there is nothing to reuse",
        ),
    )
    text = check(Check(name="a.ipynb", cells=cells)).text
    said = " ".join(text.split())
    assert "not compared no step: it uses zennb itself 2" in said
    assert "not compared, reused it uses what zennb returns" in said
    assert "no step: it starts with %%file; a plain cell shows the same over the files of" in said
    assert "DIFFERS DIFFERS, ran fails as a step: NameError: f" in said
    assert "first run;" not in said
    assert "1 cell failing only with steps" in text
    assert "silently" not in text


def test_edits_have_a_table_and_say_how_to_repeat_them() -> None:
    wrong = CheckedCell(
        number=3, code="print(n)", reused=False, cached=True, reused_difference="-1\n+<i>2</i>"
    )
    trials = tuple(
        EditTrial(
            number=2,
            code="n = 1",
            kind=kind,
            line=1,
            before="1",
            after="<b>2</b>",
            cells=cells,
            variables=Share(part=1, whole=2),
            different=different,
            notes=notes,
        )
        for kind, cells, different, notes in (
            ("constant", (wrong,), ("total",), ()),
            ("plain cell", (), (), ("it never ended.",)),
        )
    )
    found = check(Check(name="a.ipynb", cells=CELLS[:1], trials=trials, seed=42))
    said = " ".join(found.text.split())
    assert "1 2 1 → <b>2</b> constant 0 of 1 1 of 2 1 of 1 cells that differ: [3]; variables that" in said
    assert "it never ended." in said
    assert "cell [3] after edit 1: print(n)\n    -1\n    +<i>2</i>" in found.text
    assert "1 edit silently different\nthe same edits again: --edits 2 --seed 42\n" in found.text
    assert "<b>2" not in found.html
    assert "<i>" not in found.html


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
