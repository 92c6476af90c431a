from __future__ import annotations

import json
from typing import Any

from zennb.core.records.records import Status
from zennb.views.table import Column, Table, facts
from zennb.views.text import width

ROWS: list[dict[str, Any]] = [
    {"name": "train", "status": Status.COMPLETED, "seconds": 1.34, "reason": "first run", "more": ("a", 1)},
    {"name": "plot", "status": Status.SKIPPED, "seconds": None, "reason": "train failed", "more": ()},
]
COLUMNS = (
    Column.of("name", "name"),
    Column.of("state", "status", "state"),
    Column.of("seconds", "seconds", "took"),
    Column.of("prose", "reason"),
)


def test_the_text_face_is_aligned() -> None:
    assert Table(columns=COLUMNS, data=ROWS, title="steps").text == (
        "steps\n"
        "name   state           took  reason\n"
        "─────────────────────────────────────────\n"
        "train  ✔ completed    1.3 s  first run\n"
        "plot   ○ skipped             train failed"
    )


def test_the_html_face_has_scoped_headings_and_numbers_at_the_right() -> None:
    html = Table(columns=COLUMNS, data=ROWS).html
    assert html.count('<th scope="col"') == 4
    assert html.count('<th scope="row"') == 2
    assert '<td style="text-align:right' in html


def test_rows_are_values_for_json() -> None:
    table = Table(columns=COLUMNS, data=ROWS)
    assert table.rows()[0] == {
        "name": "train",
        "status": "completed",
        "seconds": 1.34,
        "reason": "first run",
        "more": ["a", 1],
    }
    assert json.loads(json.dumps(table.rows())) == table.rows()


def test_a_column_without_values_is_left_out_unless_the_table_is_fixed() -> None:
    rows = [{"name": "a"}]
    assert Table(columns=COLUMNS, data=rows).text.startswith("name\n")
    assert "took" in Table(columns=COLUMNS, data=rows, fixed=True).text


def test_a_table_without_rows_says_so() -> None:
    table = Table(columns=COLUMNS, data=[], empty="no runs yet")
    assert table.text == "no runs yet"
    assert "no runs yet" in table.html


def test_long_cells_end_in_an_ellipsis_and_prose_goes_on_below() -> None:
    columns = (Column.of("name", "name"), Column.of("names", "value"), Column.of("prose", "reason"))
    rows = [{"name": "n" * 50, "value": "v" * 70, "reason": "because of " * 6}]
    lines = Table(columns=columns, data=rows, page=60).text.split("\n")
    assert all(width(line) <= 60 for line in lines)
    assert lines[2].count("…") == 2
    assert len(lines) > 4


def test_minor_columns_leave_a_narrow_page_but_not_the_html() -> None:
    columns = (
        Column.of("name", "name"),
        Column.of("names", "kind", minor=True),
        Column.of("time", "created"),
    )
    table = Table(columns=columns, data=[{"name": "n" * 30, "kind": "k" * 30, "created": 1.0}], page=60)
    assert "kind" not in table.text
    assert "kind" in table.html
    assert "kind" in table.rows()[0]


def test_facts_are_aligned_and_go_on_at_their_column() -> None:
    told = facts([("type", "int"), ("nothing", ""), ("used by", "one two three four five")], page=32)
    assert told == "  type     int\n  used by  one two three four\n           five"


LONG = "a value that is far too long for its column and goes on"


def test_html_breaks_sentences_where_that_makes_it_fit_and_never_scrolls_as_well() -> None:
    reason, name = Column.of("prose", "reason"), Column.of("names", "name", most=30)
    fitting = Table(columns=(name, reason), data=[{"name": "x", "reason": LONG * 3}])
    assert "nowrap" not in fitting.html.rpartition("<td")[2]
    names = [Column.of("names", f"n{at}", least=30, most=30) for at in range(4)]
    row = {f"n{at}": LONG for at in range(4)} | {"reason": LONG * 3}
    scrolled = Table(columns=(*names, reason), data=[row])
    assert scrolled.html.count("white-space:nowrap") == 5
    assert f'title="{LONG * 3}"' in scrolled.html


def test_html_leaves_minor_columns_out_where_they_do_not_fit() -> None:
    columns = [Column.of("names", f"n{at}", minor=True, most=30) for at in range(9)]
    table = Table(columns=columns, data=[{f"n{at}": LONG for at in range(9)}], html_page=80)
    assert table.html.count("<td") == 2
    assert len(table.rows()[0]) == 9


def test_code_in_a_cell_breaks_no_lines_that_the_cell_does_not() -> None:
    # JupyterLab breaks `code` by a style of its own, beside which `nowrap` of the cell has no effect.
    columns = (Column.of("prose", "why", wrap=False, least=18),)
    html = Table(columns=columns, data=[{"why": "input `X` changed"}]).html
    assert "white-space:inherit" in html.partition("<code")[2].partition(">")[0]


def test_on_a_wide_page_what_is_cut_gets_the_room_that_the_other_columns_leave() -> None:
    columns = [Column(key="name", title="name", tight=True), Column(key="value", title="value")]
    rows = [{"name": "n" * 50, "value": "v" * 60}]
    html = Table(columns=columns, data=rows).html
    assert "max-width:max(30ch,calc(28ch + (70vw - 80ch)*1.00))" in html
    assert "max-width:max" not in Table(columns=columns[:1], data=rows).html
