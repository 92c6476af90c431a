"""Owns `FanOut`: a mapped step of a run while its elements are reused or run, and the record it ends with."""

from __future__ import annotations

import time
from collections import deque
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.components.component import Visibility
from zennb.core.planning.cache_decision import CacheDecision
from zennb.core.records.records import Status
from zennb.engine.environment.execution_environment import ENVIRONMENT, FILES
from zennb.engine.environment.random_state import GENERATORS
from zennb.engine.run.element_output import ElementOutput
from zennb.engine.run.element_results import ElementResult, combine, lost_names, written_by_several
from zennb.engine.run.element_steps import ElementSteps
from zennb.engine.run.repeated_calls import with_calls_repeated
from zennb.engine.step.elements import element_name
from zennb.engine.step.loaded_modules import MODULES
from zennb.engine.step.recording import Recording, keep_output
from zennb.errors import StepRefused, StoreError, ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from zennb.core.records.records import Artifact, Step
    from zennb.engine.environment.settings import Settings
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.run_request import RunRequest
    from zennb.engine.run.saved_output import Scalars
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.recording import Event
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["ElementIsolation", "FanOut"]


class FanOut:
    """One mapped step of a run.

    Args:
        resolved: the step.
        decision: why it runs.
        request: the run.
        context: the stack it runs on.
        listener: called with what the elements show, in their order; None for nobody.
        previous: the latest record of the step; None when there is none.
        scalars: the scalars that steps of the run have captured.

    Attributes:
        context: the stack it runs on.
        steps: the elements' steps.
        inputs: its inputs as artifacts.
        started: when it began, in seconds since the epoch.
        output: what the elements show.

    Raises:
        StepRefused: the variable has no elements in an order.
        StoreError: its inputs cannot be stored or loaded.
    """

    def __init__(
        self,
        resolved: ResolvedStep,
        decision: CacheDecision,
        *,
        request: RunRequest,
        context: RunContext,
        listener: Callable[[Event], None] | None = None,
        previous: Step | None = None,
        scalars: Scalars | None = None,
    ) -> None:
        self._resolved, self._decision, self._request, self.context = resolved, decision, request, context
        asked = (
            decision.reason.removeprefix("asked for with ") if decision.reason.startswith("asked for") else ""
        )
        self.started = time.time()
        self.steps = ElementSteps(resolved, request, context, asked=asked)
        self.inputs = context.keep_inputs(resolved, scalars=scalars)
        self.output = ElementOutput(len(self.steps), listener)
        self._waiting = deque(range(len(self.steps)))
        self._running: set[int] = set()
        self._results: dict[int, ElementResult] = {}
        self._errors: dict[int, BaseException] = {}
        self._first: dict[str, int] = {}  # by cache key
        self._twins: dict[int, int] = {}
        orchestrator = context.orchestrator
        self._is_here = orchestrator.visibility is Visibility.PROCESS
        drew = previous is not None and not previous.observed.left.keys().isdisjoint(GENERATORS)
        # Threads share the generators of their process, so elements that draw from them take turns.
        self._takes_turns = self._is_here and (orchestrator.in_kernel or self.steps.may_draw or drew)

    @property
    def name(self) -> str:
        """The step's name."""
        return self._resolved.definition.name

    @property
    def size(self) -> int:
        """How many elements there are."""
        return len(self.steps)

    @property
    def is_done(self) -> bool:
        """Whether all elements have ended."""
        return not self._waiting and not self._running

    def running(self) -> Step:
        """Return the record of the step as far as it has got."""
        done = len(self._results) + len(self._errors) + len(self._twins)
        failed = f", {len(self._errors)} failed" if self._errors else ""
        bar = "▰" * (10 * done // max(1, self.size))
        reason = f"{bar.ljust(10, '▱')} {done} of {self.size} elements{failed}"
        return self.context.bare_step(
            self._resolved, status=Status.RUNNING, reason=reason, started=self.started
        )

    def next(self, most: int) -> list[int]:
        """Return the elements to begin now; none when there are none, or they have to wait.

        Args:
            most: how many, where they run elsewhere. In this process one may change what the next one depends on.
        """
        if self._takes_turns and self._running:
            return []
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), 1 if self._is_here else most))]

    def is_twin(self, number: int, resolved: ResolvedStep) -> bool:
        """Whether an element has the content of one before it, whose results are then its own as well."""
        if resolved.unclear or not resolved.definition.options.cache:
            return False
        first = self._first.setdefault(resolved.cache_key, number)
        if first != number:
            self._twins[number] = first
            if first not in self._running:
                self.output.end(number, self._shown(first))
        return first != number

    def decide(self, number: int, resolved: ResolvedStep) -> CacheDecision:
        """Decide whether to reuse or run an element, and if it is reused, take its results over."""
        decision = self.steps.decide(number, resolved)
        source = decision.reuse
        if source is None:
            return decision
        # What an element sets holds for itself; what all of them have set is set in the end, in their order.
        sets = source.carried is not None or source.observed.calls
        with self.isolation(number) if sets else nullcontext():
            decision = self.context.proven(resolved, decision, source)
            if source.observed.calls:
                namespace = {**self._request.namespace, self.steps.name: self.steps.values[number]}
                decision = with_calls_repeated(
                    resolved, decision, replace(self._request, namespace=namespace), self.context
                )
        if decision.reuse is None:
            return decision
        try:
            # Large outputs as well, which `proven` leaves alone: they are loaded in the end.
            for blob in {blob for artifact in source.outputs.values() for blob in artifact.blobs}:
                self.context.store.get(blob)
            changes = self.context.artifacts.load_changes(source.carried)
            shown = Recording.load(self.context.store.get(source.displays)) if source.displays else ()
        except StoreError as error:
            return CacheDecision(reason=error.message.split(". ")[0].rstrip("."))
        self._results[number] = ElementResult(step=source, changes=changes, ran=False)
        self.output.end(number, shown)
        return decision

    def isolation(self, number: int) -> ElementIsolation:
        """Return the block in which an element runs in this process, so that it does not see what others have set."""
        return ElementIsolation(self, number)

    def begin(self, number: int) -> ElementIsolation | None:
        """Note that an element runs; return how it is kept apart from others, None where it is by itself."""
        self._running.add(number)
        return self.isolation(number) if self._takes_turns else None

    def given_settings(self, number: int) -> Mapping[str, Any]:
        """Return setting → change that a worker makes before it runs an element."""
        return self.steps.state(number).changes

    def named_inputs(self, number: int, inputs: Mapping[str, Artifact]) -> dict[str, Artifact]:
        """Return the inputs of an element, with the element named as what it is: `files[3]`."""
        mapped = self.steps.name
        return {name: _named(each, number) if name == mapped else each for name, each in inputs.items()}

    def made(self, number: int, step: Step, outcome: StepOutcome) -> Step:
        """Note the result of an element that ran; return its record."""
        outputs = {name: _named(each, number) for name, each in step.outputs.items()}
        observed, states = step.observed, self.steps.state(number).digests
        if not self._takes_turns and self._is_here:
            # It began in the state of the process, and drew no numbers; so any state would have done.
            settings = {
                name: states.get(name, digest) if name not in observed.left else digest
                for name, digest in observed.settings.items()
            }
            observed = replace(observed, settings=settings)
        step = replace(step, outputs=outputs, observed=observed)
        self._results[number] = ElementResult(
            step=step, changes=outcome.changes, held=outcome.held, not_reusable=outcome.not_reusable
        )
        self._end(number)
        return step

    def failed(self, number: int, error: BaseException) -> None:
        """Note that an element failed; the others go on."""
        self._end(number)
        self._errors[number] = error

    def _end(self, number: int) -> None:
        """Note that an element has ended; its twins show what it has shown."""
        self._running.discard(number)
        self.output.end(number)
        for twin, first in self._twins.items():
            if first == number:
                self.output.end(twin, self._shown(first))

    def _shown(self, number: int) -> Iterable[Event]:
        result = self._results.get(number)
        if result is None or not result.step.displays:
            return ()
        try:
            return Recording.load(self.context.store.get(result.step.displays))
        except StoreError:
            return ()

    def finish(self) -> tuple[Step, BaseException | None, Mapping[str, Any]]:
        """Return the step's record, the error that ends it, and what it bound and nothing stores."""
        definition, context = self._resolved.definition, self.context
        for number, first in self._twins.items():
            if first in self._errors:
                self._errors[number] = self._errors[first]
            else:
                self._results[number] = replace(self._results[first], ran=False)
        for number, result in self._results.items():
            if why := lost_names(definition, result):
                self._errors[number] = StepRefused(f"{self.steps.label(number)}: {why}")
        run = "" if context.run is None else f" {context.run}"
        self.output.close(
            f"`%runs logs{run or ' RUN'} '{element_name(self.name, 0)}'` shows that of one element."
        )
        recording, secrets = self.output.recording, context.environment.secrets
        displays = keep_output(recording, context.store, secrets)
        if self._errors:
            return self._failed(displays)
        try:
            outcome, absent = combine(
                definition,
                [self._results[number] for number in range(self.size)],
                namespace=self._request.namespace,
                repository=context.artifacts,
                random=self.steps.random.digests,
                draws_in_place=self._is_here and not self._takes_turns,
            )
            # Elements side by side end in any order.
            files = written_by_several(self._results[number] for number in range(self.size))
            lasting = {**outcome.changes, FILES: files}
            context.environment.apply(lasting)
            context.environment.settings.note_again()
        except ZennbError as error:
            self._errors[0] = error
            return self._failed(displays)
        ran = [each for each in self._results.values() if each.ran]
        reason = "; ".join(
            [self._decision.reason, _counts(self.size, len(ran)), *_gaps(absent, self.size), *_sets(lasting)]
        )
        step = context.made_step(
            self._resolved,
            replace(self._decision, reason=reason),
            replace(outcome, displays=displays, seconds=time.time() - self.started),
            inputs=self.inputs,
            started=self.started,
        )
        ends = [end for each in self._results.values() if (end := each.step.expires) is not None]
        saved = sum(each.step.seconds for each in self._results.values() if not each.ran)
        return replace(step, expires=min(ends, default=None), saved=saved), None, outcome.held

    def _failed(self, displays: str) -> tuple[Step, BaseException, Mapping[str, Any]]:
        number = min(self._errors)
        error, others = self._errors[number], len(self._errors) - 1
        stored = self.size - len(self._errors)
        more = f" (and {others} more)" if others else ""
        kept = f"; {stored} of {self.size} are stored, and are not run again" if stored else ""
        reason = self.context.environment.secrets.mask(f"{self.steps.label(number)} failed{more}{kept}")
        if not isinstance(error, StepRefused):
            error.add_note(reason)
        step = self.context.failed_step(
            self._resolved,
            replace(self._decision, reason=reason),
            error,
            started=self.started,
            seconds=time.time() - self.started,
            inputs=self.inputs,
            displays=displays,
        )
        return step, error, {}


class ElementIsolation:
    """Keeps what an element sets in this process from the other elements, and gives it its own random state.

    Args:
        fan: the mapped step.
        number: the element.
    """

    def __init__(self, fan: FanOut, number: int) -> None:
        self._fan, self._number = fan, number
        self._undo: Callable[[], None] = lambda: None

    def __enter__(self) -> None:
        environment = self._fan.context.environment
        settings: Settings = environment.settings
        self._undo = environment.undo(besides=GENERATORS)
        settings.apply(self._fan.steps.state(self._number).changes)

    def __exit__(self, *_error: object) -> None:
        self._undo()
        self._fan.steps.random.restore()


def _named(artifact: Artifact, number: int) -> Artifact:
    if "[" in artifact.name:  # of an element that was stored before
        return artifact
    return replace(
        artifact, id=None, version=0, step=None, created=time.time(), name=element_name(artifact.name, number)
    )


def _counts(size: int, ran: int) -> str:
    if not size:
        return "no elements"
    if ran == size:
        return f"{size} elements ran"
    return f"{ran} of {size} elements ran, {size - ran} cached" if ran else f"all {size} elements cached"


def _gaps(absent: Mapping[str, int], size: int) -> list[str]:
    return [f"`{name}` is None for {many} of {size}, which do not bind it" for name, many in absent.items()]


def _sets(changes: Mapping[str, Any]) -> list[str]:
    """Say of what elements have set that no element saw what another one set."""
    names = [name for name in changes if name not in {FILES, ENVIRONMENT, MODULES, *GENERATORS}]
    names += [f"environment variable {name}" for name in changes.get(ENVIRONMENT, ())]
    return (
        [f"{', '.join(names)}: each element starts from the notebook's, the last one's is kept"]
        if names
        else []
    )
