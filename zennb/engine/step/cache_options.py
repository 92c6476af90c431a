"""Owns the options `--expires`, `--ignore`, `--no-store` and `--map`: their effect on inputs, outputs and reuse."""

from __future__ import annotations

import ast
import re
import time
from dataclasses import replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.core.planning.expiry import ended, expired
from zennb.core.reading.cell_heading import body
from zennb.core.reading.source import analyse
from zennb.core.records.records import ELEMENT
from zennb.dependencies.callables import has_state, is_code
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.engine.step.output_checks import checks_in_key
from zennb.errors import StepRefused
from zennb.materializers.available import unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from zennb.core.reading.source import Analysis
    from zennb.core.records.records import Step
    from zennb.engine.step.definition import StepDefinition, StepOptions
    from zennb.materializers.signer import Signer

__all__ = [
    "changed_although_left_out",
    "changed_beside",
    "check_unstored",
    "deletes_more",
    "end_of_reuse",
    "ignored_inputs",
    "is_ignored",
    "not_reusable",
    "options_in_key",
    "read_although_unstored",
    "refuse_unstored",
    "unstored",
    "without_reads",
]


# --expires


def not_reusable(
    steps: Iterable[Step],
    definition: StepDefinition,
    signer: Signer,
    rebound: Collection[str] = (),
    deletes: Collection[str] = (),
) -> dict[int | None, str]:
    """Return, by id, why matching results are not reused.

    Their record is not signed by the user or by somebody they trust, they have expired, or no materializer here reads
    them.

    Args:
        steps: their records, newest first. Results older than an expired one have expired as well, whatever their own
            record allows: they would be a step back.
        definition: the step.
        signer: checks the signatures.
        rebound: names that it need not have bound, and that share state with its inputs now.
        deletes: names that exist now and that it may delete.
    """
    found: dict[int | None, str] = {}
    over, now = "", time.time()
    for step in steps:
        # The signature first: nothing else of a forged record may count, not even that it has expired.
        if not signer.accepts(step):
            which = "an earlier run" if step.run is None else f"run {step.run}"
            found[step.id] = f"the record of {which} is not signed by you or by somebody you trust"
            continue
        over = over or expired(step, within=definition.options.expires, now=now)
        reason = over or unreadable(step.outputs.values()) or changed_beside(step, rebound)
        reason = reason or deletes_more(step, deletes)
        if reason:
            found[step.id] = reason
    return found


def changed_beside(step: Step, rebound: Collection[str]) -> str:
    """Return which name that the results of a step do not bind shares state with an input that they replace."""
    left = [name for name in rebound if name not in step.outputs and name not in step.inputs]
    return f"it did not bind `{min(left)}`" if left and step.outputs.keys() & step.inputs.keys() else ""


def deletes_more(step: Step, deletes: Collection[str]) -> str:
    """Return which name that exists now a step may delete, although it did not exist when it ran."""
    left = set(deletes).difference(step.deletes, step.outputs, step.defines, step.inputs)
    return f"it may delete `{min(left)}`, which did not exist when it ran" if left else ""


def end_of_reuse(step: Step, definition: StepDefinition) -> Step:
    """Return the record of a step that has just run, with the time when its results expire."""
    within = definition.options.expires
    return step if within is None else replace(step, expires=ended(step) + within)


# --ignore


def ignored_inputs(
    definition: StepDefinition,
    analysis: Analysis,
    namespace: Mapping[str, Any],
    given: Collection[str],
) -> frozenset[str]:
    """Return the inputs that are left out of the cache key.

    Args:
        definition: the step.
        analysis: what its cell reads, `-i` included.
        namespace: the notebook's variables.
        given: names of inputs from other steps.

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
    return is_a(value, FunctionType) and has_state(value)


def is_ignored(flows: Collection[str], options: StepOptions) -> bool:
    """Return whether all inputs from another step are ignored, so that a run need not wait for that step."""
    return bool(flows) and set(flows) <= set(options.ignore)


def without_reads(analysis: Analysis, names: frozenset[str], *, in_functions: bool = False) -> Analysis:
    """Return the analysis as if the cell (and, `in_functions`, the functions it calls) did not read these names."""
    if not names:
        return analysis
    # For functions the names count as bound before the call, so that they are not followed there either.
    also_bound = names if in_functions else frozenset[str]()
    return replace(
        analysis,
        reads={name: bound | also_bound for name, bound in analysis.reads.items() if name not in names},
        chains=frozenset(chain for chain in analysis.chains if chain[0] not in names),
        doubtful=analysis.doubtful - names,
        hidden=analysis.hidden | names,
    )


def changed_although_left_out(
    definition: StepDefinition, outputs: Collection[str], inputs: Collection[str]
) -> list[str]:
    """Return why a step cannot be reused although its key matches: it changed what its options leave out.

    Reuse would reset an ignored input to its value at the time of the run, and cannot restore one that is not stored.

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
    """Check that a step binds the names in its `--no-store`.

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
    """Return the entries of the cache key for outputs that are not stored."""
    return {f"no-store {name}": "" for name in definition.options.no_store}


def options_in_key(definition: StepDefinition) -> dict[str, str]:
    """Return the entries of the cache key for outputs that are not stored, what is checked, and `--map`."""
    found = {**unstored(definition), **checks_in_key(definition)}
    if definition.options.map:
        found[f"map {definition.options.map}"] = ""
    if definition.element_of:
        found[f"{ELEMENT}{definition.element_of}"] = ""
    return found


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
    """Return whether a cell reads a name, also if the name was missing when it ran and so is no recorded input."""
    # Parsing every cell of the notebook would take longer than anything else here.
    if not re.search(rf"\b{re.escape(name)}\b", source):
        return False
    try:
        return name in analyse(ast.parse(body(source))).reads
    except SyntaxError:  # lines with magics
        return True


def refuse_unstored(reader: str, name: str, maker: StepDefinition | None) -> None:
    """Check that an input from another step of the same run is stored by that step.

    Raises:
        StepRefused: it is not; what the notebook holds under that name may be of an earlier run.
    """
    if maker is not None and name in maker.options.no_store:
        raise StepRefused(
            f"step '{reader}' reads `{name}`, which step '{maker.name}' does not store (--no-store {name}); take it "
            "out of --no-store, or run the two cells one after the other."
        )
