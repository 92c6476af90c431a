"""The status of a notebook file with a mapped step, which is what a run of it then does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.file_status.machine import Project, notebook
from zennb.core.planning.run_plan import Freshness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reuse.pair import Warm

XS, MAPPED, PLAIN = "xs = [1, 2]", "%%step s --map xs\nr = [xs]", "%%step s\nr = [xs]"
ONE = "%%step s\nr = [xs]"


@pytest.fixture
def project(warm: Warm) -> Iterator[Project]:
    project = Project(warm)
    yield project
    project.close()


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ([XS, MAPPED], [XS, MAPPED], Freshness.FRESH),
        ([XS, MAPPED], ["xs = [1, 2, 3]", MAPPED], Freshness.STALE),
        ([XS, MAPPED], ["xs = [2, 1]", MAPPED], Freshness.STALE),
        ([XS, MAPPED], ["xs = [1]", MAPPED], Freshness.STALE),
        # The record of an element is none of a step that reads the whole list, nor of one that reads the element.
        ([XS, MAPPED], [XS, PLAIN], Freshness.STALE),
        ([XS, MAPPED], ["xs = 1", ONE], Freshness.STALE),
        ([XS, PLAIN], [XS, MAPPED], Freshness.STALE),
        (
            ["ys = [1, 2]", "%%step m\nxs = ys", MAPPED],
            ["ys = [1, 2]", "%%step m\nxs = ys", MAPPED],
            Freshness.FRESH,
        ),
        ([XS, MAPPED], [XS, MAPPED.replace("--map xs", "--map xs --expires 1d")], Freshness.FRESH),
        ([XS, MAPPED], [XS, MAPPED.replace("[xs]", "[xs, 1]")], Freshness.STALE),
    ],
)
def test_a_file_with_a_mapped_step(
    project: Project, before: list[str], after: list[str], state: Freshness
) -> None:
    project.path.write_text(notebook(before))
    project.run(before)
    project.path.write_text(notebook(after))
    said = project.status()
    assert said["s"][0] is state
    ended = project.run(after)["s"]
    assert (ended == "cached") is (state is Freshness.FRESH)


HELPED = "def helper(x):\n    return x * unit"
STEP = "%%step s --map xs\nr = helper(xs)"


@pytest.mark.parametrize(
    ("before", "after", "remark"),
    [
        ([XS, MAPPED], [XS, MAPPED], "2 of 2 elements are fresh"),
        ([XS, MAPPED], ["xs = [3, 2, 1, 4]", MAPPED], "2 of 4 elements are fresh"),
        ([XS, MAPPED], ["xs = {'a': 1}", MAPPED], "0 of 1 elements are fresh"),
        ([XS, MAPPED], ["xs = [1]", MAPPED.replace("[xs]", "[xs, 1]")], "0 of 1 elements are fresh"),
        ([XS, MAPPED], ["xs = [1, 2]\nxs.append(3)", MAPPED], ""),  # only running it tells
        ([XS, MAPPED], ["xs = 5", MAPPED], ""),
        (
            ["unit = 2", HELPED, XS, STEP],
            ["unit = 2", HELPED, "xs = [2, 5]", STEP],
            "1 of 2 elements are fresh",
        ),
        (
            ["unit = 2", HELPED, XS, STEP],
            ["unit = 3", HELPED, "xs = [2, 5]", STEP],
            "0 of 2 elements are fresh",
        ),
        (
            [XS, "%%step s --map xs\nr = 1 / (xs - 2)"],
            [XS, "%%step s --map xs\nr = 1 / (xs - 2)"],
            "1 of 2 elements are fresh",
        ),
    ],
)
def test_the_elements_that_a_run_would_reuse_are_counted(
    project: Project, before: list[str], after: list[str], remark: str
) -> None:
    project.path.write_text(notebook(before))
    project.run(before)
    project.path.write_text(notebook(after))
    (planned,) = project.planned().steps
    assert planned.remark == remark
