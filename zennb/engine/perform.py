"""Owns the performance of one step apart from the notebook: load its inputs, run its code, keep what it made.

It knows nothing of the notebook or of the metadata store, so it may run in any thread, and it holds all that
happens between an input's bytes and an output's bytes.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from zennb.core.digest import Look, look
from zennb.engine.collect import Before, Collected, collect
from zennb.engine.deadline import Ticket, awake, time_limit
from zennb.engine.definition import is_silent
from zennb.engine.recording import Event, Recording
from zennb.engine.streams import redirected
from zennb.engine.surroundings import Found
from zennb.engine.transplant import unpack
from zennb.engine.uses import Uses
from zennb.errors import CannotDigest, NotStorable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from zennb.core.observed import Carried
    from zennb.core.records import Artifact
    from zennb.engine.definition import Definition
    from zennb.engine.shelf import Shelf
    from zennb.engine.surroundings import Surroundings

__all__ = ["Call", "Frontend", "Made", "PlainFrontend", "keep", "own_frames", "perform", "seen_using"]

E = TypeVar("E", bound=BaseException)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One step to perform.

    Attributes:
        definition: the step.
        inputs: input name → artifact, loaded from the store where the step runs.
        values: input name → value, for what is handed over as it is (overridden parameters).
        code: the functions, classes and modules it uses (`transplant.pack`); empty when none.
        names: the same as live objects, for those that cannot be packed.
        writes: names that functions it calls bind through `global`.
        uses: what it uses of its surroundings.
    """

    definition: Definition
    inputs: Mapping[str, Artifact] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    code: bytes = b""
    names: Mapping[str, Any] = field(default_factory=dict)
    writes: frozenset[str] = frozenset()
    uses: Uses = field(default_factory=Uses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a performed step leaves to be recorded; all bytes are in the store already.

    Attributes:
        artifacts: output name → artifact, not recorded yet.
        defines: names bound to modules, functions and classes.
        deletes: names it deleted.
        displays: blob of what it showed; "" for nothing.
        troubles: why it cannot be reused; empty as a rule.
        seconds: duration of its code.
        error: what it raised; None when it ended well.
        recording: what it showed.
        found: what it touched outside its inputs and outputs.
        carried: where the settings are that it changed; None when it changed none.
    """

    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    displays: str = ""
    troubles: tuple[str, ...] = ()
    seconds: float = 0.0
    error: BaseException | None = None
    recording: Recording = field(default_factory=Recording)
    found: Found = field(default_factory=Found)
    carried: Carried | None = None


class Frontend(Protocol):
    """How values look where the step runs."""

    def format(self, value: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the mime bundle of a cell's last value, and its metadata."""

    def shown(self, recording: Recording, namespace: dict[str, Any]) -> AbstractContextManager[object]:
        """Return a context in which displays go to `recording` and magics see `namespace`."""


class PlainFrontend:
    """Faces of values without IPython: their text, and the rich faces they offer themselves."""

    _FACES = (
        ("_repr_html_", "text/html"),
        ("_repr_markdown_", "text/markdown"),
        ("_repr_svg_", "image/svg+xml"),
    )

    def format(self, value: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the value's text and the rich faces it offers."""
        data: dict[str, Any] = {"text/plain": repr(value)}
        for method, mime in self._FACES:
            face = getattr(type(value), method, None)
            if face is not None and (shown := face(value)) is not None:
                data[mime] = shown
        return data, {}

    def shown(
        self,
        recording: Recording,  # noqa: ARG002 - nothing to tap here
        namespace: dict[str, Any],  # noqa: ARG002 - no magics to serve here
    ) -> AbstractContextManager[object]:
        """Return a context that does nothing."""
        return nullcontext()


def perform(
    call: Call,
    *,
    shelf: Shelf,
    surroundings: Surroundings,
    frontend: Frontend | None = None,
    listener: Callable[[Event], None] | None = None,
    ticket: Ticket | None = None,
) -> Made:
    """Run one step in a namespace of its own and keep its outputs; errors of its code are returned, not raised.

    Raises:
        KeyboardInterrupt: the step was interrupted; nothing was kept.
    """
    recording = Recording(listener)
    started = time.perf_counter()
    try:
        with (ticket or Ticket()).held():
            return _performed(call, shelf, surroundings, frontend or PlainFrontend(), recording)
    except Exception as error:  # noqa: BLE001 - the step's own error belongs to its record
        return Made(
            error=own_frames(error, [call.definition.filename]),
            recording=recording,
            seconds=time.perf_counter() - started,
        )


def own_frames(error: E, filenames: Iterable[str]) -> E:
    """Return an error with a traceback that begins in the code of a step, if it ever got there.

    Args:
        error: what was raised.
        filenames: under which the steps were compiled.
    """
    files, frame = set(filenames), error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename not in files:
        frame = frame.tb_next
    return error if frame is None else error.with_traceback(frame)


def _performed(
    call: Call, shelf: Shelf, surroundings: Surroundings, frontend: Frontend, recording: Recording
) -> Made:
    __tracebackhide__ = True
    definition = call.definition
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins, **call.names}
    shelf = shelf.scoped(namespace)
    _furnish(namespace, call, shelf)
    inputs = _looks({name: namespace[name] for name in (*call.inputs, *call.values)})
    before = Before(namespace, definition, call.writes)
    started = time.perf_counter()
    surroundings.settings.follow()
    vigil = surroundings.watch()
    try:
        with (
            redirected(recording),
            frontend.shown(recording, namespace),
            time_limit(definition.options.timeout),
        ):
            _execute(definition, namespace, recording, frontend)
    finally:
        vigil.end()
    seconds = time.perf_counter() - started
    collected = collect(definition, namespace, before=before, inputs=inputs)
    found = vigil.found(seen_using(call.uses, collected, recording))
    return keep(collected, found, shelf=shelf, recording=recording, definition=definition, seconds=seconds)


def seen_using(uses: Uses, collected: Collected, recording: Recording) -> Uses:
    """Return what a step uses of its surroundings, with what only its run could tell: outputs, figures, warnings."""
    modules = {*uses.modules}.union(*(seen.packages for _, seen in collected.values.values()))
    if any("image/png" in event.get("data", ()) for event in recording):
        modules.add("matplotlib")
    if recording.text("stderr"):
        modules.add("warnings")
    return uses if modules == uses.modules else replace(uses, modules=frozenset(modules))


def keep(
    collected: Collected,
    found: Found,
    *,
    shelf: Shelf,
    recording: Recording,
    definition: Definition,
    seconds: float,
) -> Made:
    """Store what a step left behind, what it showed, and the settings it changed.

    Raises:
        NotStorable: an output declared with `-o` cannot be stored.
    """
    kept = shelf.keep(collected.values)
    declared = definition.options.outputs or ()
    for name, why in kept.refused.items():
        if name in declared:
            raise NotStorable(why, path=name)
    displays = shelf.store.put([recording.dump()]) if len(recording) else ""
    troubles = [*collected.troubles, *found.troubles, *kept.refused.values()]
    carried = None
    if found.changes and not troubles:
        try:
            carried = shelf.keep_changes(found.changes)
        except NotStorable as error:
            troubles.append(f"it changes settings that cannot be stored: {error.message}")
    return Made(
        artifacts=kept.artifacts,
        defines=collected.defines,
        deletes=collected.deletes,
        displays=displays,
        troubles=tuple(troubles),
        seconds=seconds,
        recording=recording,
        found=found,
        carried=carried,
    )


def _furnish(namespace: dict[str, Any], call: Call, shelf: Shelf) -> None:
    def furnish() -> None:
        namespace.update(shelf.fetch(call.inputs))
        namespace.update(call.values)

    if call.code:
        unpack(call.code, namespace, furnish)
    furnish()


def _looks(values: Mapping[str, Any]) -> dict[str, tuple[Any, Look]]:
    """Return the content of each input before the step; those without content cannot be compared afterwards."""
    found = {}
    for name, value in values.items():
        try:
            found[name] = (value, look(value, name=name))
        except CannotDigest:
            continue
    return found


def _execute(
    definition: Definition, namespace: dict[str, Any], recording: Recording, frontend: Frontend
) -> None:
    """Run the body; show the value of a trailing expression, as a cell does."""
    __tracebackhide__ = True
    body = list(definition.tree.body)
    is_shown = (
        bool(body) and isinstance(body[-1], ast.Expr) and not is_silent(definition.tree, definition.text)
    )
    last = body.pop() if is_shown else None
    _run(ast.Module(body=body, type_ignores=[]), definition.filename, "exec", namespace)
    if isinstance(last, ast.Expr):
        value = _run(ast.Expression(body=last.value), definition.filename, "eval", namespace)
        if value is not None:
            recording.result(*frontend.format(value))


def _run(tree: ast.Module | ast.Expression, filename: str, mode: str, namespace: dict[str, Any]) -> Any:
    __tracebackhide__ = True
    code = compile(tree, filename, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    found = eval(code, namespace)
    if not code.co_flags & inspect.CO_COROUTINE:
        return found
    return _await(found)


def _await(coroutine: Any) -> Any:
    """Run a coroutine to its end in an event loop of its own; the kernel's own, if this is its thread, waits."""
    import asyncio

    outer = asyncio._get_running_loop()  # noqa: SLF001 - None where no loop runs; the public one raises
    asyncio._set_running_loop(None)  # noqa: SLF001 - the only way to run a loop inside another
    try:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(_kept_awake(coroutine))
    finally:
        asyncio._set_running_loop(outer)  # noqa: SLF001 - as above


async def _kept_awake(coroutine: Any) -> Any:
    with awake():
        return await coroutine
