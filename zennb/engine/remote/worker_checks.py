"""Owns the checks of a worker: it runs the code that the cache key stands for, and loses no effect of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.dependencies.dependencies import resolve_dependencies
from zennb.engine.environment.log_handlers import LOGGING
from zennb.engine.remote.shipped_modules import set_constants
from zennb.engine.step.postponed import copied_class
from zennb.errors import StepRefused
from zennb.packages.versions import versions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from zennb.digests.digest import ValueDigest
    from zennb.engine.step.outcome import Reason
    from zennb.engine.step.request import StepRequest

__all__ = ["prove_same_code", "refusal", "refuse_changed_copies", "refuse_losses"]


def prove_same_code(
    request: StepRequest, namespace: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ValueDigest]]
) -> None:
    """Check that the step finds here what its cache key covers: the same functions, classes and constants.

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
    # Only those that differ: other modules may hold the same object, and a copy would part them.
    moved = {known.partition(" ")[2] for known in other} & request.process.constants.keys()
    if moved:
        set_constants({name: request.process.constants[name] for name in moved})
        other = differing()
    if other:
        kind, _, name = other[0].partition(" ")
        raise StepRefused(
            f"step '{request.definition.name}' would not run the same code in another process: {kind} `{name}` is "
            "another one there. Define it in the notebook or in a module of its own, and change no library in place; "
            f"or {_instead(request)}."
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


def refuse_losses(request: StepRequest, reasons: Iterable[Reason]) -> None:
    """Refuse a step that changed code or libraries in place, or has results that cannot leave this process.

    The change would stay here, and the notebook would go on with older results.

    Raises:
        StepRefused: there are such changes or results.
    """
    reasons = list(reasons)
    if changes := [each.what for each in reasons if each.loses in {"definition", "binding", "change"}]:
        why = f"{'; '.join(changes)}, and the notebook would not see that"
        raise refusal(request, why, "Return it as a variable, or")
    if results := [each.what for each in reasons if each.loses in {"part", "result"}]:
        is_name = results[0].startswith("`")
        advice = "If only the step needs it, begin its name with an underscore; else" if is_name else ""
        if results == [LOGGING]:
            advice = "`logging.getLogger(__name__).warning(...)` sets up nothing; use such a logger, or"
        raise refusal(request, f"{'; '.join(results)}, and that stays there", advice)


def refuse_changed_copies(
    request: StepRequest, reasons: Sequence[Reason], inputs: Collection[str], namespace: Mapping[str, Any]
) -> None:
    """Refuse a step that changed its copies of the notebook's definitions: the notebook would keep the old ones.

    Or one whose results share state with such a copy, or that changed a copy of what it reads into something that
    cannot be stored. Definitions that cannot be copied are the notebook's own.

    Args:
        request: the step.
        reasons: why it must not be reused.
        inputs: names of what it read.
        namespace: its variables.

    Raises:
        StepRefused: there are such changes or results.
    """
    name = request.definition.name
    # An element has no cell of its own in which it could run.
    advice = "" if request.definition.element_of else ", or run the step by its own cell"
    for why in (each for each in reasons if each.output):
        if why.output in inputs:
            what = f"has a copy of `{why.output}` here, and what it made of it"
        elif copied := copied_class(namespace.get(why.output), namespace):
            what = f"has a copy of class `{copied}` here, and what it made with it"
        else:
            continue
        detail = str(why).removesuffix(".")
        raise StepRefused(
            f"step '{name}' {what} cannot be brought back: {detail}. Bind a new name instead{advice}."
        )
    kinds = {"binding", "definition", "part"} if request.code else {"binding"}
    if changes := [each.what for each in reasons if each.loses in kinds]:
        raise StepRefused(
            f"step '{name}' has copies of the notebook's definitions here: {'; '.join(changes)}, and the notebook "
            f"would not see that. Bind a new name instead{advice}."
        )


def refusal(request: StepRequest, why: str, advice: str = "") -> StepRefused:
    """Return the error of a step that cannot run in another process, with the advice that applies to all of them.

    Args:
        request: the step.
        why: the reason.
        advice: what the user can do instead: "Name what it reads, or".
    """
    end = f"{_instead(request)}."
    return StepRefused(
        f"step '{request.definition.name}' cannot run in another process: {why}. "
        + (f"{advice} {end}" if advice else end[0].upper() + end[1:])
    )


def _instead(request: StepRequest) -> str:
    """Return how the step can be run all the same."""
    in_background = request.process is not None and request.process.is_background
    return (
        "run it without --background" if in_background else "run the step on a stack that runs in the kernel"
    )
