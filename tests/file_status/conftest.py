"""One warm process that kernels are forked from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reuse.pair import Warm

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()
