"""What is found in a long text."""

from __future__ import annotations

from zennb.views.found_text import found_text


def test_lines_are_shown_with_their_numbers() -> None:
    text = "\n".join(["nothing", "An Error, and an error", *["-"] * 7, "error <b>"])
    found = found_text(text, "error")
    assert found.text == "3 places in 2 lines\n 2  An Error, and an error\n10  error <b>"
    assert found.html.count("<strong") == 3
    assert "&lt;b&gt;" in found.html


def test_what_is_not_there_is_said() -> None:
    assert found_text("a.b", "a*b").text == "`a*b` is nowhere in it"


def test_many_and_long_lines_are_cut() -> None:
    found = found_text("\n".join(["x" * 1000 + "needle" + "y" * 1000] * 60), "NEEDLE")
    first, *lines = found.text.splitlines()
    assert first == "60 places in 60 lines, of which the first 50 are shown"
    assert len(lines) == 50
    assert all("needle" in line and len(line) < 200 for line in lines)
