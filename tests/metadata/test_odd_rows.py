"""Rows with odd values, as whoever can write to the home may leave them: listed, never reused, never a traceback."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tracemalloc
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.pages import ArtifactFilter, RunFilter
from zennb.core.records.records import (
    Artifact,
    Attempt,
    CacheKeyParts,
    ComponentSpec,
    Failure,
    Run,
    StackSpec,
    Status,
    Step,
)
from zennb.errors import StoreError
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from pathlib import Path

STACK = StackSpec(
    name="default",
    components={
        kind: ComponentSpec(type=kind, name="default", flavor="local")
        for kind in ("orchestrator", "artifact_store")
    },
)
COLUMNS = {
    "steps": (
        [
            "cell",
            "status",
            "reusable",
            "started",
            "seconds",
            "displays",
            "reason",
            "unusable_because",
            "defines",
            "deletes",
            "failure",
            "name",
        ]
    ),
    "step_details": ["observed", "carried", "attempts", "saved", "expires", "provenance"],
    "artifacts": [
        "name",
        "digest",
        "blob",
        "item",
        "materializer",
        "size",
        "type",
        "kind",
        "created",
        "needs",
        "packages",
        "summary",
    ],
    "runs": [
        "kind",
        "stack",
        "status",
        "started",
        "seconds",
        "host",
        "process",
        "parameters",
        "snapshot",
        "versions",
    ],
    "run_details": ["parent", "git_commit", "dirty", "computed", "saved"],
    "components": ["flavor", "config"],
    "texts": ["text"],
}
NUMBERED = {"observed", "parts", "provenance", "snapshot", "source", "versions"}
ODD: list[Any] = [
    None,
    -1,
    1e308,
    float("inf"),
    "",
    "x",
    b"\xff\xfe",
    "[" * 50_000,
    {"a": {"b": []}},
    [1],
    2**63 - 1,
]
CASES = [(table, column) for table, columns in COLUMNS.items() for column in columns]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "metadata.db"
    store = MetadataStore(path)
    for component in STACK.components.values():
        store.put_component(component)
    store.put_stack(STACK)
    run = store.begin_run(Run(stack=STACK, started=1.0, commit="c", host="h"))
    made = Artifact(name="a", digest="d", blob="b" * 64, materializer="plain", size=3, type="int")
    failure = Failure(type="E", message="m")
    store.add(
        Step(
            name="s",
            status=Status.COMPLETED,
            cache_key="key",
            parts=CacheKeyParts(code="code"),
            started=1.0,
            outputs={"a": made},
            attempts=(Attempt(started=1.0, seconds=0.1, failure=failure),),
            provenance={"a": "x"},
        ),
        run=run,
    )
    store.close()
    return path


def put(path: Path, table: str, column: str, value: Any) -> bool:
    """Put a value into every row of a column; columns that refer to a text get it there. False if SQLite refuses."""
    if isinstance(value, dict | list):
        value = json.dumps(value)
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        try:
            if column in NUMBERED:
                opened.execute("INSERT INTO texts (id, digest, text) VALUES (999, x'00', ?)", (value,))
                value = 999
            opened.execute(f"UPDATE {table} SET {column} = ?", (value,))
        except (sqlite3.IntegrityError, OverflowError):
            return False
    return True


def read_everything(store: MetadataStore) -> None:
    for run in store.runs():
        assert isinstance(run.status, Status)
        store.steps(run.id or 0)
        store.children(run.id or 0)
    store.listings.runs(RunFilter())
    page = store.listings.artifacts(ArtifactFilter())
    for artifact in page.items:
        store.history(artifact.name)
        store.listings.uses(artifact.id or 0)
        store.producer(artifact)
        store.consumers(artifact)
    store.listings.makers([1])
    store.find("key")
    store.find_all(["key"])
    store.with_code(["code"])
    store.previous("s", "")
    store.latest_steps("")
    store.stacks()
    store.components()
    store.space.step_marks()
    with suppress(StoreError):  # what is needed cannot be told, so nothing is deleted
        store.space.records()


@pytest.mark.parametrize(("table", "column"), CASES, ids=[".".join(case) for case in CASES])
def test_odd_values_in_any_column_are_no_traceback(database: Path, table: str, column: str) -> None:
    for value in ODD:
        odd = database.with_name("odd.db")
        shutil.copy(database, odd)
        if put(odd, table, column, value):
            store = MetadataStore(odd)
            try:
                read_everything(store)
            finally:
                store.close()


ODD_IN_STEPS = [
    ("steps", "defines", "[1]"),
    ("steps", "started", "yesterday"),
    ("step_details", "observed", {"files": {"a": 1}}),
    ("step_details", "observed", {"no such field": {}}),
    ("step_details", "carried", {"blob": 1, "materializer": "plain", "names": []}),
    ("step_details", "attempts", "{"),
    ("step_details", "provenance", [1]),
]


@pytest.mark.parametrize(("table", "column", "value"), ODD_IN_STEPS)
def test_a_step_with_an_odd_record_is_listed_and_never_reused(
    database: Path, table: str, column: str, value: Any
) -> None:
    put(database, table, column, value)
    store = MetadataStore(database)
    try:
        (step,) = store.steps(1)
        assert (step.name, step.reusable, step.unusable_because) == ("s", False, "its record is damaged")
        assert store.find("key") == []
        assert store.find_all(["key"]) == {}
        assert store.with_code(["code"]) == []
    finally:
        store.close()


@pytest.mark.parametrize(
    ("column", "value"), [("summary", "[]"), ("needs", "{"), ("size", "x"), ("item", b"a")]
)
def test_an_output_with_an_odd_record_counts_as_missing(database: Path, column: str, value: Any) -> None:
    put(database, "artifacts", column, value)
    store = MetadataStore(database)
    try:
        (step,) = store.find("key")
        assert step.outputs["a"].blob == ""
    finally:
        store.close()


def test_text_that_is_no_utf8_is_shown_with_marks(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute("UPDATE steps SET reason = CAST(x'61ff62' AS TEXT)")
    store = MetadataStore(database)
    try:
        assert store.steps(1)[0].reason == "a\ufffdb"
    finally:
        store.close()


def test_a_component_whose_options_are_odd_is_not_used_with_the_defaults(database: Path) -> None:
    """With the defaults it would keep artifacts somewhere else, and nobody would notice."""
    put(database, "components", "config", "[")
    store = MetadataStore(database)
    try:
        assert store.components()[0].config == {"damaged": "record"}
    finally:
        store.close()


PARTS = {"code": "code", "inputs": {}, "reached": {}, "packages": {}, "options": {}}
LONG = "x" * 3_000_000
HUGE = [
    ("steps", "reason", LONG),
    ("steps", "source", LONG),
    ("steps", "name", "\U0001f600" * 750_000),
    ("step_details", "provenance", {"a": LONG}),
    ("step_details", "observed", {"files": {"a": LONG}}),
    ("steps", "parts", {**PARTS, "outputs": [LONG]}),
]


@pytest.mark.parametrize(("table", "column", "value"), HUGE, ids=[f"{t}.{c}" for t, c, _ in HUGE])
def test_a_huge_text_in_many_rows_takes_memory_a_few_times_only(
    database: Path, table: str, column: str, value: Any
) -> None:
    store = MetadataStore(database)
    (step,) = store.steps(1)
    store.add_all([replace(step, id=None, outputs={}) for _ in range(20)])
    store.close()
    assert put(database, table, column, value)
    store = MetadataStore(database)
    tracemalloc.start()
    try:
        assert len(store.steps(1)) == 21
        store.listings.runs(RunFilter())
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()
        store.close()


def test_different_huge_texts_are_cut_when_they_are_too_many(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zennb.metadata.table._KEPT", 1_000_000)
    store = MetadataStore(database)
    try:
        (step,) = store.steps(1)
        store.add_all([replace(step, id=None, source=str(n) * 300_000) for n in range(1, 10)])
        sizes = [len(each.source) for each in store.steps(1)]
    finally:
        store.close()
    assert sizes == [0, 300_000, 300_000, 300_000, *[100_000] * 6]


def test_a_long_text_that_a_step_has_recorded_comes_back_as_it_is(database: Path) -> None:
    store = MetadataStore(database)
    try:
        source = "x = " + repr(["long"] * 100_000)
        written = store.add(Step(name="s", status=Status.COMPLETED, source=source), run=store.run(1))
        found = store.step(written.id or 0)
        assert found is not None
        assert found.source == source
    finally:
        store.close()
