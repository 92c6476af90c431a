"""Owns registering models and finding them, in the model registry of the active stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zennb.core.records.labels import checked_note, checked_tags
from zennb.core.records.models import ModelName, checked_alias, parse_model_name
from zennb.errors import MissingArtifact, StoreError, UsageError, ZennbError
from zennb.registry.names import checked_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.components.models import ModelRegistry
    from zennb.core.records.models import ModelVersion
    from zennb.core.records.records import Artifact
    from zennb.registry.workspace import Workspace

__all__ = [
    "artifact_of",
    "checked_registration",
    "delete_model",
    "find_model",
    "loaded_digest",
    "model_artifact",
    "model_registry",
    "register_model",
    "versions",
]


def model_registry(workspace: Workspace) -> ModelRegistry:
    """Return the model registry of the active stack, or else the embedded default."""
    return cast("ModelRegistry", workspace.own_component("model_registry"))


def versions(workspace: Workspace, name: str | None = None) -> list[ModelVersion]:
    """Return the versions of one model or all: by name, newest first.

    Raises:
        UnknownName: there is no such model.
        StoreError: the registry cannot be asked.
    """
    registry = model_registry(workspace)
    found = registry.versions(name)
    if name is not None and not found:
        registry.find(ModelName(name))  # raises, with the nearest known name
    return found


def find_model(workspace: Workspace, text: str) -> ModelVersion:
    """Return the version that `classifier`, `classifier@champion` or `classifier@3` stands for.

    Raises:
        UnknownName: there is no such model, version or alias.
        UsageError: it is no such name.
        StoreError: the registry cannot be asked.
    """
    return model_registry(workspace).find(parse_model_name(text))


def register_model(
    workspace: Workspace,
    name: str,
    artifact: Artifact,
    *,
    alias: str = "",
    note: str = "",
    tags: Mapping[str, str] | None = None,
) -> tuple[ModelVersion, bool]:
    """Register an artifact as the next version of a model; return the version, and whether it is new.

    If the newest version stands for the same artifact it is left as it is, so that cells can be run again. The
    artifact is never deleted to free space from now on.

    Raises:
        UsageError: the name or the alias is not allowed.
        StoreError: the registry cannot be reached.
    """
    note, tags = checked_registration(name, alias, note, tags or {})
    registry = model_registry(workspace)
    before = registry.versions(name)
    is_new = not before or not _stands_for(before[0], artifact)
    if is_new:
        if registry.pins:  # first: what is registered can always be loaded
            workspace.metadata.space.pin(artifact.id or 0)
        number = registry.register(name, artifact, note=note, tags=tags)
    else:
        number = before[0].version
        if note or tags:
            registry.describe(name, number, note or before[0].note, {**before[0].tags, **tags})
    if alias:
        registry.set_alias(name, alias, number)
    return registry.find(ModelName(name, version=number)), is_new


def checked_registration(
    name: str, alias: str, note: str, tags: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """Return note and tags of a model that is to be registered, with secrets masked.

    Raises:
        UsageError: one of them, the name or the alias is not allowed.
    """
    checked_name("model", name)
    if "@" in name:
        raise UsageError(f"'{name}' cannot name a model: what follows `@` is an alias; give it as `--alias`.")
    if alias:
        checked_alias(alias)
    return checked_note(note), checked_tags(tags)


def delete_model(workspace: Workspace, text: str) -> list[ModelVersion]:
    """Delete one version of a model, or, where none is named, all of them; return what was deleted.

    The artifacts stay.

    Raises:
        UnknownName: there is no such model, version or alias.
    """
    registry, wanted = model_registry(workspace), parse_model_name(text)
    found = [registry.find(wanted)] if "@" in text else versions(workspace, wanted.name)
    for each in found:
        registry.delete(each.name, each.version)
    return found


def artifact_of(workspace: Workspace, version: ModelVersion) -> Artifact:
    """Return the artifact that a version stands for.

    Raises:
        MissingArtifact: this home has no such artifact.
    """
    found = workspace.metadata.artifact(version.artifact, version.artifact_version)
    if found is None or not _stands_for(version, found):
        raise MissingArtifact(
            f"{version.label} is the artifact {version.source} of another home, or its record was deleted; here, "
            "register it again from the step that makes it.",
            digest=version.digest,
        )
    return found


def loaded_digest(workspace: Workspace, name: str, *, notebook: str | None = None) -> str:
    """Return the digest of what `zennb.load(name)` would return now; "" if that is nothing.

    Args:
        workspace: where it is looked for.
        name: of an artifact, or of a model.
        notebook: prefer outputs of this notebook's steps.
    """
    try:
        found = workspace.metadata.artifact(name, notebook=notebook) or model_artifact(workspace, name)
    except ZennbError:
        return ""
    return "" if found is None else found.digest


def model_artifact(workspace: Workspace, name: str, version: int | None = None) -> Artifact | None:
    """Return the artifact of a registered model; None if `name` is a bare name, and no model is called so.

    Args:
        workspace: where it is registered.
        name: `classifier@champion`, or a name that is no artifact's.
        version: of the model, for a bare name.

    Raises:
        UnknownName: there is no such version or alias.
        StoreError: the registry cannot be asked.
    """
    if "@" in name:
        if version is not None:
            raise UsageError(f"'{name}' says which version is meant; leave out `version={version}`.")
        return artifact_of(workspace, find_model(workspace, name))
    try:
        if not model_registry(workspace).versions(name):
            return None
    except StoreError as error:
        raise StoreError(
            f"no artifact is called '{name}', and whether a model is cannot be known: {error.message}"
        ) from error
    return artifact_of(workspace, model_registry(workspace).find(ModelName(name, version=version)))


def _stands_for(version: ModelVersion, artifact: Artifact) -> bool:
    return (version.artifact, version.artifact_version, version.digest) == (
        artifact.name,
        artifact.version,
        artifact.digest,
    )
