"""Owns the form of a shared record: a JSON object with a record as text, its author's public key, and the signature.

Everybody who can write to the store can write anything there. So a record is read with bounds of size and depth, and
nothing in it is looked at before its signature is verified. A verified one is still only what its author claims.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json
from zennb.core.records.records import ComponentSpec, Run, StackSpec
from zennb.core.records.seal import Seal
from zennb.core.records.shared import SharedRecord
from zennb.metadata.steps import NewStep
from zennb.recovery.record_copies import body_of, read_body

if TYPE_CHECKING:
    from zennb.materializers.signer import Signer

__all__ = ["LARGEST", "opened_record", "record_content"]

LARGEST = 4_000_000
"""Bytes of the largest record that is written and read."""

_FORMAT = "zennb shared record 1"
_DEEPEST = 40
_HEX = re.compile(r"[0-9a-f]{64}")


def record_content(new: NewStep, run: Run, number: int | None, *, signer: Signer) -> bytes | None:
    """Return the content of a shared record; None where it cannot be signed, or is too large.

    Args:
        new: the step, as it is on record here.
        run: the run it belongs to.
        number: its number here.
        signer: signs it.

    Raises:
        StoreError: the signing key cannot be read.
    """
    public = signer.identity
    if not public:
        return None
    # Neither the options of the stack, which name places on this machine, nor the run's parameters and packages.
    bare = replace(run, stack=_without_options(run.stack), parameters={}, versions={})
    body = body_of(new, bare, author=_author(), number=number, seal=signer.countersign(new.seal))
    found = {
        "format": _FORMAT,
        "signer": public,
        "signature": signer.sign_shared(body.encode("utf-8", "surrogatepass")),
        "body": body,
    }
    content = json.dumps(found, separators=(",", ":")).encode()
    return content if len(content) <= LARGEST else None


def opened_record(content: bytes, *, signer: Signer) -> SharedRecord | None:
    """Return a shared record whose signature is valid and whose form is known; None for anything else."""
    try:
        found = _bounded(content)
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            return None
        public, signature, body = (found.get(name) for name in ("signer", "signature", "body"))
        if not (isinstance(public, str) and isinstance(signature, str) and isinstance(body, str)):
            return None
        text = body.encode("utf-8", "surrogatepass")
        if not _HEX.fullmatch(public) or not signer.has_signed_shared(public, signature, text):
            return None
        return _opened(_bounded(text), public)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None


def _opened(found: Any, public: str) -> SharedRecord | None:
    copy = read_body(found)
    seal, author, number = found.get("seal"), found.get("author"), found.get("number")
    if not (isinstance(seal, str) and isinstance(author, str) and isinstance(number, int | None)):
        return None
    if seal.split(" ")[1:2] != [public]:  # a record of somebody else, in an envelope of their own
        return None
    # What is signed once more of the step itself: under that signature it is kept on record here. It is worked out from
    # what was read, so a record that another version wrote otherwise has another one, and is not used.
    encoded = NewStep.of(copy.step, None)
    step = replace(copy.step, seal=Seal(encoded.seal.message, seal))
    return SharedRecord(step=step, run=copy.run, number=number, author=author, signer=public)


def _bounded(text: bytes) -> Any:
    """Return what JSON text holds.

    Raises:
        ValueError: it needs too much memory, or is nested so deeply that what handles it later would give up.
    """
    found = parse_json(text, bounded=True)
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    return found


def _without_options(stack: StackSpec) -> StackSpec:
    parts = {
        kind: ComponentSpec(type=each.type, name=each.name, flavor=each.flavor)
        for kind, each in stack.components.items()
    }
    return StackSpec(name=stack.name, components=parts)


def _author() -> str:
    import getpass  # nothing else needs it

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return "somebody"
