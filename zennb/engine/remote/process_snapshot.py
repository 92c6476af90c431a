"""Owns the state of the notebook's process that a step needs in another one: taken along, and proven equal there."""

from __future__ import annotations

import linecache
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.dependencies.dependencies import resolve_dependencies
from zennb.engine.remote.shipped_modules import ShippedModule, constants_of, set_constants, shipped
from zennb.engine.step.external_mutations import external_mutations
from zennb.engine.step.frontend import PlainFrontend
from zennb.engine.step.reusability import shared_with_code, state_left_behind
from zennb.errors import StepRefused
from zennb.packages.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zennb.digests.digest import ValueDigest
    from zennb.engine.environment.settings import Setting
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.execution import StepExecution
    from zennb.engine.step.frontend import Frontend
    from zennb.engine.step.request import StepRequest

__all__ = [
    "ProcessSnapshot",
    "frontend_of",
    "know_texts",
    "prove_same_code",
    "refuse_lost_results",
    "refuse_lost_state",
    "snapshot",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSnapshot:
    """What of the notebook's process matters to a step.

    Attributes:
        settings: setting → pickled change that brings a new process to the notebook's state.
        environment: environment variables set since the notebook's kernel started; None for one taken away.
        modules: local modules that the step uses.
        constants: pickled values of their constants.
        texts: file, as tracebacks call it → text of a cell.
        ignored: folders whose files do not count.
        frontend: `module:name` of what makes the frontend and the shell's settings; "" for plain text.
    """

    settings: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    modules: Mapping[str, ShippedModule] = field(default_factory=dict)
    constants: Mapping[str, bytes] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    frontend: str = ""


def snapshot(run_context: RunContext, request: StepRequest, things: Iterable[object]) -> ProcessSnapshot:
    """Return the state of this process that a step needs in another one.

    Args:
        run_context: the stack it runs on.
        request: the step.
        things: the functions, classes and modules it reads.

    Raises:
        StepRefused: a setting that it depends on cannot be sent.
    """
    environment = run_context.environment
    imported = {".".join(path) for path in request.definition.analysis.modules}
    constants = [key.partition(" ")[2] for key in request.reached if key.startswith("constant ")]
    return ProcessSnapshot(
        settings=_pickled(environment.settings.exported(), request),
        environment=environment.variables_set(),
        modules=shipped(request.modules | imported | set(constants), list(things)),
        constants=constants_of(constants),
        texts={
            file: "".join(linecache.getlines(file)) for file in {request.definition.filename, *request.cells}
        },
        ignored=environment.ignored,
        frontend=run_context.frontend.elsewhere,
    )


def _pickled(settings: Mapping[str, Any], request: StepRequest) -> dict[str, bytes]:
    found = {}
    for name, change in settings.items():
        try:
            found[name] = cloudpickle.dumps(change)
        except Exception as error:
            raise StepRefused(
                f"step '{request.definition.name}' cannot run in another process: {name} cannot be sent there "
                f"({error}). Set it inside the step, or run the step on a stack that runs in the kernel."
            ) from error
    return found


def know_texts(texts: Mapping[str, str]) -> None:
    """Let functions and tracebacks find the text of cells, as in the notebook."""
    for file, text in texts.items():
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)


def frontend_of(process: ProcessSnapshot) -> tuple[Frontend, tuple[Setting, ...]]:
    """Return how values look in this process, and the settings of the shell behind it."""
    if not process.frontend:
        return PlainFrontend(), ()
    module, _, name = process.frontend.partition(":")
    made: tuple[Frontend, tuple[Setting, ...]] = getattr(import_module(module), name)()
    return made


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
