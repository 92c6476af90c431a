from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from zennb.core.records.records import StackSpec
from zennb.errors import ZennbError
from zennb.metadata.store import MetadataStore
from zennb.registry.stack_registry import Registry

NAMES = st.sampled_from(["default", "default", "a", "'; DROP TABLE stacks;--", "../..", "-x"])
TYPES = st.sampled_from(["orchestrator", "artifact-store", "artifact_store", "orchestra"])
FLAVORS = st.sampled_from(["local", "threads", "memory", "none"])
CONFIGS = st.sampled_from([{}, {"workers": "2"}, {"path": "somewhere"}])
PARTS = st.dictionaries(TYPES, NAMES, max_size=2)


class RegistryMachine(RuleBasedStateMachine):
    """Any verbs in any order, right and wrong; a refusal is a sentence and changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.metadata = MetadataStore(Path(self.directory.name) / "metadata.db")
        self.registry = Registry(self.metadata, Path(self.directory.name), active=lambda: {"a"})
        self.default = self.registry.stack("default")
        self.exported: list[str] = [self.registry.export_stack("default")]

    def teardown(self) -> None:
        self.metadata.close()
        self.directory.cleanup()

    def attempt(self, verb: Any, *args: Any, **kwargs: Any) -> None:
        before = self.everything()
        try:
            verb(*args, **kwargs)
        except ZennbError as error:
            refused = str(error)
        else:
            return
        assert refused.strip()
        assert self.everything() == before

    def everything(self) -> tuple[object, ...]:
        return self.registry.components(), self.registry.stacks(), self.registry.default_stack_name()

    @rule(type=TYPES, name=NAMES, flavor=FLAVORS, config=CONFIGS)
    def register_component(self, type: str, name: str, flavor: str, config: dict[str, str]) -> None:
        self.attempt(self.registry.register_component, type, name, flavor, config)

    @rule(type=TYPES, name=NAMES, config=CONFIGS, unset=st.sampled_from([[], ["workers"], ["path"]]))
    def update_component(self, type: str, name: str, config: dict[str, str], unset: list[str]) -> None:
        self.attempt(self.registry.update_component, type, name, config, unset=unset)

    @rule(type=TYPES, old=NAMES, new=NAMES)
    def rename_component(self, type: str, old: str, new: str) -> None:
        self.attempt(self.registry.rename_component, type, old, new)

    @rule(type=TYPES, name=NAMES)
    def delete_component(self, type: str, name: str) -> None:
        self.attempt(self.registry.delete_component, type, name)

    @rule(name=NAMES, parts=PARTS)
    def register_stack(self, name: str, parts: dict[str, str]) -> None:
        self.attempt(self.registry.register_stack, name, parts)

    @rule(name=NAMES, parts=PARTS, remove=st.lists(TYPES, max_size=1))
    def update_stack(self, name: str, parts: dict[str, str], remove: list[str]) -> None:
        self.attempt(self.registry.update_stack, name, parts, remove=remove)

    @rule(old=NAMES, new=NAMES)
    def copy_stack(self, old: str, new: str) -> None:
        self.attempt(self.registry.copy_stack, old, new)

    @rule(old=NAMES, new=NAMES)
    def rename_stack(self, old: str, new: str) -> None:
        self.attempt(self.registry.rename_stack, old, new)

    @rule(name=NAMES)
    def delete_stack(self, name: str) -> None:
        self.attempt(self.registry.delete_stack, name)

    @rule(name=NAMES)
    def set_default(self, name: str) -> None:
        self.attempt(self.registry.set_default, name)

    @rule(name=NAMES)
    def export_stack(self, name: str) -> None:
        with contextlib.suppress(ZennbError):
            self.exported.append(self.registry.export_stack(name))

    @rule(data=st.data())
    def import_stack(self, data: st.DataObject) -> None:
        self.attempt(self.registry.import_stack, data.draw(st.sampled_from(self.exported)))

    @invariant()
    def the_stack_default_is_as_it_was(self) -> None:
        assert self.registry.stack("default") == self.default

    @invariant()
    def every_stack_has_what_it_needs_of_what_is_registered(self) -> None:
        registered = {(part.type, part.name): part for part in self.registry.components()}
        for stack in self.registry.stacks():
            assert {"orchestrator", "artifact_store"} <= set(stack.components)
            assert all(registered[part.type, part.name] == part for part in stack.components.values())

    @invariant()
    def new_kernels_have_a_stack_to_start_with(self) -> None:
        assert isinstance(self.registry.stack(self.registry.default_stack_name()), StackSpec)


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
