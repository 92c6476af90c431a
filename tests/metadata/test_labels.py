"""Tags and notes in the metadata store: what they belong to, and what survives odd rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.pages import ArtifactFilter, RunFilter

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.metadata.store import MetadataStore

Make = Any


@pytest.fixture
def filled(store: MetadataStore, make: Make) -> MetadataStore:
    """Three runs with a version of `x` each; the first of both has a tag, its run a note as well."""
    for number in range(3):
        artifact = make.artifact("x", str(number))
        store.add(make.step(f"step {number}", outputs={"x": artifact}), run=make.run())
    store.labels.describe("run", 1, "a note", {"good": "", "data": "2024"})
    store.labels.describe("artifact", 1, "", {"good": ""})
    return store


def test_records_come_with_their_labels_wherever_they_are_listed(filled: MetadataStore) -> None:
    first = filled.run(1)
    assert first is not None
    assert (first.tags, first.note) == ({"good": "", "data": "2024"}, "a note")
    assert [each.note for each in filled.runs()] == ["", "", "a note"]
    assert [dict(each.tags) for each in filled.history("x")] == [{}, {}, {"good": ""}]
    assert [dict(each.tags) for each in filled.listings.versions("x").items] == [{}, {}, {"good": ""}]
    found = filled.artifact("x", 1)
    assert found is not None
    assert found.tags == {"good": ""}


def test_pages_of_what_has_a_tag_count_and_turn_like_others(filled: MetadataStore) -> None:
    for number in (2, 3):
        filled.labels.describe("run", number, "", {"good": ""})
        filled.labels.describe("artifact", number, "", {"good": ""})
    runs = filled.listings.runs(RunFilter(tag="good"), limit=2)
    assert ([each.id for each in runs.items], runs.total, runs.more) == ([3, 2], 3, True)
    last = runs.items[-1]
    rest = filled.listings.runs(RunFilter(tag="good"), limit=2, after=(last.started, last.id or 0))
    assert [each.id for each in rest.items] == [1]
    versions = filled.listings.artifacts(ArtifactFilter(tag="good"), limit=2)
    assert ([each.version for each in versions.items], versions.total) == ([3, 2], 3)
    rest_of = filled.listings.artifacts(ArtifactFilter(tag="good"), limit=2, after=versions.items[-1].id)
    assert [each.version for each in rest_of.items] == [1]


def test_labels_go_with_what_they_belong_to(filled: MetadataStore) -> None:
    filled.deletions.delete([1])
    assert filled.runs(tag="good") == []
    assert filled.labels.keys() == []


def test_records_that_a_kernel_writes_leave_labels_alone(filled: MetadataStore) -> None:
    first = filled.run(1)
    assert first is not None
    filled.end_run(first)
    again = filled.run(1)
    assert again is not None
    assert (again.tags, again.note) == ({"good": "", "data": "2024"}, "a note")


def test_a_label_is_no_part_of_what_makes_artifacts_equal(filled: MetadataStore) -> None:
    before = filled.artifact("x", 2)
    filled.labels.describe("artifact", 2, "a note", {"good": ""})
    assert filled.artifact("x", 2) == before


def test_odd_labels_are_shown_as_texts(filled: MetadataStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tags SET key = 5, text = x'ff00' WHERE key = 'data'")
        connection.execute("UPDATE notes SET text = 7.5")
    first = filled.run(1)
    assert first is not None
    assert all(isinstance(each, str) for each in (*filled.labels.keys(), *filled.labels.words("run")))
    assert all(isinstance(each, str) for pair in first.tags.items() for each in (*pair, first.note))
