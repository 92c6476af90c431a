"""Owns what a step gets of the optional components of its stack: the checks of its outputs, and its alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import plugins
from zennb.engine.delivery.alerts import NOT_WATCHED
from zennb.engine.step.output_checks import StepChecks, checked_outputs
from zennb.registry.names import DEFAULT

if TYPE_CHECKING:
    from zennb.engine.delivery.alerts import Watched
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition

__all__ = ["step_checks", "watch_step"]


def watch_step(context: RunContext, definition: StepDefinition) -> Watched:
    """Begin to watch a step, if somebody wants to be told of it (`--notify`).

    Raises:
        UnknownName: there is no such alerter.
    """
    notify, services = definition.options.notify, context.services
    if not notify or services is None or definition.element_of:
        return NOT_WATCHED
    of = f" of {context.notebook}" if context.notebook else ""
    return services.alerts.watch(notify, f"step '{definition.name}'{of}")


def step_checks(context: RunContext, definition: StepDefinition) -> StepChecks | None:
    """Return what the outputs of a step are checked with; None for a step without `--check`.

    Raises:
        MissingExtra, InvalidConfiguration: the data validator of the stack cannot be made.
    """
    if not definition.options.checks:
        return None
    if context.services is None:
        validator = plugins.load("data_validator", "local").from_config(DEFAULT, {})
    else:
        validator = context.services.validator
    earlier = {}
    # Elements of a mapped step have no versions of their own.
    for name in () if definition.element_of else _checked(definition):
        artifact = context.metadata.current_output(name, context.notebook)
        if artifact is not None:
            earlier[name] = artifact
    return StepChecks(validator=validator, earlier=earlier)


def _checked(definition: StepDefinition) -> list[str]:
    """Return the outputs that are checked; where only the run will show which it is, all inputs that it may change."""
    return [
        name
        for output in checked_outputs(definition)
        for name in ([output] if output else definition.analysis.reads)
    ]
