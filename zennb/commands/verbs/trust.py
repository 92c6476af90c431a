"""Owns the command `trust`: which artifacts and which people the user trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import api
from zennb.commands.data import artifact_data
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.core.records.shared import SHOWN_DIGITS
from zennb.engine.sharing.shared_records import shared_of
from zennb.errors import MissingExtra, UnknownName, UsageError, ZennbError
from zennb.materializers.public_keys import NO_SIGNATURES, is_available
from zennb.views.table import Column, Table
from zennb.views.text import plural
from zennb.views.view import join

if TYPE_CHECKING:
    from zennb.views.view import Displayed

__all__ = ["PARTS"]


@verb(
    "trust a person whose records this home or the active store holds, or one artifact; alone, list them",
    Argument("NAME", "the artifact's name", kind="artifact"),
    Argument("--version", "this version; by default the current one", type=int, word="N"),
    Argument(
        "--signer",
        "trust everything this person signed: the first digits of the key that `trust` lists",
        word="KEY",
    ),
    Argument("--revoke", "no longer trust it", type=bool),
    examples=(
        "trust",
        "trust model",
        "trust --signer 9f86d081884c7d65",
        "trust --signer 9f86d081884c7d65 --revoke",
    ),
)
def _trust(
    context: Context, name: str | None, version: int | None, signer: str | None, revoke: bool
) -> Outcome:
    if name is not None and signer is not None:
        raise UsageError("give the name of an artifact or `--signer KEY`, not both.")
    if signer is not None:
        return _trust_signer(context, signer, revoke=revoke)
    if name is not None:
        return _trust_artifact(context, name, version, revoke=revoke)
    if revoke:
        raise UsageError("say what you no longer trust: the name of an artifact, or `--signer KEY`.")
    return _list(context)


def _trust_artifact(context: Context, name: str, version: int | None, *, revoke: bool) -> Outcome:
    found = api.find_artifact(context.workspace, name, version=version)
    if revoke:
        context.workspace.signer.distrust(found.blob)
        sentence = f"{found.label} is no longer trusted by you, unless you signed it yourself."
    else:
        context.workspace.signer.trust(found.blob)
        sentence = (
            f"{found.label} is trusted by you from now on: loading it may run code that its maker wrote."
        )
    return Outcome(view=message_view(sentence), data=artifact_data(found))


def _trust_signer(context: Context, start: str, *, revoke: bool) -> Outcome:
    if not is_available():
        raise MissingExtra(NO_SIGNATURES)
    records = {each.key: each.records for each in context.workspace.metadata.listings.signers() if each.key}
    known = frozenset(records)
    found = [key for key in known if key.startswith(start.lower())]
    if not found:  # only now: the store of the active stack may be far away
        known = _sharing(context)
        found = [key for key in known if key.startswith(start.lower())]
    if len(found) != 1 or len(start) < SHOWN_DIGITS:
        if found:
            raise UsageError(f"give at least {SHOWN_DIGITS} digits of the key; `trust` lists them.")
        raise UnknownName(
            "signer",
            start,
            [key[:SHOWN_DIGITS] for key in known],
            hint="`zennb trust` lists those of this home and of the active stack's artifact store.",
        )
    (key,) = found
    count = plural(records.get(key, 0), "record")
    if revoke:
        context.workspace.signer.distrust(key)
        sentence = (
            f"{key[:SHOWN_DIGITS]} is no longer trusted by you: {count} of this home will not be reused."
        )
    else:
        context.workspace.signer.trust(key)
        sentence = (
            f"{key[:SHOWN_DIGITS]} is trusted by you from now on, in every home: what they signed is reused, files and "
            f"settings included, and loading it may run code that they wrote. In this home these are {count}."
        )
    return Outcome(view=message_view(sentence), data={"signer": key, "trusted": not revoke})


def _list(context: Context) -> Outcome:
    signer = context.workspace.signer
    own = signer.identity
    data = [
        {
            "signer": each.key,
            "records": each.records,
            "hosts": list(each.hosts),
            "trusted": "if yours"
            if not each.key
            else "you"
            if each.key == own
            else "yes"
            if signer.is_trusted(each.key)
            else "no",
        }
        for each in context.workspace.metadata.listings.signers()
    ]
    here = {each["signer"] for each in data}
    data += [
        {"signer": key, "records": 0, "hosts": [], "trusted": "yes" if signer.is_trusted(key) else "no"}
        for key in sorted(_sharing(context) - here - {own})
    ]
    columns = [
        Column.of("name", "signer", show=_short, tight=True),
        Column.of("count", "records"),
        Column.of("names", "hosts", "machines"),
        Column(key="trusted", title="trusted"),
    ]
    hint = "" if is_available() else 'Others cannot check your signatures: pip install "zennb[sharing]".'
    if not data:
        return Outcome(view=message_view(f"No step is on record in this home. {hint}".rstrip()), data=data)
    table: list[Displayed] = [Table(columns=columns, data=data)]
    return Outcome(view=join([*table, message_view(hint)] if hint else table), data=data)


def _sharing(context: Context) -> frozenset[str]:
    """Return the public keys of those who share records in the active stack's store; none if it cannot be asked."""
    try:
        return shared_of(context.workspace).signers()
    except ZennbError:
        return frozenset()


def _short(key: str) -> str:
    return key[:SHOWN_DIGITS] or "no public signature"


PARTS = (_trust,)
