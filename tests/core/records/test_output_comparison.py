from __future__ import annotations

from typing import Any

import pytest

from zennb.core.records.output_comparison import LAST_STATE, difference, is_replay, normalised, showing


def stream(text: str | list[str], name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def display(metadata: dict[str, Any] | None = None, **data: str) -> dict[str, Any]:
    named = {"text": "text/plain", "png": "image/png", "html": "text/html"}
    return {
        "output_type": "display_data",
        "data": {named[key]: value for key, value in data.items()},
        "metadata": metadata or {},
    }


def result(text: str) -> dict[str, Any]:
    return {"output_type": "execute_result", "data": {"text/plain": text}, "metadata": {}}


def test_pieces_of_a_stream_are_one_text_however_they_were_cut() -> None:
    assert showing([stream("a\n"), stream("b\n")]) == showing([stream(["a\n", "b\n"])])


def test_standard_error_between_two_pieces_counts_for_nothing() -> None:
    assert showing([stream("a"), stream("warning", "stderr"), stream("b")]).text == "ab"


def test_order_counts() -> None:
    assert showing([stream("a\n"), result("1")]) != showing([result("1"), stream("a\n")])


def test_the_status_line_of_a_step_is_not_what_the_cell_showed() -> None:
    line = display({"zennb": {"step": "a", "status": "completed"}}, text="✔ a")
    assert showing([stream("a"), line]) == showing([stream("a")])


def test_pictures_are_told_apart_from_text() -> None:
    one, other = (showing([display(text="<Figure>", png=data)]) for data in ("AAAA", "BBBB"))
    assert one.text == other.text == "<Figure>\n"
    assert one.pictures != other.pictures
    assert showing([display(text="<Figure>", png="AA\nAA\n")]) == one


def test_an_exception_is_its_name_and_message() -> None:
    error = {"output_type": "error", "ename": "ValueError", "evalue": "bad", "traceback": ["line 7"]}
    found = showing([stream("a\n"), error])
    assert (found.text, found.raised) == ("a\nValueError: bad\n", "ValueError")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<object at 0x7f01a2b3c4d0>", "<object at 0x7fffffffc4d0>"),
        (
            "1.03 ms ± 22 µs per loop (mean ± std. dev. of 7 runs, 1,000 loops each)",
            "980 µs ± 1.5 µs per loop (mean ± std. dev. of 7 runs, 10,000 loops each)",
        ),
        (
            "CPU times: user 1 ms, sys: 0 ns, total: 1 ms\nWall time: 2 ms",
            "CPU times: user 9 s\nWall time: 1min 3s",
        ),
        ("/tmp/ipykernel_81/3041.py:3: Warning", "/tmp/ipykernel_9/77.py:3: Warning"),
        ("in '/tmp/tmpab12_x9z/data.csv'", "in '/tmp/tmpq8w7e6r5/data.csv'"),
        (
            "The slowest run took 9 times longer than the fastest.\nThis could mean that a result is cached.\nx",
            "x",
        ),
        ("10%\r 50%\r100%\n", "100%\n"),
        ("\x1b[31mred\x1b[0m", "red"),
    ],
)
def test_what_differs_by_nature_is_no_difference(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("0xff", "0xfe"), ("3.14", "3.15"), ("a b", "a  b"), ("a\n", "a"), ("Wall time is 3", "Wall time is 4")],
)
def test_what_was_computed_is_a_difference(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_a_difference_is_a_short_diff_of_the_lines_around_it() -> None:
    before = "".join(f"line {n}\n" for n in range(100))
    found = difference(before, before.replace("line 50\n", "line fifty\n"))
    assert found.split("\n") == [
        "--- plain",
        "+++ step",
        "@@ -50,3 +50,3 @@",
        " line 49",
        "-line 50",
        "+line fifty",
        " line 51",
    ]
    assert difference(before, before) == ""


def test_a_long_difference_is_cut_and_says_so() -> None:
    found = difference("\n".join("abcdef"), "x" * 1000 + "\n" * 50).split("\n")
    assert (len(found), found[-1]) == (13, "… 47 more lines")
    assert max(map(len, found)) == 160


def test_a_difference_of_line_ends_alone_is_named() -> None:
    assert difference("a\n", "a") == "(only line ends differ)"


def test_a_replay_with_masked_secrets_counts_as_what_was_shown_and_no_other_text_does() -> None:
    assert is_replay("key abc, end\n", "key ••••, end\n")
    assert is_replay("a1 b2 c", "•••• •••• c")
    assert is_replay("abc", "••••")
    for shown in ("key abc, ende\n", "kez abc, end\n", "key abc end\n", ", end\n"):
        assert not is_replay(shown, "key ••••, end\n"), shown
    assert not is_replay("aba", "ab••••ba")
    assert is_replay("x", "x")
    assert not is_replay("x", "y")


def test_what_a_widget_shows_is_not_compared() -> None:
    view = {"text/plain": "0%|   | 0/3", "application/vnd.jupyter.widget-view+json": {"model_id": "a"}}
    live = {"output_type": "display_data", "data": view, "metadata": {}}
    replayed = {"output_type": "display_data", "data": {"text/plain": "100%"}, "metadata": {LAST_STATE: True}}
    assert showing([live]) == showing([replayed]) == showing([])
