"""Owns `HeldValues`: secrets, and what cannot be stored, that steps of one run bind. They stay in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from zennb.core.records.records import Step
    from zennb.engine.run.run_request import RunRequest

__all__ = ["HeldValues"]


@dataclass(slots=True)
class HeldValues:
    """The values that steps of a run bound and that are not stored.

    Attributes:
        of_step: step → name → value.
        sharing: step → name → value, of what shares state with these values: its inputs and outputs, and one of the
            values with another.
    """

    of_step: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    sharing: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def note(
        self, step: str, values: Mapping[str, Any], sharing: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Hold what a step bound.

        Args:
            step: its name.
            values: name → value.
            sharing: name → value, of what shares state with these.
        """
        if values:
            self.of_step[step] = dict(values)
            self.sharing[step] = dict(sharing)

    def refusal(self, step: str, changed: Collection[str]) -> StepRefused | None:
        """Return an error if a step changed copies of what goes on as it was inside a value that is held.

        Args:
            step: its name.
            changed: names of the inputs that it changed in place.
        """
        for maker, sharing in self.sharing.items():
            # Of two values that share state, and could not be stored together, one alone may be.
            name = next((each for each in changed if each in sharing), "")
            if name:
                value = next(each for each in self.of_step[maker] if each != name)
                return StepRefused(
                    f"step '{step}' changed a copy of `{name}`, and `{value}` of step '{maker}', which cannot be "
                    "stored, may go on with it as it was. Change it in that step, or run both steps by their own cells."
                )
        return None

    def made(self, request: RunRequest, steps: Mapping[str, Step], name: str) -> Mapping[str, bool] | None:
        """Return the names that a step of a run has bound, changed or deleted; None if it has not ended well.

        The value says whether the name is bound.
        """
        step = steps.get(name)
        if step is None or not step.status.is_good:
            return None
        bound = {*step.outputs, *self.of_step.get(name, ()), *request.definitions[name].options.no_store}
        return {**dict.fromkeys(step.deletes, False), **dict.fromkeys(bound, True)}

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
