"""Secrets by name: where they are kept, and that they are found, listed and deleted there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.keyrings import install_keyring, without_keyring
from zennb.components import secret_store
from zennb.components.secret import Secret
from zennb.components.secret_store import KEYRING, PROCESS, delete_secret, keep_secret, secret_names
from zennb.core.secrets.held import HELD
from zennb.core.secrets.texts import KnownSecrets
from zennb.errors import InvalidConfiguration, StoreError, UnknownName

VALUE = "c4nary-7f3a9b21"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_store, "_of_process", {})
    without_keyring(monkeypatch)


def test_without_a_keyring_this_process_keeps_a_secret() -> None:
    assert keep_secret("SLACK", VALUE) == PROCESS
    assert (Secret("secret:SLACK").reveal(), secret_names()) == (VALUE, {"SLACK": PROCESS})
    delete_secret("SLACK")
    assert secret_names() == {}
    with pytest.raises(
        InvalidConfiguration, match=r"set it with `%secret set SLACK`\. Without a keyring, only the"
    ):
        Secret("secret:SLACK").reveal()


def test_a_keyring_keeps_secrets_for_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = install_keyring(monkeypatch)
    assert [keep_secret(name, VALUE) for name in ("B", "A")] == [KEYRING, KEYRING]
    assert keyring.entries["zennb", "A"] == VALUE
    assert secret_store._of_process == {}
    assert (Secret("secret:A").reveal(), secret_names()) == (VALUE, {"A": KEYRING, "B": KEYRING})
    delete_secret("A")
    assert secret_names() == {"B": KEYRING}
    assert ("zennb", "A") not in keyring.entries
    del keyring.entries["zennb", "B"]  # by other means
    with pytest.raises(InvalidConfiguration, match="no secret `B` here"):
        Secret("secret:B").reveal()
    delete_secret("B")
    assert secret_names() == {}


@pytest.mark.parametrize("priority", [0.0, -1.0])
def test_a_keyring_that_does_nothing_is_none(monkeypatch: pytest.MonkeyPatch, priority: float) -> None:
    install_keyring(monkeypatch, priority)
    assert keep_secret("SLACK", VALUE) == PROCESS
    assert "no keyring that works" in secret_store.keyring_problem()


def test_a_locked_keyring_loses_nothing_and_raises_nothing_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keyring = install_keyring(monkeypatch)
    keep_secret("OLD", VALUE)
    keyring.locked = True
    assert keep_secret("NEW", VALUE) == PROCESS
    assert Secret("secret:NEW").reveal() == VALUE
    assert secret_names() == {"NEW": PROCESS}
    with pytest.raises(InvalidConfiguration):
        Secret("secret:OLD").reveal()
    keyring.locked = False
    keep_secret("NEW", VALUE)
    assert secret_names() == {"NEW": KEYRING, "OLD": KEYRING}
    entries = dict(keyring.entries)

    def refuse(*_entry: str) -> Any:
        raise RuntimeError(VALUE)

    monkeypatch.setattr(keyring, "delete_password", refuse)
    with pytest.raises(StoreError, match="did not delete 'OLD'") as caught:
        delete_secret("OLD")
    assert VALUE not in f"{caught.value}{caught.value.__cause__}"
    assert keyring.entries == entries


def test_an_odd_list_of_names_is_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = install_keyring(monkeypatch)
    for odd in ("no JSON", "5", '{"a": 1}', '[1, "B"]'):
        keyring.entries["zennb", ".names"] = odd
        assert set(secret_names()) <= {"B"}


def test_an_unknown_secret_is_not_deleted() -> None:
    keep_secret("SLACK", VALUE)
    with pytest.raises(UnknownName, match="did you mean 'SLACK'"):
        delete_secret("SLAK")


@pytest.mark.parametrize("reference", ["env:KETTLE_TOKEN", "keyring:team/ada", "secret:SLACK"])
def test_every_secret_that_is_looked_up_is_masked_from_then_on(
    monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    value = f"{VALUE}-{reference}"
    monkeypatch.setenv("KETTLE_TOKEN", value)
    keyring = install_keyring(monkeypatch)
    keyring.entries["team", "ada"] = keyring.entries["zennb", "SLACK"] = value
    assert Secret(reference).reveal() == value
    assert value in HELD.values
    assert value not in KnownSecrets(HELD.values).mask(f"no answer from {value}")
