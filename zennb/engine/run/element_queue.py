"""Owns `ElementQueue`: the mapped steps of a run that have begun, and which of their elements begins next."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from zennb.engine.run.fan_out import FanOut
from zennb.engine.run.step_task import StepTask, new_task
from zennb.engine.step.recording import Recording
from zennb.engine.step.streams import redirected
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.records import Step
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.run_request import RunRequest
    from zennb.engine.run.task_queue import TaskQueue
    from zennb.engine.run.unit_of_work import UnitOfWork
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.recording import Event
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["ElementQueue"]

_TOGETHER = 32
"""Elements that are resolved before they are submitted, so that one transaction stores what they are."""


class ElementQueue:
    """The mapped steps of a run, and their elements.

    Args:
        request: the run.
        tasks: where elements are submitted.
        unit: what the run reads ahead and holds back.
        write: writes what is held back.

    Attributes:
        fans: the mapped steps that have begun and not ended.
        packages: distribution → version, of what their elements use.
    """

    def __init__(
        self, request: RunRequest, tasks: TaskQueue, unit: UnitOfWork, write: Callable[[], None]
    ) -> None:
        self._request, self._tasks, self._unit, self._write = request, tasks, unit, write
        self.fans: list[FanOut] = []
        self.packages: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.fans)

    def begin(
        self,
        resolved: ResolvedStep,
        decision: CacheDecision,
        context: RunContext,
        listener: Callable[[Event], None] | None,
    ) -> None:
        """Begin a mapped step.

        Raises:
            ZennbError: it cannot begin: what it is mapped over has no elements in an order.
        """
        name = resolved.definition.name
        with redirected(Recording()):  # what values print while they are looked at and stored
            fan = FanOut(
                resolved,
                decision,
                request=self._request,
                context=context,
                listener=listener,
                previous=(self._request.previous or {}).get(name)
                or context.metadata.previous(name, context.notebook),
                scalars=self._unit.scalars,
            )
        self.fans.append(fan)

    def running(self) -> dict[str, Step]:
        """Return step → record so far, of those that have not ended."""
        return {fan.name: fan.running() for fan in self.fans}

    def advance(self, handle: Callable[[], None]) -> Iterator[FanOut]:
        """Reuse or submit elements; yield the steps of which all elements have ended.

        Args:
            handle: notes what has ended meanwhile, and reports progress.
        """
        for fan in list(self.fans):
            most = 1  # then more and more: the first ones are not to wait
            while numbers := fan.next(most):
                self._begin_all(fan, numbers, handle)
                most = min(2 * most, _TOGETHER)
            if fan.is_done:
                self.fans.remove(fan)
                yield fan

    def ended(self, fan: FanOut, number: int, step: Step, outcome: StepOutcome) -> None:
        """Note that an element has run or failed."""
        if outcome.error is None:
            step = fan.made(number, step, outcome)
        else:
            fan.failed(number, outcome.error)
        self._unit.note(step)

    def _begin_all(self, fan: FanOut, numbers: Sequence[int], handle: Callable[[], None]) -> None:
        chosen = [found for number in numbers if (found := self._decided(fan, number)) is not None]
        if len(chosen) > 1:
            name = fan.steps.name
            inputs = [
                (each.values[name], each.digests[name]) for _, each, *_ in chosen if name in each.digests
            ]
            with suppress(ZennbError), redirected(Recording()):  # else each is stored when its turn comes
                fan.context.artifacts.capture_scalars(name, inputs, self._unit.scalars)
        for number, resolved, decision, started in chosen:
            try:
                task = new_task(
                    resolved,
                    decision,
                    fan.context,
                    self._request.namespace,
                    started=started,
                    scalars=self._unit.scalars,
                )
                self._tasks.launch(self._of_element(task, fan, number))
            except ZennbError as error:
                fan.failed(number, error)
            # At once: an orchestrator that runs elements one after the other has run this one.
            handle()
        if not chosen:
            handle()

    def _decided(self, fan: FanOut, number: int) -> tuple[int, ResolvedStep, CacheDecision, float] | None:
        """Return an element that has to run; None for one that is reused, equal to an earlier one, or fails."""
        started = time.time()
        try:
            resolved = fan.steps.resolve(number)
            if fan.is_twin(number, resolved):
                return None
            if self._unit.holds(resolved.cache_key, resolved.key_without_maybe_reads):
                self._write()  # another mapped step of the run has had this element
            decision = fan.decide(number, resolved)
        except ZennbError as error:
            fan.failed(number, error)
            return None
        self.packages.update(resolved.parts.packages)
        return (number, resolved, decision, started) if decision.reuse is None else None

    def _of_element(self, task: StepTask, fan: FanOut, number: int) -> StepTask:
        inputs = fan.named_inputs(number, task.inputs)
        task.inputs = inputs
        every = {**task.request.inputs, **inputs}
        task.request = replace(task.request, inputs=every, process=self._request.process)
        task.fan, task.element = fan, number
        task.isolation, task.settings = fan.begin(number), fan.given_settings(number)
        task.channels = replace(task.channels, output=partial(fan.output.add, number))
        return task
