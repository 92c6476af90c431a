from __future__ import annotations

import json
from typing import Any

import pytest

from zennb import plugins
from zennb.commands.catalogue import build
from zennb.commands.interface import Interface
from zennb.errors import (
    InUse,
    InvalidConfiguration,
    MissingExtra,
    NameTaken,
    UnknownName,
    UsageError,
    ZennbError,
)

Commands = Any


def test_a_component_is_registered_listed_described_and_deleted(command: Commands) -> None:
    said = command.text("artifact-store", "register", "mine", "--flavor=local", "--timeout=3")
    assert said == "artifact store 'mine' registered (flavor local)."
    (_, mine) = command.data("artifact-store", "list")
    assert mine == {"type": "artifact_store", "name": "mine", "flavor": "local", "config": {"timeout": "3.0"}}
    assert "timeout" in command.text("artifact-store", "describe", "mine")
    assert command.text("artifact-store", "delete", "mine") == "artifact store 'mine' deleted."
    assert len(command.data("artifact-store", "list")) == 1


@pytest.mark.parametrize("spelling", [["--flavor", "threads"], ["-f", "threads"], ["--flavor=threads"]])
def test_flavors_are_given_in_any_spelling(command: Commands, spelling: list[str]) -> None:
    assert command.data("orchestrator", "register", "mine", *spelling)["flavor"] == "threads"


def test_describing_gives_options_values_and_users(command: Commands) -> None:
    command("orchestrator", "register", "mine", "-f", "threads", "--workers=3")
    command("stack", "register", "s", "-o", "mine", "-a", "default")
    found = command.data("orchestrator", "describe", "mine")
    assert found["stacks"] == ["s"]
    assert [(each["name"], each["value"]) for each in found["options"] if each["is_set"]] == [
        ("workers", "3")
    ]
    assert "used by" in command.text("orchestrator", "describe", "mine")


def test_a_local_store_tells_where_it_keeps_things(command: Commands) -> None:
    found = command.data("artifact-store", "describe", "default")
    assert f"It keeps its artifacts in {found['place']}" in command.text(
        "artifact-store", "describe", "default"
    )


def test_options_are_set_and_given_back(command: Commands) -> None:
    command("orchestrator", "register", "mine", "-f", "threads", "--workers=3")
    command("stack", "register", "s", "-o", "mine", "-a", "default")
    assert command.text("orchestrator", "update", "mine", "--workers", "31") == (
        "orchestrator 'mine' updated (workers: 3 → 31); stacks that use it: s."
    )
    assert "nothing changed" in command.text("orchestrator", "update", "mine", "--workers=31")
    assert command.data("orchestrator", "update", "mine", "--remove", "workers")["config"] == {}


def test_a_new_name_reaches_the_stacks_that_use_it(command: Commands) -> None:
    command("orchestrator", "register", "mine", "-f", "threads")
    command("stack", "register", "s", "-o", "mine", "-a", "default")
    assert (
        command.text("orchestrator", "rename", "mine", "ours") == "orchestrator 'mine' is now called 'ours'."
    )
    assert command.data("stack", "describe", "s")["components"]["orchestrator"]["name"] == "ours"


def test_flavors_are_listed_with_what_they_do(command: Commands) -> None:
    names = ["azure", "fsspec", "gcs", "local", "memory", "s3"]
    assert [each["name"] for each in command.data("artifact-store", "flavor", "list")] == names
    assert command.text("artifact-store", "flavor") == command.text("artifact-store", "flavor", "list")
    assert "threads" in command.text("orchestrator", "flavor", "list")


def test_a_flavor_whose_library_is_missing_says_how_to_install_it(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(type: str, flavor: str) -> Any:
        raise MissingExtra(f"{flavor} of {type} is not installed; pip install it")

    monkeypatch.setattr(plugins, "load", load)
    assert "pip install it" in command.text("orchestrator", "flavor", "list")


@pytest.mark.parametrize("words", ["list", "describe default", "flavor list"])
def test_json_shows_exactly_the_data(command: Commands, words: str) -> None:
    outcome = command("artifact-store", *words.split(), "--json")
    assert json.loads(outcome.view.text)["data"] == outcome.data


def test_all_components_of_all_types_are_listed_at_once(command: Commands) -> None:
    found = command.data("components")
    assert {(each["type"], each["name"]) for each in found["components"]} == {
        ("orchestrator", "default"),
        ("artifact_store", "default"),
    }
    assert "● active" in command.text("components")


def test_every_type_with_a_flavor_has_a_command() -> None:
    tree = build(frozenset({"orchestrator", "artifact_store", "experiment_tracker"}))
    assert {"orchestrator", "artifact-store", "experiment-tracker"} <= set(tree.names(Interface.MAGIC))
    register = tree.part("stack", Interface.MAGIC).part("register", Interface.MAGIC)  # type: ignore[union-attr]  # both are commands
    assert "--experiment-tracker" in {flag for each in register.arguments for flag in each.flags}  # type: ignore[union-attr]  # a verb


@pytest.mark.parametrize(
    ("words", "kind", "sentence"),
    [
        ("describe mnie", UnknownName, "no orchestrator 'mnie'; did you mean 'mine'?"),
        (
            "register x --flavor=thread",
            UnknownName,
            "no orchestrator flavor 'thread'; did you mean 'threads'?",
        ),
        (
            "register x --flavor=threads --worker=3",
            InvalidConfiguration,
            "The orchestrator flavor 'threads' has no option `worker`; did you mean `workers`?",
        ),
        (
            "register x --flavor=threads --workers=many",
            InvalidConfiguration,
            "The orchestrator flavor 'threads' cannot take `workers`",
        ),
        ("register mine --flavor=threads --workers=29", NameTaken, "orchestrator 'mine' "),
        ("register x", UsageError, "%orchestrator register: -f or --flavor is missing; type"),
        ("delete mine", InUse, "orchestrator 'mine' is used by"),
        ("delete default", InUse, "orchestrator 'default' belongs to the stack 'default'"),
        ("lsit", UsageError, "%orchestrator lsit: no verb 'lsit'; did you mean 'list'?"),
    ],
)
def test_a_refusal_is_one_sentence_and_changes_nothing(
    command: Commands, words: str, kind: type[ZennbError], sentence: str
) -> None:
    command("orchestrator", "register", "mine", "-f", "threads")
    command("stack", "register", "s", "-o", "mine", "-a", "default")
    before = command.data("orchestrator", "list")
    with pytest.raises(kind) as caught:
        command("orchestrator", *words.split())
    assert str(caught.value).startswith(sentence)
    assert command.data("orchestrator", "list") == before


def test_what_could_be_a_secret_is_masked_everywhere(command: Commands, workspace: Any) -> None:
    from zennb.core.records.records import ComponentSpec

    spec = ComponentSpec(type="orchestrator", name="old", flavor="gone", config={"api_key": "hunter2"})
    workspace.metadata.put_component(spec)
    for words in (["list"], ["describe", "old"]):
        assert "hunter2" not in command.text("orchestrator", *words)
        assert "hunter2" not in json.dumps(command.data("orchestrator", *words))


def test_a_type_without_components_says_what_there_is_and_how_to_get_one(command: Commands) -> None:
    said = command.text("experiment-tracker", "list")
    assert said.startswith("no experiment tracker is registered; supported: local, mlflow")
    assert said.endswith("experiment-tracker register NAME --flavor=local` for one.")
