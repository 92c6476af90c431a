"""Notebooks as they are taught from: every cell as a step shows what the plain cell shows, and is reused."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.check_findings import Share
from zennb.headless.check import check
from zennb.views.check import check as report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.core.records.check_findings import Check

pytestmark = pytest.mark.kernel

# Continuous integration has no time for all of them, each of which takes three kernels: `make test` elsewhere.
NOTEBOOKS = sorted(Path(__file__).parent.glob("*.ipynb"))[:: 2 if "CI" in os.environ else 1]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Check]]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(max_workers=2) as pool:
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("JUPYTER_DATA_DIR", str(home / "jupyter"))
        patch.delenv("MPLBACKEND", raising=False)
        yield list(pool.map(partial(check, once=True), NOTEBOOKS))  # all of them show the same each time


def over_all(shares: Iterable[Share]) -> Share:
    known = list(shares)
    return Share(part=sum(each.part for each in known), whole=sum(each.whole for each in known))


def told(found: list[Check]) -> str:
    """The reports of the notebooks in which something is not as it should be."""
    return "\n\n".join(report(each).text for each in found if each.silent or each.cached.percent < 100)


def test_the_corpus_is_large_enough(found: list[Check]) -> None:
    assert len(found) >= 12
    assert all(15 <= len(each.cells) <= 40 for each in found)
    assert [note for each in found for note in each.notes] == []


def test_steps_show_what_plain_cells_show_the_first_time(found: list[Check]) -> None:
    assert over_all(each.cold for each in found).percent >= 99, told(found)


def test_steps_show_what_plain_cells_show_when_they_are_reused(found: list[Check]) -> None:
    assert over_all(each.reused for each in found).percent >= 99, told(found)


def test_steps_are_reused_in_a_new_kernel(found: list[Check]) -> None:
    assert over_all(each.cached for each in found).percent >= 95, told(found)
