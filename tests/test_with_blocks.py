"""A block that an interrupt leaves open is ended by the block around it, or when a cell ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.interrupted import InterruptedAtEnd
from zennb.with_blocks import block, end_abandoned

if TYPE_CHECKING:
    from collections.abc import Iterator

state: list[str] = []


@block
def entered(name: str) -> Iterator[str]:
    """Change the state, and change it back to what it was."""
    before = list(state)
    state.append(name)
    try:
        yield name
    finally:
        state[:] = before


@block
def failing() -> Iterator[None]:
    raise LookupError
    yield


def test_a_block_is_what_contextlib_makes_of_a_generator() -> None:
    with entered("a") as name:
        assert (name, state) == ("a", ["a"])
    assert state == []
    with pytest.raises(ValueError, match="no number"), entered("b"):
        int("no number")
    with pytest.raises(LookupError), failing():
        pass
    assert state == []


def test_a_function_can_run_in_a_block_of_its_own() -> None:
    @entered("a")
    def depth(more: int) -> int:
        return depth(more - 1) if more else len(state)

    assert (depth(0), depth(2), state) == (1, 3, [])


@pytest.mark.parametrize("begins", [False, True], ids=["on the way out", "on the way in"])
def test_the_block_around_ends_what_an_interrupt_has_left_open(begins: bool) -> None:
    came = 0
    for end in range(1, 4):
        try:
            with InterruptedAtEnd(end, begins=begins), entered("a"), entered("b"), entered("c"):
                pass
        except KeyboardInterrupt as error:
            came += 1
            kept = error  # else the garbage collector ends them
            end_abandoned()
            assert state == [], (end, kept)
    assert came == 3


def test_inner_blocks_are_ended_first() -> None:
    outer, inner = entered("a"), entered("b")
    outer.__enter__()
    inner.__enter__()
    end_abandoned()
    assert state == []
    for each in (inner, outer):  # whoever holds them may end them later
        each.__exit__(None, None, None)
    assert state == []


def test_blocks_of_other_threads_stay_open() -> None:
    with entered("a"):
        thread = threading.Thread(target=end_abandoned)
        thread.start()
        thread.join()
        assert state == ["a"]
    assert state == []
