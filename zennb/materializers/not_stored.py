"""Owns what is stored in place of an output that cannot be stored: what it is and why, but not its value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from zennb.core.records.records import NOT_STORED
from zennb.errors import CannotDigest, MissingArtifact, NotStorable
from zennb.materializers.materializer import Materializer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.records.records import Artifact
    from zennb.materializers.buffers import Buffer
    from zennb.materializers.materializer import Scope

__all__ = ["NotStored", "stand_in", "why_unknown"]


def stand_in(name: str, why: str, digest: str) -> bytes:
    """Return the bytes that stand for an output.

    Args:
        name: the variable.
        why: why it cannot be stored, as a phrase: "`bar.lock` is a lock".
        digest: stands for its content in cache keys, and is another one for each run of its step.
    """
    return json.dumps({"name": name, "why": why, "digest": digest}).encode()


def why_unknown(artifact: Artifact) -> CannotDigest:
    """Return the error of digesting an output that was not stored and whose content is not known."""
    text = str(artifact.summary.get("text", "")).removeprefix("not stored: ")
    path, found, why = text.removeprefix("`").partition("` is ")
    return CannotDigest(path if found else artifact.name, why if found else "which cannot be stored")


class NotStored(Materializer):
    """Says of an output why it is not stored. It takes no value, and gives none back."""

    name: ClassVar[str] = NOT_STORED
    exact: ClassVar[bool] = True

    def handles(self, _value: object) -> bool:
        """Return False: no value is stored like this because of its type."""
        return False

    def dump(self, _value: Any) -> Sequence[Buffer]:
        """Raise NotStorable."""
        raise NotStorable("it cannot be stored", path="")

    def load(self, buffer: Buffer, _scope: Scope) -> Any:
        """Raise MissingArtifact with the reason.

        Raises:
            MissingArtifact: always.
        """
        try:
            found = json.loads(bytes(buffer))
            name, why = str(found["name"]), str(found["why"])
        except (ValueError, KeyError, TypeError):
            name, why = "it", "it cannot be stored"
        raise MissingArtifact(
            f"`{name}` was not stored: {why}. A cell that names it in its notebook gets it.", digest=""
        )
