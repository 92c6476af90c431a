"""`secret`, as typed: what is asked, what is said, and that the value is in no answer."""

from __future__ import annotations

import getpass
import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.keyrings import install_keyring, without_keyring
from zennb.commands.interface import Interface
from zennb.components import secret_store
from zennb.components.secret import Secret
from zennb.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

Commands = Any

VALUE = "c4nary-7f3a9b21"
TERMINAL = Interface.TERMINAL


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked; somebody types the value."""
    prompts: list[str] = []

    def typed(prompt: str = "") -> str:
        prompts.append(prompt)
        return VALUE

    monkeypatch.setattr(secret_store, "_of_process", {})
    monkeypatch.setattr(getpass, "getpass", typed)
    without_keyring(monkeypatch)
    return prompts


def test_a_kernel_without_a_keyring_keeps_a_secret_and_says_so(command: Commands, asked: list[str]) -> None:
    said = command("secret", "set", "SLACK_URL")
    assert asked == ["Secret SLACK_URL: "]
    assert (
        "is kept by this kernel only, until it ends, because the library `keyring` is not" in said.view.text
    )
    assert "`secret:SLACK_URL`" in said.sentence
    assert Secret("secret:SLACK_URL").reveal() == VALUE
    assert VALUE not in f"{said}{said.view.html}{command('secret', 'list')}"
    assert command.data("secret") == [{"name": "SLACK_URL", "kept": "process", "used_by": []}]


@pytest.mark.parametrize("interface", list(Interface))
def test_with_a_keyring_both_places_keep_it_there(
    command: Commands, monkeypatch: pytest.MonkeyPatch, interface: Interface
) -> None:
    keyring = install_keyring(monkeypatch)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{VALUE}\n"))  # `pass show slack | zennb secret set ...`
    said = command("secret", "set", "SLACK_URL", interface=interface)
    assert "is kept in the system keyring, for all your kernels." in said.view.text
    assert keyring.entries["zennb", "SLACK_URL"] == VALUE
    assert command.data("secret", "list", interface=interface)[0]["kept"] == "keyring"
    assert "deleted" in command.text("secret", "delete", "SLACK_URL", interface=interface)
    assert command.data("secret", "list", interface=interface) == []


def test_a_terminal_without_a_keyring_asks_for_nothing(command: Commands, asked: list[str]) -> None:
    with pytest.raises(
        UsageError, match="keeps secrets in the system keyring only, and the library `keyring`"
    ):
        command("secret", "set", "SLACK_URL", interface=TERMINAL)
    assert asked == []


@pytest.mark.parametrize(
    "words", [f"SLACK {VALUE}", f"SLACK={VALUE}", f"={VALUE}", "1a", f"SLACK --value {VALUE}"]
)
def test_a_secret_that_was_typed_into_the_cell_is_not_repeated(command: Commands, words: str) -> None:
    for more in ([], ["--json"]):
        try:
            answer = command("secret", "set", *words.split(), *more)
            raised: Any = answer.raised
            shown = f"{answer.view.text}{answer.content}"
        except UsageError as error:
            raised, shown = error, ""
        assert isinstance(raised, UsageError)
        assert VALUE not in f"{raised}{shown}"
    assert secret_store.secret_names() == {}


def test_where_nobody_can_type_one_sentence_says_so(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: Exception) -> Callable[[str], str]:
        def asked(_prompt: str = "") -> str:
            raise error

        return asked

    for error in (NotImplementedError("getpass was called, but this frontend ..."), EOFError()):
        monkeypatch.setattr(getpass, "getpass", fail(error))
        with pytest.raises(UsageError, match="Nobody can be asked for a secret here") as caught:
            command("secret", "set", "SLACK_URL")
        assert caught.value.__suppress_context__
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: "")
    with pytest.raises(UsageError, match="Nothing was typed"):
        command("secret", "set", "SLACK_URL")
    assert secret_store.secret_names() == {}


def test_the_list_says_what_refers_to_a_secret(command: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    command("secret", "set", "SLACK_URL")
    spec = command.workspace.registry.component("artifact_store", "default")
    used = type(spec)(type="alerter", name="team", flavor="apprise", config={"url": "secret:SLACK_URL"})
    command.workspace.metadata.put_component(used)
    assert command.data("secret", "list")[0]["used_by"] == ["alerter team"]
    assert "this kernel, until it ends" in command.text("secret", "list")
    assert "still referred to by alerter team" in command.text("secret", "delete", "SLACK_URL")
    with pytest.raises(UnknownName, match="secret set NAME"):
        command("secret", "delete", "SLACK_URL")
