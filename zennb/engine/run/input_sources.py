"""Owns which step of a run, or which plain cell, has really made what another step reads."""

from __future__ import annotations

import ast
from dataclasses import replace
from types import FunctionType
from typing import TYPE_CHECKING

from zennb.compat.instances import is_a
from zennb.core.reading.source import normal_digest
from zennb.core.reading.tree import nodes_in
from zennb.digests.function_source import function_node
from zennb.digests.reachability import code_in
from zennb.errors import CannotDigest, StepRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from zennb.core.records.records import Step
    from zennb.engine.run.run_request import RunRequest
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["changed_too_late", "check_definitions", "with_sources"]


def with_sources(
    request: RunRequest, name: str, made: Callable[[str], Mapping[str, bool] | None]
) -> RunRequest:
    """Return the request with what a step reads taken from the steps before it that have really made or changed it.

    The plan knows what each step changed in place the last time. With other inputs it may change more, or less.

    Args:
        request: the run.
        name: the step.
        made: returns the names that another step has bound, changed or deleted in this run, and whether they are bound;
            None where that is not known.

    Raises:
        StepRefused: it reads what a step has bound or deleted in an earlier run, and not in this one.
    """
    plan, analysis = request.plan, request.definitions[name].analysis
    sources, origins = dict(plan.sources[name]), dict(request.origins.get(name, {}))
    bound: dict[str, bool] = {}
    before = plan.order[: plan.order.index(name)]
    known = {
        step: found
        for step in before
        if (found := made(step) if step in request.binds else _made_last(request, step)) is not None
    }
    may_delete = any(request.definitions[step].analysis.deletes for step in (*known, name))
    if not may_delete and all(known[step].keys() == set(request.binds.get(step, ())) for step in known):
        return request
    reads = plan.reads[name] | analysis.reads.keys()
    for read in reads | analysis.deletes:
        makers = [step for step in before if read in known.get(step, request.binds.get(step, ()))]
        if makers:
            bound[read] = known.get(makers[-1], {}).get(read, True)
            if read in reads:
                sources[read] = makers[-1]
        elif sources.get(read) in known:  # not changed this time, so it is as a plain cell made it
            changer = sources.pop(read)
            while (earlier := plan.sources[changer].get(read)) is not None:
                changer = earlier
            if read in request.origins.get(changer, {}):
                origins[read] = request.origins[changer][read]
            elif done := _done_before(request, read, changer):
                raise StepRefused(
                    f"step '{name}' reads `{read}`, which step '{changer}' {done} in an earlier run and not in this "
                    f"one. Run the cell again that binds `{read}` first."
                )
    plan = replace(plan, sources={**plan.sources, name: sources})
    origins_of, bound_for = {**request.origins, name: origins}, {**request.bound, name: bound}
    return replace(request, plan=plan, origins=origins_of, bound=bound_for)


def _made_last(request: RunRequest, step: str) -> Mapping[str, bool] | None:
    """Return what a step that is not run again made or deleted, where the plan cannot tell whether it did."""
    last = (request.previous or {}).get(step)
    if last is None or not last.status.is_good or not request.definitions[step].analysis.deletes:
        return None
    return {**dict.fromkeys(last.deletes, False), **dict.fromkeys(last.outputs, True)}


def _done_before(request: RunRequest, name: str, step: str) -> str:
    """Return what a step did with a variable in an earlier run, so that nobody has what a plain cell made; or ""."""
    if name not in request.namespace:
        return "deleted" if name in request.definitions[step].analysis.deletes else ""
    try:
        _, artifact = request.value_digest(name, request.namespace[name])
    except CannotDigest:
        return ""
    return "bound" if artifact is not None and artifact.is_output else ""


def changed_too_late(request: RunRequest, step: Step, begun: Mapping[str, Step]) -> StepRefused | None:
    """Return an error if a step has changed what steps after it, which run beside it, have read already.

    Args:
        request: the run.
        step: its record. The next run knows from it what it changes, and waits for it.
        begun: the steps that have begun.
    """
    if not step.status.is_good:
        return None
    plan, name = request.plan, step.name
    late = step.outputs.keys() - request.binds.get(name, ())
    for after in plan.order[plan.order.index(name) + 1 :] if late else ():
        sources, reads = plan.sources[after], plan.reads[after]
        earlier = {each for each in late if sources.get(each) == plan.sources[name].get(each)}
        read = min(earlier & (reads | request.definitions[after].analysis.reads.keys()), default="")
        if read and after in begun:
            return StepRefused(
                f"step '{name}' changed `{read}` in place, which was not known before, and step '{after}' may have "
                "read it as it was. Run the pipeline again: now they run one after the other."
            )
    return None


def check_definitions(request: RunRequest, name: str, resolved: ResolvedStep) -> None:
    """Check that the functions and classes that a step uses are those of the steps before it that define them.

    A run takes them from the notebook, which has what was defined last: by a step below, or a plain cell.

    Raises:
        StepRefused: the notebook has another one.
    """
    before = request.plan.order[: request.plan.order.index(name)]
    for used, value in resolved.dependencies.definitions.items():
        binders = [step for step in before if used in request.definitions[step].analysis.binds]
        definition = request.definitions[binders[-1]] if binders else None
        if (
            definition is not None
            and used in definition.analysis.defines - resolved.definition.analysis.surely
        ):
            nodes = [each for each in nodes_in(definition.tree) if getattr(each, "name", None) == used]
            if _is_another(value, {normal_digest(each) for each in _functions(nodes)}):
                raise StepRefused(
                    f"step '{name}' uses `{used}` as step '{binders[-1]}' defines it, and the notebook has another "
                    f"`{used}` by now. Run the cells of both, one after the other, or give one `{used}` another name."
                )


def _functions(nodes: Iterable[ast.AST]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes:
        for each in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                yield each


def _is_another(value: object, known: AbstractSet[str]) -> bool:
    """Whether nothing of a function or class, or of what it wraps, was written so."""
    own = [each for each in code_in([value]) if is_a(each, FunctionType)]
    written = [node for each in own if (node := function_node(each.__code__)) is not None]
    return bool(known and written) and known.isdisjoint(map(normal_digest, written))
