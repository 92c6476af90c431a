from __future__ import annotations

import re

from zennb.views.markup import MINOR
from zennb.views.rows import ROW_HEIGHT, beside
from zennb.views.table import Column, Table

COLUMNS = (Column.of("count", "run", heading=True), Column.of("names", "note"), Column.of("seconds", "took"))


def test_every_row_and_the_headings_are_as_high_as_a_control_whatever_is_in_them() -> None:
    rows: list[dict[str, object]] = [
        {"run": 1, "note": "a\nb\nc"},
        {"run": 2, "note": "word " * 200, "took": 3.0},
        {"run": 3},
    ]
    html = beside(Table(columns=COLUMNS, data=rows), caption="runs")
    assert len(re.findall(f'<tr style="height:{ROW_HEIGHT}px', html)) == 4
    cells = re.findall(r'<t[dh] [^>]*style="([^"]*)"', html)
    assert cells
    for style in cells:
        assert "white-space:nowrap" in style


def test_columns_without_values_leave_their_place_and_rows_keep_their_names_for_screen_readers() -> None:
    html = beside(Table(columns=COLUMNS, data=[{"run": 7, "took": 2.0}]), caption="runs of a day")
    assert html.count('<th scope="col"') == 2
    assert beside(Table(columns=COLUMNS, data=[]), caption="x").count('<th scope="col"') == 3
    assert '<th scope="row"' in html
    assert ">7</span></th>" in html
    assert "runs of a day</caption>" in html


def test_a_cell_that_is_cut_says_all_of_it_when_pointed_at() -> None:
    html = beside(Table(columns=COLUMNS, data=[{"run": 7, "note": "n" * 80}]), caption="x")
    assert f'title="{"n" * 80}"' in html


def test_minor_columns_are_marked_for_the_style_sheet_of_narrow_panels_in_all_tables() -> None:
    columns = (*COLUMNS, Column.of("time", "started", minor=True))
    table = Table(columns=columns, data=[{"run": 7, "note": "n", "took": 2.0, "started": 1.0}])
    for html in (table.html, beside(table, caption="runs")):
        assert html.count(f'class="{MINOR}"') == 2
