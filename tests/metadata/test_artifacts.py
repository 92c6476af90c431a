from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.records import Status

if TYPE_CHECKING:
    from tests.metadata.conftest import Make
    from zennb.metadata.store import MetadataStore


def test_versions_count_per_name(store: MetadataStore, make: Make) -> None:
    for content in ("1", "2"):
        store.add(make.step(outputs={name: make.artifact(name, content) for name in ("x", "y")}))
    assert [artifact.label for artifact in store.history("x")] == ["x v2", "x v1"]
    assert [artifact.label for artifact in store.history("y")] == ["y v2", "y v1"]
    assert [artifact.label for artifact in store.history("x", limit=1, offset=1)] == ["x v1"]


def test_content_equal_to_the_latest_version_is_that_version(store: MetadataStore, make: Make) -> None:
    first = store.add(make.step(outputs={"x": make.artifact("x")})).outputs["x"]
    again = store.add(make.step(outputs={"x": make.artifact("x")})).outputs["x"]
    assert again == first
    store.add(make.step(outputs={"x": make.artifact("x", "2")}))
    back = store.add(make.step(outputs={"x": make.artifact("x")})).outputs["x"]
    assert (back.version, back.digest) == (3, first.digest)


def test_equal_digests_in_other_bytes_or_places_are_another_version(store: MetadataStore, make: Make) -> None:
    variants: tuple[dict[str, str], ...] = ({}, {"blob": "other"}, {"item": "x"}, {"materializer": "pickle"})
    added = [store.add(make.step(outputs={"x": make.artifact("x", **fields)})) for fields in variants]
    assert [step.outputs["x"].version for step in added] == [1, 2, 3, 4]


def test_an_input_changed_in_place_has_two_versions(store: MetadataStore, make: Make) -> None:
    step = make.step(
        inputs={"x": make.artifact("x", "before", kind="captured")},
        outputs={"x": make.artifact("x", "after")},
    )
    added = store.add(step)
    assert [(each.label, each.kind) for each in store.history("x")] == [
        ("x v2", "output"),
        ("x v1", "captured"),
    ]
    assert added.inputs["x"].version == 1
    assert added.outputs["x"].version == 2


def test_a_cached_step_refers_to_what_was_there(store: MetadataStore, make: Make) -> None:
    ran = store.add(make.step(outputs={"x": make.artifact("x")}))
    cached = store.add(make.step(status=Status.CACHED, reused=ran.id, outputs=ran.outputs))
    assert cached.outputs == ran.outputs
    assert cached.reused == ran.id
    assert len(store.history("x")) == 1
    assert store.producer(cached.outputs["x"]) == ran


def test_lineage_goes_both_ways(store: MetadataStore, make: Make) -> None:
    load = store.add(make.step("load", outputs={"x": make.artifact("x")}))
    users = [store.add(make.step(name, inputs={"x": load.outputs["x"]})) for name in ("train", "plot")]
    assert store.consumers(load.outputs["x"]) == users[::-1]
    assert store.consumers(load.outputs["x"], limit=1) == users[1:]
    assert store.producer(load.outputs["x"]) == load
    assert store.producer(make.artifact("x")) is None
    assert store.consumers(make.artifact("x")) == []


def test_listing_shows_the_latest_version_of_each_name_newest_first(store: MetadataStore, make: Make) -> None:
    for name, content in (("x", "1"), ("y", "1"), ("x", "2")):
        store.add(make.step(outputs={name: make.artifact(name, content)}))
    store.add(make.step(inputs={"rate": make.artifact("rate", kind="parameter")}))
    assert [artifact.label for artifact in store.artifacts()] == ["rate v1", "x v2", "y v1"]
    assert [artifact.label for artifact in store.artifacts(limit=1, offset=1)] == ["x v2"]
    assert [artifact.label for artifact in store.artifacts(kind="parameter")] == ["rate v1"]
    assert [artifact.label for artifact in store.artifacts(name="x")] == ["x v2"]
    assert store.artifacts(name="none") == []


def test_a_name_stands_for_what_was_put_out_last_even_if_that_is_an_older_version(
    store: MetadataStore, make: Make
) -> None:
    first = store.add(make.step(outputs={"x": make.artifact("x", "1")}))
    store.add(make.step(outputs={"x": make.artifact("x", "2")}))
    store.add(make.step(status=Status.CACHED, reused=first.id, outputs=first.outputs))
    now = store.artifact("x")
    assert now is not None
    assert now.version == 1


def test_a_name_prefers_the_notebook_that_knows_it(store: MetadataStore, make: Make) -> None:
    for notebook, content in (("a.ipynb", "1"), ("b.ipynb", "2")):
        store.add(make.step(notebook=notebook, outputs={"x": make.artifact("x", content)}))
    versions = [store.artifact("x", notebook=where) for where in ("a.ipynb", "b.ipynb", "none.ipynb", None)]
    assert [found.version if found else None for found in versions] == [1, 2, 2, 2]


def test_a_captured_value_that_no_step_put_out_is_found_too(store: MetadataStore, make: Make) -> None:
    store.add(make.step(inputs={"rate": make.artifact("rate", kind="parameter")}))
    found = store.artifact("rate", notebook="study.ipynb")
    assert found is not None
    assert found.kind == "parameter"


def test_a_version_is_found_by_number(store: MetadataStore, make: Make) -> None:
    for content in ("1", "2"):
        store.add(make.step(outputs={"x": make.artifact("x", content)}))
    assert [found and found.version for found in (store.artifact("x", 1), store.artifact("x", 3))] == [
        1,
        None,
    ]
    assert store.artifact("none") is None


def test_equal_content_is_found_under_any_name_newest_first(store: MetadataStore, make: Make) -> None:
    steps = [store.add(make.step(outputs={name: make.artifact(name)})) for name in ("x", "y")]
    added = [(step.outputs[name], step) for step, name in zip(steps, ("x", "y"), strict=True)]
    digest = added[0][0].digest
    assert store.with_digests([digest, "none"]) == {digest: added[::-1], "none": []}
    assert store.with_digests([digest], limit=1) == {digest: added[1:]}
