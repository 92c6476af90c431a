"""Owns `Pool`: the open components of this process, each opened once, and the directories of local stores."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from zennb.errors import ZennbError
from zennb.registry.flavors import made
from zennb.registry.names import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.components.component import Component
    from zennb.core.records.records import ComponentSpec

__all__ = ["Pool", "located", "place"]


class Pool:
    """Open components by what is registered, so that using a stack again opens no database again.

    What is held in memory lives as long as the pool: two stacks that name one `memory` store share it.

    Args:
        home: the directory of the home, where local stores live.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._open: dict[str, Component] = {}

    def get(self, spec: ComponentSpec) -> Component:
        """Return the component of `spec`; components open themselves at first use.

        Raises:
            UnknownName, MissingExtra, InvalidConfiguration: it cannot be made.
        """
        whole = located(spec, self._home)
        key = json.dumps([whole.type, whole.name, whole.flavor, sorted(whole.config.items())])
        with self._lock:
            if key not in self._open:
                self._open[key] = made(whole)
            return self._open[key]

    def close(self) -> None:
        """Close every component; one that fails to close keeps no other from it."""
        with self._lock:
            components, self._open = list(self._open.values()), {}
        with contextlib.ExitStack() as stack:
            for component in components:
                stack.callback(_close, component)


def _close(component: Component) -> None:
    # A store or cluster that is gone already cannot be closed in good order, and nothing is lost by that.
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
    """Return `spec` with its directory among its options, ready to be opened."""
    directory = place(spec, home)
    return replace(spec, config={**spec.config, "path": directory}) if directory else spec
