from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.digests import reachability
from zennb.digests.digest import digest_value
from zennb.digests.reachability import Search, is_reachable
from zennb.digests.stretches import stretches

if TYPE_CHECKING:
    from collections.abc import Callable


class Holder:
    """Holds something."""

    def __init__(self, held: Any) -> None:
        self.held = held


class Made:
    """Gives pickles an array that it makes each time, as objects do that are written in C."""

    def __init__(self) -> None:
        self.kept = np.zeros(3)

    def __reduce__(self) -> tuple[Any, ...]:
        return Made, (), {"kept": self.kept, "made": np.arange(5), "part": np.arange(9)[2:]}


def test_what_a_recipe_makes_for_a_visit_is_no_part_of_the_value() -> None:
    value = Made()
    first, others, second = digest_value(value), [np.arange(5) for _ in range(9)], digest_value(value)
    assert len(others) == 9
    assert first.mutable == second.mutable
    assert first.mutable == {id(value), id(value.kept)}
    assert [each.owner for each in first.memory] == [id(value.kept)]


def test_what_is_too_much_to_look_through_is_answered_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    deepest: list[int] = []
    value = [[[[[deepest]]]]]
    monkeypatch.setattr(reachability, "FAR", 3)
    assert is_reachable(value, {id(deepest)}, beyond=True)
    assert not is_reachable(value, {id(deepest)})
    assert not is_reachable([[[1]]], {id(deepest)}, beyond=True)
    rows = [[deepest], [1], [2], [3]]
    monkeypatch.setattr(reachability, "MANY", 2)  # many rows are visited at once
    assert is_reachable(rows, {id(deepest)}, beyond=True)
    assert not is_reachable(rows, {id(deepest)})


def test_what_led_nowhere_is_not_looked_through_again_but_what_led_to_it_is() -> None:
    rows: list[int] = [1]
    looked: list[Any] = []

    class Watched(list[Any]):
        """Tells when somebody looks into it."""

    inner, way = Watched([[2]]), Watched([[rows]])
    values = [Holder(inner), [Holder(3), inner, {"it": inner}], [inner, way], Holder(way)]
    search = Search({id(rows)})
    parts = reachability.parts_of

    def noted(values: Any) -> list[Any]:
        looked.extend(each for each in values if type(each) is Watched)
        return parts(values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reachability, "parts_of", noted)
        assert [search.finds(value) for value in values] == [False, False, True, True]
    assert [id(each) for each in looked] == [id(inner), id(way), id(way)]


SHAPES: list[Callable[[Any], Any]] = [
    lambda part: [part],
    lambda part: [1, 2],
    lambda part: {"a": part},
    lambda part: (1, (part,)),
    lambda part: Holder(part),
    lambda part: {1: [2]},
    lambda part: np.arange(3),
    lambda part: part[1:] if isinstance(part, np.ndarray) else np.arange(2),
    lambda part: [(part, number) for number in range(1_200)],
    lambda part: {str(number) for number in range(1_200)},
    lambda part: OfNoHash(part),
]


class NoHash(type):
    __hash__ = None  # type: ignore[assignment]


class OfNoHash(metaclass=NoHash):
    def __init__(self, held: Any) -> None:
        self.held = held


@given(
    st.lists(st.tuples(st.sampled_from(SHAPES), st.integers(0, 30)), min_size=1, max_size=12),
    st.lists(st.integers(0, 30), min_size=1, max_size=4),
    st.booleans(),
)
def test_what_is_ruled_out_by_an_earlier_search_is_not_found_by_a_new_one(
    shapes: list[tuple[Callable[[Any], Any], int]], asked: list[int], collected: bool
) -> None:
    made: list[Any] = [[]]
    for shape, place in shapes:
        made.append(shape(made[place % len(made)]))
    first, *others = (made[place % len(made)] for place in asked)
    search = Search({id(first)}, collected=collected)
    values = [each for each in made if not search.finds(each)]
    for other in [*others, *made]:
        memory = [each for each, _ in stretches(other)] if isinstance(other, np.ndarray) else []
        for value in values:
            looks_in = gc.is_tracked(other) and not memory
            if search.has_ruled_out([value], {id(other)}, memory, collected=looks_in):
                assert not is_reachable(value, {id(other)}, memory)


def test_a_search_that_was_complete_rules_out_what_it_did_not_meet() -> None:
    inner, other = [1], np.arange(4)
    values: list[Any] = [[[inner], {"a": (inner,)}], Holder(inner), other[:2]]
    search = Search({1})
    assert not search.finds(values)
    assert search.has_ruled_out([*values, values], {2})
    assert not search.has_ruled_out([values, []], {2})
    assert not search.has_ruled_out(values, {id(inner)})
    assert not search.has_ruled_out(values, {2}, [each for each, _ in stretches(other)])
    assert search.has_ruled_out(values, {2}, [each for each, _ in stretches(np.arange(4))])


def test_what_left_out_what_is_not_collected_rules_out_what_is() -> None:
    other: list[Any] = []
    row = (1, 2)
    values: list[Any] = [[{f"card {n}" for n in range(2_000)}], [row]]
    search = Search({id(other)}, collected=True)
    assert not search.finds(values)
    assert search.has_ruled_out(values, {2}, collected=True)
    assert not search.has_ruled_out(values, {id(row)})


def test_what_takes_the_place_of_an_object_that_has_ended_is_looked_through() -> None:
    rows: list[int] = [1]
    search = Search({id(rows)})
    assert not any(search.finds([Holder(number)]) for number in range(300))
    assert all(search.finds([rows]) for _ in range(300))


def test_what_was_given_up_is_looked_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    deepest: list[int] = []
    value = Holder([Holder([Holder(deepest)])])
    monkeypatch.setattr(reachability, "FAR", 2)
    search = Search({id(deepest)})
    assert not search.finds(value)
    monkeypatch.setattr(reachability, "FAR", 100)
    assert search.finds(value)


def test_what_lies_inside_is_found() -> None:
    rows: list[int] = [1, 2]
    assert is_reachable(Holder([rows]), {id(rows)})
    assert is_reachable(rows, {id(rows)})
    assert not is_reachable(Holder([[1, 2]]), {id(rows)})


@pytest.mark.parametrize(
    "module", ["ipykernel.zmqshell", "IPython.core.interactiveshell", "zennb.jupyter.kernel.session"]
)
def test_what_holds_the_shell_as_a_widget_does_holds_no_variable_because_of_that(module: str) -> None:
    rows: list[int] = [1, 2]
    shell = type("Shell", (Holder,), {"__module__": module})
    namespace = {"rows": rows}
    widget = Holder(shell(namespace))
    assert not is_reachable(widget, {id(rows)})
    assert is_reachable(Holder({"mine": rows, "shell": shell(namespace)}), {id(rows)})


ROWS: dict[str, Any] = {
    "lists": lambda: [[number, "a"] for number in range(2_000)],
    "dictionaries": lambda: [{"a": number} for number in range(2_000)],
    "dictionaries by number": lambda: {number: {"a": number} for number in range(2_000)},
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("hide", [list.append, lambda rows, part: rows.insert(0, part)])
def test_the_cells_of_a_table_are_not_listed_where_all_are_scalars(
    name: str, hide: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    part: list[int] = []
    table, other = ROWS[name](), ROWS["lists"]()
    hide(other, [1, part])
    assert is_reachable(other, {id(part)})
    assert is_reachable([ROWS["dictionaries"](), {1: {"a": part}}], {id(part)})
    looked: list[Any] = []

    def noted(*values: Any) -> list[Any]:
        looked.extend(values)
        return referents(*values)

    monkeypatch.setattr(gc, "get_referents", noted)
    assert not is_reachable(table, {id(part)})
    assert len(looked) == 1


FLAT: dict[str, Any] = {
    "numbers": [1, 2.5, None],
    "a set of text": {"a", "b"},
    "a dictionary of numbers": {"a": 1},
    "nothing": {},
    "rows of numbers": [(1, 2), (3, 4)],
}


@pytest.mark.parametrize("name", FLAT)
def test_what_holds_only_scalars_reaches_itself_alone(name: str) -> None:
    value = FLAT[name]
    assert is_reachable(value, {id(value)})
    assert not is_reachable(value, {1})
    assert is_reachable([value, {"k": value}], {id(value)})


@pytest.mark.parametrize(
    "hold", [lambda part: {1: part}, lambda part: [1, part], lambda part: {(1, 2): [part]}]
)
def test_what_lies_beside_scalars_is_reached(hold: Any) -> None:
    part = [1]
    assert is_reachable(hold(part), {id(part)})


class Thing:
    pass


@pytest.mark.parametrize(
    "hold",
    [
        lambda x: {(x, 1), (2, 3)},
        lambda x: [(1, (2, (x,)))],
        lambda x: {"a": ("b", {"c": x})},
        lambda x: [*((n, n) for n in range(3_000)), (1, x)],
    ],
)
@pytest.mark.parametrize("make", [Thing, lambda: np.zeros(0), lambda: np.zeros(2)])
def test_what_the_collector_leaves_out_is_not_looked_into_where_it_cannot_matter(
    hold: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = make()
    seen = digest_value(thing)
    assert seen.collected == (make is Thing)
    try:
        holder = hold(thing)
    except TypeError:  # no array can be in a set
        return
    gc.collect()
    assert is_reachable(holder, seen.mutable, seen.memory, collected=seen.collected)
    numbers = {(n, (-n,)) for n in range(3_000)}
    gc.collect()
    gc.collect()  # a tuple of tuples is left out once these are
    looked: list[Any] = []

    def noted(*values: Any) -> list[Any]:
        looked.extend(values)
        return referents(*values)

    monkeypatch.setattr(gc, "get_referents", noted)
    assert not is_reachable(numbers, seen.mutable, seen.memory, collected=seen.collected)
    assert (len(looked) < 10) == seen.collected


referents = gc.get_referents


def test_parts_without_their_own_visit_are_not_taken_for_known() -> None:
    empty = bytearray()
    assert not digest_value([empty]).collected
    assert not digest_value(memoryview(empty)).collected
    assert digest_value([Thing(), {"a": {1}}]).collected


class Unhashable(type):
    """Makes classes that cannot be elements of a set."""

    def __eq__(cls, other: object) -> bool:
        return cls is other

    __hash__ = None  # type: ignore[assignment]


class Odd(metaclass=Unhashable):
    """Holds something, and its class has no hash."""

    def __init__(self, held: Any) -> None:
        self.held = held


def test_what_lies_beside_instances_of_a_class_without_a_hash_is_found() -> None:
    rows, array = [1], np.zeros(9)
    memory = digest_value(array).memory
    assert is_reachable(Odd([rows]), {id(rows)})
    assert is_reachable([Odd(1), {"it": array[2:]}], set(), memory)
    assert is_reachable(Odd([array[2:]]), set(), memory)
    assert not is_reachable([Odd([1]), np.zeros(9)], {id(rows)}, memory)


@pytest.mark.parametrize("make", [set, list, tuple, frozenset, dict.fromkeys])
def test_a_large_container_of_scalars_is_not_listed(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    part: list[int] = []
    large, other = make(map(str, range(2_000))), [*map(str, range(2_000)), part]
    assert is_reachable([large, other], {id(part)})
    assert is_reachable([large, other], {id(large)})
    listed: list[int] = []

    def noted(*values: Any) -> list[Any]:
        found = referents(*values)
        listed.append(len(found))
        return found

    monkeypatch.setattr(gc, "get_referents", noted)
    assert not is_reachable([large, Thing()], {id(part)})
    assert max(listed) < 10
