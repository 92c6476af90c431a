"""Owns the handles of registered models and deployments, and their listings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from zennb.core.records.models import Deployment, ModelVersion, checked_alias
from zennb.errors import MissingArtifact
from zennb.handles.handle import Source, SourcedHandle
from zennb.handles.labels import LabelledHandle
from zennb.handles.listing import Listing
from zennb.handles.records import ArtifactHandle
from zennb.lifecycle.deployments import deploy_model, find_deployment
from zennb.lifecycle.registration import set_alias_or_keep
from zennb.registry.registered_models import artifact_of, model_registry
from zennb.views import deployment as deployment_view
from zennb.views import model as model_view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from zennb.components.models import ModelDeployer
    from zennb.views.view import Shown

__all__ = ["DeploymentHandle", "ModelHandle", "list_deployments", "list_models"]


class ModelHandle(LabelledHandle[ModelVersion]):
    """A version of a registered model: its record's fields (`name`, `version`, `aliases`, `tags` ...) and its value.

    Args:
        record: the record.
        source: the workspace it comes from.
        scope: returns the notebook's names.
    """

    def __init__(self, record: ModelVersion, source: Source, scope: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(record, source)
        self._scope = scope

    def load(self) -> Any:
        """Return its value; raises as `zennb.load`."""
        return self._source.load(artifact_of(self._source.workspace(), self.record))

    @property
    def origin(self) -> ArtifactHandle:
        """The artifact that it stands for.

        Raises:
            MissingArtifact: this home does not have it.
        """
        return ArtifactHandle(artifact_of(self._source.workspace(), self.record), self._source)

    def deploy(self, *, name: str = "", host: str = "", port: int = 0) -> DeploymentHandle:
        """Serve it over HTTP, in place of what was served under that name before; return once it answers.

        Args:
            name: what to call the deployment; by default the name of the model.
            host: the address to listen on; by default 127.0.0.1.
            port: the port; by default that of before, or a free one.

        Raises:
            DeploymentFailed: it cannot be served.
        """
        opened = self._source.workspace()
        text = f"{self.record.name}@{self.record.version}"
        options = {"name": name, "host": host}
        found, _ = deploy_model(
            opened, text, scope=self._scope(), load=self._source.load, port=port, **options
        )
        return DeploymentHandle(found, self._source)

    def set_alias(self, alias: str) -> ModelHandle:
        """Let an alias stand for this version, and for no other one any more; return the version with it.

        In a step, a registry that cannot be reached fails nothing: the request is kept for `zennb sync`.
        """
        is_set = set_alias_or_keep(self._source.workspace(), self.record, checked_alias(alias))
        return self._now() if is_set else self

    def delete_alias(self, alias: str) -> ModelHandle:
        """Take an alias away; return the version without it."""
        model_registry(self._source.workspace()).delete_alias(self.record.name, alias)
        return self._now()

    def delete(self) -> None:
        """Delete this version and its aliases; its artifact stays."""
        model_registry(self._source.workspace()).delete(self.record.name, self.record.version)

    def _describe(self, note: str, tags: Mapping[str, str]) -> None:
        registry = model_registry(self._source.workspace())
        registry.describe(self.record.name, self.record.version, note, tags)

    def _now(self) -> Self:
        versions = model_registry(self._source.workspace()).versions(self.record.name)
        found = next((each for each in versions if each.version == self.record.version), self.record)
        return type(self)(found, self._source, self._scope)

    def _view(self) -> Shown:
        try:
            artifact = artifact_of(self._source.workspace(), self.record)
        except MissingArtifact:
            artifact = None
        return model_view.model_version(self.record, artifact)


class DeploymentHandle(SourcedHandle[Deployment]):
    """A deployment as it was when it was looked up: `state`, `url`, `requests` ...; and what can be done with it."""

    def predict(self, inputs: Any, *, method: str = "predict") -> Any:
        """Return the predictions of the served model, as it would return them itself.

        Args:
            inputs: arrays, data frames, lists, or whatever the model takes that has a form in JSON.
            method: another method of the model: `predict_proba`, `decision_function`, `transform` ...

        Raises:
            DeploymentFailed: it does not answer, or the model raised.
            UsageError: the inputs have no form in JSON.
        """
        return self._deployer().predict(self.record.name, inputs, method=method)

    def logs(self) -> str:
        """Return what its process has written."""
        return self._deployer().logs(self.record.name)

    def start(self) -> DeploymentHandle:
        """Start it again, and return it as it is then."""
        return DeploymentHandle(self._deployer().start(self.record.name), self._source)

    def stop(self) -> DeploymentHandle:
        """Stop it, and return it as it is then."""
        return DeploymentHandle(self._deployer().stop(self.record.name), self._source)

    def delete(self) -> None:
        """Stop it and forget it."""
        self._deployer().delete(self.record.name)

    @property
    def token(self) -> str:
        """The token that requests need; it is never displayed."""
        return self._deployer().token(self.record.name)

    def _deployer(self) -> ModelDeployer:
        return find_deployment(self._source.workspace(), self.record.name)[0]

    def _view(self) -> Shown:
        return deployment_view.deployment(self.record)


def list_models(
    found: Sequence[ModelVersion], source: Source, scope: Callable[[], Mapping[str, Any]]
) -> Listing[ModelHandle]:
    """Return versions of models as a listing."""
    handles = [ModelHandle(each, source, scope) for each in found]
    return Listing(handles, show=lambda shown: model_view.model_versions([each.record for each in shown]))


def list_deployments(found: Sequence[Deployment], source: Source) -> Listing[DeploymentHandle]:
    """Return deployments as a listing."""
    handles = [DeploymentHandle(each, source) for each in found]
    return Listing(handles, show=lambda shown: deployment_view.deployments([each.record for each in shown]))
