"""The steps a kernel has seen: their order, and when one leaves."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zennb.core.reading.step_names import NO_HINTS, NamedStep, NameHints, distinct_names
from zennb.engine.step.definition import StepOptions, define
from zennb.errors import UnknownName
from zennb.jupyter.cells.step_registry import StepRegistry

if TYPE_CHECKING:
    from collections.abc import Sequence

from zennb.engine.step.definition import StepDefinition


def step(
    name: str, cell: str = "", *, is_named: bool = True, text: str = "", hints: NameHints = NO_HINTS
) -> StepDefinition:
    text = text or f"{name} = 1"
    options = StepOptions(name=name if is_named else "")
    return define(
        ast.parse(text), options=options, source=text, text=text, filename="<cell>", cell=cell, hints=hints
    )


def register(*names: str) -> StepRegistry:
    """Return a register in which each step was run in the cell of its own name."""
    found = StepRegistry()
    for name in names:
        found.add(step(name, cell=name))
    return found


def order(found: StepRegistry, cells: Sequence[str], saved: float = 0.0) -> str:
    return " ".join(each.name for each in found.ordered(cells, saved=saved))


@pytest.mark.parametrize(
    ("ran", "cells", "expected"),
    [
        ("A B", "", "A B"),
        ("B A", "", "B A"),
        ("B A", "A B", "A B"),
        ("A B", "x A y B z", "A B"),
        ("A U1 U2 U3 B", "A B", "A U1 U2 U3 B"),
        ("A B U1 U2 U3", "A B", "A B U1 U2 U3"),
        ("A U1 B U2 U3", "A B", "A U1 B U2 U3"),
        ("U1 U2 A B", "A B", "U1 U2 A B"),
        ("U1 A U2 B U3", "A B", "U1 A U2 B U3"),
        ("B U1 A U2", "A B", "A U2 B U1"),
        ("A U1 U2", "C A B", "A U1 U2"),
        ("U1 U2", "A B", "U1 U2"),
        ("A A U1 A U2 B A", "A B", "A U1 U2 B"),
        ("A U1 B U1 U2", "A B", "A U1 B U2"),
        ("A U B", "B A", "B A U"),
    ],
)
def test_steps_of_unsaved_cells_stand_behind_the_one_run_before_them(
    ran: str, cells: str, expected: str
) -> None:
    assert order(register(*ran.split()), cells.split()) == expected


@given(st.permutations("ABCDEFG"), st.permutations("ABCDEFG"), st.integers(0, 7))
@settings(deadline=None)
def test_any_order_keeps_saved_cells_in_the_files_order_and_unsaved_ones_behind_who_ran_before(
    ran: list[str], cells: list[str], saved: int
) -> None:
    kept = cells[:saved]
    found = order(register(*ran), kept).split()
    assert sorted(found) == sorted(ran)
    assert [name for name in found if name in kept] == kept
    at, place = 0, {name: number for number, name in enumerate(found)}
    for at, name in enumerate(ran):
        if name in kept:
            continue
        before = [other for other in ran[:at] if other in kept]
        assert not before or place[before[-1]] < place[name]
        unsaved = [other for other in ran[:at] if other not in kept]
        if unsaved and ran[at - 1] == unsaved[-1]:
            assert place[name] == place[unsaved[-1]] + 1


def test_a_cell_that_was_saved_meanwhile_takes_its_place_in_the_file() -> None:
    found = register("A", "U", "B")
    assert order(found, ["A", "B"]) == "A U B"
    assert order(found, ["A", "B", "U"]) == "A B U"


def test_a_forgotten_step_is_gone_until_its_cell_runs_again() -> None:
    found = register("A", "B")
    found.forget("A")
    assert found.names() == ["B"]
    with pytest.raises(UnknownName, match="no step 'A'"):
        found.forget("A")
    found.add(step("A", cell="A"))
    assert (found.names(), order(found, ["A", "B"])) == (["B", "A"], "A B")


def test_a_name_that_was_forgotten_is_free_for_another_cell() -> None:
    found = StepRegistry()
    found.add(step("x", cell="1", is_named=False))
    found.forget("x")
    assert found.add(step("x", cell="2", is_named=False)).name == "x"
    assert found.add(step("x", cell="1", is_named=False)).name == "x-2"


@pytest.mark.parametrize(("cell", "left"), [("A", "B"), ("C", "A B"), ("", "A B")])
def test_a_cell_that_runs_as_a_plain_one_takes_its_step_along(cell: str, left: str) -> None:
    found = register("A", "B")
    found.add(step("B", cell=""))
    found.cell_is_plain(cell)
    assert " ".join(found.names()) == left


def test_a_cell_whose_step_another_cell_took_over_takes_nothing_along() -> None:
    found = register("A")
    found.add(step("A", cell="other"))
    found.cell_is_plain("A")
    assert found.names() == ["A"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("zennb.jupyter.cells.step_registry.time.time", lambda: now[0])
    return now


def test_a_step_leaves_when_its_cell_was_deleted_and_the_file_saved(clock: list[float]) -> None:
    found = register("A", "B", "C")
    clock[0] = 200.0
    found.add(step("C", cell="C"))
    assert order(found, ["A", "B"], saved=50.0) == "A B C"
    assert order(found, ["A", "B"], saved=150.0) == "A B C"
    assert order(found, ["A", "B"], saved=250.0) == "A B"
    assert order(found, ["B"], saved=250.0) == "B"
    assert order(found, ["other"], saved=250.0) == ""
    found.add(step("C", cell="C"))
    clock[0] = 300.0
    found.add(step("A", cell="A"))
    assert order(found, ["B"], saved=250.0) == "A B"


def test_a_frontend_that_saves_other_ids_than_it_tells_deletes_nothing(clock: list[float]) -> None:
    found = register("A", "B")
    assert order(found, ["x", "y"], saved=clock[0] + 100) == "A B"
    assert order(found, [], saved=clock[0] + 100) == "A B"


def test_a_step_without_a_cell_is_never_taken_for_deleted(clock: list[float]) -> None:
    found = register("A")
    found.add(step("B"))
    assert order(found, ["A"], saved=clock[0] + 100) == "A B"


def test_a_name_given_by_the_user_is_taken_from_a_step_that_nobody_named() -> None:
    found = StepRegistry()
    hints = NameHints(title="load")
    found.add(step("x", cell="1", is_named=False, hints=hints))
    found.add(step("y", cell="2", is_named=False))
    found.add(step("load", cell="3"))
    found.add(step("y", cell="4"))
    assert order(found, ["1", "2", "3", "4"]) == "x y-2 load y"
    assert found.add(step("x", cell="1", is_named=False, hints=hints)).name == "x"
    assert found.add(step("y", cell="2", is_named=False)).name == "y-2"


def test_in_a_terminal_it_is_taken_from_a_step_that_binds_something_else() -> None:
    found = StepRegistry()
    found.add(step("x", is_named=False))
    found.add(step("x", is_named=True))
    assert found.names() == ["x"]
    found.add(step("x", is_named=True, text="y = x"))
    assert found.names() == ["x"]
    found = StepRegistry()
    found.add(step("x", is_named=False))
    found.add(step("x", is_named=True, text="y = x"))
    assert [(each.name, each.source) for each in found.ordered([])] == [("x-2", "x = 1"), ("x", "y = x")]


@pytest.mark.parametrize("leave", ["renamed", "plain"])
def test_a_step_whose_name_another_cell_took_for_a_while_comes_back(leave: str) -> None:
    found = register("A", "B")
    found.add(step("A", cell="copy of A", text="other = 1"))
    assert found.get("A").cell == "copy of A"
    if leave == "plain":
        found.cell_is_plain("copy of A")
    else:
        found.add(step("C", cell="copy of A", text="other = 1"))
    assert found.get("A").cell == "A"
    found.forget("A")
    assert "A" not in found.names()


def test_a_step_whose_copy_was_deleted_comes_back(clock: list[float]) -> None:
    found = register("A", "B")
    found.add(step("A", cell="copy of A", text="other = 1"))
    assert [each.cell for each in found.ordered(["A", "B"], saved=clock[0] - 1)] == ["copy of A", "B"]
    assert [each.cell for each in found.ordered(["A", "B"], saved=clock[0] + 1)] == ["A", "B"]


@given(st.lists(st.tuples(st.sampled_from(["", "", "x", "x-2", "y"]), st.sampled_from("xy")), max_size=8))
@settings(deadline=None)
def test_a_name_from_before_the_file_was_saved_stands_for_the_same_cell_in_it(
    cells: list[tuple[str, str]],
) -> None:
    before: list[set[str]] = [{each for each, _ in cells[:n]} for n in range(len(cells))]
    named = ["" if each in known else each for (each, _), known in zip(cells, before, strict=True)]
    found = StepRegistry()
    for n, (name, (_, variable)) in enumerate(zip(named, cells, strict=True)):
        found.add(step(name or variable, cell=str(n), is_named=bool(name), text=f"{variable} = 1"))
    steps = [
        NamedStep(given=name) if name else NamedStep(derived=("heading", variable))
        for name, (_, variable) in zip(named, cells, strict=True)
    ]
    file = distinct_names(steps)
    shown = {each.cell: each.name for each in found.ordered([])}
    assert all(shown[str(n)] in names for n, names in enumerate(file))
    assert len({name for names in file for name in names}) == sum(map(len, file))
