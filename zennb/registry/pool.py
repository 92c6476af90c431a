"""Owns the components that are open in this process: each once, however many stacks use it."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING

from zennb.errors import ZennbError
from zennb.registry.flavors import made
from zennb.registry.location import located

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.components.component import Component
    from zennb.core.records.records import ComponentSpec

__all__ = ["Pool"]


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
