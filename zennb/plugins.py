"""Owns flavors: finding the class of a flavor's name in our table and in the entry points of installed packages.

A package adds a flavor by the entry point `"<type>.<flavor>" = "module:Class"` in the group `zennb.flavors`.
Listing flavors imports none of them; a flavor's module is imported when a component of it is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from zennb.core.records.component_types import FLAVORS_OF, component_type
from zennb.errors import UnknownName
from zennb.packages.entry_points import Offer, broken, entry_offers, not_installed
from zennb.packages.entry_points import load as load_offer

__all__ = ["GROUP", "FlavorInfo", "all_flavors", "flavors", "load"]

GROUP = "zennb.flavors"
"""The entry-point group that packages add flavors in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorInfo:
    """One flavor, before anything of it is imported.

    Attributes:
        type: the component type it implements, with underscores.
        name: as typed after `--flavor=`.
        target: where its class is: `module:Class`.
        extra: the argument of `pip install` when its module cannot be imported: `zennb[dask]`; "" for none.
        libraries: modules that have to be installed; importing them may take seconds, so they are only looked for.
        description: one line; "" for flavors of other packages, whose class has to be loaded to know it.
        source: the distribution that provides it; `zennb` for ours.
    """

    type: str
    name: str
    target: str
    extra: str = ""
    libraries: tuple[str, ...] = ()
    description: str = ""
    source: str = "zennb"


_OURS: tuple[FlavorInfo, ...] = (
    FlavorInfo(
        type="orchestrator",
        name="local",
        target="zennb.components.orchestrators.local:LocalOrchestrator",
        description="runs steps in this kernel, one after another",
    ),
    FlavorInfo(
        type="orchestrator",
        name="threads",
        target="zennb.components.orchestrators.threads:ThreadsOrchestrator",
        description="runs independent steps side by side, in threads of this kernel",
    ),
    FlavorInfo(
        type="orchestrator",
        name="processes",
        target="zennb.components.orchestrators.processes:ProcessesOrchestrator",
        extra="zennb[processes]",
        description="runs independent steps side by side, in processes of this machine",
    ),
    FlavorInfo(
        type="orchestrator",
        name="dask",
        target="zennb.components.orchestrators.dask:DaskOrchestrator",
        extra="zennb[dask]",
        description="runs steps on the workers of a Dask cluster",
    ),
    FlavorInfo(
        type="orchestrator",
        name="slurm",
        target="zennb.components.orchestrators.slurm:SlurmOrchestrator",
        extra="zennb[slurm]",
        libraries=("executorlib", "h5py", "pysqa"),
        description="runs each step as a batch job of SLURM",
    ),
    FlavorInfo(
        type="orchestrator",
        name="flux",
        target="zennb.components.orchestrators.flux:FluxOrchestrator",
        extra="zennb[flux]",
        libraries=("executorlib", "h5py", "pysqa"),
        description="runs each step as a batch job of Flux",
    ),
    FlavorInfo(
        type="orchestrator",
        name="executor",
        target="zennb.components.orchestrators.executor:ExecutorOrchestrator",
        description="runs steps on any executor: ipyparallel, mpi4py, Ray, Parsl, ...",
    ),
    FlavorInfo(
        type="artifact_store",
        name="local",
        target="zennb.components.artifact_stores.local:LocalArtifactStore",
        description="keeps artifacts in a directory, shared by all kernels on this machine",
    ),
    FlavorInfo(
        type="artifact_store",
        name="memory",
        target="zennb.components.artifact_stores.memory:MemoryArtifactStore",
        description="keeps artifacts in this kernel's memory; they are gone when it ends",
    ),
    FlavorInfo(
        type="artifact_store",
        name="fsspec",
        target="zennb.components.artifact_stores.fsspec:FsspecArtifactStore",
        extra="zennb[fsspec]",
        libraries=("fsspec",),
        description="keeps artifacts wherever fsspec reaches: SFTP, SMB, HDFS, object stores",
    ),
    FlavorInfo(
        type="artifact_store",
        name="s3",
        target="zennb.components.artifact_stores.s3:S3ArtifactStore",
        extra="zennb[s3]",
        libraries=("fsspec", "s3fs"),
        description="keeps artifacts in a bucket of S3, or of MinIO, R2, Ceph and others with its API",
    ),
    FlavorInfo(
        type="artifact_store",
        name="gcs",
        target="zennb.components.artifact_stores.gcs:GcsArtifactStore",
        extra="zennb[gcs]",
        libraries=("fsspec", "gcsfs"),
        description="keeps artifacts in a bucket of Google Cloud Storage",
    ),
    FlavorInfo(
        type="artifact_store",
        name="azure",
        target="zennb.components.artifact_stores.azure:AzureArtifactStore",
        extra="zennb[azure]",
        libraries=("fsspec", "adlfs"),
        description="keeps artifacts in a container of Azure Blob Storage",
    ),
    FlavorInfo(
        type="experiment_tracker",
        name="local",
        target="zennb.components.experiment_trackers.local:LocalExperimentTracker",
        description="keeps metrics and parameters in the records of the home, for `%runs compare` and `%runs chart`",
    ),
    FlavorInfo(
        type="experiment_tracker",
        name="mlflow",
        target="zennb.components.experiment_trackers.mlflow:MlflowExperimentTracker",
        extra="zennb[mlflow]",
        libraries=("mlflow",),
        description="logs steps to MLflow: a local SQLite database, or a server",
    ),
    FlavorInfo(
        type="data_validator",
        name="local",
        target="zennb.components.data_validators.local:LocalDataValidator",
        description="checks types, ranges, nulls, allowed values, row counts and drift, given as a plain dict",
    ),
    FlavorInfo(
        type="data_validator",
        name="pandera",
        target="zennb.components.data_validators.pandera:PanderaDataValidator",
        extra="zennb[pandera]",
        libraries=("pandera",),
        description="checks data frames against schemas of pandera, given or inferred from the version before",
    ),
    FlavorInfo(
        type="alerter",
        name="local",
        target="zennb.components.alerters.local:LocalAlerter",
        description="shows a notice in the notebook, and writes it to a log file",
    ),
    FlavorInfo(
        type="alerter",
        name="apprise",
        target="zennb.components.alerters.apprise:AppriseAlerter",
        extra="zennb[apprise]",
        libraries=("apprise",),
        description="sends messages by URL to over a hundred services: Slack, Teams, Telegram, mail, ntfy, ...",
    ),
    FlavorInfo(
        type="annotator",
        name="local",
        target="zennb.jupyter.panels.labeller:LocalAnnotator",
        description="labels texts, images and rows in the notebook, with buttons and keys",
    ),
    FlavorInfo(
        type="model_registry",
        name="local",
        target="zennb.components.model_registries.local:LocalModelRegistry",
        description="keeps models in zennb's own records, shared by all kernels that use the home",
    ),
    FlavorInfo(
        type="model_registry",
        name="mlflow",
        target="zennb.components.model_registries.mlflow:MlflowModelRegistry",
        extra="zennb[mlflow]",
        libraries=("mlflow",),
        description="keeps models in the registry of an MLflow server, or of a database of MLflow",
    ),
    FlavorInfo(
        type="model_deployer",
        name="local",
        target="zennb.components.model_deployers.local:LocalModelDeployer",
        description="serves each model over HTTP on 127.0.0.1, in a process of its own",
    ),
    FlavorInfo(
        type="model_deployer",
        name="mlflow",
        target="zennb.components.model_deployers.mlflow:MlflowModelDeployer",
        extra="zennb[mlflow]",
        libraries=("mlflow", "fastapi", "uvicorn"),
        description="serves each model by MLflow's scoring server, behind a token, in a process of its own",
    ),
    FlavorInfo(
        type="model_deployer",
        name="bentoml",
        target="zennb.components.model_deployers.bentoml:BentomlModelDeployer",
        extra="zennb[bentoml]",
        libraries=("bentoml",),
        description="serves each model as a service of BentoML, behind a token, in a process of its own",
    ),
)


def flavors(type: str) -> dict[str, FlavorInfo]:  # noqa: A002 - the word of the field
    """Return the flavors of a component type by name: ours first, then those of other packages by name.

    Args:
        type: the component type, with dashes or underscores.

    Raises:
        UnknownName: there is no such component type.
    """
    return all_flavors().get(component_type(type).name, {})


def all_flavors() -> dict[str, dict[str, FlavorInfo]]:
    """Return the flavors of every component type that has any: type → name → flavor, in the order of `flavors`.

    This reads the metadata of every installed package, so call it once for all types.
    """
    found: dict[str, dict[str, FlavorInfo]] = {}
    for info in _OURS:
        found.setdefault(info.type, {})[info.name] = info
    others = [_from_offer(offer) for offer in entry_offers(GROUP)]
    # Ours win, then the first distribution by name, so that the meaning of a name does not depend on import order.
    for info in sorted(others, key=lambda other: (other.name, other.source)):
        if info.name:
            found.setdefault(info.type, {}).setdefault(info.name, info)
    for kind, other in FLAVORS_OF.items():
        for name, info in found.get(other, {}).items():
            found.setdefault(kind, {}).setdefault(name, replace(info, type=kind))
    return found


def load(type: str, flavor: str) -> Any:  # noqa: A002 - the word of the field
    """Import and return the class of a flavor.

    Args:
        type: the component type, with dashes or underscores.
        flavor: the flavor's name.

    Raises:
        UnknownName: there is no such type or flavor.
        MissingExtra: a library it needs is not installed, or its package is broken.
    """
    wanted = component_type(type).name
    info = next(
        (own for own in _OURS if (own.type, own.name) == (FLAVORS_OF.get(wanted, wanted), flavor)), None
    )
    if info is None:
        info = _look_up(wanted, flavor)
    return _imported(info)


def _look_up(wanted: str, flavor: str) -> FlavorInfo:
    known = flavors(wanted)
    if flavor in known:
        return known[flavor]
    raise UnknownName(f"{component_type(wanted).title} flavor", flavor, known)


def _from_offer(offer: Offer) -> FlavorInfo:
    kind, _, name = offer.name.partition(".")
    return FlavorInfo(type=kind, name=name, target=offer.target, extra=offer.extra, source=offer.source)


def _imported(info: FlavorInfo) -> Any:
    offer = Offer(name=info.name, target=info.target, extra=info.extra, source=info.source)
    absent = next((each for each in info.libraries if find_spec(each) is None), None)
    if absent is not None:
        raise not_installed(offer, _title(info), absent)
    found = load_offer(offer, _title(info))
    types = {info.type, FLAVORS_OF.get(info.type, info.type)}
    if getattr(found, "type", None) not in types or getattr(found, "flavor", None) != info.name:
        raise broken(offer, _title(info), f"{info.target} is not a class of that type and flavor")
    return found


def _title(info: FlavorInfo) -> str:
    return f"The {component_type(info.type).title} flavor '{info.name}' of the package '{info.source}'"
