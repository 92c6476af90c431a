"""Owns `Tracking`: telling the experiment tracker of a stack what its steps did, beside the steps.

A tracker may be a server far away, so it is told on a thread of its own, in the order in which steps end. What it does
not take is kept in the outbox.
"""

from __future__ import annotations

import atexit
import threading
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from queue import SimpleQueue
from typing import TYPE_CHECKING

from zennb.components.experiment_tracker import TrackedStep
from zennb.core.records.records import Status
from zennb.core.secrets.parameters import small_inputs
from zennb.engine.delivery.outbox import OutboxMessage, deliver_to, give_back
from zennb.engine.environment.callers import untraced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.components.experiment_tracker import ExperimentTracker
    from zennb.core.records.records import Artifact, Run, Step
    from zennb.engine.delivery.outbox import Outbox

__all__ = ["Tracking", "settle", "tracked_step"]

_TOLD = frozenset({Status.COMPLETED, Status.CACHED, Status.FAILED})
_LAST_WORDS = 10.0
"""Seconds that a process waits at its end for what is still to be told."""

_pending: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
_thread: threading.Thread | None = None
_lock = threading.Lock()


class Tracking:
    """Tells a tracker of steps.

    Args:
        name: the tracker's name.
        find: returns it, or raises why it cannot be made.
        outbox: keeps what it does not take.
        say: shows a sentence to the user; called from another thread.
    """

    def __init__(
        self, name: str, find: Callable[[], ExperimentTracker], outbox: Outbox, *, say: Callable[[str], None]
    ) -> None:
        self._name, self._find, self._outbox, self._say = name, find, outbox, say

    def prepare(self) -> None:
        """Let the tracker import its libraries now; why it cannot is said when it is told of a step."""
        with suppress(Exception):
            self._find().prepare()

    def note(self, steps: Sequence[Step], run: Run) -> None:
        """Tell the tracker of steps that have ended, soon; elements of mapped steps are parts of them.

        Args:
            steps: as recorded.
            run: the run that they belong to.
        """
        for step in steps:
            if step.status in _TOLD and not step.is_element:
                message = OutboxMessage(
                    type="experiment_tracker", component=self._name, payload=asdict(tracked_step(step, run))
                )
                # Kept before it waits for its turn: a process may end while a tracker gives no answer.
                _later(partial(self._tell, *self._outbox.put(message)))

    def _tell(self, name: str, message: OutboxMessage) -> None:
        problem = self._outbox.deliver_kept(name, message, lambda sent: deliver_to(self._find(), sent))
        what = f"the experiment tracker '{self._name}' was not told of step '{message.payload['step']}'"
        failure = self._outbox.sentence(message, what, problem)
        if failure:
            self._say(failure)


def tracked_step(step: Step, run: Run) -> TrackedStep:
    """Return what a tracker is told of a step of a run."""
    failure = step.failure
    return TrackedStep(
        id=_id(step),
        original="" if step.original is None else _id(step.original),
        step=step.name,
        notebook=step.notebook,
        stack=run.stack.name,
        run=step.run,
        status=step.status.value,
        started=step.started,
        seconds=step.seconds,
        # A session's are the small inputs of all its steps.
        parameters={**({} if run.kind == "session" else run.parameters), **small_inputs(step)},
        metrics={name: [list(point) for point in each.points] for name, each in step.metrics.items()},  # type: ignore[misc]  # lists, as they come back from JSON
        artifacts=[
            {
                "name": name,
                "version": each.version,
                "digest": each.digest,
                "type": each.type,
                "size": each.size,
                "value": _text(each),
            }
            for name, each in step.outputs.items()
        ],
        error="" if failure is None else f"{failure.type}: {failure.message}"[:1000],
    )


def _text(artifact: Artifact) -> str:
    return str(artifact.summary.get("text", ""))[:200]


def _id(step: Step) -> str:
    return sha256(
        f"{step.cache_key}\n{step.name}\n{step.started!r}".encode("utf-8", "surrogatepass")
    ).hexdigest()[:32]


def settle(seconds: float = _LAST_WORDS) -> bool:
    """Wait until everything noted so far is told or kept; return whether it is."""
    if _thread is None:
        return True
    done = (
        threading.Lock()
    )  # no event: an interrupt in its `wait` can leave the thread that sets it waiting forever
    done.acquire()
    _pending.put(done.release)
    return done.acquire(timeout=seconds)


def _later(call: Callable[[], None]) -> None:
    global _thread  # noqa: PLW0603 - one thread for all trackers of a process
    with _lock:
        if _thread is None or not _thread.is_alive():
            # Python waits for no daemon: what is not told when the process ends is told by `settle`, or is kept.
            _thread = threading.Thread(target=_work, name="zennb-tracking", daemon=True)
            _thread.start()
            atexit.register(_end)
    _pending.put(call)


def _end() -> None:
    settle()
    give_back()


def _work() -> None:
    with untraced():  # what a tracker does to files is no doing of the step that runs meanwhile
        while True:
            call = _pending.get()
            if call is not None:
                call()
