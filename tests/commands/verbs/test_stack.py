from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from zennb.commands.interface import Interface
from zennb.errors import InUse, NameTaken, StoreError, UnknownName, UsageError, ZennbError

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.registry.workspace import Workspace

    Commands = Any


@pytest.fixture
def my_stack(command: Commands) -> None:
    command("artifact-store", "register", "my_artifact_store", "--flavor=local")
    command("stack", "register", "my_stack", "-o", "default", "-a", "my_artifact_store")


def test_the_command_alone_shows_the_active_stack(command: Commands) -> None:
    assert command.text("stack").startswith("stack default  ● active\n  orchestrator")
    assert command.data("stack")["active"] is True


def test_the_active_stack_says_where_things_are_kept(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = command.workspace.home
    monkeypatch.setenv("HOME", str(home.parent))
    assert command.data("stack")["places"] == {"home": str(home), "artifact_store": str(home / "artifacts")}
    text = " ".join(command.text("stack").split())
    assert f"artifact store default local path=~/{home.name}/artifacts records in ~/{home.name}" in text
    version = " ".join(command.text("version").split())
    assert f"home ~/{home.name} artifact store ~/{home.name}/artifacts" in version


@pytest.mark.usefixtures("my_stack")
def test_the_words_of_the_guide_register_and_activate_a_stack(
    command: Commands, workspace: Workspace
) -> None:
    command("stack", "set", "my_stack")
    assert workspace.active == "my_stack"
    assert workspace.registry.default_stack_name() == "my_stack"
    assert "stack my_stack  ● active" in command.text("stack", "describe")


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "default", "-a", "default"],
        ["--orchestrator", "default", "--artifact-store", "default"],
        ["--orchestrator=default", "--artifact-store=default"],
    ],
)
def test_components_are_given_in_any_spelling(command: Commands, options: list[str]) -> None:
    data = command.data("stack", "register", "mine", *options)
    assert {kind: part["name"] for kind, part in data["components"].items()} == {
        "orchestrator": "default",
        "artifact_store": "default",
    }


@pytest.mark.usefixtures("my_stack")
def test_a_list_marks_the_active_stack(command: Commands) -> None:
    found = command.data("stack", "list")
    assert [(each["name"], each["active"]) for each in found] == [("default", True), ("my_stack", False)]
    assert "my_artifact_store (local)" in command.text("stack", "list")


@pytest.mark.parametrize("words", [["list"], ["describe"], ["describe", "default"]])
def test_json_shows_exactly_the_data(command: Commands, words: list[str]) -> None:
    outcome = command("stack", *words, "--json")
    assert json.loads(outcome.view.text)["data"] == outcome.data
    assert outcome.data == command.data("stack", *words)


@pytest.mark.usefixtures("my_stack")
def test_registering_again_is_no_error_and_no_change(command: Commands) -> None:
    again = command.text("stack", "register", "my_stack", "-o", "default", "-a", "my_artifact_store")
    assert "is already registered with these components; nothing changed." in again


def test_set_at_registration_activates_at_once(command: Commands, workspace: Workspace) -> None:
    text = command.text("stack", "register", "mine", "-o", "default", "-a", "default", "--set")
    assert workspace.active == "mine"
    assert "stack 'mine' registered. It is active from now on." in text


@pytest.mark.parametrize(
    ("interface", "spelling"),
    [(Interface.MAGIC, "`%stack set x`"), (Interface.TERMINAL, "`zennb stack set x`")],
)
def test_a_registered_stack_says_how_to_use_it(
    command: Commands, interface: Interface, spelling: str
) -> None:
    assert spelling in command.text(
        "stack", "register", "x", "-o", "default", "-a", "default", interface=interface
    )


@pytest.mark.usefixtures("my_stack")
def test_an_update_says_what_changed(command: Commands) -> None:
    assert "artifact store: my_artifact_store → default" in command.text(
        "stack", "update", "my_stack", "-a", "default"
    ).replace("artifact_store:", "artifact store:")
    assert "nothing changed" in command.text("stack", "update", "my_stack", "-a", "default")


@pytest.mark.usefixtures("my_stack")
def test_copies_and_new_names_are_stacks(command: Commands) -> None:
    command("stack", "copy", "my_stack", "other")
    command("stack", "rename", "other", "third")
    assert [each["name"] for each in command.data("stack", "list")] == ["default", "my_stack", "third"]


@pytest.mark.usefixtures("my_stack")
def test_deleting_asks_nothing(command: Commands) -> None:
    assert command.text("stack", "delete", "my_stack") == (
        "stack 'my_stack' deleted; its components, artifacts and runs stay."
    )
    command("stack", "copy", "default", "again")
    command("stack", "delete", "again", "--yes")
    assert [each["name"] for each in command.data("stack", "list")] == ["default"]


@pytest.mark.usefixtures("my_stack")
def test_what_is_exported_can_be_imported_elsewhere(command: Commands, tmp_path: Path) -> None:
    file = tmp_path / "my_stack.json"
    command("stack", "export", "my_stack", str(file))
    assert json.loads(command.text("stack", "export", "my_stack")) == json.loads(file.read_text())
    command("stack", "delete", "my_stack")
    command("artifact-store", "delete", "my_artifact_store")
    assert "imported" in command.text("stack", "import", str(file))
    assert [each["name"] for each in command.data("stack", "list")] == ["default", "my_stack"]


def test_files_that_cannot_be_read_or_written_are_named(command: Commands, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.json cannot be read \(No such file or directory\)"):
        command("stack", "import", str(tmp_path / "none.json"))
    with pytest.raises(StoreError, match="cannot be written"):
        command("stack", "export", "default", str(tmp_path / "no" / "folder.json"))


@pytest.mark.usefixtures("my_stack")
@pytest.mark.parametrize(
    ("words", "kind", "sentence"),
    [
        ("set my_stak", UnknownName, "no stack 'my_stak'; did you mean 'my_stack'?"),
        ("describe nothing", UnknownName, "no stack 'nothing'; known: default, my_stack."),
        ("register x -o defalt -a default", UnknownName, "no orchestrator 'defalt'; did you mean 'default'?"),
        (
            "register my_stack -o default -a default",
            NameTaken,
            "stack 'my_stack' exists with other components",
        ),
        ("register x -o default", UsageError, "%stack register: -a or --artifact-store is missing; type"),
        ("register x -a default", UsageError, "%stack register: -o or --orchestrator is missing; type"),
        ("delete default", InUse, "the stack 'default' cannot be deleted"),
        ("rename my_stack default", NameTaken, "stack 'default' "),
    ],
)
def test_a_refusal_is_one_sentence_and_changes_nothing(
    command: Commands, words: str, kind: type[ZennbError], sentence: str
) -> None:
    before = command.data("stack", "list")
    with pytest.raises(kind) as caught:
        command("stack", *words.split())
    assert str(caught.value).startswith(sentence)
    assert command.data("stack", "list") == before


@pytest.mark.usefixtures("my_stack")
def test_the_active_stack_cannot_be_deleted(command: Commands) -> None:
    command("stack", "set", "my_stack")
    with pytest.raises(InUse, match="stack 'my_stack' is active; activate another one first"):
        command("stack", "delete", "my_stack")


@pytest.mark.parametrize(
    "words",
    [
        ["stack", "register", "far", "-o", "default", "-a", "default"],
        ["stack", "register", "my_stack", "-o", "default", "-a", "my_artifact_store", "--set"],
        ["stack", "set", "my_stack"],
        ["stack", "update", "my_stack", "-a", "default"],
    ],
)
@pytest.mark.usefixtures("my_stack")
def test_a_store_that_workers_do_not_reach_is_told_with_the_card(
    command: Commands, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr(type(workspace), "why_unreachable", lambda _self, name: f"no worker of {name} reads.")
    assert f"no worker of {words[2]} reads." in command.text(*words)


@pytest.mark.usefixtures("my_stack")
def test_a_stack_that_did_not_change_is_not_tried_again(
    command: Commands, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(workspace), "why_unreachable", None)
    command.text("stack", "register", "my_stack", "-o", "default", "-a", "my_artifact_store")
    command.text("stack", "update", "my_stack", "-o", "default")
