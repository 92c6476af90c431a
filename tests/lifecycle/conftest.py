"""Owns what the tests of deployments share: a notebook whose deployments end with the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import zennb
from tests.jupyter.conftest import Notebook, notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["notebook", "serving"]


@pytest.fixture
def serving(notebook: Notebook) -> Iterator[Notebook]:
    yield notebook
    for each in zennb.deployments():
        each.delete()
