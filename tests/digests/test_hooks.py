"""`zennb.digest`: what a user says of a type's content is its content, everywhere values are looked at."""

from __future__ import annotations

import pprint
import sqlite3
import threading
from enum import Enum
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import zennb
from zennb.digests import hooks as digest_hooks
from zennb.digests.digest import digest, digest_value
from zennb.engine.step.shared_state import share
from zennb.errors import CannotDigest, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Grid:
    """A value that cannot be digested by itself: it holds a lock."""

    def __init__(self, cells: list[int], note: str = "") -> None:
        self.cells, self.note, self.lock = cells, note, threading.Lock()


@pytest.fixture(autouse=True)
def _no_hooks_left() -> Iterator[None]:
    yield
    digest_hooks._hooks.clear()


@pytest.fixture
def hook() -> None:
    @zennb.digest(Grid)
    def content(grid: Grid) -> list[int]:
        return grid.cells


def test_without_a_hook_there_is_no_content() -> None:
    with pytest.raises(CannotDigest, match=r"`value.lock` is a lock"):
        digest(Grid([1]))


@pytest.mark.usefixtures("hook")
@pytest.mark.parametrize(
    "wrap", [lambda v: v, lambda v: [v], lambda v: {"a": (v,)}, lambda v: np.array([v, None], dtype=object)]
)
def test_only_what_the_function_returns_counts_also_in_containers(wrap: Any) -> None:
    one, same, other = Grid([1, 2], "a"), Grid([1, 2], "b"), Grid([1, 3], "a")
    assert digest(wrap(one)) == digest(wrap(same)) != digest(wrap(other))
    assert digest(wrap(one)) != digest(wrap([1, 2]))


@pytest.mark.usefixtures("hook")
def test_a_change_in_place_is_seen_and_one_of_what_does_not_count_is_not() -> None:
    grid = Grid([1])
    before = digest(grid)
    grid.note = "other"
    assert digest(grid) == before
    grid.cells.append(2)
    assert digest(grid) != before


def test_the_code_of_the_function_counts_and_registering_again_replaces_it() -> None:
    found = []
    for text in ("grid.cells", "grid.cells  # remark", "list(grid.cells)", "helper(grid)"):
        scope: dict[str, Any] = {"__name__": "__main__", "helper": lambda grid: grid.cells}
        exec(f"def content(grid):\n    return {text}", scope)
        zennb.digest(Grid)(scope["content"])
        found.append(digest(Grid([1])))
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_the_function_and_the_class_are_met_as_code_whoever_wrote_them(hook: None) -> None:
    seen = digest_value([Grid([1])])
    (content,) = digest_hooks._hooks.values()
    assert {content, Grid} <= set(seen.code)
    assert digest_hooks.hooked(seen.code) == (f"{Grid.__module__}.Grid",)
    assert digest_hooks.hooked(digest_value([1]).code) == ()
    zennb.digest(Grid)(pprint.pformat)  # a function of Python's own
    assert digest_hooks.hooked(digest_value(Grid([1])).code)


@pytest.mark.usefixtures("hook")
def test_it_holds_for_exactly_that_type() -> None:
    class Sub(Grid):
        pass

    with pytest.raises(CannotDigest):
        digest(Sub([1]))


@pytest.mark.usefixtures("hook")
def test_values_that_share_a_part_share_state_whatever_the_function_returns() -> None:
    zennb.digest(Grid)(lambda grid: tuple(grid.cells))
    cells = [1]
    first, second, third = Grid(cells), Grid(cells), Grid([1])
    one, other, apart = digest_value(first), digest_value(second), digest_value(third)
    assert share(one, other)
    assert share(one, digest_value(cells))
    assert not share(one, apart)


@pytest.mark.usefixtures("hook")
def test_values_that_look_into_one_memory_share_it() -> None:
    memory = np.zeros(8)
    zennb.digest(Grid)(lambda grid: grid.note)
    one = Grid(memory[:4])  # type: ignore[arg-type] # any value will do
    assert share(digest_value(one), digest_value(memory))


@pytest.mark.usefixtures("hook")
def test_two_values_of_a_type_share_nothing_because_of_their_class_and_function() -> None:
    class Colour(Enum):
        RED = 1

    one, other = Grid([1]), Grid([1])
    one.note = other.note = Colour.RED  # type: ignore[assignment] # any value will do
    assert not share(digest_value(one), digest_value(other))


@pytest.mark.usefixtures("hook")
def test_the_same_value_twice_is_not_two_equal_ones() -> None:
    grid = Grid([1])
    assert digest([grid, grid]) != digest([Grid([1]), Grid([1])])


def test_a_new_list_each_time_is_never_taken_for_one_met_before() -> None:
    zennb.digest(Grid)(lambda grid: [list(grid.cells), list(grid.cells)])
    assert len({digest([Grid([n]) for n in range(50)]) for _ in range(20)}) == 1


def test_a_tree_of_values_ends() -> None:
    zennb.digest(Grid)(lambda grid: grid.cells)
    root = Grid([1])
    for _ in range(5_000):
        root = Grid([root, 1])  # type: ignore[list-item] # a tree
    assert digest(root)
    root.cells.append(root)  # type: ignore[arg-type] # in a circle
    assert digest(root)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda _grid: 1 / 0, "a .*Grid whose digest function `<lambda>` raised ZeroDivisionError"),
        (lambda _grid: None, "returned None instead of its content"),
        (lambda grid: grid, "returned the value itself instead of its content"),
        (lambda _grid: Grid, "returned a type instead of its content"),
        (lambda grid: grid.lock, "is a lock"),
        (lambda grid: [grid.lock], "is a lock"),
        (lambda _grid, _more: 1, "raised TypeError"),
        (lambda _grid: Grid([1]), "makes ever new ones"),
        (lambda _grid: [Grid([1])], "makes ever new ones"),
    ],
)
def test_a_function_that_raises_or_returns_nonsense_is_one_sentence(content: Any, said: str) -> None:
    zennb.digest(Grid)(content)
    with pytest.raises(CannotDigest, match=said) as caught:
        digest_value(Grid([1]), name="g")
    assert caught.value.path.startswith("g")
    assert "\n" not in str(caught.value)


def test_a_type_that_has_no_content_for_zennb_can_be_given_one() -> None:
    zennb.digest(sqlite3.Connection)(lambda connection: connection.execute("select 1").fetchall())
    connection = sqlite3.connect(":memory:")
    assert digest(connection) == digest(connection)
    connection.close()


@pytest.mark.parametrize("kind", [int, str, list, dict, type(None), type, ModuleType, type(lambda: 0), slice])
def test_types_of_pythons_own_keep_their_digest(kind: type) -> None:
    with pytest.raises(UsageError, match="whose content zennb knows"):
        zennb.digest(kind)


@pytest.mark.parametrize("wrong", [1, "Grid", None, Grid([1])])
def test_what_is_no_class_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"zennb.digest takes a class, and got an? "):
        zennb.digest(wrong)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(UsageError, match="has to be a function of the value, and is an int"):
        zennb.digest(Grid)(3)  # type: ignore[type-var] # that is the point
