"""Owns the loading of artifacts by name: which bytes are trusted, and which registered store has them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from zennb.core.records.signing import names_artifact
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.errors import DamagedArtifact, MissingArtifact, StoreError
from zennb.materializers.available import may_run_code
from zennb.materializers.sealed import untrusted
from zennb.registry.stores import artifact_stores
from zennb.views.artifact import deleted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import Artifact
    from zennb.registry.workspace import Workspace

__all__ = ["load_value"]


def load_value(opened: Workspace, artifact: Artifact, scope: Mapping[str, Any]) -> Any:
    """Return the value of an artifact.

    Args:
        opened: the workspace.
        artifact: its record.
        scope: where classes and functions of the notebook are found.

    Raises:
        MissingArtifact, DamagedArtifact: no registered store has its bytes as they were stored.
        UntrustedArtifact: loading it could run code, and the user has not trusted it.
        MissingDefinition: it needs a class or function of the notebook that has not been run.
    """
    _check_signature(opened, artifact)
    tried: list[str] = []
    trouble: StoreError | None = None
    for label, store in artifact_stores(opened):
        tried.append(f"'{label}'")
        try:
            if all(map(store.has, artifact.blobs)):
                return ArtifactRepository(store=store, scope=scope, signer=opened.signer).load(
                    {artifact.name: artifact}
                )[artifact.name]
        except (MissingArtifact, DamagedArtifact) as error:
            trouble = trouble or error
    raise trouble or _gone(opened, artifact, tried)


def _check_signature(opened: Workspace, artifact: Artifact) -> None:
    """Check that a record signed by the user, or by somebody they trust, names these bytes for this artifact.

    Data whose format holds no code is loaded with a warning otherwise: its value may be somebody else's.

    Raises:
        UntrustedArtifact: no such record does, and loading the bytes can run code.
    """
    if opened.signer.is_trusted(artifact.blob) or any(
        names_artifact(step, artifact) and opened.signer.accepts(step)
        for step in opened.metadata.naming(artifact)
    ):
        return
    if may_run_code(artifact.materializer):
        raise untrusted(artifact.name, "stored in a form whose loading can run code")
    warnings.warn(
        f"no record signed by you, or by somebody you trust, names {artifact.label}: it may hold another value than "
        "the one you stored. Run its step again to be sure.",
        stacklevel=5,
    )


def _gone(opened: Workspace, artifact: Artifact, tried: Sequence[str]) -> MissingArtifact:
    producer = opened.metadata.producer(artifact)
    advice = f"run step '{producer.name}' again" if producer is not None else "make it again"
    freed = next(iter(opened.metadata.space.freed(artifact.blobs).values()), None)
    if freed is not None:
        return MissingArtifact(
            f"the bytes of {artifact.label} were {deleted(freed)}; {advice}.", digest=artifact.blob
        )
    return MissingArtifact(
        f"the bytes of {artifact.label} are in no registered artifact store (looked in {', '.join(tried)}); {advice}.",
        digest=artifact.blob,
    )
