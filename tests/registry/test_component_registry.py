from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zennb.components.component import Visibility
from zennb.core.records.records import ComponentSpec
from zennb.errors import (
    InUse,
    InvalidConfiguration,
    MissingExtra,
    NameTaken,
    UnfitStack,
    UnknownName,
    UsageError,
)

if TYPE_CHECKING:
    from zennb.metadata.store import MetadataStore
    from zennb.registry.changes import Change
    from zennb.registry.stack_registry import Registry

HOSTILE = (
    "'; DROP TABLE x;--",
    "<img src=x onerror=1>",
    "../../etc",
    "C:\\Windows",
    "$(rm -rf /)",
    "données 💥",
)


def test_the_default_components_are_there_from_first_use(registry: Registry) -> None:
    assert [(spec.type, spec.name, spec.flavor) for spec in registry.components()] == [
        ("artifact_store", "default", "local"),
        ("orchestrator", "default", "local"),
    ]


def test_a_component_is_registered_once(registry: Registry) -> None:
    spec, created = registry.register_component("orchestrator", "four", "threads", {"workers": "8"})
    assert created
    assert spec == ComponentSpec(type="orchestrator", name="four", flavor="threads", config={"workers": "8"})
    assert registry.component("orchestrator", "four") == spec
    assert registry.register_component("orchestrator", "four", "threads", {"workers": "8"}) == (spec, False)


def test_types_may_be_typed_with_dashes(registry: Registry) -> None:
    spec, _ = registry.register_component("artifact-store", "mine", "memory")
    assert spec.type == "artifact_store"
    assert registry.component("artifact-store", "mine") == spec
    assert registry.components("artifact-store")[1] == spec


def test_an_option_that_repeats_the_default_is_not_kept(registry: Registry) -> None:
    assert registry.register_component("orchestrator", "four", "threads", {"workers": "4"})[0].config == {}
    assert not registry.register_component("orchestrator", "four", "threads")[1]


def test_another_configuration_under_a_taken_name_is_refused_and_shown(registry: Registry) -> None:
    registry.register_component("orchestrator", "four", "threads", {"workers": "8"})
    with pytest.raises(NameTaken) as refused:
        registry.register_component("orchestrator", "four", "threads", {"workers": "2"})
    assert refused.value.message == (
        "orchestrator 'four' exists with another configuration (workers: 8 → 2); "
        "choose another name, or change it with `%orchestrator update`."
    )
    with pytest.raises(
        NameTaken, match=r"\(flavor: threads → local; workers: 8 → default\); choose another name\."
    ):
        registry.register_component("orchestrator", "four", "local")
    with pytest.raises(NameTaken, match=r"'default' exists .*; choose another name\."):
        registry.register_component("orchestrator", "default", "threads")


def test_what_does_not_exist_is_refused_with_the_nearest_name(registry: Registry) -> None:
    registry.register_component("artifact_store", "production", "memory")
    with pytest.raises(UnknownName, match="did you mean 'orchestrator'"):
        registry.register_component("orchestator", "x", "local")
    with pytest.raises(UnknownName, match="'thread'; did you mean 'threads'"):
        registry.register_component("orchestrator", "x", "thread")
    with pytest.raises(UnknownName, match="no artifact store 'prodution'; did you mean 'production'"):
        registry.component("artifact_store", "prodution")
    with pytest.raises(UnknownName, match="no artifact store 'zzz'; known: default, production"):
        registry.delete_component("artifact_store", "zzz")
    with pytest.raises(InvalidConfiguration, match="no option `worker`; did you mean `workers`"):
        registry.register_component("orchestrator", "x", "threads", {"worker": "4"})
    with pytest.raises(InvalidConfiguration, match="workers"):
        registry.register_component("orchestrator", "x", "threads", {"workers": "many"})
    with pytest.raises(MissingExtra, match="pip install absent"):
        registry.register_component("orchestrator", "x", "absent")
    assert len(registry.components()) == 3


def test_of_many_known_names_some_are_shown_and_the_others_counted(registry: Registry) -> None:
    for number in range(9):
        registry.register_component("alerter", f"a{number}", "local")
    with pytest.raises(UnknownName, match=r"known: a0, a1, a2, a3, a4, a5, a6, a7, a8\. List"):
        registry.delete_component("alerter", "zzz")
    registry.register_component("alerter", "b", "local")
    with pytest.raises(UnknownName, match=r"known: a0, a1, a2, a3, a4, a5, a6, a7 and 2 more\. List"):
        registry.delete_component("alerter", "zzz")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "needs a name"),
        ("  ", "needs a name"),
        ("-o", "begins with a dash"),
        ("a\nb", "cannot be shown"),
        ("a\x1b[31m", "cannot be shown"),
        ("a\u202eb", "cannot be shown"),
        ("\udcff", "cannot be shown"),
        ("x" * 101, "has 101 characters; use 100 at most"),
    ],
)
def test_names_that_cannot_be_typed_or_shown_are_refused(registry: Registry, name: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        registry.register_component("orchestrator", name, "local")
    with pytest.raises(UsageError, match=why):
        registry.register_stack(name, {"orchestrator": "default", "artifact_store": "default"})
    registry.register_component("orchestrator", "ok", "local")
    with pytest.raises(UsageError, match=why):
        registry.rename_component("orchestrator", "ok", name)


@pytest.mark.parametrize("name", [*HOSTILE, "x" * 100])
def test_hostile_names_are_harmless(registry: Registry, home: Path, name: str) -> None:
    spec, _ = registry.register_component("artifact_store", name, "local")
    stack, _ = registry.register_stack(name, {"orchestrator": "default", "artifact_store": name})
    assert registry.stack(name) == stack
    assert registry.import_stack(registry.export_stack(name)) == (stack, False)
    place = Path(registry.describe_component("artifact_store", name).place)
    assert place.parent == home / "stores"
    assert place.name.isalnum()
    registry.delete_stack(name)
    registry.delete_component("artifact_store", spec.name)
    assert [each.name for each in registry.stacks()] == ["default"]


def test_options_are_set_and_unset(registry: Registry) -> None:
    registry.register_component("orchestrator", "far", "far", {"address": "a"})
    registry.register_component("artifact_store", "bucket", "bucket")
    registry.register_stack("s", {"orchestrator": "far", "artifact_store": "bucket"})
    updated = registry.update_component("orchestrator", "far", {"token": "env:TOKEN"}, unset=["address"])
    assert updated.before.config == {"address": "a"}
    assert updated.after.config == {"token": "env:TOKEN"}
    assert updated.differences == ("address: a → default", "token: default → env:TOKEN")
    assert updated.stacks == ("s",)
    assert registry.stack("s").orchestrator == updated.after
    assert registry.update_component("orchestrator", "far").differences == ()


def test_updates_that_make_no_sense_are_refused(registry: Registry) -> None:
    registry.register_component("orchestrator", "four", "threads", {"workers": "8"})
    with pytest.raises(InvalidConfiguration, match="did you mean `workers`"):
        registry.update_component("orchestrator", "four", {"worker": "4"})
    with pytest.raises(UnknownName, match="no option of flavor 'threads' 'wokers'; did you mean 'workers'"):
        registry.update_component("orchestrator", "four", unset=["wokers"])
    with pytest.raises(UsageError, match="`workers` is to be set and unset at once"):
        registry.update_component("orchestrator", "four", {"workers": "4"}, unset=["workers"])
    with pytest.raises(UnknownName, match="no orchestrator 'fou'; did you mean 'four'"):
        registry.update_component("orchestrator", "fou", {"workers": "4"})
    assert registry.component("orchestrator", "four").config == {"workers": "8"}


def test_an_update_that_would_make_a_stack_unfit_is_refused_and_undone(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register_component("artifact_store", "mine", "memory")
    registry.register_component("orchestrator", "four", "threads")
    registry.register_stack("s", {"orchestrator": "four", "artifact_store": "mine"})
    monkeypatch.setattr(
        "zennb.components.orchestrators.threads.ThreadsOrchestrator.visibility", Visibility.MACHINE
    )
    with pytest.raises(UnfitStack, match="stack 's' does not fit"):
        registry.update_component("orchestrator", "four", {"workers": "2"})
    assert registry.component("orchestrator", "four").config == {}


def test_the_default_components_cannot_be_changed_renamed_or_deleted(registry: Registry) -> None:
    before = registry.components()
    sentence = "'default' belongs to the stack 'default' and cannot be {}; register one .* `%{} register NAME"
    with pytest.raises(InUse, match=sentence.format("changed", "artifact-store")):
        registry.update_component("artifact_store", "default", {"path": "/elsewhere"})
    with pytest.raises(InUse, match=sentence.format("renamed", "orchestrator")):
        registry.rename_component("orchestrator", "default", "mine")
    with pytest.raises(InUse, match=sentence.format("deleted", "orchestrator")):
        registry.delete_component("orchestrator", "default")
    assert registry.components() == before


def test_a_component_in_use_is_not_deleted_and_its_stacks_are_named(registry: Registry) -> None:
    registry.register_component("artifact_store", "mine", "local")
    registry.register_stack("a", {"orchestrator": "default", "artifact_store": "mine"})
    registry.copy_stack("a", "b")
    with pytest.raises(
        InUse, match=r"artifact store 'mine' is used by stacks 'a' and 'b'; .*--artifact-store=OTHER"
    ):
        registry.delete_component("artifact_store", "mine")
    registry.delete_stack("b")
    with pytest.raises(InUse, match="is used by stack 'a'; give it another one"):
        registry.delete_component("artifact_store", "mine")
    registry.delete_stack("a")
    assert registry.delete_component("artifact_store", "mine").name == "mine"


def test_a_renamed_component_stays_in_its_stacks(registry: Registry) -> None:
    registry.register_component("orchestrator", "four", "threads", {"workers": "8"})
    registry.register_stack("s", {"orchestrator": "four", "artifact_store": "default"})
    renamed = registry.rename_component("orchestrator", "four", "eight")
    assert renamed.config == {"workers": "8"}
    assert registry.stack("s").orchestrator == renamed
    assert registry.rename_component("orchestrator", "eight", "eight") == renamed
    with pytest.raises(NameTaken, match="orchestrator 'default' exists already, so 'eight' keeps its name"):
        registry.rename_component("orchestrator", "eight", "default")


def test_a_renamed_local_store_keeps_its_directory(registry: Registry) -> None:
    registry.register_component("artifact_store", "old", "local")
    before = registry.describe_component("artifact_store", "old").place
    renamed = registry.rename_component("artifact_store", "old", "new")
    assert registry.describe_component("artifact_store", "new").place == before
    assert registry.component("artifact_store", "new") == renamed


def test_a_relative_path_means_the_directory_it_was_typed_in(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registry.register_component("artifact_store", "mine", "local", {"path": "here"})
    assert registry.describe_component("artifact_store", "mine").place == str(tmp_path / "here")


def test_a_description_shows_every_option_and_the_stacks(registry: Registry) -> None:
    registry.register_component("orchestrator", "four", "threads", {"workers": "8"})
    registry.register_stack("s", {"orchestrator": "four", "artifact_store": "default"})
    found = registry.describe_component("orchestrator", "four")
    assert found.stacks == ("s",)
    assert found.description
    assert found.problem == ""
    [workers] = [option for option in found.options if option.name == "workers"]
    assert (workers.value, workers.is_set, bool(workers.help)) == ("8", True, True)


def test_a_component_whose_library_is_gone_can_still_be_described_and_deleted(
    registry: Registry, metadata: MetadataStore
) -> None:
    metadata.put_component(ComponentSpec(type="orchestrator", name="o", flavor="absent", config={"a": "1"}))
    found = registry.describe_component("orchestrator", "o")
    assert found.problem == "flavor 'absent' is not installed; pip install absent"
    assert [(option.name, option.value) for option in found.options] == [("a", "1")]
    registry.delete_component("orchestrator", "o")


def test_a_secret_is_kept_as_a_reference_and_a_value_is_refused_unrepeated(registry: Registry) -> None:
    registry.register_component("orchestrator", "far", "far", {"token": "env:TOKEN"})
    assert registry.component("orchestrator", "far").config == {"token": "env:TOKEN"}
    with pytest.raises(InvalidConfiguration) as refused:
        registry.update_component("orchestrator", "far", {"token": "s3cr3t-value"})
    assert "s3cr3t-value" not in refused.value.message


def test_a_secret_in_an_option_that_is_no_reference_is_refused_unrepeated(registry: Registry) -> None:
    for address in ("https://me:s3cr3t-value@host", "far?key=sk-s3cr3tvalue1234567890"):
        with pytest.raises(InvalidConfiguration, match="would hold a secret") as refused:
            registry.register_component("orchestrator", "far", "far", {"address": address})
        assert "s3cr3t" not in refused.value.message
    registry.register_component("orchestrator", "far", "far", {"address": "https://host:9000"})


def test_flavors_are_listed_by_name(registry: Registry) -> None:
    names = [flavor.name for flavor in registry.flavors("artifact-store")]
    assert {"local", "memory"} <= set(names)
    assert names == sorted(names)


def test_listeners_hear_of_changes_and_only_of_changes(registry: Registry) -> None:
    heard: list[Change] = []
    stop = registry.listeners.add(heard.append)
    for _ in range(2):
        registry.register_component("orchestrator", "four", "threads", {"workers": "2"})
    for _ in range(2):
        registry.update_component("orchestrator", "four", {"workers": "8"})
    registry.rename_component("orchestrator", "four", "four")
    registry.rename_component("orchestrator", "four", "eight")
    registry.delete_component("orchestrator", "eight")
    stop()
    registry.register_component("orchestrator", "four", "threads")
    assert [(change.verb, change.name, change.new_name) for change in heard] == [
        ("register", "four", ""),
        ("update", "four", ""),
        ("rename", "four", "eight"),
        ("delete", "eight", ""),
    ]


def test_a_listener_that_fails_stops_nothing(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Change] = []
    registry.listeners.add(lambda _change: 1 / 0)
    registry.listeners.add(heard.append)
    registry.register_component("orchestrator", "four", "threads")
    assert len(heard) == 1
    assert "ZeroDivisionError" in caplog.text
