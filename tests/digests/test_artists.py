"""What is drawn in a figure counts as a place in that figure: its content is the figure's, visited once for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from zennb.digests.digest import digest, digest_cache, digest_value
from zennb.digests.walker import DigestWalker

if TYPE_CHECKING:
    import pytest


def drawn() -> Any:
    figure = Figure()
    one, other = figure.subplots(1, 2)
    one.plot([1, 2, 3])
    other.plot([1, 2, 3])
    return figure


def test_equal_places_in_equal_figures_agree_and_others_do_not() -> None:
    one, other = drawn(), drawn()
    left, right = one.axes
    assert digest(left) == digest(other.axes[0])
    assert len({digest(each) for each in (one, left, right, left.lines[0], right.lines[0])}) == 5


def test_a_change_anywhere_in_the_figure_is_a_change_of_every_part_of_it() -> None:
    figure = drawn()
    left, right = figure.axes
    parts = {"figure": figure, "left": left, "right": right, "line": right.lines[0], "list": [left, right]}
    before = {name: digest(part) for name, part in parts.items()}
    left.lines[0].set_ydata([3, 2, 1])
    assert all(digest(part) != before[name] for name, part in parts.items())


def test_two_axes_of_one_figure_differ_from_axes_of_two_equal_figures() -> None:
    one, other = drawn(), drawn()
    assert digest([one.axes[0], one.axes[1]]) != digest([one.axes[0], other.axes[1]])
    assert digest((one.axes[0], one)) != digest((one.axes[0], other))
    assert digest((one, one.axes[0])) != digest((one, other.axes[0]))
    assert digest((one.axes[0], one)) == digest((other.axes[0], other))


def test_what_was_taken_out_of_its_figure_has_a_content_of_its_own() -> None:
    figure = drawn()
    line = figure.axes[0].lines[0]
    line.remove()
    before = digest(line)
    figure.axes[1].set_title("x")
    line.set_color("k")
    assert digest(line) != before


def test_parts_share_state_with_their_figure() -> None:
    figure = drawn()
    line = figure.axes[0].lines[0]
    assert id(figure.axes[1]) in digest_value(line).mutable
    assert id(line) in digest_value([line]).mutable


def test_while_nothing_changes_a_figure_is_visited_once_for_all_its_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visited: list[object] = []
    run = DigestWalker.run

    def counted(walk: DigestWalker, value: Any, name: str) -> None:
        visited.append(value)
        run(walk, value, name)

    figure = drawn()
    monkeypatch.setattr(DigestWalker, "run", counted)
    with digest_cache():
        seen = [digest_value(each) for each in (*figure.axes, figure, figure.axes)]
    assert visited.count(figure) == 1
    assert [one.digest for one in seen] == [digest(each) for each in (*figure.axes, figure, figure.axes)]


def test_what_is_looked_at_later_is_looked_at_anew() -> None:
    figure = drawn()
    with digest_cache():
        before = digest(figure.axes[0])
    figure.axes[1].set_title("x")
    with digest_cache():
        assert digest(figure.axes[0]) != before
