from __future__ import annotations

from typing import Any

import pytest

from zennb.views.preview import in_a_line, preview

FRAME = {
    "kind": "frame",
    "rows": 150,
    "columns": [{"name": "length", "dtype": "float64"}, {"name": "species", "dtype": "str", "missing": 3}],
    "head": [["0", "5.1", "setosa"], ["1", "4.9", "setosa"]],
}


@pytest.mark.parametrize(
    ("summary", "text", "line"),
    [
        ({"kind": "scalar", "text": "0.97"}, "0.97", "0.97"),
        ({"kind": "text", "text": "a\nb", "length": 3}, "a\nb", "a↵b"),
        ({"kind": "text", "text": "ab", "length": 9000}, "ab\n… 9,000 characters in all", "ab"),
        (
            {
                "kind": "array",
                "shape": [120, 2],
                "dtype": "float64",
                "min": 0.1,
                "max": 7.123456789,
                "histogram": [0, 1, 8],
                "head": [["1", "2"], ["3", "4"]],
            },
            "120 × 2 float64  min 0.1  max 7.12346   ▁█\n[[1 2]\n [3 4]]",
            "120 × 2 float64",
        ),
        ({"kind": "array", "shape": [], "dtype": "int64"}, "scalar int64", "scalar int64"),
        (
            FRAME,
            (
                "150 rows × 2 columns\n"
                "          length  species\n"
                "─────────────────────────\n"
                "type     float64  str\n"
                "missing           3\n"
                "0            5.1  setosa\n"
                "1            4.9  setosa"
            ),
            "150 rows × 2 columns",
        ),
        (
            {"kind": "mapping", "length": 12, "items": [["a", "int", "1"]]},
            "12 items\nkey  type  value\n────────────────\na    int   1\n…",
            "12 items",
        ),
        (
            {"kind": "sequence", "length": 2, "items": [["int", "1"], ["str", "'b'"]]},
            "2 items\n   type  value\n──────────────\n0  int   1\n1  str   'b'",
            "2 items",
        ),
        (
            {"kind": "object", "text": "SVC()", "attributes": [["C", "1.0"]]},
            "SVC()\n  C  1.0",
            "SVC()",
        ),
        ({"kind": "unheard of", "text": "x"}, "", ""),
        ({}, "", ""),
    ],
)
def test_the_preview_of_each_kind(summary: dict[str, Any], text: str, line: str) -> None:
    assert preview(summary).text == text
    assert in_a_line(summary) == line


def test_a_picture_is_shown_as_a_picture() -> None:
    summary = {"kind": "picture", "mime": "image/png", "data": "aGk=", "width": 640, "height": 480}
    view = preview(summary)
    assert view.text == "picture 640 × 480 (image/png)"
    assert '<img src="data:image/png;base64,aGk=" alt="picture 640 × 480 (image/png)"' in view.html
    assert in_a_line(summary) == "640 × 480"


def test_an_array_with_the_shape_of_an_image_shows_it() -> None:
    array = {"kind": "array", "shape": [9, 9], "dtype": "uint8", "mime": "image/png", "data": "aGk="}
    assert '<img src="data:image/png;base64,aGk="' in preview(array).html
    assert "<img" not in preview({**array, "mime": "text/html"}).html


def test_a_narrow_panel_hides_no_column_of_a_frame() -> None:
    assert "zennb-minor" not in preview(FRAME).html


@pytest.mark.parametrize(
    "wrong", [{"mime": "text/html"}, {"data": 'x" onerror="y'}, {"data": ""}, {"mime": None}]
)
def test_a_picture_of_an_unknown_kind_or_with_foreign_data_is_only_named(wrong: dict[str, Any]) -> None:
    view = preview({"kind": "picture", "mime": "image/png", "data": "aGk=", **wrong})
    assert "<img" not in view.html
    assert view.text.startswith("picture")


def test_a_wide_frame_names_the_columns_that_have_no_room() -> None:
    wide = {
        "kind": "frame",
        "rows": 1,
        "columns": [{"name": f"measurement_{at}", "dtype": "float64"} for at in range(20)],
        "head": [["0", *("1.5" for _ in range(20))]],
    }
    view = preview(wide)
    assert all(len(line) <= 80 for line in view.text.split("\n")[:-1])
    assert "and measurement_5 float64" in view.text
    assert "and measurement_5 float64" in view.html  # by what fits the page, not by a number of columns
    assert "and measurement_9 float64" in preview(wide, page=150).html


@pytest.mark.parametrize(
    "kind", ["scalar", "text", "array", "frame", "picture", "mapping", "sequence", "object"]
)
def test_a_summary_that_lacks_everything_is_still_shown(kind: str) -> None:
    preview({"kind": kind})
    preview(
        {
            "kind": kind,
            "items": 3,
            "columns": "ab",
            "head": 7,
            "shape": None,
            "attributes": [[1]],
            "length": "x",
        }
    )
