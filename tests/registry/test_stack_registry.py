from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from zennb.errors import InUse, InvalidConfiguration, NameTaken, UnfitStack, UnknownName, UsageError
from zennb.registry.stack_registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.metadata.store import MetadataStore
    from zennb.registry.changes import Change

DEFAULTS = {"orchestrator": "default", "artifact_store": "default"}


@pytest.fixture
def filled(registry: Registry) -> Registry:
    registry.register_component("artifact_store", "my_artifact_store", "local")
    registry.register_component("artifact_store", "memory", "memory")
    registry.register_component("orchestrator", "four", "threads", {"workers": "8"})
    registry.register_stack("my_stack", {"orchestrator": "default", "artifact_store": "my_artifact_store"})
    return registry


def test_checking_a_stack_says_what_registering_it_would_and_registers_nothing(filled: Registry) -> None:
    parts = {"orchestrator": "four", "artifact_store": "memory"}
    checked = filled.check("other", parts)
    assert filled.metadata.stack("other") is None
    assert filled.register_stack("other", parts) == (checked, True)
    for name, unusable in (
        ("", parts),
        ("other", {"orchestrator": "four"}),
        ("other", {"orchestrator": "none"}),
    ):
        with pytest.raises((UsageError, UnknownName)) as said:
            filled.check(name, unusable)
        with pytest.raises(type(said.value)) as refused:
            filled.register_stack(name, unusable)
        assert str(refused.value) == str(said.value)


def test_the_default_stack_is_there_from_first_use_and_made_once(
    registry: Registry, metadata: MetadataStore, home: Path
) -> None:
    [default] = registry.stacks()
    assert (default.name, default.orchestrator.flavor, default.artifact_store.flavor) == (
        "default",
        "local",
        "local",
    )
    assert Registry(metadata, home).stacks() == [default]
    assert registry.default_stack_name() == "default"


def test_a_stack_is_registered_once(filled: Registry) -> None:
    parts = {"orchestrator": "default", "artifact-store": "my_artifact_store"}
    assert filled.register_stack("my_stack", parts) == (filled.stack("my_stack"), False)
    spec, created = filled.register_stack("another", parts)
    assert created
    assert spec == filled.stack("another")
    assert [stack.name for stack in filled.stacks()] == ["another", "default", "my_stack"]


def test_other_components_under_a_taken_name_are_refused_and_shown(filled: Registry) -> None:
    with pytest.raises(NameTaken) as refused:
        filled.register_stack("my_stack", {"orchestrator": "four", "artifact_store": "memory"})
    assert refused.value.message == (
        "stack 'my_stack' exists with other components (orchestrator: default → four; artifact store: "
        "my_artifact_store → memory); choose another name, or change it with `%stack update`."
    )
    with pytest.raises(NameTaken, match=r"stack 'default' exists .*; choose another name\.$"):
        filled.register_stack("default", {"orchestrator": "four", "artifact_store": "default"})


def test_a_stack_without_a_part_it_needs_is_refused(filled: Registry) -> None:
    with pytest.raises(
        UsageError, match=r"stack 's' needs an artifact store; add `-a NAME` \(see `%artifact-store list`\)"
    ):
        filled.register_stack("s", {"orchestrator": "default"})
    with pytest.raises(UsageError, match="stack 's' needs an orchestrator; add `-o NAME`"):
        filled.register_stack("s", {"artifact_store": "default"})
    with pytest.raises(UsageError, match="needs an orchestrator and an artifact store"):
        filled.register_stack("s", {})
    with pytest.raises(UsageError, match="needs an artifact store"):
        filled.update_stack("my_stack", {}, remove=["artifact-store"])


def test_what_does_not_exist_is_refused_with_the_nearest_name(filled: Registry) -> None:
    with pytest.raises(UnknownName, match=r"no stack 'my_stak'; did you mean 'my_stack'\?"):
        filled.stack("my_stak")
    with pytest.raises(
        UnknownName, match=r"no artifact store 'my_artifact'; did you mean 'my_artifact_store'\?"
    ):
        filled.register_stack("s", {"orchestrator": "default", "artifact_store": "my_artifact"})
    with pytest.raises(UnknownName, match=r"no orchestrator 'fuor'; did you mean 'four'\?"):
        filled.update_stack("my_stack", {"orchestrator": "fuor"})
    with pytest.raises(UnknownName, match="no component type 'orchestra'; did you mean 'orchestrator'"):
        filled.register_stack("s", {"orchestra": "default"})
    for verb in (filled.delete_stack, filled.export_stack, filled.set_default):
        with pytest.raises(UnknownName, match="'my_stak'; did you mean 'my_stack'"):
            verb("my_stak")
    for rename in (filled.rename_stack, filled.copy_stack):
        with pytest.raises(UnknownName, match="'my_stak'; did you mean 'my_stack'"):
            rename("my_stak", "s")


def test_a_stack_that_does_not_fit_is_refused(filled: Registry) -> None:
    filled.register_component("orchestrator", "far", "far")
    with pytest.raises(UnfitStack) as refused:
        filled.register_stack("s", {"orchestrator": "far", "artifact_store": "my_artifact_store"})
    assert refused.value.message == (
        "stack 's' does not fit: its orchestrator 'far' runs steps from other machines, but its artifact store "
        "'my_artifact_store' can be reached only on this machine; choose another artifact store with `-a`, "
        "see `%artifact-store list`."
    )
    with pytest.raises(UnfitStack, match="stack 'my_stack' does not fit"):
        filled.update_stack("my_stack", {"orchestrator": "far"})
    filled.register_component("artifact_store", "bucket", "bucket")
    filled.register_stack("s", {"orchestrator": "far", "artifact_store": "bucket"})
    assert filled.stack("my_stack").orchestrator.name == "default"


def test_an_update_shows_what_it_changed(filled: Registry) -> None:
    updated = filled.update_stack("my_stack", {"orchestrator": "four"})
    assert updated.differences == ("orchestrator: default → four",)
    assert updated.after == filled.stack("my_stack")
    assert updated.before.orchestrator.name == "default"
    assert filled.update_stack("my_stack", {"orchestrator": "four"}).differences == ()
    with pytest.raises(UsageError, match="to be set and removed at once"):
        filled.update_stack("my_stack", {"orchestrator": "four"}, remove=["orchestrator"])


def test_a_copy_goes_its_own_way(filled: Registry) -> None:
    copy = filled.copy_stack("my_stack", "copy")
    assert copy.components == filled.stack("my_stack").components
    filled.update_stack("copy", {"orchestrator": "four"})
    assert filled.stack("my_stack").orchestrator.name == "default"
    with pytest.raises(NameTaken, match="stack 'copy' exists with other components"):
        filled.copy_stack("my_stack", "copy")


def test_a_renamed_stack_stays_the_one_for_new_kernels(filled: Registry) -> None:
    filled.set_default("my_stack")
    renamed = filled.rename_stack("my_stack", "ours")
    assert renamed == filled.stack("ours")
    assert filled.default_stack_name() == "ours"
    assert filled.rename_stack("ours", "ours") == renamed
    with pytest.raises(NameTaken, match="stack 'default' exists already, so 'ours' keeps its name"):
        filled.rename_stack("ours", "default")


def test_the_stack_default_cannot_be_changed_renamed_or_deleted(filled: Registry) -> None:
    before = filled.stack("default")
    sentence = "the stack 'default' cannot be {}; .*`%stack copy default NAME`"
    with pytest.raises(InUse, match=sentence.format("changed")):
        filled.update_stack("default", {"orchestrator": "four"})
    with pytest.raises(InUse, match=sentence.format("renamed")):
        filled.rename_stack("default", "mine")
    with pytest.raises(InUse, match=sentence.format("deleted")):
        filled.delete_stack("default")
    assert filled.stack("default") == before


def test_the_active_stack_and_that_of_new_kernels_are_not_deleted(
    metadata: MetadataStore, home: Path
) -> None:
    active: set[str] = {"a"}
    registry = Registry(metadata, home, active=lambda: active)
    registry.register_stack("a", DEFAULTS)
    registry.register_stack("b", DEFAULTS)
    registry.set_default("b")
    with pytest.raises(
        InUse, match=r"stack 'a' is active; activate another one first, e.g. `%stack set default`"
    ):
        registry.delete_stack("a")
    with pytest.raises(InUse, match="stack 'b' is the one that new kernels start with"):
        registry.delete_stack("b")
    active.clear()
    registry.set_default("default")
    assert [registry.delete_stack(name).name for name in "ab"] == ["a", "b"]


def test_new_kernels_fall_back_to_the_stack_default(filled: Registry, metadata: MetadataStore) -> None:
    filled.set_default("my_stack")
    metadata.delete_stack("my_stack")
    assert filled.default_stack_name() == "default"


def test_an_exported_stack_can_be_imported_elsewhere(filled: Registry, tmp_path: Path) -> None:
    from zennb.metadata.store import MetadataStore

    filled.register_component("orchestrator", "far", "far", {"token": "env:TOKEN", "address": "höst"})
    filled.register_component("artifact_store", "bucket", "bucket")
    spec, _ = filled.register_stack("cluster", {"orchestrator": "far", "artifact_store": "bucket"})
    text = filled.export_stack("cluster")
    assert json.loads(text)["components"]["orchestrator"]["config"] == {
        "token": "env:TOKEN",
        "address": "höst",
    }

    metadata = MetadataStore(tmp_path / "elsewhere" / "metadata.db")
    other = Registry(metadata, tmp_path / "elsewhere")
    heard: list[Change] = []
    other.listeners.add(heard.append)
    assert other.import_stack(text) == (spec, True)
    assert other.stack("cluster") == spec
    assert other.import_stack(text) == (spec, False)
    assert [change.name for change in heard] == ["far", "bucket", "cluster"]
    metadata.close()


def test_an_import_names_every_conflict_and_changes_nothing(filled: Registry) -> None:
    text = (
        filled.export_stack("my_stack")
        .replace('"default"', '"four"')
        .replace('"my_artifact_store"', '"memory"')
    )
    before = filled.components(), filled.stacks()
    with pytest.raises(NameTaken) as refused:
        filled.import_stack(text)
    assert "orchestrator 'four' (flavor: threads → local; workers: 8 → default)" in refused.value.message
    assert "artifact store 'memory' (flavor: memory → local)" in refused.value.message
    assert (filled.components(), filled.stacks()) == before


def test_an_import_under_the_name_of_another_stack_is_refused_whole(filled: Registry) -> None:
    text = filled.export_stack("my_stack").replace('"my_artifact_store"', '"brand_new"')
    with pytest.raises(NameTaken, match="stack 'my_stack' exists with other components"):
        filled.import_stack(text)
    assert "brand_new" not in [part.name for part in filled.components()]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not JSON"),
        ("[]", "it has no `zennb_stack`"),
        ("{}", "it has no `zennb_stack`"),
        ('{"zennb_stack": 2}', "exported by a newer zennb"),
        ('{"zennb_stack": 1}', "its `components` is missing"),
        ('{"zennb_stack": 1, "components": {}}', "its `name` is missing"),
        ('{"zennb_stack": 1, "components": {}, "name": "s"}', "needs an orchestrator and an artifact store"),
        (
            '{"zennb_stack": 1, "components": {"orchestrator": 1}, "name": "s"}',
            "its `orchestrator` is not an object",
        ),
        (
            '{"zennb_stack": 1, "components": {"orchestrator": {"name": "x"}}, "name": "s"}',
            "its `flavor` is missing",
        ),
        (
            '{"zennb_stack": 1, "components": {"orchestrator": {"name": "x", "flavor": "local", "config": {"a": 1}}}}',
            "does not map options to text",
        ),
    ],
)
def test_text_that_is_no_exported_stack_is_refused(registry: Registry, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        registry.import_stack(text)


def test_an_import_is_checked_like_what_is_typed(filled: Registry) -> None:
    text = filled.export_stack("my_stack")
    with pytest.raises(UnknownName, match="'threds'; did you mean 'threads'"):
        filled.import_stack(
            text.replace('"flavor": "local"', '"flavor": "threds"', 1).replace('"default"', '"o"')
        )
    with pytest.raises(InvalidConfiguration, match="no option `nonsense`"):
        filled.import_stack(
            text.replace('"config": {}', '"config": {"nonsense": "1"}', 1).replace('"default"', '"o"')
        )
    with pytest.raises(UsageError, match="begins with a dash"):
        filled.import_stack(text.replace('"my_stack"', '"--yes"'))
