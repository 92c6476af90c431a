"""Runs found by what they logged and by their parameters."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.metrics import Metric
from zennb.core.records.pages import RunFilter
from zennb.core.records.run_conditions import parse_where

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.metadata.store import MetadataStore

Make = Any


def logged(**values: float) -> dict[str, Metric]:
    return {name: Metric(last=value, points=((0, value),)) for name, value in values.items()}


@pytest.fixture
def filled(store: MetadataStore, make: Make) -> MetadataStore:
    """Runs of accuracy 0.1, 0.2 ... 0.5; some in several steps, and with parameters."""
    for number in range(1, 6):
        run = make.run(parameters={"depth": str(number), "model": "tree" if number % 2 else "forest"})
        step = make.step("train", metrics=logged(accuracy=number / 10))
        recorded = store.add(step, run=run)
        other = (
            make.step("test", run=recorded.run, metrics=logged(loss=1.0, accuracy=0.9))
            if number == 5
            else None
        )
        if other is not None:
            store.add(other)
    return store


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("accuracy > 0.25", [5, 4, 3]),
        ("accuracy <= 0.2", [2, 1]),
        ("accuracy > 0.8", [5]),
        ("train.accuracy > 0.8", []),
        ("test.accuracy > 0.8", [5]),
        ("accuracy > 0.15 and depth < 4", [3, 2]),
        ("depth = 4", [4]),
        ("model = forest", [4, 2]),
        ("model != forest and accuracy < 0.2", [1]),
        ("loss = 1", [5]),
        ("absent > 0", []),
        ("accuracy > 0.2 and absent = 1", []),
    ],
)
def test_runs_are_found_by_metrics_and_parameters(
    filled: MetadataStore, where: str, found: list[int]
) -> None:
    conditions = parse_where(where)
    assert [each.id for each in filled.runs(where=conditions)] == found
    page = filled.listings.runs(RunFilter(where=conditions), limit=2)
    assert ([each.id for each in page.items], page.total) == (found[:2], len(found))


def test_of_a_step_that_ran_again_the_latest_counts(store: MetadataStore, make: Make) -> None:
    first = store.add(make.step("train", metrics=logged(accuracy=0.9)), run=make.run())
    assert [each.id for each in store.runs(where=parse_where("accuracy > 0.5"))] == [first.run]
    store.add(make.step("train", run=first.run, metrics=logged(loss=0.3)))
    assert store.runs(where=parse_where("accuracy > 0.5")) == []


def test_odd_records_meet_no_condition(filled: MetadataStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            """UPDATE texts SET text = '{"accuracy":{"last":"x"}}' WHERE text LIKE '%accuracy%'"""
        )
        connection.execute("""UPDATE runs SET parameters = '{"depth":' """)
    assert filled.runs(where=parse_where("accuracy > 0")) == []
    assert filled.runs(where=parse_where("depth > 0")) == []
