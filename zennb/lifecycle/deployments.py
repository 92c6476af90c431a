"""Owns deploying registered models and finding deployments, with the model deployer of the active stack."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from zennb.components.component import Visibility
from zennb.components.model_deployers.deployment_files import all_deployments
from zennb.components.models import ModelDeployer, ServedModel
from zennb.engine.remote.namespace_pickling import pack
from zennb.errors import DeploymentFailed, UnknownName, UsageError, ZennbError
from zennb.lifecycle.payload import ModelPayload, pack_payload
from zennb.registry.names import DEFAULT, checked_name
from zennb.registry.registered_models import artifact_of, find_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from zennb.core.records.models import Deployment
    from zennb.core.records.records import Artifact
    from zennb.registry.workspace import Workspace

__all__ = ["deploy_model", "deployment_names", "deployments", "find_deployment"]

_TYPE = "model_deployer"


def deploy_model(
    workspace: Workspace,
    text: str,
    *,
    scope: Mapping[str, Any],
    load: Callable[[Artifact], Any],
    name: str = "",
    host: str = "",
    port: int = 0,
) -> tuple[Deployment, bool]:
    """Serve a registered model; return the deployment, and whether anything has changed.

    Args:
        workspace: where it is registered.
        text: `classifier@champion`.
        scope: the notebook's names, in which its functions and classes are found.
        load: returns the value of an artifact.
        name: what to call the deployment; "" for the name of the model.
        host: the address to listen on; "" for that of before, or 127.0.0.1.
        port: the port; 0 for that of before, or a free one.

    Raises:
        UnknownName: there is no such model, version or alias.
        DeploymentFailed: it cannot be served.
    """
    version = find_model(workspace, text)
    artifact = artifact_of(workspace, version)
    name = checked_name("deployment", name or version.name)
    deployer, before = _deployer_for(workspace, name)
    is_same = before is not None and (before.model, before.version) == (version.name, version.version)
    is_there = is_same and before is not None and host in {"", before.host} and port in {0, before.port}
    if before is not None and is_there and before.state == "running":
        return before, False
    payload = ModelPayload(
        home=str(workspace.home),
        stack=workspace.active,
        artifact=artifact.name,
        version=artifact.version,
        digest=artifact.digest,
        path=tuple(str(Path(each).absolute()) for each in sys.path),
        definitions=_definitions(artifact, scope),
    )
    _refuse_memory(workspace, artifact)
    served = ServedModel(
        name=name,
        version=version,
        payload=pack_payload(payload, workspace.signer),
        load=lambda: load(artifact),
        folder=str(Path.cwd()),
    )
    return deployer.deploy(served, host=host, port=port), True


def deployments(workspace: Workspace) -> list[Deployment]:
    """Return the deployments of all model deployers, by name."""
    found: dict[tuple[str, str], Deployment] = {}
    for deployer in _deployers(workspace):
        for each in deployer.deployments():
            found.setdefault((each.flavor, each.name), each)
    return sorted(found.values(), key=lambda each: each.name)


def deployment_names(workspace: Workspace) -> list[str]:
    """Return the names of the deployments that processes of this machine serve, without asking any of them."""
    folders = sorted((workspace.home / "deployments").glob("*"))
    return [state.name for folder in folders for _, state in all_deployments(folder)]


def find_deployment(workspace: Workspace, name: str) -> tuple[ModelDeployer, Deployment]:
    """Return a deployment, and what serves it.

    Raises:
        UnknownName: there is none of that name.
    """
    known: list[str] = []
    for deployer in _deployers(workspace):
        for each in deployer.deployments():
            if each.name == name:
                return deployer, each
            known.append(each.name)
    hint = "Deploy a registered model with `%model deploy`."
    raise UnknownName("deployment", name, list(dict.fromkeys(known)), hint=hint)


def _deployer_for(workspace: Workspace, name: str) -> tuple[ModelDeployer, Deployment | None]:
    """Return the active stack's deployer, and what it serves under a name now; refuse a name that another one uses."""
    deployer = cast("ModelDeployer", workspace.own_component(_TYPE))
    try:
        other, before = find_deployment(workspace, name)
    except UnknownName:
        return deployer, None
    if other is not deployer and other.flavor != deployer.flavor:
        raise UsageError(
            f"deployment '{name}' is served by the model deployer '{other.name}'; delete it first with "
            f"`%deployment delete {name}`, or give this one another name with --name."
        )
    return deployer, before


def _deployers(workspace: Workspace) -> Iterator[ModelDeployer]:
    """Yield the active stack's deployer, the embedded default, and all that are registered."""
    with suppress(ZennbError):
        yield cast("ModelDeployer", workspace.own_component(_TYPE))
    for name in (DEFAULT, *(spec.name for spec in workspace.registry.components(_TYPE))):
        with suppress(ZennbError):  # one that cannot be used here must not hide the deployments of others
            yield cast("ModelDeployer", workspace.component(_TYPE, name))


def _definitions(artifact: Artifact, scope: Mapping[str, Any]) -> bytes:
    """Return the functions and classes of the notebook that an artifact needs, for another process.

    Raises:
        DeploymentFailed: one of them is not defined here.
    """
    names = list(dict.fromkeys(need.partition(".")[0] for need in artifact.needs))
    missing = next((each for each in names if each not in scope), None)
    if missing is not None:
        raise DeploymentFailed(
            f"{artifact.label} needs `{missing}`, which the notebook defines; run that cell and deploy it from the "
            "notebook with `%model deploy`."
        )
    return pack({each: scope[each] for each in names}, namespace=scope, data={})[0] if names else b""


def _refuse_memory(workspace: Workspace, artifact: Artifact) -> None:
    store = workspace.open().store
    if store.visibility is Visibility.PROCESS and all(map(store.has, artifact.blobs)):
        raise DeploymentFailed(
            f"the artifact store '{store.name}' exists in this kernel only, and the process of a deployment could not "
            f"load {artifact.label} from it; make it on another stack."
        )
