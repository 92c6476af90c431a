"""Which variables share state: what a change through one would show in the other, and nothing else."""

from __future__ import annotations

import os
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from zennb.digests.digest import digest_value
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.engine.step import shared_state
from zennb.engine.step.shared_state import forget, share

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", None]})
LIST = [1]
ARRAY = np.arange(6)
RECORDS = np.zeros(2, dtype=[("a", "i4")])
MODEL = LinearRegression()


def axes() -> Any:
    return Figure().subplots()


def picture() -> Any:
    return axes().imshow([[1, 2]], cmap="Greys")


def figure_and_axes() -> tuple[object, object]:
    made = axes()
    made.imshow([[1, 2]])
    return made.figure, made


def picture_and_colours() -> tuple[object, object]:
    made = axes().imshow([[1, 2]], cmap=colormaps["Greys"])
    return made, made.get_cmap()


# Made by the test: what a module holds, other tests in its process search for what a step shares with code.
TOGETHER: dict[str, Callable[[], tuple[object, object]]] = {
    "an alias": lambda: (LIST, LIST),
    "a container and what it holds": lambda: ({"k": LIST}, LIST),
    "two containers of one list": lambda: ([LIST], {"k": LIST}),
    "an array and a view": lambda: (ARRAY, ARRAY[1:3]),
    "two views of one array": lambda: (ARRAY[:2], ARRAY[4:]),
    "a figure and its axes": figure_and_axes,
    "a picture and its own colours": picture_and_colours,
    "a structured array and its records": lambda: (RECORDS, RECORDS.view(np.recarray)),
    "a pipeline and its model": lambda: (Pipeline([("m", MODEL)]), MODEL),
    "a grouping and its frame": lambda: (FRAME.groupby("a"), FRAME),
}
APART: dict[str, Callable[[], tuple[object, object]]] = {
    "equal lists": lambda: ([1], [1]),
    "an array and a copy": lambda: (ARRAY, ARRAY.copy()),
    "two figures": lambda: (picture().figure, picture().figure),
    "two pictures over categories": lambda: (axes().bar(["a", "b"], [1, 2]), axes().bar(["c", "d"], [1, 2])),
    "two pictures in the same colours": lambda: (picture(), picture()),
    "axes of two figures": lambda: (picture().axes, picture().axes),
    "a frame and some of its rows": lambda: (FRAME, FRAME.iloc[[0, 2]]),
    "a frame and its labels": lambda: (FRAME, FRAME.columns),
    "two models": lambda: (MODEL, LinearRegression()),
    "immutable values": lambda: ((1, "a"), (1, "a")),
}
PARTS_OF_FRAMES: dict[str, Callable[[], tuple[object, object]]] = {
    "a frame and its column": lambda: (FRAME, FRAME["a"]),
    "a frame and its head": lambda: (FRAME, FRAME.head(2)),
}
# Before pandas 3 they look into the memory of their frame, and writing into one changes the other.
(APART if int(pd.__version__.partition(".")[0]) >= 3 else TOGETHER).update(PARTS_OF_FRAMES)


@pytest.mark.parametrize("make", TOGETHER.values(), ids=TOGETHER)
def test_these_share_state(make: Callable[[], tuple[object, object]]) -> None:
    one, other = make()
    assert share(digest_value(one), digest_value(other))
    assert share(digest_value(other), digest_value(one))


@pytest.mark.parametrize("make", APART.values(), ids=APART)
def test_these_do_not(make: Callable[[], tuple[object, object]]) -> None:
    one, other = make()
    assert not share(digest_value(one), digest_value(other))


def partners(names: dict[str, Any], *asked: str) -> set[str]:
    """The variables that share state with those asked about, none of which was ever looked at."""
    return set(VariableTracker().partners({name: digest_value(names[name]) for name in asked}, names))


def test_partners_are_found_however_the_state_is_shared() -> None:
    inner: list[int] = []
    names = {
        "box": [inner],
        "inner": inner,
        "seen": {"k": (1, inner)},
        "stream": (n for n in inner),
        "bound": inner.append,
        "default": lambda x=inner: x,
        "far": [[]],
        "_hidden": inner,
    }
    assert partners(names, "inner") == {"box", "seen", "stream", "bound", "default"}
    assert partners(names, "far") == set()


def test_views_and_their_array_are_partners() -> None:
    array = np.arange(6)
    names = {
        "array": array,
        "view": array[2:],
        "other": array[:1],
        "copy": array.copy(),
        "held": {"v": array[1:]},
    }
    assert partners(names, "array") == {"view", "other", "held"}
    assert partners(names, "view") == {"array", "other", "held"}


def test_a_variable_that_came_to_share_later_is_a_partner() -> None:
    inner: list[int] = []
    names: dict[str, Any] = {"inner": inner, "box": []}
    variables = VariableTracker()
    variables.digest("box", names["box"])
    names["box"].append(inner)
    variables.code_ran()
    assert set(variables.partners({"inner": digest_value(inner)}, names)) == {"box"}


def test_a_variable_that_has_been_rebound_is_no_partner() -> None:
    inner: list[int] = []
    names: dict[str, Any] = {"inner": inner, "old": [inner]}
    variables = VariableTracker()
    assert set(variables.partners({"inner": digest_value(inner)}, names)) == {"old"}
    names["old"] = 1
    assert not variables.partners({"inner": digest_value(inner)}, names)


def test_what_libraries_keep_is_searched_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[int] = []
    everything = shared_state._kept_by_libraries

    def counted() -> list[dict[Any, Any]]:
        searches.append(1)
        return everything()

    figure, drawn = figure_and_axes()
    figures = [figure, picture().figure, Figure()]
    one, other, third = map(digest_value, figures)
    assert not share(one, other)
    monkeypatch.setattr(shared_state, "_kept_by_libraries", counted)
    assert not share(one, other)
    assert not share(other, third)
    assert share(digest_value(figure), digest_value(drawn))
    assert searches == []


def test_two_views_are_searched_for_once_and_are_a_librarys_if_it_is_imported_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget()  # what tests before it have imported
    bases = [np.arange(6) for _ in range(4)]
    views = [(each[:2], each[4:]) for each in bases]  # kept: the id of one that has gone is that of the next
    pairs = [(digest_value(start), digest_value(end)) for start, end in views]
    assert all(share(*pair) for pair in pairs)
    searches: list[Any] = []
    everything = shared_state._kept_by_libraries

    def counted(*names: Any) -> Any:
        searches.append(names)
        return everything(*names)

    monkeypatch.setattr(shared_state, "_kept_by_libraries", counted)
    assert all(share(*pair) for pair in pairs)
    forget()
    assert searches == []
    module: Any = ModuleType("numpy.imported_now")
    module.kept, module.table, module.Kind = bases[0], {"k": bases[1]}, type("Kind", (), {"of": bases[2]})
    module.Kind.__module__ = "numpy.imported_now"
    monkeypatch.setitem(sys.modules, "numpy.imported_now", module)
    assert all(share(*pair) for pair in pairs)  # until code has run
    forget()
    assert [len(*names) for names in searches] == [1]
    assert [share(*pair) for pair in pairs] == [False, False, False, True]


@pytest.mark.filterwarnings("ignore:non-string key in the __dict__")  # from Python 3.14 on
def test_a_class_may_have_names_that_are_no_text() -> None:
    names: dict[Any, Any] = {1: [2], "__module__": "numpy"}
    odd = type("Odd", (), names)
    shared_state._searched.classes.clear()
    shared_state._searched.others.clear()
    one, other = Figure(), Figure()
    assert not share(digest_value(one), digest_value(other))
    assert odd.__name__ == "Odd"  # it has to live until here


def test_frames_with_the_same_labels_share_nothing() -> None:
    index = pd.date_range("2020-01-01", periods=3)
    one, other = (pd.DataFrame({"a": [1, 2, 3], "b": list("xyz")}, index=index) for _ in range(2))
    assert not digest_value(one).mutable & digest_value(other).mutable


def test_threads_that_build_tuples_meanwhile_go_on() -> None:
    """Whoever holds a tuple that another thread is building makes that thread fail."""
    errors: list[BaseException] = []
    is_over = threading.Event()

    def build() -> None:
        try:
            while not is_over.is_set():
                tuple(str(number) for number in range(200))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        shared_state._searched.others.clear()
        shared_state._are_libraries(frozenset({1}))
    is_over.set()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_class_that_cannot_be_hashed_does_not_stop_the_search_through_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Meta(type):
        def __hash__(cls) -> int:
            raise RuntimeError("no hash")

    class Odd(metaclass=Meta):
        pass

    class Holder:
        part = Odd()

    monkeypatch.setattr(shared_state, "_searched", shared_state._Searched())
    monkeypatch.setattr(os, "odd_part_of_a_library", [Odd()], raising=False)
    monkeypatch.setattr(os, "odd_object_of_a_library", Holder.part, raising=False)
    value = [1]
    assert shared_state.kept_by_libraries({"value": (value, digest_value(value))}) == []
    monkeypatch.setattr(os, "kept_by_a_library", value, raising=False)
    assert shared_state.kept_by_libraries({"value": (value, digest_value(value))}) == ["value"]
