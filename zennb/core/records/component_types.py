"""Owns the list of component types: all of ZenML's, with its names and in its order."""

from __future__ import annotations

from dataclasses import dataclass

from zennb.errors import UnknownName

__all__ = ["COMPONENT_TYPES", "FLAVORS_OF", "REQUIRED_TYPES", "ComponentType", "component_type"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentType:
    """One of ZenML's component types.

    Attributes:
        name: with underscores, as in the metadata store: `artifact_store`.
        purpose: one line.
        instead: why it has no flavors here, or what does its job; "" for a type that has flavors.
    """

    name: str
    purpose: str
    instead: str = ""

    @property
    def command(self) -> str:
        """The name as typed in magics and commands: `artifact-store`."""
        return self.name.replace("_", "-")

    @property
    def title(self) -> str:
        """The name in a sentence: `artifact store`."""
        return self.name.replace("_", " ")

    @property
    def titles(self) -> str:
        """Its plural: `artifact stores`, `model registries`."""
        return f"{self.title[:-1]}ies" if self.title.endswith("y") else f"{self.title}s"


COMPONENT_TYPES: tuple[ComponentType, ...] = (
    ComponentType(name="orchestrator", purpose="runs the steps: in the kernel, in threads, on a cluster"),
    ComponentType(
        name="artifact_store", purpose="keeps what steps made; later steps load their inputs from it"
    ),
    ComponentType(
        name="experiment_tracker", purpose="records parameters, metrics and figures of experiments"
    ),
    ComponentType(name="model_registry", purpose="keeps trained models with their versions and stages"),
    ComponentType(name="model_deployer", purpose="serves a trained model for online inference"),
    ComponentType(
        name="deployer",
        purpose="serves a whole pipeline as a long-running service",
        instead="not needed: `zennb run NOTEBOOK -p NAME=VALUE` runs the pipeline from any scheduler or service",
    ),
    ComponentType(name="data_validator", purpose="checks the quality of data and models and reports on it"),
    ComponentType(
        name="feature_store",
        purpose="manages the features that training and inference share",
        instead="not needed: features are artifacts with versions, which `zennb.load` reads anywhere",
    ),
    ComponentType(name="alerter", purpose="sends messages to a chat or mailbox from within a pipeline"),
    ComponentType(name="annotator", purpose="lets people label data as part of a pipeline"),
    ComponentType(
        name="step_operator", purpose="runs single steps on other machines than the rest of the pipeline"
    ),
    ComponentType(
        name="container_registry",
        purpose="keeps the container images that steps run in",
        instead="not needed: steps are sent to workers as code and data; only a cluster's own workers use images",
    ),
    ComponentType(
        name="image_builder",
        purpose="builds the container images that steps run in",
        instead="not needed: steps are sent to workers as code and data, and no image is built for them",
    ),
    ComponentType(
        name="log_store",
        purpose="keeps the log output of steps",
        instead="not needed: what a step prints is kept with its run, and `%runs logs` shows it",
    ),
    ComponentType(
        name="sandbox",
        purpose="gives a step an isolated place to run untrusted code",
        instead="not offered: a process of the user keeps nobody out; run a notebook you do not trust in a container",
    ),
)
"""Every component type a stack can hold."""

REQUIRED_TYPES: tuple[str, ...] = ("orchestrator", "artifact_store")
"""Types that every stack has exactly one component of."""

FLAVORS_OF = {"step_operator": "orchestrator"}
"""Types that have the flavors of another one: whatever runs steps can run a single one."""

_BY_NAME = {known.name: known for known in COMPONENT_TYPES}


def component_type(name: str) -> ComponentType:
    """Return the component type called `name`, written with dashes or underscores.

    Raises:
        UnknownName: there is no such type.
    """
    found = _BY_NAME.get(name.replace("-", "_"))
    if found is None:
        raise UnknownName("component type", name, [known.command for known in COMPONENT_TYPES])
    return found
