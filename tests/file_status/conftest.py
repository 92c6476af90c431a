"""One warm process that kernels are forked from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reuse.pair import Warm

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests in this folder: each starts kernels."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("kernel")


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()
