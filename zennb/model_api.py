"""Owns the functions of notebook code for models: `zennb.models()`, `zennb.deploy("classifier@champion")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import api
from zennb.handles.models import DeploymentHandle, ModelHandle, list_deployments, list_models
from zennb.lifecycle import deployments as deployed
from zennb.lifecycle.registration import register_or_keep
from zennb.registry import registered_models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.handles.listing import Listing

__all__ = ["deploy", "deployment", "deployments", "models", "register_model"]


def models(name: str | None = None, *, tag: str | None = None) -> Listing[ModelHandle]:
    """Return the versions of all registered models, or of one: by name, newest first.

    Args:
        name: only this model; `classifier@champion` is that version alone.
        tag: only versions with this tag, as `KEY` or `KEY=TEXT`.

    Raises:
        UnknownName: there is no such model, version or alias.
    """
    opened = api.workspace()
    if name is not None and "@" in name:
        found = [registered_models.find_model(opened, name)]
    else:
        found = registered_models.versions(opened, name)
    return list_models([each for each in found if each.has_tag(tag)], api.source(), api.scope)


def register_model(
    name: str,
    artifact: str,
    *,
    version: int | None = None,
    alias: str = "",
    note: str = "",
    tags: Mapping[str, str] | None = None,
) -> ModelHandle:
    """Register an artifact as the next version of a model, which keeps its bytes from being deleted.

    If the newest version stands for the same artifact, no new one is made. In a step, a registry that cannot be
    reached fails nothing: what it is to register is kept for `zennb sync`, and the version returned has the number 0.

    Args:
        name: the model.
        artifact: the variable's name.
        version: of the artifact; by default the current one.
        alias: a name for this version, such as `champion`; it is taken from the version that had it.
        note: a note.
        tags: key → text.

    Raises:
        UnknownName: there is no such artifact.
        UsageError: the name or the alias is not allowed.
        StoreError: outside of a step, the registry cannot be reached.
    """
    opened = api.workspace()
    found = api.find_artifact(opened, artifact, version=version, notebook=api.notebook_name())
    made, _ = register_or_keep(opened, name, found, alias=alias, note=note, tags=tags or {})
    return ModelHandle(made, api.source(), api.scope)


def deploy(model: str, *, name: str = "", host: str = "", port: int = 0) -> DeploymentHandle:
    """Serve a registered model over HTTP, in a process of its own; return once it answers.

    Args:
        model: `classifier`, `classifier@champion` or `classifier@3`.
        name: what to call the deployment; by default the name of the model.
        host: the address to listen on; by default 127.0.0.1.
        port: the port; by default that of before, or a free one.

    Raises:
        UnknownName: there is no such model, version or alias.
        DeploymentFailed: it cannot be served.
    """
    opened, source = api.workspace(), api.source()
    found, _ = deployed.deploy_model(
        opened, model, scope=api.scope(), load=source.load, name=name, host=host, port=port
    )
    return DeploymentHandle(found, source)


def deployments() -> Listing[DeploymentHandle]:
    """Return all deployments, by name, with what they are doing now."""
    return list_deployments(deployed.deployments(api.workspace()), api.source())


def deployment(name: str) -> DeploymentHandle:
    """Return a deployment: `zennb.deployment("classifier").predict(X)`.

    Raises:
        UnknownName: there is none of that name.
    """
    return DeploymentHandle(deployed.find_deployment(api.workspace(), name)[1], api.source())
