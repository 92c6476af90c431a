"""Owns registering models where a registry that cannot be reached must fail nothing: in steps.

There, what the registry did not take is kept in the outbox, and `zennb sync` delivers it. Elsewhere it is an error.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from zennb.core.records.models import ModelVersion, parse_model_name
from zennb.core.secrets.held import HELD
from zennb.core.secrets.texts import KnownSecrets
from zennb.engine.delivery.outbox import Outbox, OutboxMessage, failure_text
from zennb.engine.delivery.telling import tell
from zennb.engine.environment.callers import untraced
from zennb.engine.step.running import is_step_running
from zennb.errors import StoreError, ZennbError
from zennb.registry.registered_models import (
    checked_registration,
    find_model,
    model_registry,
    register_model,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.components.models import ModelRegistry
    from zennb.core.records.records import Artifact
    from zennb.registry.workspace import Workspace

__all__ = ["find_or_numbered", "register_or_keep", "set_alias_or_keep"]


def register_or_keep(
    workspace: Workspace, name: str, artifact: Artifact, *, alias: str, note: str, tags: Mapping[str, str]
) -> tuple[ModelVersion, bool]:
    """Register an artifact as `register_model` does; in a step, keep it if the registry does not take it.

    Returns:
        The version, and whether it is new. What is kept has the version 0, and its artifact is pinned.

    Raises:
        UsageError: the name or the alias is not allowed.
        StoreError: the registry did not take it, and this is no step, or it cannot be kept either.
    """
    note, tags = checked_registration(name, alias, note, tags)
    registry, asked = model_registry(workspace), time.time()
    payload = {
        "title": f"model '{name}'",
        "model": name,
        "version": None,
        "artifact": artifact.name,
        "artifact_version": artifact.version,
        "digest": artifact.digest,
        "alias": alias,
        "note": note,
        "tags": dict(tags),
        "asked": asked,
    }
    try:
        found = register_model(workspace, name, artifact, alias=alias, note=note, tags=tags)
    except Exception as error:  # noqa: BLE001 - whatever a registry or its library raises
        _keep(workspace, registry, payload, error, f"model '{name}' was not registered")
    else:
        _works(workspace, registry, payload)
        return found
    workspace.metadata.space.pin(artifact.id or 0)  # what waits can always be loaded, too
    waiting = ModelVersion(
        name=name,
        version=0,
        artifact=artifact.name,
        artifact_version=artifact.version,
        digest=artifact.digest,
        created=asked,
        note=note,
        tags=tags,
    )
    return waiting, True


def find_or_numbered(workspace: Workspace, text: str) -> ModelVersion:
    """Return the version that `classifier@3` stands for, in a step also where its registry cannot be reached.

    Raises:
        UnknownName: there is no such model, version or alias.
        StoreError: the registry cannot be asked, and this is no step, or the text names no number.
    """
    try:
        return find_model(workspace, text)
    except StoreError:
        wanted = parse_model_name(text)
        if wanted.version is None or not _may_wait(model_registry(workspace)):
            raise
    return ModelVersion(name=wanted.name, version=wanted.version, artifact="", artifact_version=0, digest="")


def set_alias_or_keep(workspace: Workspace, version: ModelVersion, alias: str) -> bool:
    """Let an alias stand for a version; in a step, keep the request if the registry does not take it.

    Args:
        workspace: whose registry.
        version: the version; one with the number 0 waits itself, and its alias waits with it.
        alias: the alias, checked.

    Returns:
        Whether it is set.

    Raises:
        StoreError: as `register_or_keep`.
    """
    registry = model_registry(workspace)
    payload = {
        "title": f"alias '{alias}' of model '{version.name}'",
        "model": version.name,
        "version": version.version or None,
        "artifact": version.artifact,
        "artifact_version": version.artifact_version,
        "digest": version.digest,
        "alias": alias,
        "note": version.note,
        "tags": dict(version.tags),
        "asked": time.time(),
    }
    what = f"alias '{alias}' was not given to {version.label}"
    if not version.version:
        waiting = StoreError(f"model '{version.name}' waits to be registered itself; `%zennb sync` does that")
        _keep(workspace, registry, payload, waiting, what)
        return False
    try:
        registry.set_alias(version.name, alias, version.version)
    except Exception as error:  # noqa: BLE001 - whatever a registry or its library raises
        _keep(workspace, registry, payload, error, what)
        return False
    _works(workspace, registry, payload)
    return True


def _keep(
    workspace: Workspace, registry: ModelRegistry, payload: dict[str, Any], error: Exception, what: str
) -> None:
    """Keep what a registry did not take, and say so once; outside of steps, raise the error that is handled."""
    own = isinstance(error, ZennbError) and not isinstance(error, StoreError)
    if own or not _may_wait(registry):
        raise error
    with untraced():  # no file of the step
        outbox, message = _message(workspace, registry, payload)
        problem = outbox.keep(message, StoreError(failure_text(registry, error)))
    if not problem:
        raise error
    sentence = outbox.sentence(message, f"{what} in the model registry '{registry.name}'", problem)
    if sentence:
        tell(sentence)


def _works(workspace: Workspace, registry: ModelRegistry, payload: dict[str, Any]) -> None:
    """Note that a registry took something: when it fails again, that is said again."""
    if _may_wait(registry):
        outbox, message = _message(workspace, registry, payload)
        outbox.sentence(message, "", "")


def _may_wait(registry: ModelRegistry) -> bool:
    return registry.pins and is_step_running()


def _message(
    workspace: Workspace, registry: ModelRegistry, payload: dict[str, Any]
) -> tuple[Outbox, OutboxMessage]:
    outbox = Outbox(workspace.home, secrets=KnownSecrets(HELD.values))
    message = OutboxMessage(
        type="model_registry", component=registry.name, payload=payload, created=payload["asked"]
    )
    return outbox, message
