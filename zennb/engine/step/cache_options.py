"""Owns what `--expires`, `--ignore` and `--no-store` mean for a step: its inputs, its outputs, and who may reuse it."""

from __future__ import annotations

import ast
import re
import time
from dataclasses import replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.core.planning.expiry import ended, expired
from zennb.core.reading.cell_heading import body
from zennb.core.reading.source import analyse
from zennb.dependencies.callables import has_state, is_code
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.errors import StepRefused
from zennb.materializers.available import unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from zennb.core.reading.source import Analysis
    from zennb.core.records.records import Step
    from zennb.engine.step.definition import StepDefinition, StepOptions

__all__ = [
    "changed_although_left_out",
    "check_unstored",
    "counted",
    "end_of_reuse",
    "ignored_inputs",
    "is_ignored",
    "not_reusable",
    "read_although_unstored",
    "refuse_unstored",
    "unstored",
]


# --expires


def not_reusable(steps: Iterable[Step], definition: StepDefinition) -> dict[int | None, str]:
    """Return, by id, why results that fit are not reused: they have expired, or nothing here can read them.

    Args:
        steps: their records, newest first. What is older than an expired result has expired as well, whatever its own
            record allows: nobody who asks for newer results wants older ones.
        definition: the step.
    """
    found: dict[int | None, str] = {}
    over, now = "", time.time()
    for step in steps:
        over = over or expired(step, within=definition.options.expires, now=now)
        reason = over or unreadable(step.outputs.values())
        if reason:
            found[step.id] = reason
    return found


def end_of_reuse(step: Step, definition: StepDefinition) -> Step:
    """Return the record of a step that has just run with the time until which its cell allows it to be reused."""
    within = definition.options.expires
    return step if within is None else replace(step, expires=ended(step) + within)


# --ignore


def ignored_inputs(
    definition: StepDefinition,
    analysis: Analysis,
    namespace: Mapping[str, Any],
    given: Collection[str],
) -> frozenset[str]:
    """Return the inputs that do not count in the key.

    Args:
        definition: the step.
        analysis: what its cell reads, `-i` included.
        namespace: the notebook's variables.
        given: names that come from other steps.

    Raises:
        StepRefused: the step does not read such a name, or it names code.
    """
    names = frozenset(definition.options.ignore)
    if not names:
        return names
    found = resolve_dependencies(analysis, namespace)
    for name in sorted(names):
        value = namespace.get(name)
        if name in found.definitions and is_code(value) and not _is_data(value):
            raise StepRefused(
                f"step '{definition.name}' has `--ignore {name}`, but `{name}` is code; only values can be ignored."
            )
        if not (name in analysis.reads or name in found.data or name in given or name in found.definitions):
            raise StepRefused(
                f"step '{definition.name}' has `--ignore {name}`, but neither its cell nor a function it calls reads "
                f"`{name}`; take it out, or correct the name."
            )
    return names


def _is_data(value: object) -> bool:
    return isinstance(value, FunctionType) and has_state(value)


def is_ignored(flows: Collection[str], options: StepOptions) -> bool:
    """Say whether all values that a step takes from another one are ignored, so that the other is not waited for."""
    return bool(flows) and set(flows) <= set(options.ignore)


def counted(analysis: Analysis, ignored: frozenset[str]) -> Analysis:
    """Return the analysis as if neither the cell nor the functions it reaches read the ignored names."""
    if not ignored:
        return analysis
    return replace(
        analysis,
        reads={name: bound | ignored for name, bound in analysis.reads.items() if name not in ignored},
        chains=frozenset(chain for chain in analysis.chains if chain[0] not in ignored),
        doubtful=analysis.doubtful - ignored,
    )


def changed_although_left_out(
    definition: StepDefinition, outputs: Collection[str], inputs: Collection[str]
) -> list[str]:
    """Return why a step cannot be reused although its key says all: it changed what its options leave out.

    Reuse would set an ignored input to what it was at the time of the run, and could not set one that is not stored.

    Args:
        definition: the step.
        outputs: what it bound or changed, and stores.
        inputs: what it read.
    """
    options = definition.options
    return [
        *(f"it changes `{name}`, which --ignore leaves out" for name in options.ignore if name in outputs),
        *(
            f"it changes `{name}`, which --no-store keeps out of the store"
            for name in options.no_store
            if name in inputs
        ),
    ]


# --no-store


def check_unstored(definition: StepDefinition) -> None:
    """See to it that a step binds what it says is not to be stored.

    Raises:
        StepRefused: it does not.
    """
    for name in definition.options.no_store:
        if name not in definition.analysis.binds:
            raise StepRefused(
                f"step '{definition.name}' has `--no-store {name}`, but its code does not bind `{name}`; take it "
                "out, or correct the name."
            )


def unstored(definition: StepDefinition) -> dict[str, str]:
    """Return what stands in the key for the outputs that are not stored: with others, it is another step."""
    return {f"no-store {name}": "" for name in definition.options.no_store}


def read_although_unstored(name: str, no_store: Collection[str], others: Iterable[Step]) -> tuple[str, ...]:
    """Return why a step cannot be reused: another step of the notebook reads what it does not store.

    Args:
        name: the step.
        no_store: its outputs that are not stored.
        others: the latest records of the notebook's steps.
    """
    return tuple(
        f"step '{step.name}' reads `{each}`, which --no-store keeps out of the store"
        for step in (others if no_store else ())
        if step.name != name
        for each in no_store
        if (step.parts is not None and each in step.parts.inputs) or _reads(step.source, each)
    )


def _reads(source: str, name: str) -> bool:
    """Say whether a cell reads a name; a record of a cell that lacked it does not list it among the inputs."""
    if not re.search(rf"\b{re.escape(name)}\b", source):
        return False
    try:
        return name in analyse(ast.parse(body(source))).reads
    except SyntaxError:  # lines with magics
        return True


def refuse_unstored(reader: str, name: str, maker: StepDefinition | None) -> None:
    """See to it that what a step reads from another step of the same run is stored there.

    Raises:
        StepRefused: it is not; what the notebook holds under that name may be of an earlier run.
    """
    if maker is not None and name in maker.options.no_store:
        raise StepRefused(
            f"step '{reader}' reads `{name}`, which step '{maker.name}' does not store (--no-store {name}); take it "
            "out of --no-store, or run the two cells one after the other."
        )
