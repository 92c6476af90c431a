"""The status of steps whose outputs have no stored value of their own says what a run of the notebook then does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.file_status.machine import Project
from tests.file_status.test_file_status import ALL, UNKNOWN, Study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reuse.pair import Warm


@pytest.fixture
def study(warm: Warm) -> Iterator[Study]:
    project = Project(warm)
    yield Study(project)
    project.close()


UNSTORED = {
    "a bar nobody reads": ("%%step s\nv = (n for n in range(3))\nx = 1", "%%step t\ny = x + 1"),
    "read by a plain cell": (
        "%%step s\nv = (n for n in range(3))",
        "rest = list(v)",
        "%%step t\ny = len(rest)",
    ),
    "read by a step": (
        "%%step s\nv = (n for n in range(3))",
        "%%step t\ny = list(v)",
        "%%step u\nz = len(y)",
    ),
    "read by a function": (
        "%%step s\nv = (n for n in range(3))",
        "def f():\n    return list(v)",
        "%%step t\ny = f()",
    ),
    "of an input": ("k = 3", "%%step s\nv = (n for n in range(k))", "rest = list(v)", "%%step t\ny = 1"),
    "a loop over an input": (
        "%%step s\nframes = {'a': [1], 'b': [2]}",
        "%%step t\nfor key, d in frames.items():\n    print(d)",
        "%%step u\nn = len(frames)",
        "%%step w\nd.append(3)",
        "%%step x\nm = repr(frames)",
    ),
}


@pytest.mark.parametrize("kind", UNSTORED)
def test_outputs_without_a_value_of_their_own_are_judged_as_a_run_does(study: Study, kind: str) -> None:
    cells = UNSTORED[kind]
    study.ran(*cells)
    for _ in range(2):
        said, did = study.agree()
        assert did["s"] == "cached"
        assert UNKNOWN not in said.values()
    for place in range(len(cells) if ALL else 1):  # a cell edited, and then as before
        study.write(*cells[:place], f"{cells[place]}\nmore = {place}", *cells[place + 1 :])
        study.agree()
        study.write(*cells)
        study.agree()
