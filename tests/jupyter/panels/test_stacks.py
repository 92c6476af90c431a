"""The picker's stacks: looked at, activated, composed, changed; and how panel and session move each other."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.jupyter.panels.conftest import plain

if TYPE_CHECKING:
    from tests.jupyter.panels.conftest import Opened
    from zennb.registry.workspace import Workspace

SLOW = """%%step slow
import os, time
open('begun', 'w').close()
while not os.path.exists('go on'): time.sleep(0.01)
x = 1"""


def labels(opened: Opened) -> list[str]:
    return [label for label, _ in opened.stacks.list.widget.options]


def test_every_stack_is_listed_and_the_active_one_is_marked_in_words(opened: Opened) -> None:
    opened.run("%stack copy default other")
    assert labels(opened) == ["● default (active)", "other"]


def test_choosing_a_stack_shows_its_components_and_its_last_runs(opened: Opened) -> None:
    opened.run(
        "%orchestrator register pool --flavor=threads --workers=7",
        "%stack register wide -o pool -a default",
        "%%step on_default\nx = 1",
        "%%step on_wide --stack wide\ny = 1",
    )
    opened.stacks.list.choose("wide")
    assert "orchestrator pool threads workers=7" in opened.words
    assert "2 ✔ completed" in opened.words
    assert "1 ✔ completed" not in opened.words
    opened.stacks.list.choose("default")
    assert "1 ✔ completed" in opened.words


def test_the_button_activates_the_chosen_stack_and_the_next_cell_runs_on_it(opened: Opened) -> None:
    opened.run("%stack copy default other", "%%step\nx = 1")
    opened.stacks.list.choose("other")
    opened.stacks.activate.click()
    assert opened.message == "steps run on stack 'other' from now on."
    assert labels(opened) == ["default", "● other (active)"]
    opened.run("%%step\ny = 1", "found = [run.stack.name for run in zennb.runs()]")
    assert opened.notebook.ns["found"] == ["other", "default"]
    assert opened.stacks.activate.description == "Active"


def test_setting_a_stack_in_a_cell_moves_the_panel(opened: Opened) -> None:
    opened.run("%stack copy default other", "%stack set other")
    assert opened.stacks.list.value == "other"
    assert labels(opened) == ["default", "● other (active)"]
    opened.run("%stack rename other another")
    assert opened.stacks.list.value == "another"
    assert labels(opened) == ["● another (active)", "default"]


def test_a_step_that_ran_appears_without_refreshing(opened: Opened) -> None:
    assert "no runs yet" in opened.words
    opened.run("%%step\nx = 1")
    assert "1 ✔ completed" in opened.words


def test_a_run_ends_on_the_stack_it_began_with_when_the_panel_switches_meanwhile(opened: Opened) -> None:
    opened.run("%stack copy default other")
    opened.stacks.list.choose("other")

    def switch() -> None:
        while not Path("begun").exists():
            time.sleep(0.01)
        opened.stacks.activate.click()
        Path("go on").touch()

    person = threading.Thread(target=switch)
    person.start()
    opened.run(SLOW)
    person.join()
    assert opened.message == (
        "steps run on stack 'other' from now on. A run that is under way ends on the stack it began with."
    )
    opened.run("%%step\ny = 1", "found = [run.stack.name for run in zennb.runs()]")
    assert opened.notebook.ns["found"] == ["other", "default"]


def test_what_another_kernel_registers_appears_on_refresh_and_what_is_typed_stays(
    opened: Opened, other_kernel: Workspace
) -> None:
    form = opened.stacks.form
    opened.run("%artifact-store register mine --flavor=local")
    opened.stacks.new.click()
    form.name.control.value = "half a na"
    form.parts["artifact_store"].choose("mine")
    other_kernel.registry.register_component("artifact_store", "a_theirs", "local", {})
    other_kernel.registry.register_stack("theirs", {"orchestrator": "default", "artifact_store": "a_theirs"})
    assert labels(opened) == ["● default (active)"]
    opened.picker.refresh()
    assert labels(opened) == ["● default (active)", "theirs"]
    assert form.name.value == "half a na"
    assert form.parts["artifact_store"].value == "mine"
    assert ("a_theirs (local)", "a_theirs") in form.parts["artifact_store"].widget.options


def test_a_stack_that_another_kernel_deleted_is_gone_on_refresh(
    opened: Opened, other_kernel: Workspace
) -> None:
    opened.run("%stack copy default other")
    opened.stacks.list.choose("other")
    other_kernel.registry.delete_stack("other")
    opened.stacks.activate.click()
    assert opened.message == opened.error("%stack set other")
    opened.picker.refresh()
    assert labels(opened) == ["● default (active)"]
    assert opened.stacks.list.value == "default"


def test_a_stack_is_composed_registered_and_activated(opened: Opened) -> None:
    opened.run("%artifact-store register mine --flavor=local")
    form = opened.stacks.form
    opened.stacks.new.click()
    form.parts["artifact_store"].choose("mine")
    form.name.control.value = "my stack"
    assert (
        "In a cell: %stack register 'my stack' --orchestrator=default --artifact-store=mine" in opened.words
    )
    form.use.click()
    assert opened.stacks.list.value == "my stack"
    assert labels(opened) == ["default", "● my stack (active)"]
    assert opened.message == "stack 'my stack' registered, and active from now on."
    assert opened.stacks.form_host.widget.children == ()
    shown = opened.run("%stack register 'my stack' --orchestrator=default --artifact-store=mine")
    assert "nothing changed" in shown.displays[-1]["data"]["text/plain"]


def test_whether_a_stack_fits_is_seen_at_once_in_the_words_of_the_magic(opened: Opened) -> None:
    opened.run("%orchestrator register cluster --flavor=far --address=here")
    form = opened.stacks.form
    opened.stacks.new.click()
    form.name.control.value = "s"
    assert "fits: steps run within this process" in opened.words
    form.parts["orchestrator"].choose("cluster")
    assert plain(opened.error("%stack register s -o cluster -a default")) in opened.words
    assert form.go.disabled
    form.parts["orchestrator"].choose("default")
    assert not form.go.disabled


@pytest.mark.parametrize("name", ["", "-x", "default"])
def test_what_is_wrong_with_a_name_is_said_beside_it(opened: Opened, name: str) -> None:
    opened.run("%artifact-store register mine --flavor=local")
    form = opened.stacks.form
    opened.stacks.new.click()
    form.parts["artifact_store"].choose("mine")
    form.name.control.value = name
    form.go.click()
    typed = {
        "": "%stack register '' -o default -a mine",
        "-x": "%stack register -o default -a mine -- -x",
        "default": "%stack register default -o default -a mine",
    }
    if name:
        assert form.name.error == opened.error(typed[name])
    assert plain(form.name.error) in opened.words
    assert form.name.error
    assert opened.stacks.form_host.form is form


def test_components_of_a_stack_are_exchanged(opened: Opened) -> None:
    opened.run("%artifact-store register mine --flavor=local", "%stack copy default other")
    opened.stacks.list.choose("other")
    opened.stacks.edit.click()
    form = opened.stacks.form
    assert form.name.control.disabled
    form.parts["artifact_store"].choose("mine")
    assert "In a cell: %stack update other --artifact-store=mine" in opened.words
    form.go.click()
    assert opened.message == "stack 'other' updated: artifact store: default → mine."


def test_a_stack_is_copied_and_renamed(opened: Opened) -> None:
    naming = opened.stacks.naming
    opened.stacks.copy.click()
    naming.name.control.value = "default"
    naming.go.click()
    naming.name.control.value = "copy"
    naming.go.click()
    assert opened.stacks.list.value == "copy"
    opened.stacks.rename.click()
    assert naming.name.value == "copy"
    naming.name.control.value = "default"
    naming.go.click()
    assert naming.name.error == opened.error("%stack rename copy default")
    naming.name.control.value = "second"
    naming.go.click()
    assert labels(opened) == ["● default (active)", "second"]
    assert opened.stacks.list.value == "second"


def test_deleting_a_stack_asks_first_and_names_what_hangs_on_it(opened: Opened) -> None:
    opened.run(
        "%stack copy default other", "%%step x\nx = 1", "%stack set other", "%pipeline run", "%pipeline run"
    )
    opened.run("%stack set default")
    opened.stacks.list.choose("other")
    opened.stacks.delete.click()
    question = (
        "Delete stack 'other'? 2 runs were made on it; runs and artifacts stay, and so do its components"
    )
    assert question in opened.words
    opened.stacks.confirmation.no.click()
    assert labels(opened) == ["● default (active)", "other"]
    opened.stacks.delete.click()
    opened.stacks.confirmation.yes.click()
    assert labels(opened) == ["● default (active)"]
    assert opened.message == "stack 'other' deleted; its components, artifacts and runs stay."


def test_enter_in_a_name_is_the_same_as_the_button(opened: Opened) -> None:
    opened.stacks.copy.click()
    name: Any = opened.stacks.naming.name.control
    name.value = "copy"
    name._handle_custom_msg({"event": "submit"}, [])
    assert opened.stacks.list.value == "copy"


def test_a_step_operator_is_a_part_of_a_stack_like_any_other(opened: Opened) -> None:
    opened.run(
        "%step-operator register big --flavor=threads --workers=7",
        "%stack register wide -o default -a default -s big",
    )
    opened.stacks.list.choose("wide")
    assert "step operator big threads workers=7" in opened.words


def test_the_panel_links_what_runs_and_says_what_is_not_reached(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.run("%stack copy default other")
    kind = type(opened.stacks._panel.panels.workspace)
    monkeypatch.setattr(kind, "dashboards", lambda _self, _stack: {"orchestrator": "http://host:8787/status"})
    monkeypatch.setattr(kind, "why_unreachable", lambda _self, _name: "No worker reads.")
    opened.stacks.list.choose("other")
    assert 'href="http://host:8787/status"' in opened.stacks._card.value
    opened.stacks.activate.click()
    assert opened.message == "steps run on stack 'other' from now on. No worker reads."


def test_what_a_form_is_about_is_what_is_selected(opened: Opened) -> None:
    opened.run("%stack copy default other", "%stack set default", "%%step\nx = 1")
    stacks = opened.stacks
    stacks.list.choose("other")
    assert "Last runs on other" in opened.words
    for button in (stacks.edit, stacks.copy, stacks.rename, stacks.delete):
        button.click()
        assert stacks.form_host.form is not None
        stacks.list.choose("default")
        assert stacks.form_host.form is None
        stacks.list.choose("other")
    stacks.new.click()
    stacks.form.name.control.value = "third"
    stacks.list.choose("default")
    assert stacks.form_host.form is stacks.form  # what is typed for a new one stays
    assert stacks.form.name.value == "third"
    assert "Last runs on default" in opened.words
