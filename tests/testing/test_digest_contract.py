"""The contract of digests holds for what is right, and fails for what is not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import zennb
from zennb.digests import hooks as digest_hooks
from zennb.testing.digest import DigestContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Grid:
    def __init__(self) -> None:
        self.cells, self.unit, self.lock = [1, 2], "m", threading.Lock()


class Fixtures:
    content: Any = staticmethod(lambda grid: (grid.cells, grid.unit))

    @pytest.fixture(autouse=True)
    def _hook(self) -> Iterator[None]:
        zennb.digest(Grid)(self.content)
        yield
        digest_hooks._hooks.clear()

    @pytest.fixture
    def make(self) -> Callable[[], Any]:
        return Grid

    @pytest.fixture
    def changes(self) -> Sequence[Callable[[Any], object]]:
        return [lambda grid: grid.cells.append(3), lambda grid: setattr(grid, "unit", "km")]

    @pytest.fixture
    def parts(self) -> Callable[[Any], Sequence[Any]]:
        return lambda grid: [grid.cells]


class TestGrids(Fixtures, DigestContract):
    pass


class TestCopies(Fixtures, DigestContract):
    content = staticmethod(lambda grid: f"{grid.cells} {grid.unit}")


def test_a_change_that_does_not_show_fails_the_contract() -> None:
    zennb.digest(Grid)(lambda grid: grid.unit)
    try:
        with pytest.raises(AssertionError, match="a change does not show"):
            DigestContract().test_every_change_is_seen(Grid, [lambda grid: grid.cells.append(3)])
    finally:
        digest_hooks._hooks.clear()
