"""Owns `Pool`: the open components of this process, each opened once, and the directories of local stores."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from zennb.components.models import ModelDeployer, ModelRegistry
from zennb.errors import ZennbError
from zennb.registry.flavors import made
from zennb.registry.names import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.components.component import Component
    from zennb.components.models import ModelRecords
    from zennb.core.records.records import ComponentSpec

__all__ = ["Pool", "located", "place"]


class Pool:
    """Open components by their configuration, so that using a stack again opens no database again.

    A `memory` store lives as long as the pool, and all stacks that name it share it.

    Args:
        home: the home directory, which contains the local stores.
        models: the tables of its registered models, for the model registry that keeps them there.
    """

    def __init__(self, home: Path, models: ModelRecords | None = None) -> None:
        self._home, self._models = home, models
        self._lock = threading.Lock()
        self._open: dict[str, Component] = {}

    def get(self, spec: ComponentSpec) -> Component:
        """Return the component of `spec`; components open themselves at first use.

        Raises:
            UnknownName, MissingExtra, InvalidConfiguration: it cannot be made.
        """
        complete = located(spec, self._home)
        key = _key(complete)
        with self._lock:
            if key not in self._open:
                component = self._open[key] = made(complete)
                if isinstance(component, ModelRegistry) and self._models is not None:
                    component.use(self._models)
                if isinstance(component, ModelDeployer):
                    component.use(self._home / "deployments")
            return self._open[key]

    def opened(self, spec: ComponentSpec) -> Component | None:
        """Return the component of `spec` if it was opened before."""
        with self._lock:
            return self._open.get(_key(located(spec, self._home)))

    def close(self) -> None:
        """Close every component, even if one of them fails to close."""
        with self._lock:
            components, self._open = list(self._open.values()), {}
        with contextlib.ExitStack() as stack:
            for component in components:
                stack.callback(_close, component)


def _key(spec: ComponentSpec) -> str:
    # By configuration: a component that another kernel updates is opened anew, and the old one
    # stays for runs that use it.
    return json.dumps([spec.type, spec.name, spec.flavor, sorted(spec.config.items())])


def _close(component: Component) -> None:
    # Closing a store or cluster that no longer exists fails, and nothing is lost by that.
    with contextlib.suppress(ZennbError):
        component.close()


def place(spec: ComponentSpec, home: Path) -> str:
    """Return the directory of a local artifact store; "" for any other component.

    The store of the stack `default` is in `artifacts/` of the home, each other one in a directory named by a digest:
    names that users choose never become paths.
    """
    if (spec.type, spec.flavor) != ("artifact_store", "local"):
        return ""
    if spec.config.get("path"):
        return spec.config["path"]
    if spec.name == DEFAULT:
        return str(home / "artifacts")
    return str(home / "stores" / sha256(spec.name.encode("utf-8", "surrogatepass")).hexdigest()[:12])


def located(spec: ComponentSpec, home: Path) -> ComponentSpec:
    """Return `spec` with its directory, or its file in the home, among its options, ready to be opened."""
    if (spec.type, spec.flavor) == ("alerter", "local") and not spec.config.get("path"):
        return replace(spec, config={**spec.config, "path": str(home / "alerts.log")})
    directory = place(spec, home)
    return replace(spec, config={**spec.config, "path": directory}) if directory else spec
