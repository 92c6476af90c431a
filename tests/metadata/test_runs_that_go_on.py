"""Runs to which steps are added for a while: what they add up to, who may write them, and who started whom."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.records import Attempt, Failure, Run, Status, Step

if TYPE_CHECKING:
    from tests.metadata.conftest import Make
    from zennb.metadata.store import MetadataStore


def found(store: MetadataStore, run: Run | Step) -> Run:
    number = run.run if isinstance(run, Step) else run.id
    answer = store.run(number or 0)
    assert answer is not None
    return answer


def goes_on(store: MetadataStore, run: Run) -> Run:
    """Write that a run goes on, as a cell does that takes more than a moment."""
    told: list[Run] = []
    done = threading.Event()
    store.begin_run_later(run, 0.0, lambda begun: (told.append(begun), done.set()))  # type: ignore[arg-type, func-returns-value]
    assert done.wait(10)
    return told[0]


def test_a_run_counts_the_work_of_its_steps_and_what_reuse_spared(store: MetadataStore, make: Make) -> None:
    run = store.begin_run(make.run(kind="session", status=Status.RUNNING))
    tried = Attempt(started=1.0, seconds=2.0, failure=Failure(type="E", message=""))
    store.add(make.step("a", seconds=0.5, attempts=(tried,)), run=run)
    store.add_all(
        [
            make.step("b", status=Status.FAILED, seconds=1.0),
            make.step("c", status=Status.CACHED, seconds=0.1, saved=7.0),
            make.step("d", status=Status.SKIPPED, seconds=9.0),
        ],
        run=run,
    )
    assert (found(store, run).computed, found(store, run).saved) == (3.5, 7.0)


def test_what_a_run_counted_stays_when_its_own_record_is_written(store: MetadataStore, make: Make) -> None:
    run = store.begin_run(make.run(status=Status.RUNNING, commit="abc", dirty=True))
    store.add(make.step(seconds=0.5, run=run.id))
    store.end_run(replace(run, status=Status.COMPLETED, commit="", dirty=None))
    ended = found(store, run)
    assert (ended.status, ended.computed, ended.commit, ended.dirty) == (Status.COMPLETED, 0.5, "abc", True)


def test_the_work_of_a_run_counts_in_the_run_that_started_it(store: MetadataStore, make: Make) -> None:
    notebook = store.begin_run(make.run(kind="notebook", status=Status.RUNNING))
    inner = store.begin_run(make.run(kind="pipeline", status=Status.RUNNING, parent=notebook.id))
    store.add(make.step(seconds=0.5, run=notebook.id))
    store.add(make.step(seconds=0.25), run=inner)
    store.add(make.step(status=Status.CACHED, saved=3.0), run=inner)
    assert (found(store, notebook).computed, found(store, notebook).saved) == (0.75, 3.0)
    assert (found(store, inner).computed, found(store, inner).saved) == (0.25, 3.0)
    assert [child.id for child in store.children(notebook.id or 0)] == [inner.id]
    assert store.children(inner.id or 0) == []


def test_a_run_names_its_steps_by_the_latest_record_that_was_no_reuse(
    store: MetadataStore, make: Make
) -> None:
    run = store.begin_run(make.run(kind="session", status=Status.RUNNING))
    for name, status in (
        ("load", Status.COMPLETED),
        ("prepare", Status.CACHED),
        ("load", Status.CACHED),
        ("train", Status.FAILED),
        ("train", Status.COMPLETED),
        ("plot", Status.COMPLETED),
        ("plot", Status.FAILED),
        ("plot", Status.CACHED),
    ):
        store.add(make.step(name, status=status), run=run)
    assert list(found(store, run).names.items()) == [
        ("load", "completed"),
        ("prepare", "cached"),
        ("train", "completed"),
        ("plot", "failed"),
    ]
    assert found(store, run).steps == {"completed": 3, "cached": 3, "failed": 2}


def test_a_session_goes_on_and_ends_again(store: MetadataStore, make: Make) -> None:
    run = goes_on(store, make.run(kind="session", status=Status.RUNNING))
    assert found(store, run).status is Status.RUNNING
    step = store.add(make.step(), run=replace(run, status=Status.COMPLETED, seconds=1.0))
    assert (step.run, found(store, run).status) == (run.id, Status.COMPLETED)
    goes_on(store, replace(run, status=Status.COMPLETED, seconds=1.0))
    assert found(store, run).status is Status.RUNNING
    store.add(make.step(), run=replace(run, status=Status.FAILED, seconds=2.0, parameters={"rate": "1"}))
    ended = found(store, run)
    assert (ended.status, ended.seconds, ended.parameters) == (Status.FAILED, 2.0, {"rate": "1"})


def test_what_comes_too_late_does_not_make_a_session_run_again(store: MetadataStore, make: Make) -> None:
    run = store.begin_run(make.run(kind="session", status=Status.RUNNING))
    store.add(make.step(), run=replace(run, status=Status.COMPLETED, seconds=2.0))
    goes_on(store, replace(run, seconds=1.0))
    assert found(store, run).status is Status.COMPLETED


@pytest.mark.parametrize("other", [{"process": 8}, {"host": "elsewhere"}], ids=["process", "host"])
def test_another_process_cannot_write_the_record_of_a_run(
    store: MetadataStore, make: Make, other: dict[str, object]
) -> None:
    run = store.begin_run(make.run(kind="session", process=7, host="box", seconds=1.0))
    stranger = replace(run, seconds=9.0, status=Status.FAILED, **other)  # type: ignore[arg-type]  # fields of a run
    goes_on(store, stranger)
    store.end_run(stranger)
    assert (found(store, run).status, found(store, run).seconds) == (Status.COMPLETED, 1.0)


@pytest.mark.parametrize("kind", ["notebook", "pipeline"])
def test_a_run_that_is_over_is_not_made_to_run_again_by_a_cell(
    store: MetadataStore, make: Make, kind: str
) -> None:
    run = store.begin_run(make.run(kind=kind, status=Status.INTERRUPTED))
    goes_on(store, run)
    assert found(store, run).status is Status.INTERRUPTED


def test_the_commit_of_a_run_is_written_once_it_is_known(store: MetadataStore, make: Make) -> None:
    run = store.begin_run(make.run(kind="session", status=Status.RUNNING))
    assert (found(store, run).commit, found(store, run).dirty) == ("", None)
    store.add(make.step(seconds=0.5), run=run)
    store.set_commit(run.id or 0, "a" * 40, dirty=False)
    assert (found(store, run).commit, found(store, run).dirty, found(store, run).computed) == (
        "a" * 40,
        False,
        0.5,
    )
