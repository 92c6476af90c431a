"""Owns what is refused because of where a step would run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.errors import StepRefused, UnknownName

if TYPE_CHECKING:
    from zennb.components.component import Orchestrator
    from zennb.core.records.records import ComponentSpec
    from zennb.engine.step.definition import StepDefinition

__all__ = ["magics_refused", "unknown_operator"]


def unknown_operator(name: str) -> tuple[ComponentSpec, Orchestrator]:
    """Refuse any `--on NAME`, where nothing is registered.

    Raises:
        UnknownName: always.
    """
    raise UnknownName("step operator or orchestrator", name)


def magics_refused(definition: StepDefinition, where: str) -> StepRefused:
    """Return the error of a step with magic or shell lines that would run outside the kernel.

    Args:
        definition: the step.
        where: what would run it.
    """
    first = definition.analysis.magics[0]
    return StepRefused(
        f"step '{definition.name}', line {first.line}: `{first.text}` works only in the kernel, and {where} runs steps "
        "elsewhere; take the line out of the step, or run it on a stack whose orchestrator is local."
    )
