"""Owns the seal around bytes that can run code when loaded. Only bytes that the user made or trusts are loaded.

Offset  Bytes  Content
0       8      magic
8       32     seal: HMAC-SHA256 over the magic, the materializer's name and everything after the first 64 bytes
40      24     zeros, so that what follows can be mapped
64      ...    what the materializer wrote
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from zennb.errors import DamagedArtifact, UntrustedArtifact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.materializers.materializer import Buffer
    from zennb.materializers.signer import Signer

__all__ = ["seal", "unseal", "untrusted"]

_MAGIC = b"zennbSB\x01"
_SEAL = 32
_HEAD = 64


def seal(buffers: Sequence[Buffer], *, materializer: str, signer: Signer) -> list[Buffer]:
    """Return the bytes of a materializer with this user's seal before them."""
    # The name is sealed with the bytes: they must not be passed to another materializer, which may
    # read other things in them.
    mark = signer.sign([_MAGIC, materializer.encode(), b"\0", *buffers])
    return [_MAGIC, mark, bytes(_HEAD - len(_MAGIC) - _SEAL), *buffers]


def unseal(buffer: Buffer, *, materializer: str, signer: Signer, name: str) -> memoryview:
    """Return the bytes that a materializer wrote, if the seal is valid or the user trusts them.

    Raises:
        UntrustedArtifact: neither; nothing of it was run.
        DamagedArtifact: the bytes do not have this layout.
    """
    view = memoryview(buffer).cast("B")
    start = len(_MAGIC)
    if view.nbytes < _HEAD or view[:start] != _MAGIC:
        raise DamagedArtifact(
            f"artifact '{name}' does not have the layout of '{materializer}'; run its step again.",
            digest=hashlib.sha256(view).hexdigest(),
        )
    body, mark = view[_HEAD:], view[start : start + _SEAL].tobytes()
    if not signer.verifies([_MAGIC, materializer.encode(), b"\0", body], mark) and not signer.is_trusted(
        hashlib.sha256(view).hexdigest()
    ):
        raise untrusted(name, f"stored by the materializer '{materializer}', whose loading can run code")
    return body


def untrusted(name: str, what: str) -> UntrustedArtifact:
    """Return the error for an untrusted artifact."""
    return UntrustedArtifact(
        f"artifact '{name}' is {what}, and it is not signed by you: it was made by somebody else, or changed. Nothing "
        f"of it was run. If you trust where it comes from, type `zennb trust {name}` in a terminal, then try again."
    )
