"""The picker's components: fields made from a flavor's options, errors beside them, secrets by reference only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets.widgets import widget as ipywidgets_widget

from tests.jupyter.panels.conftest import plain
from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.jupyter.panels.kit.reference import SecretField

if TYPE_CHECKING:
    from tests.jupyter.panels.conftest import Opened
    from zennb.registry.workspace import Workspace

SECRET = "hunter2-hunter2"


@pytest.fixture
def form(opened: Opened) -> Any:
    opened.picker.pages.show("Components")
    opened.components.new.click()
    return opened.components.form


def begin(opened: Opened, flavor: str, name: str) -> dict[str, Any]:
    form = opened.components.form
    form.flavor.choose(flavor)
    form.name.control.value = name
    fields: dict[str, Any] = form.fields
    return fields


def test_flavors_are_offered_with_what_they_do(opened: Opened, form: Any) -> None:
    assert [label for label, _ in form.flavor.widget.options] == [
        "absent: runs steps nowhere",
        "dask: runs steps on the workers of a Dask cluster",
        "executor: runs steps on any executor: ipyparallel, mpi4py, Ray, Parsl, ...",
        "far: runs steps on a cluster",
        "flux: runs each step as a batch job of Flux",
        "local: runs steps in this kernel, one after another",
        "processes: runs independent steps side by side, in processes of this machine",
        "slurm: runs each step as a batch job of SLURM",
        "threads: runs independent steps side by side, in threads of this kernel",
    ]


def test_fields_have_type_default_and_help(opened: Opened, form: Any) -> None:
    far = begin(opened, "far", "x")
    assert [field.control.description for field in far.values()] == ["address *", "size", "token"]
    assert "Where the cluster is. (required)" in opened.words
    assert far["size"].control.options == (("default (small)", ""), ("small", "small"), ("large", "large"))
    threads = begin(opened, "threads", "x")
    assert threads["workers"].control.placeholder == "4"
    assert "How many steps run at once. (an int, at least 1, at most 1000, default: 4)" in opened.words


def test_a_flavor_that_is_not_installed_says_what_to_install(opened: Opened, form: Any) -> None:
    form.flavor.choose("absent")
    assert plain(opened.error("%orchestrator register x --flavor=absent")) in opened.words
    assert 'pip install "zennb[absent]"' in opened.words
    assert form.go.disabled
    form.flavor.choose("local")
    assert not form.go.disabled


@pytest.mark.parametrize("value", ["many", "0", "2.5"])
def test_a_bad_value_is_said_beside_its_field_while_typing_in_the_words_of_the_magic(
    opened: Opened, form: Any, value: str
) -> None:
    workers = begin(opened, "threads", "pool")["workers"]
    workers.control.value = value
    assert workers.error == opened.error(f"%orchestrator register pool --flavor=threads --workers={value}")
    assert plain(workers.error) in opened.words
    form.go.click()
    assert opened.components.form_host.form is form
    workers.control.value = "8"
    assert workers.error == ""
    form.go.click()
    assert opened.message == "orchestrator 'pool' registered (flavor threads)."
    assert opened.components.list.value == "pool"
    assert "workers 8" in opened.words


def test_a_value_that_is_missing_is_said_beside_its_field(opened: Opened, form: Any) -> None:
    far = begin(opened, "far", "cluster")
    form.go.click()
    assert far["address"].error == opened.error("%orchestrator register cluster --flavor=far")


def test_a_name_that_is_taken_is_said_beside_it(opened: Opened, form: Any) -> None:
    begin(opened, "threads", "default")
    form.go.click()
    assert form.name.error == opened.error("%orchestrator register default --flavor=threads")


def test_the_line_for_a_cell_does_the_same(opened: Opened, form: Any) -> None:
    far = begin(opened, "far", "my cluster")
    far["address"].control.value = "here and there"
    far["size"].control.value = "large"
    far["token"].control.value = "env:TOKEN"
    line = "%orchestrator register 'my cluster' --flavor=far '--address=here and there' --size=large --token=env:TOKEN"
    assert line in opened.words
    form.go.click()
    assert "nothing changed" in opened.run(line).displays[-1]["data"]["text/plain"]


def test_a_secret_never_becomes_the_value_of_a_widget(
    opened: Opened, form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(opened, "far", "cluster")["token"]
    sent: list[Any] = []
    monkeypatch.setattr(SecretField, "send_state", lambda self, key=None: sent.append((key, self.value)))
    token.control.set_state({"value": SECRET})  # as the page sends it
    assert token.control.value == ""
    assert sent == [("value", "")], "the page has to be cleared"
    assert token.error == opened.error(
        f"%orchestrator register cluster --flavor=far --address=x --token={SECRET}"
    )
    token.control.value = SECRET  # as code could
    assert token.control.value == ""
    states = [each.get_state() for each in ipywidgets_widget._instances.values()]
    assert SECRET not in json.dumps(states, default=str)
    token.control.set_state({"value": "keyring:cluster/me"})
    assert (token.value, token.error) == ("keyring:cluster/me", "")


def test_a_secret_whose_variable_is_not_set_says_so(
    opened: Opened, form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(opened, "far", "cluster")["token"]
    monkeypatch.setenv("THERE", SECRET)
    token.control.value = "env:THERE"
    assert "not set" not in opened.words
    token.control.value = "env:NOT_THERE"
    assert "NOT_THERE is not set in this kernel now." in opened.words
    assert SECRET not in opened.page


def test_options_are_edited_and_given_back_to_their_defaults(opened: Opened, form: Any) -> None:
    opened.run(
        "%orchestrator register pool --flavor=threads --workers=7",
        "%stack register wide -o pool -a default",
    )
    opened.components.list.choose("pool")
    opened.components.edit.click()
    workers = form.fields["workers"]
    assert (workers.value, form.name.control.disabled) == ("7", True)
    workers.control.value = ""
    assert "In a cell: %orchestrator update pool --remove workers" in opened.words
    form.go.click()
    assert opened.message == "orchestrator 'pool' updated (workers: 7 → default); stacks that use it: wide."


def test_a_copy_begins_with_the_options_of_its_model(opened: Opened, form: Any) -> None:
    opened.run("%orchestrator register pool --flavor=threads --workers=7")
    opened.components.list.choose("pool")
    opened.components.copy.click()
    assert (form.flavor.value, form.name.value, form.fields["workers"].value) == ("threads", "", "7")
    form.name.control.value = "second"
    form.go.click()
    assert "second (threads)" in [label for label, _ in opened.components.list.widget.options]


def test_a_component_is_renamed(opened: Opened, form: Any) -> None:
    opened.run("%orchestrator register pool --flavor=threads")
    opened.components.list.choose("pool")
    opened.components.rename.click()
    opened.components.naming.name.control.value = "lake"
    opened.components.naming.go.click()
    assert opened.message == "orchestrator 'pool' is now called 'lake'."
    assert opened.components.list.value == "lake"


def test_deleting_a_component_names_the_stacks_that_use_it(opened: Opened, form: Any) -> None:
    opened.run(
        "%orchestrator register pool --flavor=threads",
        "%stack register wide -o pool -a default",
        "%stack register broad -o pool -a default",
    )
    opened.components.list.choose("pool")
    opened.components.delete.click()
    assert "Delete orchestrator 'pool'? It is used by 'broad' and 'wide'" in opened.words
    opened.components.confirmation.yes.click()
    assert opened.message == opened.error("%orchestrator delete pool")
    opened.run("%stack delete wide", "%stack delete broad")
    opened.components.delete.click()
    assert "No stack uses it." in opened.words
    opened.components.confirmation.yes.click()
    assert opened.message == "orchestrator 'pool' deleted."
    assert opened.components.list.value == "default"


def test_what_is_chosen_and_typed_stays_when_everything_is_looked_up_again(
    opened: Opened, form: Any, other_kernel: Workspace
) -> None:
    opened.run("%artifact-store register mine --flavor=local")
    opened.components.type.choose("artifact_store")
    opened.components.list.choose("mine")
    opened.components.new.click()
    begin(opened, "local", "half a na")["path"].control.value = "/half a pa"
    other_kernel.registry.register_component("artifact_store", "a_theirs", "local", {})
    opened.picker.refresh()
    assert [label for label, _ in opened.components.list.widget.options] == [
        "a_theirs (local)",
        "default (local)",
        "mine (local)",
    ]
    assert (opened.components.type.value, opened.components.list.value) == ("artifact_store", "mine")
    assert (form.name.value, form.fields["path"].value) == ("half a na", "/half a pa")


def test_a_new_component_can_be_chosen_in_a_stack_that_is_being_composed(opened: Opened, form: Any) -> None:
    opened.picker.pages.show("Stacks")
    opened.stacks.new.click()
    opened.stacks.form.name.control.value = "wide"
    begin(opened, "threads", "pool")
    form.go.click()
    opened.stacks.form.parts["orchestrator"].choose("pool")
    opened.stacks.form.go.click()
    assert opened.stacks.list.value == "wide"


def test_all_component_types_are_shown_with_what_does_the_job_of_others(opened: Opened) -> None:
    opened.picker.pages.show("Component types")
    for kind in COMPONENT_TYPES:
        assert f"{kind.title} {kind.purpose}" in opened.words
    assert (
        "on a cluster supported: absent (to be installed), dask, executor, far, flux (to be installed), local, "
        "processes, slurm (to be installed), threads" in opened.words
    )
    assert (
        "an isolated place to run untrusted code not offered: a process of the user keeps nobody out"
        in opened.words
    )
