"""Owns the interfaces of model registries and model deployers."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from zennb.components.component import Component
from zennb.core.records.records import Artifact
from zennb.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from zennb.core.records.models import Deployment, ModelName, ModelVersion

__all__ = ["ASKED", "ModelDeployer", "ModelRecords", "ModelRegistry", "ServedModel"]

ASKED = "zennb.asked"
"""Tag of a version that was registered late: when the step asked for it, in seconds since the epoch."""


class ModelRecords(Protocol):
    """The tables of registered models in a home, for registries that keep theirs there."""

    def add(
        self, model: str, artifact: tuple[str, int], *, note: str = "", tags: Mapping[str, str] | None = None
    ) -> int | None:
        """Register an artifact; return the number of the model's version, None if there is no such artifact."""

    def versions(self, model: str | None = None) -> list[ModelVersion]:
        """Return the versions of one model or all: by name, newest first."""

    def set_alias(self, model: str, alias: str, version: int) -> None:
        """Let an alias stand for a version, and for no other one any more."""

    def delete_alias(self, model: str, alias: str) -> None:
        """Take an alias away."""

    def delete(self, model: str, version: int) -> None:
        """Delete a version with its aliases."""

    def describe(self, model: str, version: int, note: str, tags: Mapping[str, str]) -> None:
        """Set the note and all tags of a version."""


class ModelRegistry(Component):
    """Keeps named versions of models, each of which stands for an artifact, and aliases of versions.

    An implementation guarantees, and `zennb.testing.model_registry.ModelRegistryContract` checks: versions of a model
    count from 1 and no number is given twice; an alias stands for one version of its model; what one process has
    registered, others find. It keeps no bytes: those stay in the artifact store. Callers look a version up before they
    change or delete it, so these methods need not check that it exists.
    """

    type = "model_registry"

    pins: bool = True
    """Whether zennb has to pin what is registered, because the metadata store does not know of it."""

    def use(self, records: ModelRecords) -> None:
        """Take the tables of the home, before anything else is called; by default they are not needed."""
        del records

    @abstractmethod
    def register(
        self, name: str, artifact: Artifact, *, note: str = "", tags: Mapping[str, str] | None = None
    ) -> int:
        """Register an artifact as the next version of a model, which is created if it is new; return its number.

        Raises:
            StoreError: the registry cannot be reached, or did not take it.
        """

    @abstractmethod
    def versions(self, name: str | None = None) -> list[ModelVersion]:
        """Return the versions of one model or all: by name, newest first. None for a model that there is not."""

    @abstractmethod
    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias stand for a version of a model, and for no other one any more."""

    @abstractmethod
    def delete_alias(self, name: str, alias: str) -> None:
        """Take an alias of a model away; its version stays."""

    @abstractmethod
    def delete(self, name: str, version: int) -> None:
        """Delete a version of a model with its aliases; the artifact stays. A model without versions is gone."""

    @abstractmethod
    def describe(self, name: str, version: int, note: str, tags: Mapping[str, str]) -> None:
        """Set the note and all tags of a version."""

    def alias_changed(self, name: str, alias: str) -> float | None:
        """Return when an alias was last set or taken away, in seconds since the epoch; None if nobody knows.

        A late delivery moves an alias only if that was before the step asked for it.
        """
        del name, alias
        return None

    def set_alias_late(self, name: str, alias: str, version: int, *, asked: float) -> None:
        """Let an alias stand for a version, as a step asked for at a time at which the registry was not reached.

        A registry that knows `alias_changed` notes that time: later requests may be waiting as well.
        """
        del asked
        self.set_alias(name, alias, version)

    def deliver(self, payload: Mapping[str, Any]) -> str:
        """Register a model, or set an alias, that a step asked for while the registry could not be reached.

        To deliver the same again changes nothing. An alias that somebody has set since, or may have, stays.

        Args:
            payload: `model`; `artifact`, `artifact_version` and `digest`; `version` of the model, None for one that is
                to be registered; `alias`, `note` and `tags`; and `asked`, when the step asked for it.

        Returns:
            Which alias was not set, and why, as a sentence; "" when everything was done.
        """
        name, alias, asked = str(payload["model"]), str(payload["alias"]), float(payload["asked"])
        found, number, behind = self.versions(name), payload["version"], 0.0
        if number is None:
            number, behind = self._registered_late(payload, found, asked)
        elif number not in {each.version for each in found}:
            return f"Alias '{alias}' was not given to {name} v{number}, which was deleted meanwhile."
        holder = next((each for each in found if alias in each.aliases), None)
        if not alias or (holder is not None and holder.version == number):
            return ""
        if not self._is_free(name, alias, holder, asked, behind):
            now = "was taken away" if holder is None else f"was given to {holder.label}, perhaps"
            return (
                f"Alias '{alias}' was not given to {name} v{number}: it {now} after the step had asked for it; "
                f"`%model alias {name}@{number} {alias}` does it all the same."
            )
        self.set_alias_late(name, alias, number, asked=asked)
        return ""

    def _registered_late(
        self, payload: Mapping[str, Any], found: Sequence[ModelVersion], asked: float
    ) -> tuple[int, float]:
        """Register what is asked for unless it is there.

        Returns:
            Its number, and the seconds by which the registry's clock is behind this one, rather too many.
        """
        name, note, tags = str(payload["model"]), str(payload["note"]), dict(payload["tags"])
        stamp, wanted = f"{asked:.6f}", [payload[key] for key in ("artifact", "artifact_version", "digest")]
        same = [each for each in found if [each.artifact, each.artifact_version, each.digest] == wanted]
        for each in same:
            if each is found[0] or each.created >= asked or each.tags.get(ASKED) == stamp:
                if note not in {"", each.note} or not tags.items() <= each.tags.items():
                    self.describe(name, each.version, note or each.note, {**each.tags, **tags})
                return each.version, 0.0
        artifact = Artifact(
            name=wanted[0],
            version=wanted[1],
            digest=wanted[2],
            blob="",
            materializer="",
            size=0,
            type="",
        )
        number = self.register(name, artifact, note=note, tags={**tags, ASKED: stamp})
        now = time.time()
        made = next((each for each in self.versions(name) if each.version == number), None)
        return number, 0.0 if made is None else max(0.0, now - made.created)

    def _is_free(
        self, name: str, alias: str, holder: ModelVersion | None, asked: float, behind: float
    ) -> bool:
        """Whether nobody has set an alias since a step asked for it."""
        # A version that is newer has got its alias since, whatever the clock of whoever gave it says.
        if holder is not None and float(holder.tags.get(ASKED, holder.created + behind)) >= asked:
            return False
        changed = self.alias_changed(name, alias)
        return holder is None if changed is None else changed < asked

    def find(self, wanted: ModelName) -> ModelVersion:
        """Return the version that a name stands for: the newest one where it names neither version nor alias.

        Raises:
            UnknownName: there is no such model, version or alias.
        """
        found = self.versions(wanted.name)
        if not found:
            known = list(dict.fromkeys(each.name for each in self.versions()))
            raise UnknownName(
                "registered model", wanted.name, known, hint="Register one with `%model register`."
            )
        if wanted.alias:
            named = next((each for each in found if wanted.alias in each.aliases), None)
            if named is None:
                aliases = [alias for each in found for alias in each.aliases]
                raise UnknownName(f"alias of model '{wanted.name}' called", wanted.alias, aliases)
            return named
        if wanted.version is not None:
            numbered = next((each for each in found if each.version == wanted.version), None)
            if numbered is None:
                numbers = [str(each.version) for each in found]
                raise UnknownName(f"version of model '{wanted.name}' numbered", str(wanted.version), numbers)
            return numbered
        return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """What a deployer is to serve.

    Attributes:
        name: what to call the deployment.
        version: the registered version.
        payload: what a process of its own needs to load the model (`zennb.lifecycle.payload`), signed by the user.
        load: returns the model in this process; checks whether loading it is trusted.
        folder: the working folder of the process: that of the notebook; "" for this process's own.
    """

    name: str
    version: ModelVersion
    payload: bytes = field(repr=False)
    load: Callable[[], Any]
    folder: str = ""


class ModelDeployer(Component):
    """Serves models over HTTP, each in a process of its own that outlives the kernel.

    An implementation guarantees, and `zennb.testing.model_deployer.ModelDeployerContract` checks: when `deploy`
    returns, the model answers; another instance in another process lists it, asks it and stops it; a deployment whose
    process has died is listed as `dead`; what cannot be loaded is not deployed, and what was served under the name
    before goes on. It listens on 127.0.0.1 unless another host was asked for, and on any other only with a token.
    """

    type = "model_deployer"

    predictions: str = "/predict"
    """Where a deployment is asked for predictions."""

    def use(self, folder: Path) -> None:
        """Take the directory of the home for what is known of deployments, before anything else is called.

        It may not exist yet. By default none is needed.
        """
        del folder

    @abstractmethod
    def deploy(self, model: ServedModel, *, host: str = "", port: int = 0) -> Deployment:
        """Serve a model, in place of what was served under its name before, and return it once it answers.

        Args:
            model: what to serve.
            host: the address to listen on; "" for that of before, or 127.0.0.1.
            port: the port; 0 for that of before, or a free one.

        Raises:
            DeploymentFailed: it cannot be served; the message says why, in the words of its process.
            UsageError: the deployer cannot listen on that host safely.
        """

    @abstractmethod
    def deployments(self) -> list[Deployment]:
        """Return all that were deployed and not deleted, by name, with what they are doing now."""

    @abstractmethod
    def start(self, name: str) -> Deployment:
        """Serve again what was stopped or has died: the same version, on the same port, with the same token."""

    @abstractmethod
    def stop(self, name: str) -> Deployment:
        """End the process of a deployment; it can be started again. What has ended already stays so."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Stop a deployment and forget it, with its log."""

    @abstractmethod
    def logs(self, name: str) -> str:
        """Return what its process has written, the newest last."""

    @abstractmethod
    def predict(self, name: str, inputs: Any, *, method: str = "predict") -> Any:
        """Ask the deployment, and return its predictions as the model would.

        Raises:
            DeploymentFailed: it does not answer, or its model raised; the message says what.
        """

    def token(self, name: str) -> str:
        """Return the token that requests need; "" where they need none."""
        del name
        return ""

    def find(self, name: str) -> Deployment:
        """Return a deployment.

        Raises:
            UnknownName: there is none of that name.
        """
        known: Sequence[Deployment] = self.deployments()
        found = next((each for each in known if each.name == name), None)
        if found is None:
            hint = "Deploy a registered model with `%model deploy`."
            raise UnknownName("deployment", name, [each.name for each in known], hint=hint)
        return found
