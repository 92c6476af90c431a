"""Owns what a worker checks: that it runs the code of the cache key, and that nothing a step did is lost with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.dependencies.dependencies import resolve_dependencies
from zennb.engine.remote.shipped_modules import set_constants
from zennb.engine.step.external_mutations import external_mutations
from zennb.engine.step.reusability import shared_with_code, state_left_behind
from zennb.errors import StepRefused
from zennb.packages.versions import versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.digests.digest import ValueDigest
    from zennb.engine.step.execution import StepExecution
    from zennb.engine.step.request import StepRequest

__all__ = ["prove_same_code", "refuse_lost_results", "refuse_lost_state"]


def prove_same_code(
    request: StepRequest, namespace: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ValueDigest]]
) -> None:
    """See to it that the step reaches here what its cache key says: the same functions, classes and constants.

    Raises:
        StepRefused: it does not.
    """
    assert request.process is not None
    _prove_same_packages(request)
    if not request.reached:
        return
    extra = tuple(code for _, seen in inputs.values() for code in seen.code)

    def differing() -> list[str]:
        found = resolve_dependencies(request.definition.analysis, namespace, extra=extra).digests
        return [known for known, digest in request.reached.items() if found.get(known) != digest]

    other = differing()
    moved = {known.partition(" ")[2] for known in other} & request.process.constants.keys()
    if moved:
        set_constants({name: request.process.constants[name] for name in moved})
        other = differing()
    if other:
        kind, _, name = other[0].partition(" ")
        raise StepRefused(
            f"step '{request.definition.name}' would not run the same code in another process: {kind} `{name}` is "
            "another one there. Define it in the notebook or in a module of its own, and change no library in place; "
            "or run the step on a stack that runs in the kernel."
        )


def _prove_same_packages(request: StepRequest) -> None:
    here = versions(request.packages)
    for name, version in request.versions.items():
        if here.get(name, version) != version:
            raise StepRefused(
                f"step '{request.definition.name}' would not run the same code in another process: {name} is "
                f"{here[name]} there and {version} in the notebook. Install the same version there; after an upgrade, "
                "restart the kernel, and with it the processes that run steps."
            )


def refuse_lost_state(
    request: StepRequest, namespace: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ValueDigest]]
) -> None:
    """Refuse a step that has changed code or libraries in place: the change would stay in this process.

    Raises:
        StepRefused: it has.
    """
    sets = [f"it sets `{each}`" for each in external_mutations(request.definition, namespace)]
    changes = [reason.partition(", which")[0] for reason in state_left_behind(request, namespace, inputs)]
    if sets or changes:
        raise StepRefused(
            f"step '{request.definition.name}' cannot run in another process: {'; '.join([*changes, *sets])}, and the "
            "notebook would not see that. Return it as a variable, or run the step on a stack that runs in the kernel."
        )


def refuse_lost_results(request: StepRequest, namespace: Mapping[str, Any], execution: StepExecution) -> None:
    """Refuse a step some of whose results cannot leave this process: the notebook would go on with older ones.

    Raises:
        StepRefused: there are such results.
    """
    shared = shared_with_code(request, execution.collected, namespace, execution.inputs)
    lost = [reason.partition(", which")[0] for reason in (*execution.stays, *shared)]
    if lost:
        is_name = lost[0].startswith("`")
        raise StepRefused(
            f"step '{request.definition.name}' cannot run in another process: {'; '.join(lost)}, and that stays there. "
            + ("If only the step needs it, begin its name with an underscore; else run" if is_name else "Run")
            + " the step on a stack that runs in the kernel."
        )
