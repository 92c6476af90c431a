"""Owns the execution of a step's body outside the notebook: it loads the inputs, runs the code, stores the outputs.

It uses neither the notebook nor the metadata store, and runs in the notebook's process or in a worker.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import time
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.compat.instances import is_a
from zennb.core.reading.definition_checks import checks
from zennb.dependencies.callables import is_code, is_from_shell
from zennb.digests.digest import contents
from zennb.digests.homes import at_home
from zennb.engine.environment.callers import untraced
from zennb.engine.remote.missing_data import MissingData
from zennb.engine.remote.namespace_pickling import unpack
from zennb.engine.remote.worker_checks import prove_same_code, refuse_changed_copies, refuse_losses
from zennb.engine.run.failures import is_interrupt
from zennb.engine.step.cancellation import CancellationToken, keep_loop_responsive
from zennb.engine.step.definition import is_silent
from zennb.engine.step.execution import StepExecution
from zennb.engine.step.main_module import as_main
from zennb.engine.step.metric_log import MetricLog
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.postponed import sharers
from zennb.engine.step.recording import Recording, keep_output
from zennb.engine.step.streams import redirected
from zennb.engine.step.uncopied_code import UncopiedCode
from zennb.engine.step.uninterrupted import interruptible, uninterrupted
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import CodeType

    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.frontend import Frontend
    from zennb.engine.step.request import Channels, Resources, StepRequest

__all__ = ["own_frames", "run_body"]

E = TypeVar("E", bound=BaseException)


def own_frames(error: E, filenames: Iterable[str]) -> E:
    """Return an error whose traceback begins in the code of a step, if it contains such a frame.

    Args:
        error: what was raised.
        filenames: under which the steps were compiled.
    """
    files, frame = set(filenames), error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename not in files:
        frame = frame.tb_next
    return error if frame is None else error.with_traceback(frame)


def run_body(request: StepRequest, channels: Channels, resources: Resources) -> StepOutcome:
    """Run a step's body in a namespace of its own and store its outputs; errors of its code are returned.

    Args:
        request: the step.
        channels: output, cancellation, and the values that are handed over beside the request.
        resources: the artifact repository, environment and frontend of this process.

    Raises:
        KeyboardInterrupt: the step was interrupted; nothing was stored.
    """
    started, recording, metrics = time.perf_counter(), Recording(channels.output), MetricLog(channels.metrics)
    namespace: dict[str, Any] = {
        "__name__": "__main__",
        "__builtins__": builtins,
        **dict.fromkeys(request.deletes),
        **channels.definitions,
    }
    try:
        with (channels.cancel or CancellationToken()).held(), at_home(namespace):
            return _execution(namespace, request, channels, resources, recording=recording, metrics=metrics)
    except BaseException as error:
        if is_interrupt(error):  # all else is the step's own error, and belongs to its record
            raise
        return StepOutcome(
            error=own_frames(error, [request.definition.filename]),
            displays=keep_output(recording, resources.artifacts.store, resources.environment.secrets),
            metrics=metrics.metrics(),
            seconds=time.perf_counter() - started,
            process=os.getpid(),
        )


def _execution(
    namespace: dict[str, Any],
    request: StepRequest,
    channels: Channels,
    resources: Resources,
    *,
    recording: Recording,
    metrics: MetricLog,
) -> StepOutcome:
    __tracebackhide__ = True
    # Instances that are loaded here belong to the classes of this namespace, not to the notebook's, which would see
    # the notebook's variables from their methods.
    resources = replace(resources, artifacts=replace(resources.artifacts, scope=namespace))
    with untraced():  # other steps may run beside it
        _load_data(namespace, request, channels, resources.artifacts)
    resources.environment.settings.follow()
    inputs = contents({name: namespace[name] for name in (*request.inputs, *channels.values)})
    # Before the body: a worker with other code has to refuse the step while it has no effects yet.
    if request.process is not None:
        prove_same_code(request, namespace, inputs)
    with untraced():
        uncopied = UncopiedCode(request.definition, {**channels.values, **channels.definitions}, namespace)
        uncopied.check_before()
    execution = StepExecution(request, namespace, inputs=inputs, resources=resources, metrics=metrics)
    with (
        uninterrupted()
    ):  # only the body can be interrupted, not the way in or out: a notebook would stay redirected
        try:
            execution.start(redirected(recording), resources.frontend.shown(recording, namespace))
            with as_main(namespace), interruptible():
                results = _execute(execution, namespace, recording, resources.frontend)
        finally:
            execution.stop()
    with redirected(Recording()), untraced():  # what values print while they are stored
        uncopied.check_after()
        outcome = execution.finish(recording, results)
    if request.process is None:
        refuse_changed_copies(request, execution.reasons, inputs, namespace)
        # What cannot be stored goes from step to step, and into the notebook, as it is; not what an element makes.
        unstored = {each.output for each in execution.reasons if not request.definition.element_of}
        values = {name: namespace[name] for name in unstored & namespace.keys()}
        others = {
            name: namespace[name] for name in {*inputs, *outcome.artifacts} & namespace.keys() - values.keys()
        }
        changed = {
            name for name in outcome.artifacts if name in inputs and inputs[name][0] is namespace.get(name)
        }
        outcome = replace(
            outcome,
            held={**outcome.held, **values},
            shared={name: namespace[name] for name in _sharing_state(values, others, namespace)},
            changed=frozenset(changed),
        )
    else:
        refuse_losses(request, execution.reasons)
    return outcome


def _sharing_state(
    values: Mapping[str, Any], others: Mapping[str, Any], namespace: Mapping[str, Any]
) -> set[str]:
    """Return which variables share state with what cannot be stored: others, and such values with each other."""
    found = set(sharers(values, others, namespace))
    for name, value in values.items() if len(values) > 1 else ():
        found.update(
            sharers({name: value}, {each: values[each] for each in values if each != name}, namespace)
        )
    return found


def _load_data(
    namespace: dict[str, Any], request: StepRequest, channels: Channels, repository: ArtifactRepository
) -> None:
    namespace.update(channels.values)
    stored = {name: each for name, each in request.inputs.items() if name not in channels.values}
    data = MissingData(namespace, stored, repository)
    own = {*namespace}
    if request.code:
        unpack(request.code, namespace, data.load)
    # Functions bring along what they read of the notebook. What is no input has been deleted in this run, or the step
    # binds it first.
    for name in [each for each in namespace if each not in own and each not in stored]:
        value = namespace[name]
        if not (is_a(value, ModuleType) or is_code(value) or is_from_shell(name, value)):
            del namespace[name]
    data.load_rest()


def _execute(
    execution: StepExecution, namespace: dict[str, Any], recording: Recording, frontend: Frontend
) -> list[object]:
    """Run the body; show the values of expressions that the cell displays, by default the last one; return them."""
    __tracebackhide__ = True
    definition = execution.request.definition
    places = {definition.tree.body[place]: start for place, start in checks(definition.tree).items()}

    @block
    def around() -> Iterator[None]:
        with redirected(recording), frontend.shown(recording, namespace):
            yield

    results: list[object] = []
    # In portions, as only an expression compiled by itself gives its value.
    for statements, is_shown in _split(_portions(definition, frontend.interactivity), places):
        if statements and statements[0] in places:
            execution.definitions.check(is_start=places[statements[0]])
        if not is_shown:
            tree = ast.Module(body=statements, type_ignores=[])
            _run(definition.compiled(tree, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace, around)
            continue
        (shown,) = statements
        assert isinstance(shown, ast.Expr)
        expression = ast.Expression(body=shown.value)
        value = _run(
            definition.compiled(expression, "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace, around
        )
        if value is not None:
            recording.result(*frontend.format(value))
            results.append(value)
    return results


def _portions(definition: StepDefinition, interactivity: str) -> list[tuple[list[ast.stmt], bool]]:
    """Return the statements of a body in portions; a portion to be shown is a single expression."""
    body = list(definition.tree.body)
    if interactivity == "last_expr_or_assign" and body and (name := _assigned(body[-1])):
        shown = ast.Expr(value=ast.Name(id=name, ctx=ast.Load()))
        body.append(ast.fix_missing_locations(ast.copy_location(shown, body[-1])))
    if not body or interactivity == "none" or is_silent(definition.tree, definition.text):
        return [(body, False)]
    if interactivity == "all":
        return [([each], isinstance(each, ast.Expr)) for each in body]
    if interactivity != "last" and not isinstance(body[-1], ast.Expr):
        return [(body, False)]
    # As in IPython, `last` runs the last statement on its own also if it is a loop; then nothing is shown.
    return [(body[:-1], False), (body[-1:], isinstance(body[-1], ast.Expr))]


def _split(
    portions: list[tuple[list[ast.stmt], bool]], places: Collection[ast.stmt]
) -> Iterator[tuple[list[ast.stmt], bool]]:
    """Yield the portions, each beginning anew where definitions are noted or compared."""
    for statements, is_shown in portions:
        start = 0
        for end in range(1, len(statements)):
            if statements[end] in places:
                yield statements[start:end], is_shown
                start = end
        yield statements[start:], is_shown


def _assigned(statement: ast.stmt) -> str:
    """Return the one name that a statement assigns; "" for none."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    is_one = isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and len(targets) == 1
    return targets[0].id if is_one and isinstance(targets[0], ast.Name) else ""


def _run(code: CodeType, namespace: dict[str, Any], around: Callable[[], AbstractContextManager[Any]]) -> Any:
    __tracebackhide__ = True
    found = eval(code, namespace)
    if not code.co_flags & inspect.CO_COROUTINE:
        return found
    from zennb.compat.event_loops import run_to_end  # asyncio is only needed by steps that await

    return run_to_end(_kept_awake(found), around)


async def _kept_awake(coroutine: Any) -> Any:
    with keep_loop_responsive():
        return await coroutine
