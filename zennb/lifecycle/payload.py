"""Owns `ModelPayload`: what a process that serves a model needs to load it, sealed with the user's key.

It lies in the home between two starts of a deployment, and what is in it decides which code runs. So a process uses it
only if this user has sealed it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json
from zennb.errors import UntrustedArtifact

if TYPE_CHECKING:
    from zennb.materializers.signer import Signer

__all__ = ["ModelPayload", "pack_payload", "unpack_payload"]

_PURPOSE = b"a model to be served\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPayload:
    """Which artifact is served, and what its value needs.

    Attributes:
        home: the home with its record.
        stack: the stack whose artifact store is asked first.
        artifact: its name.
        version: its version.
        digest: digest of its value.
        path: the notebook's `sys.path`, where modules of the user are.
        definitions: functions and classes of the notebook that the value needs (`engine.remote.namespace_pickling`).
    """

    home: str
    stack: str
    artifact: str
    version: int
    digest: str
    path: tuple[str, ...] = ()
    definitions: bytes = b""


def pack_payload(payload: ModelPayload, signer: Signer) -> bytes:
    """Return a payload as bytes that begin with the user's seal."""
    fields: dict[str, Any] = asdict(payload)
    fields["definitions"] = base64.b64encode(payload.definitions).decode("ascii")
    body = json.dumps(fields).encode()
    return signer.sign([_PURPOSE, body]).hex().encode() + b"\n" + body


def unpack_payload(content: bytes, signer: Signer) -> ModelPayload:
    """Return a payload from its bytes.

    Raises:
        UntrustedArtifact: they are not as this user sealed them.
    """
    seal, _, body = content.partition(b"\n")
    try:
        is_ours = signer.verifies([_PURPOSE, body], bytes.fromhex(seal.decode("ascii")))
    except ValueError:
        is_ours = False
    if not is_ours:
        raise UntrustedArtifact(
            "what this deployment would load is not as you deployed it, and loading it could run code; deploy the "
            "model again with `%model deploy`."
        )
    fields = parse_json(body)
    definitions = base64.b64decode(fields.pop("definitions"))
    return ModelPayload(**{**fields, "path": tuple(fields["path"])}, definitions=definitions)
