"""What tests of the engine share: a notebook without a kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.engine.steps import Notebook, Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    made = Notebook(tmp_path)
    yield made
    made.metadata.close()


@pytest.fixture
def scripted(notebook: Notebook) -> Scripted:
    made = Scripted.from_config("local", {})
    notebook.run_context = replace(notebook.run_context, orchestrator=made)
    return made
