from __future__ import annotations

import sqlite3
from dataclasses import replace
from queue import Queue
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.records import CacheKeyParts, ComponentSpec, Failure, StackSpec, Status
from zennb.errors import StoreError, UnknownName
from zennb.metadata.step_history import StepHistory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.metadata.conftest import Make
    from zennb.core.records.records import Run
    from zennb.metadata.store import MetadataStore


def test_a_step_comes_back_as_it_was_added(
    store: MetadataStore, make: Make, reopen: Callable[[], MetadataStore]
) -> None:
    step = make.step(
        cell="c1",
        reason="first run",
        source="y = f(x)  # ünï → 💥\n",
        inputs={
            "x": make.artifact("x", kind="captured"),
            "rate": make.artifact("rate", "0.1", kind="parameter"),
        },
        outputs={
            "y": make.artifact("y", needs=("Model",), packages=("numpy", "sklearn"), item="y"),
            "a": make.artifact("a", "2"),
        },
        parts=CacheKeyParts(
            code="c0de",
            outputs=("y", "a"),
            inputs={"x": "1", "rate": "2"},
            reached={"clean": "3"},
            packages={"numpy": "2.1", "python": "3.11"},
            options={"depends-on": "data.csv"},
        ),
        defines=("np", "clean"),
        deletes=("tmp",),
        displays="d" * 64,
    )

    added = store.add(step, run=make.run())

    assert reopen().step(added.id or 0) == added
    assert store.find(step.cache_key) == [added]
    assert list(added.outputs) == ["y", "a"]
    assert replace(added, id=None, run=None, inputs={}, outputs={}) == replace(step, inputs={}, outputs={})
    for name, artifact in (*added.inputs.items(), *added.outputs.items()):
        given = {**step.inputs, **step.outputs}[name]
        assert artifact == replace(given, id=artifact.id, version=1, step=added.id, created=artifact.created)
        assert artifact.id is not None
        assert artifact.created > 0


def test_what_one_step_of_a_batch_makes_and_another_takes_is_one_artifact(
    store: MetadataStore, make: Make
) -> None:
    first, second = make.artifact("x", "1"), make.artifact("x", "2")
    made, changed, taken = store.add_all(
        [
            make.step("make", outputs={"x": first}),
            make.step("change", inputs={"x": first}, outputs={"x": second}),
            make.step("take", inputs={"x": first}),
        ]
    )
    assert taken.inputs["x"] == changed.inputs["x"] == made.outputs["x"]
    assert [each.version for each in store.history("x")] == [2, 1]
    assert store.consumers(made.outputs["x"]) == [taken, changed]


def test_many_names_and_keys_are_asked_for_at_once(store: MetadataStore, make: Make) -> None:
    store.add_all([make.step("a"), make.step("b"), make.step("other", notebook="other.ipynb")])
    again = store.add(make.step("a", status=Status.CACHED))
    newer = store.add(make.step("b"))
    store.add(make.step("b", status=Status.SKIPPED))

    found = store.previous_all(["a", "b", "other", "it's"], "study.ipynb")
    assert found == {"a": again, "b": newer}
    assert store.previous_all(["a"], "unknown.ipynb") == {}
    assert store.find_all([again.cache_key, newer.cache_key, "", "no such key"]) == {
        key: store.find(key)[0] for key in (again.cache_key, newer.cache_key)
    }


def test_a_failure_comes_back_as_it_was(store: MetadataStore, make: Make) -> None:
    failure = Failure(type="ValueError", message="no \udcff rows", traceback="Traceback ...\n")
    added = store.add(make.step(status=Status.FAILED, failure=failure, parts=None, cache_key=""))
    assert store.step(added.id or 0) == added
    assert added.failure == failure


def test_a_run_is_inserted_and_ended_with_its_step(store: MetadataStore, make: Make) -> None:
    run = make.run(parameters={"rate": "0.2"}, versions={"python": "3.11"}, host="box", process=7)
    added = store.add(make.step(), run=run)
    assert store.run(added.run or 0) == replace(
        run, id=added.run, steps={"completed": 1}, names={"train": "completed"}, computed=0.5
    )


def test_a_run_that_was_begun_is_updated_by_its_steps_and_ended(store: MetadataStore, make: Make) -> None:
    run = store.begin_run(make.run(kind="pipeline", status=Status.RUNNING))
    store.add(make.step("a"), run=replace(run, seconds=1.0))
    store.add_all(
        [make.step("b", status=Status.CACHED), make.step("c", status=Status.FAILED)],
        run=replace(run, seconds=2.0, versions={"numpy": "2"}),
    )
    ended = store.end_run(replace(run, status=Status.FAILED, seconds=3.0, versions={"numpy": "2"}))

    assert store.run(run.id or 0) == replace(
        ended,
        steps={"completed": 1, "cached": 1, "failed": 1},
        names={"a": "completed", "b": "cached", "c": "failed"},
        computed=1.0,
    )
    assert [step.name for step in store.steps(run.id or 0)] == ["a", "b", "c"]
    assert all(step.run == run.id for step in store.steps(run.id or 0))


def test_a_run_keeps_the_stack_as_it_was(store: MetadataStore, make: Make) -> None:
    part = ComponentSpec(type="orchestrator", name="four", flavor="threads", config={"workers": "4"})
    stack = StackSpec(
        name="s", components={"orchestrator": part, **make.stack().components} | {"orchestrator": part}
    )
    run = store.begin_run(make.run(stack=stack))
    found = store.run(run.id or 0)
    assert found is not None
    assert found.stack == stack


def test_a_step_can_join_a_run_recorded_before(store: MetadataStore, make: Make) -> None:
    run = store.begin_run(make.run())
    assert store.add(make.step(run=run.id)).run == run.id
    assert len(store.steps(run.id or 0)) == 1


def test_only_completed_reusable_steps_are_found_newest_first(store: MetadataStore, make: Make) -> None:
    first = store.add(make.step())
    second = store.add(make.step())
    for fields in (
        {"status": Status.CACHED},
        {"status": Status.FAILED},
        {"status": Status.SKIPPED},
        {"reusable": False, "unusable_because": "y cannot be stored"},
        {"cache_key": "another"},
    ):
        store.add(make.step(**fields))
    assert store.find(first.cache_key) == [second, first]
    assert store.find(first.cache_key, limit=1) == [second]


def test_a_step_without_key_is_never_found(store: MetadataStore, make: Make) -> None:
    store.add(make.step(cache_key="", parts=None))
    assert store.find("") == []


def test_the_previous_record_is_the_last_that_ran_was_reused_or_failed_else_interrupted(
    store: MetadataStore, make: Make
) -> None:
    assert store.previous("train", "study.ipynb") is None
    interrupted = store.add(make.step(status=Status.INTERRUPTED))
    assert store.previous("train", "study.ipynb") == interrupted  # it never ran to its end
    assert store.previous_all(["train"], "study.ipynb") == {"train": interrupted}
    store.add(make.step(status=Status.COMPLETED))
    failed = store.add(make.step(status=Status.FAILED))
    store.add(make.step(status=Status.SKIPPED))
    store.add(make.step(status=Status.INTERRUPTED))
    store.add(make.step(notebook="other.ipynb"))
    store.add(make.step("other"))
    assert store.previous("train", "study.ipynb") == failed
    assert store.previous_all(["train"], "study.ipynb") == {"train": failed}
    assert store.previous("train", "none.ipynb") is None


def test_the_latest_steps_are_one_per_name_of_that_notebook(store: MetadataStore, make: Make) -> None:
    names = ["load", "train", "load", "plot", "train"]
    added = [store.add(make.step(name, status=Status.SKIPPED)) for name in names]
    store.add(make.step("load", notebook="other.ipynb"))
    assert store.latest_steps("study.ipynb") == [added[2], added[3], added[4]]
    assert store.latest_steps("none.ipynb") == []


def test_runs_are_filtered_and_paged_newest_first(store: MetadataStore, make: Make) -> None:
    runs = [
        store.begin_run(
            make.run(
                started=float(number),
                stack=make.stack("a" if number % 2 else "b"),
                notebook="x.ipynb" if number < 5 else "y.ipynb",
                kind="pipeline" if number == 3 else "step",
                status=Status.FAILED if number == 4 else Status.COMPLETED,
            )
        )
        for number in range(10)
    ]

    def numbers(**which: object) -> list[int]:
        return [int(run.started) for run in store.runs(**which)]  # type: ignore[arg-type]  # a table of calls

    assert store.runs() == runs[::-1]
    assert numbers(limit=3, offset=2) == [7, 6, 5]
    assert numbers(stack="a") == [9, 7, 5, 3, 1]
    assert numbers(notebook="x.ipynb", stack="b") == [4, 2, 0]
    assert numbers(notebook="none.ipynb") == []
    assert numbers(kind="pipeline") == [3]
    assert numbers(status=Status.FAILED) == [4]
    assert numbers(status="failed") == [4]
    assert numbers(since=3.0, until=6.0) == [5, 4, 3]


def test_a_status_nobody_knows_is_refused_with_the_nearest(store: MetadataStore) -> None:
    with pytest.raises(UnknownName, match=r"no status 'complete'; did you mean 'completed'\?"):
        store.runs(status="complete")


def test_nothing_of_a_call_that_fails_is_kept(store: MetadataStore, make: Make) -> None:
    stranger = make.artifact("x", id=12345)
    good, bad = make.step("good", outputs={"y": make.artifact("y")}), make.step("bad", inputs={"x": stranger})
    with pytest.raises(StoreError):
        store.add_all([good, bad], run=make.run())
    assert store.runs() == []
    assert store.artifacts() == []
    assert store.find(good.cache_key) == []


def test_equal_sources_are_stored_once(store: MetadataStore, make: Make, path: Path) -> None:
    source = "x = 1\n" * 1000
    for _ in range(50):
        store.add(make.step(source=source), run=make.run())
    store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM texts WHERE text = ?", (source,)).fetchone() == (1,)
    connection.close()


def test_texts_that_are_not_proper_unicode_do_not_stop_a_cell(store: MetadataStore, make: Make) -> None:
    added = store.add(make.step(reason="data\udcff.csv changed", notebook="\udcfe.ipynb", source="'\ud800'"))
    found = store.step(added.id or 0)
    assert found is not None
    assert found.reason == "data\\udcff.csv changed"
    assert store.previous("train", "\udcfe.ipynb") == found


def test_a_summary_with_strange_values_does_not_stop_a_cell(store: MetadataStore, make: Make) -> None:
    loop: dict[str, object] = {"kind": "object"}
    loop["self"] = loop
    summaries = [
        loop,
        {"kind": "object", "value": object()},
        {("a", 1): {2: {3}}},
        {"nan": float("nan"), "set": {1}},
    ]
    outputs = {f"x{place}": make.artifact(f"x{place}", summary=each) for place, each in enumerate(summaries)}
    added = store.add(make.step(outputs=outputs))
    found = store.step(added.id or 0)
    assert found is not None
    assert [set(artifact.summary) for artifact in found.outputs.values()] == [
        {"kind", "self"},
        {"kind", "value"},
        {"('a', 1)"},
        {"nan", "set"},
    ]


def test_a_closed_store_says_so(store: MetadataStore) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed; open it again"):
        store.runs()


def test_a_run_that_begins_later_is_recorded_unless_it_is_taken_back(
    store: MetadataStore, make: Make
) -> None:
    begun: Queue[Run] = Queue()
    short = store.begin_run_later(make.run(), 600.0, begun.put)
    long = store.begin_run_later(make.run(), 0.0, begun.put)
    told = begun.get(timeout=60)
    assert told.id is not None
    assert long.cancel_or_result() == told
    assert short.cancel_or_result() is None
    assert [run.id for run in store.runs()] == [told.id]
    store.add(make.step("s"), run=replace(told, status=Status.COMPLETED))
    assert [(run.id, run.status) for run in store.runs()] == [(told.id, Status.COMPLETED)]


def test_a_step_without_a_record_in_its_notebook_is_found_among_those_of_no_notebook_by_its_text(
    store: MetadataStore, make: Make
) -> None:
    old, new, failed = (
        store.add(make.step(notebook="", source="%%step train\nm = 1", status=status))
        for status in (Status.COMPLETED, Status.COMPLETED, Status.FAILED)
    )
    store.add(make.step(notebook="", source="%%step train\nm = 1", status=Status.INTERRUPTED))
    store.add(make.step(notebook="", source="%%step train\nm = 2"))
    store.add(make.step("other", notebook="", source="%%step train\nm = 1"))
    texts = ["%%step train\nm = 1", "%%step train --retries 2\nm = 1\n", "\n%%step train\nm = 1", "m = 1"]
    for text in texts:
        assert store.previous("train", "study.ipynb", source=text) == failed, text
        assert store.previous_all(["train"], "study.ipynb", sources={"train": text}) == {"train": failed}
        assert store.latest_steps("study.ipynb", sources={"train": text}) == [failed]
    for text in ("%%step train\nm = 3", "", "# m = 1"):
        assert store.previous("train", "study.ipynb", source=text) is None
        assert store.previous_all(["train"], "study.ipynb", sources={"train": text}) == {}
        assert store.latest_steps("study.ipynb", sources={"train": text}) == []
    assert store.previous("train", "study.ipynb") is None
    assert (old.id, new.id) < (failed.id, failed.id)


def test_a_record_of_the_notebook_itself_comes_before_those_of_no_notebook(
    store: MetadataStore, make: Make
) -> None:
    text = "%%step train\nm = 1"
    own = store.add(make.step(source="%%step train\nm = 0"))
    other = store.add(make.step(notebook="", source=text))
    load = store.add(make.step("load", notebook="", source="rows = 1"))
    sources = {"train": text, "load": "rows = 1"}
    assert store.previous("train", "study.ipynb", source=text) == own
    found = store.previous_all(["train", "load"], "study.ipynb", sources=sources)
    assert found == {"train": own, "load": load}
    assert store.latest_steps("study.ipynb", sources=sources) == [own, load]
    assert store.previous("train", "new.ipynb", source=text) == other


def test_a_step_that_got_another_name_has_the_records_of_its_cell(store: MetadataStore, make: Make) -> None:
    element = store.add(make.step("load[0]", source="x = 1"))
    load = store.add(make.step("load", source="x = 1"))
    copy = store.add(make.step("copy", source="x = 2"))
    taken = store.add(make.step("load", source="%%step load\ny = 1"))
    sources = {"x": "x = 1", "load": taken.source, "copy": copy.source, "copy-2": "x = 2", "new": "z = 1"}
    expected = {"x": replace(load, name="x"), "load": taken, "copy": copy}
    assert store.previous_all(sources, "study.ipynb", sources=sources) == expected
    assert store.latest_steps("study.ipynb", sources=sources) == [expected["x"], copy, taken]
    own = store.add(make.step("x", source="x = 1"))
    assert store.previous_all(["x"], "study.ipynb", sources=sources) == {"x": own}
    shifted = {"load": "x = 1", "x": taken.source}
    found = store.previous_all(shifted, "study.ipynb", sources=shifted)
    assert found == {"load": replace(own, name="load"), "x": replace(taken, name="x")}
    assert store.previous_all(["x"], "other.ipynb", sources={"x": "x = 1"}) == {}
    assert element.id


def test_what_a_decision_needs_is_found_at_once(store: MetadataStore, make: Make) -> None:
    made = store.add(make.step("train"))
    spec = make.stack()
    for part in spec.components.values():
        store.put_component(part)
    store.put_stack(spec)

    def known(*keys: str, name: str = "train", stack: str = spec.name) -> StepHistory:
        return store.known_of(keys, name=name, notebook="study.ipynb", source=made.source, stack=stack)

    assert known("", made.cache_key) == StepHistory(stack=spec, candidates=[made], previous=None)
    assert known("no such key", made.cache_key).candidates == [made]
    assert known("", "no such key") == StepHistory(stack=spec, candidates=[], previous=made)
    assert known("no such key", name="other").previous is None
    assert known(made.cache_key, stack="none") == StepHistory(stack=None, candidates=[made], previous=None)
