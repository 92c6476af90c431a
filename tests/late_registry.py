"""Owns a model registry in memory for tests, that can be out of reach."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from zennb.components.models import ModelRegistry
from zennb.core.records.models import ModelVersion
from zennb.errors import StoreBusy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Artifact

__all__ = ["FarRegistry", "seen"]

DOWN = "the registry did not answer within 20 s; check that it runs."


class FarRegistry(ModelRegistry):
    """Keeps models in the class, as a server does. Answers nobody while `is_down`; its clock is `behind`."""

    flavor = "far"
    description = "for tests"
    is_down: ClassVar[bool] = False
    asked: ClassVar[list[str]] = []
    rows: ClassVar[list[ModelVersion]] = []
    behind: ClassVar[float] = 0.0
    times: ClassVar[dict[tuple[str, str], float]] = {}

    @classmethod
    def empty(cls) -> None:
        cls.is_down, cls.asked, cls.rows, cls.times, cls.behind = False, [], [], {}, 0.0

    def _called(self, what: str) -> None:
        self.asked.append(what)
        if self.is_down:
            raise StoreBusy(DOWN)

    def register(
        self, name: str, artifact: Artifact, *, note: str = "", tags: Mapping[str, str] | None = None
    ) -> int:
        self._called("register")
        number = 1 + sum(each.name == name for each in self.rows)
        made = ModelVersion(
            name=name,
            version=number,
            artifact=artifact.name,
            artifact_version=artifact.version,
            digest=artifact.digest,
            created=time.time() - self.behind,
            note=note,
            tags=tags or {},
        )
        self.rows.append(made)
        return number

    def versions(self, name: str | None = None) -> list[ModelVersion]:
        self._called("versions")
        return sorted(
            (each for each in self.rows if name in {None, each.name}),
            key=lambda each: (each.name, -each.version),
        )

    def set_alias(self, name: str, alias: str, version: int) -> None:
        self.set_alias_late(name, alias, version, asked=time.time())

    def set_alias_late(self, name: str, alias: str, version: int, *, asked: float) -> None:
        self._called("set alias")
        self._move(name, alias, version, asked)

    def delete_alias(self, name: str, alias: str) -> None:
        self._called("delete alias")
        self._move(name, alias, 0, time.time())

    def alias_changed(self, name: str, alias: str) -> float | None:
        return self.times.get((name, alias))

    def _move(self, name: str, alias: str, version: int, when: float) -> None:
        self.times[name, alias] = when
        for place, each in enumerate(self.rows):
            if each.name == name:
                others = tuple(other for other in each.aliases if other != alias)
                now = (*others, alias) if each.version == version else others
                self.rows[place] = replace(each, aliases=now)

    def delete(self, name: str, version: int) -> None:
        self._called("delete")
        self.rows[:] = [each for each in self.rows if (each.name, each.version) != (name, version)]

    def describe(self, name: str, version: int, note: str, tags: Mapping[str, str]) -> None:
        self._called("describe")
        for place, each in enumerate(self.rows):
            if (each.name, each.version) == (name, version):
                self.rows[place] = replace(each, note=note, tags=tags)

    @classmethod
    def aliases(cls, name: str) -> dict[str, int]:
        """Return alias → version, without being asked."""
        return {alias: each.version for each in cls.rows if each.name == name for alias in each.aliases}


def seen(displays: Any) -> str:
    """Return the plain text of what a cell displayed."""
    return "\n".join(str(each["data"].get("text/plain", "")) for each in displays)
