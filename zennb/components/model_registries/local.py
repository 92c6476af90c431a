"""Owns `LocalModelRegistry`: models in the metadata store of the home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.components.component import Visibility
from zennb.components.models import ModelRegistry
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.components.models import ModelRecords
    from zennb.core.records.models import ModelVersion
    from zennb.core.records.records import Artifact

__all__ = ["LocalModelRegistry"]


class LocalModelRegistry(ModelRegistry):
    """The models of a home: whichever component of this flavor a stack has, they are the same."""

    flavor = "local"
    description = "keeps models in zennb's own records, shared by all kernels that use the home"
    visibility = Visibility.MACHINE
    pins = False  # the metadata store knows what is registered

    _records: ModelRecords | None = None

    def use(self, records: ModelRecords) -> None:
        """Take the tables of the home."""
        self._records = records

    def register(
        self, name: str, artifact: Artifact, *, note: str = "", tags: Mapping[str, str] | None = None
    ) -> int:
        """Register an artifact as the next version of a model."""
        number = self._tables.add(name, (artifact.name, artifact.version), note=note, tags=tags)
        if number is None:
            raise StoreError(f"{artifact.label} is not on record in this home any more; run its step again.")
        return number

    def versions(self, name: str | None = None) -> list[ModelVersion]:
        """Return the versions of one model or all: by name, newest first."""
        return self._tables.versions(name)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias stand for a version."""
        self._tables.set_alias(name, alias, version)

    def delete_alias(self, name: str, alias: str) -> None:
        """Take an alias away."""
        self._tables.delete_alias(name, alias)

    def delete(self, name: str, version: int) -> None:
        """Delete a version with its aliases."""
        self._tables.delete(name, version)

    def describe(self, name: str, version: int, note: str, tags: Mapping[str, str]) -> None:
        """Set the note and all tags of a version."""
        self._tables.describe(name, version, note, tags)

    @property
    def _tables(self) -> ModelRecords:
        if self._records is None:
            raise StoreError(
                f"the model registry '{self.name}' belongs to no home; open it through a workspace."
            )
        return self._records
