"""A home on a disk that was full before the kernel began."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.test_homes import MADE, home, line, line_of_run
from zennb import api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.jupyter.conftest import Notebook

BIG = "%%step big\nbig = list(range(50_000))"
NEW = "%%step new\nb = [*a, 3]\nlarge = list(range(60_000))"


@pytest.fixture
def full() -> Iterator[Callable[[int], None]]:
    """Return a function after which no file grows beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def begin(notebook: Notebook, full: Callable[[int], None]) -> Callable[[int], Notebook]:
    """Begin a kernel on a full disk, in a home with two steps."""

    def begin(most: int) -> Notebook:
        notebook.run(MADE, BIG)
        notebook.stop()
        full(most)
        notebook.start()
        return notebook

    return begin


@pytest.fixture
def begun(begin: Callable[[int], Notebook]) -> Notebook:
    """A kernel that began without room for the index of a database's log."""
    return begin(20_000)


def test_with_room_for_the_index_of_the_log_alone_steps_are_reused_and_run(
    begin: Callable[[int], Notebook],
) -> None:
    begun = begin(33_000)
    assert [ran.status for ran in begun.run(MADE, BIG)] == ["cached", "cached"]
    (new,) = begun.run(NEW)
    assert "no room on the disk" in line(new)
    assert (begun.ns["b"], len(begun.ns["large"])) == ([1, 2, 3], 60_000)


def test_what_was_stored_is_reused_listed_and_shown(begun: Notebook) -> None:
    made, big = begun.run(MADE, BIG)
    assert [made.status, big.status] == ["cached", "cached"]
    assert line(made).endswith("; not recorded: no room on the disk)")
    assert begun.ns["a"] == [1, 2]
    (size,) = begun.run("len(big)")
    assert size.result == 50_000
    asked = ("%artifacts", "%artifacts show a", "%runs", "%stack list", "%artifacts usage", "%zennb doctor")
    listed, shown, runs, stacks, usage, doctor = map(line, begun.run(*asked))
    assert "big" in listed
    assert "list" in shown
    assert "made, big" in runs
    assert "● active  default" in stacks
    assert "big v1" in usage
    assert "Nothing is wrong." in doctor


def test_steps_run_and_bind_their_values(begun: Notebook) -> None:
    begun.run(MADE)
    new, after = begun.run(NEW, "%%step after\nc = len(large)")
    assert (begun.ns["b"], begun.ns["c"]) == ([1, 2, 3], 60_000)
    assert line(new).startswith("▲ new  ran  ")
    assert line(new).endswith("→ b, large  (first run; not recorded: no room on the disk)")
    assert "completed" not in line(new) + line(after)
    (ran,) = begun.run("%pipeline run")
    assert "3 of 3 steps, 3 not recorded" in line_of_run(ran)


def test_as_soon_as_there_is_room_steps_are_recorded(begun: Notebook, full: Callable[[int], None]) -> None:
    begun.run(MADE, NEW)
    full(resource.RLIM_INFINITY)
    (new,) = begun.run(NEW)
    assert new.status == "completed"
    assert "not" not in line(new)
    assert begun.run(MADE, NEW)[1].status == "cached"
    assert not list(home().rglob("*.part"))


def test_what_changes_the_home_is_recorded_where_there_is_room_for_it(
    begun: Notebook, full: Callable[[int], None]
) -> None:
    begun.run("%stack copy default other")
    full(1)
    error = begun.cell("%stack copy default third").error
    full(20_000)
    assert "there is no room left for the metadata store" in str(error)
    assert [stack.name for stack in api.workspace().registry.stacks()] == ["default", "other"]


def test_a_run_that_is_not_on_record_is_not_called_by_a_number(begun: Notebook) -> None:
    load = "%%step load\nprint('rows of', source)\nrows = len(source)"
    begun.run("source = 'a.csv'", load)
    _, run = begun.run("source = 'b.parquet'", "%pipeline run")
    texts = [str(each["data"]["text/plain"]) for each in run.displays]
    assert [text for text in texts if "above is the output of an earlier run, not of this run" in text]
    assert "None" not in "".join(texts)
