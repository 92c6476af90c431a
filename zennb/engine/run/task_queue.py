"""Owns `TaskQueue`: the steps of a run that were submitted to its orchestrator, or wait for another try."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from zennb.components.component import Visibility
from zennb.engine.environment.callers import traced
from zennb.engine.remote.portable_error import restored
from zennb.engine.step.cancellation import CancellationToken
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.perform import perform
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.engine.run.step_task import StepTask

__all__ = ["BRIEFLY", "TICK", "TaskQueue"]

TICK = 0.2  # seconds between two updates of a live view
BRIEFLY = 0.02  # seconds in which several short steps may end
STOP_SECONDS = 1.0  # that steps get to end when they are stopped, before their workers are ended


class TaskQueue:
    """The steps of a run that its orchestrator runs.

    Args:
        before: called before a step is submitted.
    """

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
        self._tasks: dict[Future[StepOutcome], StepTask] = {}
        # Noted when they end, by number: to ask each of thousands of elements each time takes longer than they do.
        self._numbers, self._ended = count(), list[tuple[int, Future[StepOutcome]]]()
        self._has_ended = threading.Event()
        self._waiting: list[StepTask] = []

    def __bool__(self) -> bool:
        return bool(self._tasks or self._waiting)

    def launch(self, task: StepTask) -> None:
        """Submit a step."""
        self._before()
        task.begun = time.time()
        # A new one for each try: a token that has stopped a step stays stopped.
        task.channels = replace(task.channels, cancel=CancellationToken(), restarted=task.restarted)
        if task.isolation is not None:
            task.isolation.__enter__()
        try:
            try:
                future = self._submitted(task)
            except StepRefused as error:  # it is this step that cannot run there; the others go on
                future = Future()
                future.set_exception(error)
            self._tasks[future] = task
            future.add_done_callback(partial(self._note, next(self._numbers)))
        except BaseException:
            self._leave(task)
            raise

    def _note(self, number: int, future: Future[StepOutcome]) -> None:
        self._ended.append((number, future))
        self._has_ended.set()

    def _submitted(self, task: StepTask) -> Future[StepOutcome]:
        context = task.context
        if _is_here(task):
            channels = replace(task.channels, resources=context.resources)
            with traced():  # an orchestrator that runs steps at once runs this one now
                return context.orchestrator.submit(perform, task.request, channels)
        from zennb.engine.remote.dispatch import (
            submit_remotely,  # a kernel needs it only to send steps elsewhere
        )

        return submit_remotely(context, task.request, task.channels, task.settings)

    def retry(self, task: StepTask) -> None:
        """Launch a step that failed again, when its delay is over."""
        task.begun = time.time() + task.resolved.definition.options.delay
        self._waiting.append(task)

    def try_again(self) -> None:
        """Launch the failed steps whose delay is over."""
        now, waiting = time.time(), self._waiting
        self._waiting = [task for task in waiting if task.begun > now]
        for task in waiting:
            if task.begun <= now:
                self.launch(task)

    def ended(self, *, within: float = 0.0) -> list[tuple[StepTask, StepOutcome]]:
        """Return the steps that have ended since the last call, in the order in which they began.

        Args:
            within: seconds to wait, at most, until one ends or is due to be tried again.
        """
        if within and self._tasks:
            self._has_ended.wait(within)
        elif within:
            time.sleep(max(0.0, min(within, min(task.begun for task in self._waiting) - time.time())))
        found = []
        self._has_ended.clear()
        for number, future in sorted(self._ended):
            self._ended.remove((number, future))
            task = self._tasks.pop(future)
            self._leave(task)
            try:
                outcome = future.result()
            except Exception as error:  # noqa: BLE001 - it ends this step, not the run
                outcome = StepOutcome(error=error)
            if outcome.error is not None and _is_here(task):  # that of a worker was restored where it arrived
                outcome = replace(outcome, error=restored(outcome.error, task.context.artifacts.scope))
            found.append((task, outcome))
        return found

    def stop(self, error: BaseException) -> dict[str, str]:
        """Stop all steps that run, because of an error; note in it, and return by step, what goes on all the same."""
        for future, task in self._tasks.items():
            if task.channels.cancel is not None:
                task.channels.cancel.stop()
            future.cancel()
            self._leave(task)
        rests, end = {}, time.monotonic() + STOP_SECONDS
        for task in self._tasks.values():
            cancel, name = task.channels.cancel, task.name if task.fan is None else task.fan.name
            if cancel is not None and (rest := cancel.rest(max(0.0, end - time.monotonic()))):
                rests[name] = rest
                error.add_note(f"Step '{task.name}' was stopped, but {rest}.")
        return rests

    @staticmethod
    def _leave(task: StepTask) -> None:
        if task.isolation is not None:
            task.isolation.__exit__(None, None, None)


def _is_here(task: StepTask) -> bool:
    """Whether a step runs in this process."""
    return task.context.orchestrator.visibility is Visibility.PROCESS
