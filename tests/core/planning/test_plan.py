"""The plan of a pipeline: links, order, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.core.planning.plan import Outline, plan
from zennb.errors import PlanError, UnknownName


def outline(name: str, reads: str = "", binds: str = "", after: tuple[str, ...] = ()) -> Outline:
    return Outline(name=name, reads=frozenset(reads.split()), binds=frozenset(binds.split()), after=after)


def test_a_reader_is_linked_to_the_latest_binder_before_it() -> None:
    found = plan(
        [outline("a", binds="x"), outline("b", "x", "y"), outline("c", binds="x"), outline("d", "x y", "z")]
    )
    assert dict(found.edges) == {("a", "b"): ("x",), ("c", "d"): ("x",), ("b", "d"): ("y",)}
    assert found.order == ("a", "b", "c", "d")


def test_a_name_changed_in_place_flows_from_changer_to_changer() -> None:
    found = plan([outline("make", binds="m"), outline("fit", "m", "m"), outline("use", "m")])
    assert set(found.edges) == {("make", "fit"), ("fit", "use")}


def test_a_cell_may_stand_below_its_reader() -> None:
    found = plan([outline("use", "x"), outline("make", binds="x")])
    assert found.order == ("make", "use")


def test_a_name_nobody_binds_is_the_notebooks_own() -> None:
    assert not plan([outline("use", "x")]).edges


def test_after_orders_without_a_value() -> None:
    found = plan([outline("second", after=("first",)), outline("first")])
    assert found.order == ("first", "second")
    with pytest.raises(UnknownName, match="did you mean 'first'"):
        plan([outline("second", after=("frist",)), outline("first")])


def test_steps_that_wait_for_each_other_are_refused_by_name() -> None:
    with pytest.raises(PlanError, match="a, b"):
        plan([outline("a", "y", "x"), outline("b", "x", "y")])


def test_two_steps_of_one_name_are_refused() -> None:
    with pytest.raises(PlanError, match="'a'"):
        plan([outline("a"), outline("a")])


def test_narrowing() -> None:
    found = plan([outline("a", binds="x"), outline("b", "x", "y"), outline("c", "y"), outline("free")])
    assert found.narrow() == ("a", "b", "c", "free")
    assert found.narrow(start="b") == ("b", "c")
    assert found.narrow(only="b") == ("b",)
    assert found.before("c") == {"a", "b"}
    assert found.after("a") == {"b", "c"}
    assert found.parents("c") == ("b",)
    with pytest.raises(UnknownName):
        found.narrow(only="d")


names = st.sampled_from("uvwxyz")
sets = st.frozensets(names, max_size=3)


@given(st.lists(st.tuples(sets, sets), min_size=1, max_size=12))
def test_every_order_respects_every_edge(shapes: list[tuple[frozenset[str], frozenset[str]]]) -> None:
    steps = [Outline(name=f"s{n}", reads=reads, binds=binds) for n, (reads, binds) in enumerate(shapes)]
    try:
        found = plan(steps)
    except PlanError:
        return
    assert sorted(found.order) == sorted(step.name for step in steps)
    for before, after in found.edges:
        assert found.order.index(before) < found.order.index(after)
    for place, step in enumerate(steps):
        for name in step.reads:
            binders = [s.name for s in steps[:place] if name in s.binds]
            if binders:
                assert found.sources[step.name][name] == binders[-1]


def test_another_name_of_a_step_stands_for_it_unless_it_is_a_step_or_stands_for_two() -> None:
    steps = [
        Outline(name="load", aliases=("x", "y", "z")),
        Outline(name="clean", aliases=("z", "load")),
        Outline(name="y"),
    ]
    found = plan([*steps, Outline(name="last", after=("x", "y", "load"))])
    assert found.parents("last") == ("load", "y")
    assert found.aliases == {"x": "load"}
    assert (found.narrow(only="x"), found.narrow(start="x")) == (("load",), ("load", "last"))
    with pytest.raises(UnknownName, match="no step 'z'"):
        plan([*steps, Outline(name="last", after=("z",))])
