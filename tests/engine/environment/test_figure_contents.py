"""The digest of a figure that pyplot has open: that of its copy, computed once for equal figures, and never guessed."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zennb.digests import digest as digests
from zennb.digests import hooks
from zennb.engine.environment import figure_contents
from zennb.engine.environment.figure_contents import figure_content
from zennb.materializers.previews import copied_figure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what is taken apart from now on."""
    found: list[object] = []

    def noted(value: object) -> digests.ValueDigest:
        found.append(value)
        return digests.digest_value(value)

    monkeypatch.setattr(figure_contents, "digest_value", noted)
    return found


@pytest.fixture
def user(tmp_path: Path) -> Iterator[ModuleType]:
    """Return a module of the user's."""
    module = sys.modules["users_drawing"] = ModuleType("users_drawing")
    module.__file__ = str(tmp_path / "users_drawing.py")
    yield module
    del sys.modules["users_drawing"]


def drawn(*values: float) -> Any:
    figure = Figure()
    figure.add_subplot().plot(values)
    return figure


def test_it_is_the_digest_of_the_figure_that_is_loaded(visits: list[object]) -> None:
    figure = drawn(1, 2)
    expected = digests.digest_value(copied_figure(figure, largest=figure_contents.LARGEST)).digest
    assert [figure_content(figure), figure_content(figure)] == [expected, expected]


def test_an_unchanged_figure_is_taken_apart_once(visits: list[object]) -> None:
    figure = drawn(3, 1)
    assert len({figure_content(figure) for _ in range(4)}) == len(visits) == 1


def test_each_change_gives_another_digest() -> None:
    figure = drawn(1, 2)
    (axes,) = figure.axes
    found = [figure_content(figure)]
    for change in (
        lambda: axes.lines[0].set_ydata([1, 3]),
        lambda: axes.set_title("t"),
        lambda: figure.set_size_inches(3, 4),
        lambda: setattr(axes, "of_the_user", [1]),
        lambda: axes.of_the_user.append(2),
    ):
        change()
        found.append(figure_content(figure))
    assert len({*found}) == len(found)


def test_what_it_holds_of_the_user_is_looked_at_each_time(visits: list[object], user: ModuleType) -> None:
    exec("class Marked:\n    pass\n\n\ndef tell():\n    return 1", vars(user))
    figure = drawn(1, 2)
    figure.of_the_user = user.tell
    before = figure_content(figure)
    exec("def tell():\n    return 2", vars(user))
    figure.of_the_user = user.tell
    assert figure_content(figure) != before
    figure.of_the_user = user.Marked()
    assert len([figure_content(figure) for _ in range(2)]) == len(visits) - 2


def test_what_users_code_makes_of_it_is_looked_at_each_time(visits: list[object], user: ModuleType) -> None:
    exec(
        "def made():\n    return [1]\n\nclass Made:\n    def __reduce__(self):\n        return made, ()",
        vars(user),
    )
    figure = drawn(1, 2)
    figure.of_the_user = user.Made()
    before = figure_content(figure)
    exec("def made():\n    return [2]", vars(user))
    assert figure_content(figure) != before


def test_a_digest_function_counts_from_its_registration_on(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = drawn(1, 2)
    before = figure_content(figure)
    monkeypatch.setitem(hooks._hooks, Line2D, lambda line: [line.get_label()])
    assert figure_content(figure) != before


@pytest.mark.parametrize("why", ["no pickle", "too large"])
def test_one_that_is_not_known_is_equal_to_nothing(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = drawn(1, 2)
    if why == "no pickle":
        figure.of_the_user = lambda: 1
    else:
        monkeypatch.setattr(figure_contents, "LARGEST", 100)
    assert figure_content(figure) != figure_content(figure)
