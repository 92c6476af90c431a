from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.pages import ArtifactFilter, RunFilter
from zennb.core.records.records import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.metadata.conftest import Make
    from zennb.core.records.records import Run
    from zennb.metadata.store import MetadataStore


def place(run: Run) -> tuple[float, int]:
    return run.started, run.id or 0


def walk(store: MetadataStore, which: RunFilter, *, limit: int = 3) -> list[int]:
    """Every run of a listing, page after page."""
    found: list[int] = []
    after = None
    while True:
        page = store.listings.runs(which, after=after, limit=limit)
        found += [run.id or 0 for run in page.items]
        assert len(found) <= page.total
        if not page.more:
            assert page.total == len(found)
            return found
        after = place(page.items[-1])


def test_pages_of_runs_hold_each_run_once_newest_first_also_where_moments_are_equal(
    store: MetadataStore, make: Make
) -> None:
    runs = [store.begin_run(make.run(started=1000.0 + number // 4)) for number in range(20)]
    expected = [run.id for run in sorted(runs, key=place, reverse=True)]
    assert walk(store, RunFilter()) == expected
    assert walk(store, RunFilter(), limit=20) == expected


def test_a_run_that_begins_between_two_pages_moves_nothing(store: MetadataStore, make: Make) -> None:
    for number in range(6):
        store.begin_run(make.run(started=1000.0 + number))
    first = store.listings.runs(RunFilter(), limit=3)
    store.begin_run(make.run(started=2000.0))
    second = store.listings.runs(RunFilter(), after=place(first.items[-1]), limit=3)
    shown = [run.started for run in (*first.items, *second.items)]
    assert shown == [1005.0, 1004.0, 1003.0, 1002.0, 1001.0, 1000.0]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"stack": "b"}, [1, 3]),
        ({"notebook": "n1"}, [0, 3]),
        ({"notebook": "never seen"}, []),
        ({"status": Status.FAILED}, [2, 3]),
        ({"since": 1001.0, "until": 1003.0}, [1, 2]),
        ({"stack": "b", "status": Status.FAILED, "notebook": "n1", "since": 0.0}, [3]),
        ({"kind": "pipeline"}, [0]),
    ],
)
def test_runs_are_filtered_by_stack_notebook_state_kind_and_time_together(
    store: MetadataStore, make: Make, which: dict[str, Any], expected: list[int]
) -> None:
    given: list[dict[str, Any]] = [
        {"stack": make.stack("a"), "notebook": "n1", "kind": "pipeline"},
        {"stack": make.stack("b"), "notebook": "n2"},
        {"stack": make.stack("a"), "notebook": "n2", "status": Status.FAILED},
        {"stack": make.stack("b"), "notebook": "n1", "status": Status.FAILED},
    ]
    ids = [store.begin_run(make.run(started=1000.0 + n, **each)).id for n, each in enumerate(given)]
    assert sorted(walk(store, RunFilter(**which), limit=1)) == [ids[number] for number in expected]


def test_a_run_whose_process_is_gone_is_listed_and_counted_as_interrupted(
    store: MetadataStore, make: Make
) -> None:
    from zennb.metadata.processes import hostname

    gone = store.begin_run(make.run(status=Status.RUNNING, host=hostname(), process=2**22 + 5))
    assert walk(store, RunFilter(status=Status.INTERRUPTED)) == [gone.id]
    assert store.listings.runs(RunFilter(status=Status.RUNNING)).total == 0


def test_what_filters_may_name_is_what_has_runs(store: MetadataStore, make: Make) -> None:
    assert (store.listings.stacks(), store.listings.notebooks()) == ([], [])
    for notebook, stack in (("z", "two"), ("a", "one"), ("z", "one")):
        store.begin_run(make.run(notebook=notebook, stack=make.stack(stack)))
    assert (store.listings.stacks(), store.listings.notebooks()) == (["one", "two"], ["a", "z"])


def test_pages_of_artifacts_hold_the_latest_version_of_each_name_once(
    store: MetadataStore, make: Make
) -> None:
    for number in range(12):
        name = f"x{number % 7}"
        store.add(make.step(f"s{number}", outputs={name: make.artifact(name, str(number))}))
    found: list[str] = []
    after, more = None, True
    while more:
        page = store.listings.artifacts(ArtifactFilter(), after=after, limit=3)
        found += [each.label for each in page.items]
        more, after = page.more, page.items[-1].id
        assert page.total == 7
    assert found == ["x4 v2", "x3 v2", "x2 v2", "x1 v2", "x0 v2", "x6 v1", "x5 v1"]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"text": "MOD"}, ["model"]),
        ({"text": "a_b"}, ["a_b"]),
        ({"text": "%"}, ["50%"]),
        ({"text": "\\"}, []),
        ({"kind": "captured"}, ["axb"]),
        ({"notebook": "n2"}, ["50%", "axb", "model"]),
        ({"notebook": "n2", "kind": "output"}, ["50%", "model"]),
        ({"notebook": "never seen"}, []),
    ],
)
def test_artifacts_are_filtered_by_part_of_the_name_kind_and_notebook(
    store: MetadataStore, make: Make, which: dict[str, Any], expected: list[str]
) -> None:
    store.add(make.step("s", notebook="n2", outputs={"model": make.artifact("model", "m")}))
    store.add(make.step("s", notebook="n1", outputs={"model": make.artifact("model", "m2")}))
    store.add(make.step("t", notebook="n1", outputs={"a_b": make.artifact("a_b", "u")}))
    captured = make.artifact("axb", "v", kind="captured")
    store.add(
        make.step("u", notebook="n2", inputs={"axb": captured}, outputs={"50%": make.artifact("50%", "w")})
    )
    page = store.listings.artifacts(ArtifactFilter(**which))
    assert sorted(each.name for each in page.items) == expected
    assert page.total == len(expected)


def test_versions_and_uses_of_an_artifact_come_in_pages(store: MetadataStore, make: Make) -> None:
    for number in range(5):
        store.add(make.step("make", outputs={"x": make.artifact("x", str(number))}))
    x = store.artifact("x", 5)
    assert x is not None
    for number in range(5):
        store.add(
            make.step(f"use{number}", inputs={"x": x, "same": x}), run=make.run(stack=make.stack("two"))
        )
    versions = store.listings.versions("x", limit=2)
    rest = store.listings.versions("x", before=versions.items[-1].version, limit=3)
    assert [each.version for each in (*versions.items, *rest.items)] == [5, 4, 3, 2, 1]
    assert (versions.total, versions.more, rest.more) == (5, True, False)
    uses = store.listings.uses(x.id or 0, limit=3)
    last = store.listings.uses(x.id or 0, before=uses.items[-1].step, limit=3)
    assert [use.name for use in (*uses.items, *last.items)] == ["use4", "use3", "use2", "use1", "use0"]
    assert (uses.total, uses.more, last.more) == (5, True, False)
    assert {use.stack for use in uses.items} == {"two"}


def test_who_made_the_artifacts_of_a_page_is_one_look(store: MetadataStore, make: Make) -> None:
    steps = [
        store.add(make.step(f"s{n}", outputs={f"x{n}": make.artifact(f"x{n}")}), run=make.run())
        for n in range(3)
    ]
    found = store.listings.makers(each.outputs[f"x{n}"].step for n, each in enumerate(steps))
    assert [found[step.id or 0].label for step in steps] == [f"s{n} (run {n + 1})" for n in range(3)]
    assert store.listings.makers([None, 999]) == {}


def test_another_kernel_sees_the_same_pages(
    store: MetadataStore, make: Make, reopen: Callable[[], MetadataStore]
) -> None:
    store.begin_run(make.run())
    assert walk(reopen(), RunFilter()) == walk(store, RunFilter())
