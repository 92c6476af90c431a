"""Owns `HeldValues`: secrets, and what cannot be stored, that steps of one run bind. They stay in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.engine.run.run_request import RunRequest

__all__ = ["HeldValues"]


@dataclass(slots=True)
class HeldValues:
    """The values that steps of a run bound and that are not stored.

    Attributes:
        of_step: step → name → value.
    """

    of_step: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def note(self, step: str, values: Mapping[str, Any]) -> None:
        """Hold what a step bound."""
        if values:
            self.of_step[step] = dict(values)

    def beside(self, request: RunRequest, reader: str) -> RunRequest:
        """Return the request as one of its steps sees it: with the values of the steps that it reads from.

        Without them it would read what the notebook holds under these names, which may be of an earlier run.
        """
        sources = request.plan.sources.get(reader, {})
        found = {
            name: self.of_step[step][name]
            for name, step in sources.items()
            if name in self.of_step.get(step, {})
        }
        if not found:
            return request
        return replace(
            request,
            namespace={**request.namespace, **found},
            overrides={**request.overrides, **found},
        )
