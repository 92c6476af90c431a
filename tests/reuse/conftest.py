"""Two kernels for each test, with zennb and without, that do the same and must not differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reuse.pair import Pair, Warm

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()


@pytest.fixture
def pair(warm: Warm) -> Iterator[Pair]:
    kernels = Pair(warm)
    yield kernels
    kernels.close()
