from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.records import ComponentSpec, StackSpec, Step
from zennb.errors import NameTaken, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.metadata.conftest import Make
    from zennb.metadata.store import MetadataStore

HOSTILE = (
    "'; DROP TABLE stacks;--",
    "<img src=x onerror=1>",
    "../../etc/passwd",
    "%s {0} \\",
    "a\0b",
    "💥\u202e",
)
ORCHESTRATOR = ComponentSpec(type="orchestrator", name="o", flavor="threads", config={"workers": "4"})
STORE = ComponentSpec(type="artifact_store", name="a", flavor="local")
STACK = StackSpec(name="s", components={"orchestrator": ORCHESTRATOR, "artifact_store": STORE})


@pytest.fixture
def filled(store: MetadataStore) -> MetadataStore:
    for part in (ORCHESTRATOR, STORE):
        store.put_component(part)
    store.put_stack(STACK)
    return store


def test_what_is_registered_comes_back_as_it_was(
    filled: MetadataStore, reopen: Callable[[], MetadataStore]
) -> None:
    other = reopen()
    assert other.components() == [STORE, ORCHESTRATOR]
    assert other.components("orchestrator") == [ORCHESTRATOR]
    assert other.stacks() == [STACK]
    assert other.stack("s") == STACK
    assert other.stack("none") is None


def test_an_equal_component_or_stack_is_left_alone_and_a_different_one_refused(filled: MetadataStore) -> None:
    filled.put_component(replace(ORCHESTRATOR))
    filled.put_stack(replace(STACK))
    with pytest.raises(NameTaken, match="orchestrator 'o'"):
        filled.put_component(replace(ORCHESTRATOR, config={}))
    filled.put_component(replace(ORCHESTRATOR, name="p"))
    other = replace(STACK, components={**STACK.components, "orchestrator": replace(ORCHESTRATOR, name="p")})
    with pytest.raises(NameTaken, match="stack 's'"):
        filled.put_stack(other)
    filled.put_stack(other, replace=True)
    assert filled.stacks() == [other]


def test_a_changed_component_changes_its_stacks(filled: MetadataStore) -> None:
    filled.put_component(replace(ORCHESTRATOR, config={}), replace=True)
    stack = filled.stack("s")
    assert stack is not None
    assert stack.orchestrator.config == {}


def test_a_component_that_a_stack_names_can_be_renamed_but_not_deleted(filled: MetadataStore) -> None:
    filled.rename_component("orchestrator", "o", "p")
    stack = filled.stack("s")
    assert stack is not None
    assert stack.orchestrator == replace(ORCHESTRATOR, name="p")
    with pytest.raises(StoreError):
        filled.delete_component("orchestrator", "p")
    filled.delete_stack("s")
    filled.delete_component("orchestrator", "p")
    assert filled.components() == [STORE]


def test_a_stack_cannot_name_a_component_that_does_not_exist(filled: MetadataStore) -> None:
    missing = replace(ORCHESTRATOR, name="missing")
    with pytest.raises(StoreError):
        filled.put_stack(StackSpec(name="t", components={**STACK.components, "orchestrator": missing}))
    assert filled.stacks() == [STACK]


def test_settings_are_kept(store: MetadataStore, reopen: Callable[[], MetadataStore]) -> None:
    assert store.setting("a") is None
    store.set_setting("a", "1")
    store.set_setting("a", "2")
    assert reopen().setting("a") == "2"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_names_like_any_other(filled: MetadataStore, make: Make, name: str) -> None:
    filled.put_component(replace(ORCHESTRATOR, name=name, config={name: name}))
    filled.rename_stack("s", name)
    filled.set_setting(name, name)
    step: Step = make.step(name, notebook=name, outputs={name: make.artifact(name, summary={name: name})})
    added = filled.add(step, run=make.run(notebook=name, stack=make.stack(name), parameters={name: name}))

    assert [stack.name for stack in filled.stacks()] == [name]
    assert replace(ORCHESTRATOR, name=name, config={name: name}) in filled.components()
    assert filled.setting(name) == name
    assert filled.previous(name, name) == added
    assert filled.latest_steps(name) == [added]
    assert filled.artifact(name, notebook=name) == added.outputs[name]
    assert [run.parameters for run in filled.runs(stack=name, notebook=name)] == [{name: name}]
