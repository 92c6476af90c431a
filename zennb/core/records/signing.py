"""Owns what is signed of a step's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zennb.core.records.records import Artifact, Step

__all__ = ["artifact_texts", "names_artifact", "signed_texts"]


def signed_texts(fields: Iterable[str], *edges: Mapping[str, Artifact]) -> tuple[str, ...]:
    """Return what is signed of a record, as texts.

    Args:
        fields: the columns that count, as stored.
        edges: name → artifact of the inputs, and of the outputs.
    """
    texts = list(fields)
    for artifacts in edges:
        texts.append(str(len(artifacts)))
        for name, artifact in artifacts.items():
            texts += (name, *artifact_texts(artifact))
    return tuple(texts)


def artifact_texts(artifact: Artifact) -> tuple[str, ...]:
    """Return what is signed of an artifact: which bytes are loaded, by what, and for which value."""
    return (
        artifact.name,
        artifact.digest,
        artifact.blob,
        "" if artifact.item is None else f"{artifact.item} in",
        artifact.materializer,
    )


def names_artifact(step: Step, artifact: Artifact) -> bool:
    """Whether a step's record names this artifact, with these bytes, among its inputs or outputs."""
    wanted = artifact_texts(artifact)
    return any(artifact_texts(each) == wanted for each in (*step.outputs.values(), *step.inputs.values()))
