"""The order that files, random state and settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.core.planning.ordering import file_edges, flows, ordering
from zennb.core.planning.plan import Outline, plan
from zennb.core.planning.run_plan import Edge
from zennb.core.records.observed import Carried, Observed
from zennb.core.records.records import Status, Step

if TYPE_CHECKING:
    from collections.abc import Mapping


def step(
    *,
    reads: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    sets: tuple[str, ...] = (),
) -> Step:
    observed = Observed(
        files=dict.fromkeys(reads, "x"),
        written=dict.fromkeys(writes, "x"),
        settings=dict.fromkeys(needs, "x"),
    )
    carried = Carried(blob="b", materializer="plain", names=sets) if sets else None
    return Step(name="s", status=Status.COMPLETED, observed=observed, carried=carried)


def order(latest: Mapping[str, Step], *, all_of_it: bool = True) -> dict[str, tuple[str, ...]]:
    return ordering(list(latest), latest, all_of_it=all_of_it)


def test_a_reader_waits_for_the_last_writer_before_it() -> None:
    write = step(writes=("f",))
    found = order({"a": write, "b": write, "c": step(reads=("f",)), "d": step(reads=("g",))})
    assert found["c"] == ("b",)
    assert "d" not in found


@pytest.mark.parametrize(
    ("written", "read", "waits"),
    [
        ("out/x.csv", "out", True),
        ("x.csv", ".", True),
        ("out", "out/x.csv", True),
        ("output", "out", False),
    ],
)
def test_a_folder_that_is_listed_and_the_files_in_it_belong_together(
    written: str, read: str, waits: bool
) -> None:
    found = order({"a": step(writes=(written,)), "b": step(reads=(read,))})
    assert found == ({"b": ("a",)} if waits else {})


def test_what_is_overwritten_was_read_first() -> None:
    steps = {"a": step(reads=("f",)), "b": step(writes=("f",)), "c": step(writes=("f",))}
    assert order(steps) == {"b": ("a",), "c": ("b",)}
    assert order(steps, all_of_it=False) == {}


def test_who_draws_random_numbers_waits_for_who_drew_before() -> None:
    random = ("random state of numpy",)
    draws = step(needs=random, sets=random)
    found = order({"a": step(sets=random), "b": draws, "c": step(needs=random), "d": step()})
    assert found == {"b": ("a",), "c": ("b",)}


def test_steps_that_never_ran_wait_for_nobody() -> None:
    assert ordering(["a", "b"], {"a": step(writes=("f",))}) == {}


def test_a_file_flows_from_the_last_step_before_the_reader_that_wrote_it() -> None:
    write, read = step(writes=("f", "other")), step(reads=("f",))
    latest = {"early": read, "a": write, "b": write, "c": read, "d": read, "late": write}
    assert file_edges(list(latest), latest) == {("b", "c"): ("f",), ("b", "d"): ("f",)}


def test_what_a_step_restores_on_reuse_flows_too() -> None:
    observed = Observed(restored={"f": "x"})
    latest = {"a": Step(name="a", status=Status.CACHED, observed=observed), "b": step(reads=("f",))}
    assert file_edges(["a", "b"], latest) == {("a", "b"): ("f",)}


def test_a_file_that_is_read_and_written_again_flows_on_from_there() -> None:
    latest = {
        "a": step(writes=("f",)),
        "b": step(reads=("f",), writes=("f",)),
        "c": step(reads=("f", "g")),
    }
    assert file_edges(list(latest), latest) == {("a", "b"): ("f",), ("b", "c"): ("f",)}


@pytest.mark.parametrize(
    ("written", "read", "files"),
    [
        (("out", "out/x.csv", "out/y.csv"), "out", ("out/x.csv", "out/y.csv")),
        (("out", "out/x.csv"), "out/x.csv", ("out/x.csv",)),
        (("out",), "out", ("out",)),
        (("data",), "data/known.csv", ()),
        (("x.csv",), ".", ("x.csv",)),
        (("output/x.csv",), "out", ()),
    ],
)
def test_a_folder_gives_what_was_written_in_it(
    written: tuple[str, ...], read: str, files: tuple[str, ...]
) -> None:
    found = file_edges(["a", "b"], {"a": step(writes=written), "b": step(reads=(read,))})
    assert found == ({("a", "b"): files} if files else {})


def test_edges_say_by_what_names_and_files_two_steps_hang_together() -> None:
    drawn = plan(
        [
            Outline(name="a", binds=frozenset({"x"})),
            Outline(name="b", reads=frozenset({"x"}), after=("a",)),
            Outline(name="c", after=("a", "b")),
        ]
    )
    found = flows(drawn, after={"c": ("b",)}, files={("a", "b"): ("f",), ("a", "c"): ("g",)})
    assert found == (
        Edge(start="a", end="b", names=("x",), files=("f",)),
        Edge(start="b", end="c"),
        Edge(start="a", end="c", files=("g",)),
    )
    assert flows(drawn, after={}, files={}) == (Edge(start="a", end="b", names=("x",)),)
