from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.core.records.pages import ArtifactFilter, RunFilter
from zennb.core.records.records import Status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from tests.metadata.conftest import Make
    from zennb.metadata.store import MetadataStore


@pytest.fixture
def filled(store: MetadataStore, make: Make) -> MetadataStore:
    steps = [
        make.step(
            f"s{number % 7}",
            notebook=f"n{number % 3}",
            outputs={f"x{number % 11}": make.artifact(f"x{number % 11}", str(number))},
            inputs={"rate": make.artifact("rate", kind="parameter")},
        )
        for number in range(100)
    ]
    store.add_all(steps, run=make.run())
    return store


@pytest.fixture
def seen(filled: MetadataStore) -> Iterator[list[str]]:
    """The statements that the store runs, with their values."""
    statements: list[str] = []
    database = filled._database
    database._worker.call(database._connection.set_trace_callback, statements.append)
    database._reader.set_trace_callback(statements.append)
    yield statements
    database._worker.call(database._connection.set_trace_callback, None)
    database._reader.set_trace_callback(None)


def scans(filled: MetadataStore, statements: list[str]) -> list[tuple[str, str]]:
    """What SQLite would read from beginning to end, or sort, to answer the statements."""
    return [
        (line, statement)
        for statement in list(statements)
        if statement.startswith(("SELECT", "WITH", "INSERT", "UPDATE"))
        for line in filled._database.read(_explain, statement)
        if _is_slow(line, statement)
    ]


def _explain(connection: sqlite3.Connection, statement: str) -> list[str]:
    return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


def _is_slow(line: str, statement: str) -> bool:
    # A walk along an index is what a page of a listing is cut from; the others are small.
    walks = ("json_each", "names", "SCAN newest", "CONSTANT ROW", "USING INDEX", "USING COVERING INDEX")
    # Sorted are the steps of one run, and what one name stands for in each notebook: few, however old the store.
    sorted_few = "WHERE s.run = " in statement or "FROM current" in statement
    scans = "SCAN" in line and not any(word in line for word in walks)
    return scans or ("TEMP B-TREE FOR ORDER" in line and not sorted_few)


def test_what_each_cell_pays_reads_no_table_from_end_to_end(
    filled: MetadataStore, seen: list[str], make: Make
) -> None:
    step = filled.add(make.step("s1", inputs={"x1": make.artifact("x1", "new")}), run=make.run())
    filled.find(step.cache_key)
    filled.find_all([step.cache_key, "none"])
    filled.previous("s1", "n1")
    filled.previous_all(["s1", "s2"], "n1")
    filled.artifact("x1", notebook="n1")
    filled.with_digests([step.inputs["x1"].digest])
    assert len(seen) > 20
    assert scans(filled, seen) == []


def test_listings_read_no_table_from_end_to_end(filled: MetadataStore, seen: list[str]) -> None:
    filters: tuple[dict[str, object], ...] = (
        {},
        {"stack": "default"},
        {"notebook": "study.ipynb"},
        {"kind": "step"},
        {"status": Status.FAILED},
        {"since": 0.0, "until": 9.0},
    )
    for which in filters:
        filled.runs(**which)  # type: ignore[arg-type]  # a table of calls
    [run] = filled.runs()
    filled.steps(run.id or 0)
    filled.latest_steps("n1")
    filled.history("x1")
    filled.artifacts()
    filled.artifacts(kind="parameter")
    found = filled.artifact("rate")
    assert found is not None
    filled.consumers(found)
    filled.producer(found)
    assert scans(filled, seen) == []


def test_pages_are_cut_from_an_index_and_read_no_more_records_than_they_show(
    filled: MetadataStore, seen: list[str]
) -> None:
    runs = (
        RunFilter(),
        RunFilter(stack="default"),
        RunFilter(notebook="study.ipynb"),
        RunFilter(status=Status.FAILED),
        RunFilter(stack="default", status=Status.COMPLETED, since=0.0),
    )
    for which in runs:
        filled.listings.runs(which)
        filled.listings.runs(which, after=(5000.0, 5))
    for names in (
        ArtifactFilter(),
        ArtifactFilter(text="x"),
        ArtifactFilter(kind="parameter", notebook="n1"),
    ):
        filled.listings.artifacts(names)
        filled.listings.artifacts(names, after=7)
    filled.listings.versions("x1")
    rate = filled.artifact("rate")
    assert rate is not None
    filled.listings.uses(rate.id or 0)
    filled.listings.stacks()
    filled.listings.notebooks()
    assert scans(filled, seen) == []


def test_a_page_takes_as_many_statements_whatever_is_on_it(filled: MetadataStore, seen: list[str]) -> None:
    counts = []
    for limit in (1, 5, 11):
        seen.clear()
        page = filled.listings.artifacts(ArtifactFilter(), limit=limit)
        filled.listings.makers(each.step for each in page.items)
        counts.append(len(seen))
    assert len(set(counts)) == 1
    assert counts[0] <= 8


def test_a_cell_costs_as_many_statements_on_a_full_store_as_on_an_empty_one(
    filled: MetadataStore, seen: list[str], make: Make
) -> None:
    counts = []
    for number in range(3):
        seen.clear()
        step = make.step(
            f"s{number}", outputs={"a": make.artifact("a", str(number)), "b": make.artifact("b", str(number))}
        )
        filled.find(filled.add(step, run=make.run()).cache_key)
        counts.append(len(seen))
    assert max(counts) <= 40
