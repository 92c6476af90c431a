"""Owns `MissingData`: inputs that are loaded while the definitions of a step are rebuilt, and those left until then.

Code and data need each other: a default argument refers to data, an instance to its class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

    from zennb.core.records.records import Artifact
    from zennb.engine.run.artifact_repository import ArtifactRepository

__all__ = ["MissingData"]


class MissingData:
    """Loads each artifact into a namespace once: loaded again it would be another object than the one in use.

    Args:
        namespace: where to.
        artifacts: name → artifact.
        repository: loads them.
    """

    def __init__(
        self,
        namespace: MutableMapping[str, Any],
        artifacts: Mapping[str, Artifact],
        repository: ArtifactRepository,
    ) -> None:
        self._namespace, self._repository = namespace, repository
        self._missing = dict(artifacts)

    def load(self, name: str) -> None:
        """Load an artifact with those that are stored together with it; nothing when there is none of this name."""
        blob = self._missing[name].blob if name in self._missing else None
        self._load(each for each, artifact in self._missing.items() if artifact.blob == blob)

    def load_rest(self) -> None:
        """Load what nothing has asked for."""
        self._load(self._missing)

    def _load(self, names: Iterable[str]) -> None:
        chosen = {name: self._missing[name] for name in names}
        self._namespace.update(self._repository.load(chosen))
        for name in chosen:
            del self._missing[name]
