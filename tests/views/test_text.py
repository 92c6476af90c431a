from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.views.text import (
    clean,
    clean_block,
    count,
    cut,
    duration,
    listing,
    pad,
    plain,
    plural,
    size,
    tree,
    when,
    width,
    wrap,
)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "<0.1 ms"),
        (0.0004, "0.4 ms"),
        (0.0099, "9.9 ms"),
        (0.00996, "10 ms"),
        (0.012, "12 ms"),
        (0.9996, "1.0 s"),
        (1.34, "1.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (11_220, "3 h 07 min"),
        (86_390, "1 d 00 h"),
        (93_600, "1 d 02 h"),
        (-1, "<0.1 ms"),
        (math.nan, ""),
        (None, ""),
    ],
)
def test_durations_read_the_way_people_say_them(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.7, "1.0 kB"),
        (1000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (999_960, "1.0 MB"),
        (7e15, "7000.0 TB"),
        (None, ""),
    ],
)
def test_sizes_have_decimal_units(amount: float | None, said: str) -> None:
    assert size(amount) == said


def test_times_are_iso_without_seconds() -> None:
    assert when(1_773_063_900) == "2026-03-09 13:45"
    assert when(0) == ""
    assert when(None) == ""


@pytest.mark.parametrize("odd", [-9e10, 253_402_300_800.0, 1e300, float("nan")])
def test_a_moment_that_no_calendar_has_is_shown_as_unknown(odd: float) -> None:
    assert when(odd) == "?"


def test_counts_set_thousands_apart() -> None:
    assert count(12_500) == "12,500"
    assert plural(1, "step") == "1 step"
    assert plural(0, "step") == "0 steps"


def test_a_line_stays_one_line_and_hides_nothing() -> None:
    assert clean("a\r\nb\tc") == "a↵b c"
    assert clean("\x1b[31m") == "\\x1b[31m"
    assert clean("a\u202eb") == "a\\u202eb"
    assert clean("\ud800") == "\\ud800"
    assert clean_block("a\n\tb\x00") == "a\n    b\\x00"


def test_joiners_that_scripts_need_are_kept() -> None:
    family = "👩\u200d👩\u200d👧"
    assert clean(family) == family


def test_wide_characters_count_twice_and_marks_not_at_all() -> None:
    assert width("データ") == 6
    assert width("e\u0301") == 1
    assert pad("データ", 8) == "データ  "
    assert cut("データ", 4) == "デ…"


def test_long_lists_say_how_many_were_left_out() -> None:
    assert listing("abc") == "a, b, c"
    assert listing(range(7)) == "0, 1, 2, 3, 4, 5, 6"
    assert listing(range(9)) == "0, 1, 2, 3, 4, 5 and 3 more"


def test_a_cell_shows_nothing_for_none_and_joins_items() -> None:
    assert plain(None) == ""
    assert plain(["a", "b\n"]) == "a, b↵"


@given(st.text(), st.integers(1, 40))
def test_cut_and_pad_keep_to_their_width(text: str, columns: int) -> None:
    line = clean(text)
    assert width(cut(line, columns)) <= columns
    assert width(pad(line, columns)) == columns


@given(st.text(alphabet="ab ", max_size=60), st.integers(5, 30))
def test_wrapped_lines_fit_lose_nothing_and_keep_short_words(text: str, room: int) -> None:
    lines = wrap(text, room)
    words = [word for line in lines for word in line.split()]
    assert all(width(line) <= room for line in lines)
    assert "".join(words) == "".join(text.split())
    assert {word for word in text.split() if len(word) <= room} <= {*words}


def test_a_tree_is_drawn_with_lines() -> None:
    below = {"a": ["b", "c"], "b": ["d"], "c": [], "d": []}
    drawn = tree(["a"], label=str, below=lambda item: below[item])
    assert drawn == "a\n├─ b\n│  └─ d\n└─ c"


def test_megabytes_are_cut_in_lines_and_blocks() -> None:
    """A record may hold any text, and a list shows dozens of records."""
    assert len(clean("x" * 10_000_000)) == 2_000
    assert clean("x" * 10_000_000).endswith("…")
    assert clean("\x1b" * 10_000_000).count("\\x1b") == 1_999
    block = clean_block("ab\n" * 5_000_000)
    assert len(block) < 201_000
    assert block.endswith("… 14,800,000 more characters")
    assert clean("x" * 2_000) == "x" * 2_000
