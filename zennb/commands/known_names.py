"""Owns `KnownNames`: a snapshot of existing names, so that completion does no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from zennb import plugins
from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.errors import ZennbError
from zennb.lifecycle.deployments import deployment_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.commands.session import Session
    from zennb.registry.workspace import Workspace

__all__ = ["KnownNames"]

MOST = 500
"""Artifacts offered by completion; older ones can still be typed."""


@cache
def _flavors() -> dict[str, tuple[str, ...]]:
    """Return the installed flavors; cached, since finding them takes tens of milliseconds."""
    return {kind: tuple(found) for kind, found in plugins.all_flavors().items()}


@cache
def _options(kind: str, flavor: str) -> tuple[str, ...]:
    try:
        return tuple(plugins.load(kind, flavor).options())
    except (ImportError, ZennbError):
        return ()


@dataclass(slots=True)
class KnownNames:
    """A snapshot of names, by kind: `stack`, `artifact`, `step`, `run`, `artifact_store`, `flavor:artifact_store`, ...

    Reading does no I/O. `refresh` does, and is called after commands and cells.
    """

    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, kind: str) -> tuple[str, ...]:
        """Return the names of one kind; none for an unknown kind."""
        return self.known.get(kind, ())

    def options_of(self, kind: str, flavor: str) -> tuple[str, ...]:
        """Return the names of a flavor's options; its class is imported the first time, none if it cannot be."""
        return _options(kind, flavor) if flavor in self.of(f"flavor:{kind}") else ()

    def beside(self, **more: tuple[str, ...]) -> KnownNames:
        """Return this snapshot together with names of other kinds."""
        return KnownNames({**self.known, **more})

    def refresh(self, workspace: Workspace, session: Session | None) -> None:
        """Look everything up again."""
        metadata = workspace.metadata
        found = {
            "stack": tuple(stack.name for stack in metadata.stacks()),
            "artifact": tuple(metadata.artifact_names(limit=MOST)),
            "run": tuple(str(run) for run in metadata.run_ids(limit=20)),
            "metric": tuple(metadata.listings.metric_names()),
            "tag": tuple(metadata.labels.keys()),
            "model": tuple(
                dict.fromkeys(
                    name for each in metadata.models.versions() for name in (each.name, *each.names)
                )
            ),
            "deployment": tuple(deployment_names(workspace)),
            "step": () if session is None else tuple(session.step_names()),
            "component type": tuple(kind.command for kind in COMPONENT_TYPES),
        }
        components = metadata.components()
        for kind in COMPONENT_TYPES:
            found[kind.name] = tuple(each.name for each in components if each.type == kind.name)
        found["step operator"] = tuple(dict.fromkeys(found["step_operator"] + found["orchestrator"]))
        found |= {f"flavor:{kind}": names for kind, names in _flavors().items()}
        self.known = found  # one assignment: a completion in another thread sees the old or the new
