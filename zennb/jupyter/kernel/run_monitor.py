"""Owns `RunMonitor`: the active runs of this kernel, and the updates of live displays and panels.

A run reports from its own thread and never waits. One thread of this module notifies the subscribers: at most five
times a second, and twice a second while runs are active but silent, so that clocks go on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from zennb.views.captured import tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from zennb.core.records.records import Run, Step
    from zennb.engine.step.recording import Event

__all__ = ["ActiveRun", "RunMonitor", "interrupt"]

_log = logging.getLogger(__name__)

_PAUSE = 0.2  # seconds between two notifications
_TICK = 0.5  # seconds between two notifications when only time has passed
_KEPT = 4000  # characters of output remembered per step, for its last lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRun:
    """An active run.

    Attributes:
        run: its record.
        order: names of all its steps.
        edges: pairs of names between which something flows.
        steps: name → record of those that have begun (status running) or ended.
        printed: name → the last of what a step has printed.
    """

    run: Run
    order: Sequence[str] = ()
    edges: Sequence[tuple[str, str]] = ()
    steps: Mapping[str, Step] = field(default_factory=dict)
    printed: Mapping[str, str] = field(default_factory=dict)

    def tails(self) -> dict[str, str]:
        """Return the last lines of the output of each step that runs now."""
        running = [name for name, step in self.steps.items() if not step.status.is_final]
        return {name: tail(self.printed[name]) for name in running if self.printed.get(name, "").strip()}


class RunMonitor:
    """The active runs of this kernel, and their subscribers."""

    def __init__(self) -> None:
        # Held as a lock, not as the condition: that acquires and releases it in Python code, where an interrupt leaves
        # it held, and the thread that notifies waits forever.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._active: dict[int, ActiveRun] = {}
        self._printed: dict[int, dict[str, str]] = {}
        self._subscribers: list[Callable[[], object]] = []
        self._thread: threading.Thread | None = None
        self._is_new = self._is_closed = False

    # Called by runs

    def update(
        self,
        run: Run,
        steps: Mapping[str, Step],
        *,
        order: Sequence[str] = (),
        edges: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Note the state of a run; it is removed once its status is final."""
        number = run.id or 0
        with self._lock:
            if run.status.is_final:
                self._active.pop(number, None)
                self._printed.pop(number, None)
            else:
                self._printed.setdefault(number, {})
                self._active[number] = ActiveRun(
                    run=run, order=tuple(order), edges=tuple(edges), steps=dict(steps)
                )
            self._wake()

    def output(self, run: int | None, step: str, event: Event) -> None:
        """Note text output of a step. This is called for every piece of output, so it does next to nothing."""
        # Without the lock: a step that prints a lot must not wait for a panel that is being drawn.
        printed = self._printed.get(run or 0)
        if printed is None or event["kind"] != "stream":
            return
        printed[step] = (printed.get(step, "") + event["text"])[-_KEPT:]
        # At most one wake-up until the thread has looked: a notification costs more than the piece of text.
        if not self._is_new:
            self.notify()

    def logged(self) -> None:
        """Note that a step has logged metrics; as `output`, this is called often."""
        if not self._is_new:
            self.notify()

    def notify(self) -> None:
        """Notify subscribers that something may have changed, though no run reported it."""
        with self._lock:
            self._wake()

    # Called by live displays and panels

    @property
    def runs(self) -> list[ActiveRun]:
        """The active runs, oldest first."""
        with self._lock:
            return [
                replace(active, printed=dict(self._printed.get(number, {})))
                for number, active in self._active.items()
            ]

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` from this module's thread after changes; return a function that ends this."""
        with self._lock:
            self._subscribers.append(callback)

        def stop() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._subscribers.remove(callback)

        return stop

    def close(self) -> None:
        """End the thread; nobody is notified any more."""
        with self._lock:
            self._is_closed = True
            self._subscribers.clear()
            self._changed.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2)

    def _wake(self) -> None:
        self._is_new = True
        if self._subscribers and self._thread is None and not self._is_closed:
            self._thread = threading.Thread(target=self._notify_subscribers, name="zennb-live", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _notify_subscribers(self) -> None:
        while self._waited():
            for callback in tuple(self._subscribers):
                try:
                    callback()
                except Exception:  # noqa: BLE001 - one failing subscriber must not affect the others
                    _log.exception("a live view could not be brought up to date")

    def _waited(self) -> bool:
        """Wait until subscribers are to be notified; return False once the monitor is closed."""
        with self._lock:
            # The pause comes first, so that changes in quick succession are shown together.
            self._changed.wait_for(lambda: self._is_closed, timeout=_PAUSE)
            while not (self._is_closed or self._is_new):
                if not self._changed.wait(timeout=_TICK if self._active else None) and self._active:
                    break
            self._is_new = False
            return not self._is_closed


def interrupt() -> None:
    """Interrupt what the main thread runs, from any thread, as the kernel's own interrupt does: with its children."""
    if os.name == "nt":
        import _thread

        _thread.interrupt_main()
    # A kernel leads a process group of its own. Elsewhere (a terminal, a test) the group may hold programs of others.
    elif os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)
