"""Owns the records of registered models and of deployments, and the names `classifier@champion` that point to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.core.records.labels import has_tag
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LATEST",
    "Deployment",
    "ModelName",
    "ModelVersion",
    "checked_alias",
    "is_loopback",
    "parse_model_name",
]

LATEST = "latest"
"""What stands after `@` for the newest version; never an alias."""

_VERSION = re.compile(r"v?([0-9]{1,9})", re.IGNORECASE)
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One version of a registered model: a name, a number, and the artifact they stand for.

    Attributes:
        name: the model.
        version: counts from 1 per model; no number is given twice. 0 for one that waits in the outbox, because its
            registry could not be reached.
        artifact: name of the artifact.
        artifact_version: its version.
        digest: digest of its value, which tells whether it is the artifact of this home.
        aliases: names that stand for this version, such as `champion`; each stands for one version of the model.
        created: when it was registered, in seconds since the epoch.
        note: what the user noted.
        tags: what the user tagged it with: key → text.
    """

    name: str
    version: int
    artifact: str
    artifact_version: int
    digest: str
    aliases: tuple[str, ...] = ()
    created: float = 0.0
    note: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """`classifier v3`; `classifier (not registered yet)` for one that waits in the outbox."""
        return f"{self.name} v{self.version}" if self.version else f"{self.name} (not registered yet)"

    @property
    def names(self) -> tuple[str, ...]:
        """What stands for this version: `classifier@champion`, `classifier@3`."""
        return tuple(f"{self.name}@{each}" for each in (*self.aliases, self.version))

    def has_tag(self, wanted: str | None) -> bool:
        """Whether it has a tag, given as `KEY` or `KEY=TEXT`; every version has None."""
        return has_tag(self.tags, wanted)

    @property
    def source(self) -> str:
        """The artifact that it stands for: `model v5`."""
        return f"{self.artifact} v{self.artifact_version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A model that is served, or was.

    Attributes:
        name: the deployment; by default that of the model.
        model: the registered model.
        version: its version.
        artifact: label of the artifact that is served.
        deployer: name of the component that serves it.
        flavor: flavor of that component.
        state: `running`, `not answering`, `dead` (its process is gone, and nobody stopped it) or `stopped`.
        url: where it answers: `http://127.0.0.1:43211`.
        host: the address that it listens on.
        port: its port; the same after a restart.
        process: id of its process; 0 when there is none.
        machine: the machine that it runs on.
        started: when it was started last, in seconds since the epoch.
        requests: predictions that it has answered since it was deployed.
        problem: why it is dead, as far as is known.
    """

    name: str
    model: str
    version: int
    artifact: str
    deployer: str
    flavor: str
    state: str
    url: str
    host: str
    port: int
    process: int = 0
    machine: str = ""
    started: float = 0.0
    requests: int = 0
    problem: str = ""

    @property
    def label(self) -> str:
        """The model and version that it serves: `classifier v3`."""
        return f"{self.model} v{self.version}"

    @property
    def is_open(self) -> bool:
        """Whether other machines can reach it."""
        return not is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on a host."""
    return host in {"localhost", "::1"} or host.startswith("127.")


@dataclass(frozen=True, slots=True)
class ModelName:
    """A name as typed: a model, and which of its versions.

    Attributes:
        name: the model.
        version: the number that was typed; None for the newest version, or that of the alias.
        alias: the alias that was typed; "" for none.
    """

    name: str
    version: int | None = None
    alias: str = ""


def parse_model_name(text: str) -> ModelName:
    """Return what `classifier`, `classifier@champion`, `classifier@3` or `classifier@latest` means.

    Raises:
        UsageError: what stands after `@` is neither a version nor an alias.
    """
    name, at, which = text.rpartition("@")
    if not at:
        return ModelName(text)
    if not name:
        raise UsageError(f"'{text}' names no model; type e.g. `classifier@champion`.")
    if which == LATEST:
        return ModelName(name)
    if (number := _VERSION.fullmatch(which)) is not None:
        return ModelName(name, version=int(number[1]))
    return ModelName(name, alias=checked_alias(which))


def checked_alias(alias: str) -> str:
    """Return an alias if it is allowed.

    Raises:
        UsageError: it is not: it could be read as a version, or has characters that need quotes.
    """
    if alias == LATEST or _VERSION.fullmatch(alias):
        raise UsageError(
            f"'{alias}' cannot be an alias, because `@{alias}` means a version; choose a word, e.g. `champion`."
        )
    if not _ALIAS.fullmatch(alias):
        raise UsageError(
            f"'{alias}' cannot be an alias; use up to 64 letters, digits, dots, dashes and underscores, and a letter "
            "first, e.g. `champion`."
        )
    return alias
