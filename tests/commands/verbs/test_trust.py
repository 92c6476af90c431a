"""Whom and what the user trusts, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.errors import MissingExtra, UnknownName, UsageError
from zennb.materializers import public_keys
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from tests.commands.conftest import Commands, Record


def test_trusting_an_artifact_is_by_name_and_can_be_taken_back(command: Commands, record: Record) -> None:
    model = record("train", {"model": 2}).outputs["model"]
    assert "model v1 is trusted by you from now on" in command.text("trust", "model")
    assert Signer().is_trusted(model.blob)
    assert "no longer trusted" in command.text("trust", "model", "--revoke")
    assert not Signer().is_trusted(model.blob)
    with pytest.raises(UnknownName, match="no artifact 'mode'; did you mean 'model'"):
        command("trust", "mode")


def test_alone_it_lists_who_signed_the_records_of_this_home(command: Commands, record: Record) -> None:
    assert "No step is on record" in command.text("trust")
    record("train", {"model": 2})
    (own,) = command.data("trust")
    assert own["signer"] == Signer().identity
    assert (own["records"], own["trusted"]) == (1, "you")
    assert own["signer"][:16] in command.text("trust")


def test_a_person_is_trusted_by_the_first_digits_of_their_key(command: Commands, record: Record) -> None:
    record("train", {"model": 2})
    key = Signer().identity
    assert command.data("trust", "--signer", key[:16]) == {"signer": key, "trusted": True}
    assert Signer().is_trusted(key)
    command("trust", "--signer", key[:20], "--revoke")
    assert not Signer().is_trusted(key)


def test_a_person_is_named_in_full_and_has_to_be_known_here(command: Commands, record: Record) -> None:
    record("train", {"model": 2})
    with pytest.raises(UnknownName, match="no signer 'abc'"):
        command("trust", "--signer", "abc")
    with pytest.raises(UsageError, match="at least 16 digits"):
        command("trust", "--signer", Signer().identity[:3])
    with pytest.raises(UsageError, match="not both"):
        command("trust", "model", "--signer", "abc")
    with pytest.raises(UsageError, match="say what you no longer trust"):
        command("trust", "--revoke")


def test_without_the_library_it_says_what_is_missing(
    command: Commands, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_keys, "_library", lambda: None)
    record("train", {"model": 2})
    (own,) = command.data("trust")
    assert own["signer"] == ""
    assert 'pip install "zennb[sharing]"' in command.text("trust")
    with pytest.raises(MissingExtra, match="zennb\\[sharing\\]"):
        command("trust", "--signer", "0123456789abcdef")
