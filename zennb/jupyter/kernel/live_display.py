"""Owns the live displays of active runs: the table of a pipeline, and the line of a step that takes long.

Each is one display that is updated at most five times a second. It is published from the cell's own thread or in a copy
of its context, because otherwise it would appear under another cell. A table of many steps takes long to render, so it
is rendered less often: displays never take a noticeable share of a run's time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from zennb.components.long_calls import long_calls
from zennb.core.records.records import Status
from zennb.engine.step.recording import Recording
from zennb.jupyter.kernel.status_data import DATA_TYPE, facts, run_content
from zennb.views.markup import escape
from zennb.views.pipeline import live
from zennb.views.step import running_line
from zennb.views.text import clean, duration
from zennb.views.view import View, join, note
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from zennb.core.records.records import Run, Step
    from zennb.engine.step.recording import Event
    from zennb.jupyter.cells.output_capture import OutputCapture
    from zennb.jupyter.kernel.frontend import KernelFrontend
    from zennb.jupyter.kernel.run_monitor import RunMonitor

__all__ = ["LiveLine", "LiveTable"]

_PAUSE = 0.2  # seconds between two updates, at least
_FIRST = 0.1  # seconds until the first; a run that is over by then is drawn once
_SHARE = 30  # and so many times what the last update took
_EARLY = 1000  # events remembered until the run has its record
_PATIENCE = 2.0  # seconds that a step takes before it gets a line of its own
_MOST_REPEATED = 5_000_000  # characters of output that are shown once more when a step ends

_AT_THE_FOOT = (
    "<style>.jp-OutputArea:has(> .jp-OutputArea-child .zennb-running){display:flex;flex-direction:column}"
    ".jp-OutputArea-child:has(.zennb-running){order:1}"
    ".jp-NotebookPanel:not(:has(.jp-Notebook-ExecutionIndicator[data-status=busy])) .zennb-running>:first-child"
    "{display:none}"
    ".jp-NotebookPanel:not(:has(.jp-Notebook-ExecutionIndicator[data-status=busy])) .zennb-running>:last-child"
    "{display:block!important}</style>"
)
"""Draws the line last, and says in place of it, when no cell runs, that the step ended with its kernel."""


class LiveTable:
    """Shows the steps of a pipeline run while it is active, and updates the run monitor.

    Args:
        capture: publishes it.
        order: names of the steps.
        edges: pairs of names between which something flows.
        updates: whether the frontend can update a display; a terminal cannot, and gets only the final table.
        monitor: what runs in this kernel.
    """

    def __init__(
        self,
        capture: OutputCapture,
        order: Sequence[str],
        *,
        updates: bool,
        monitor: RunMonitor,
        edges: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._capture, self._order, self._updates = capture, order, updates
        self._monitor, self._edges = monitor, edges
        self._id = uuid4().hex
        self._lock = threading.Lock()
        # Holds the parent message of the cell, by which a frontend knows where output belongs.
        self._context = copy_context()
        self._shown = False
        self._next = time.perf_counter() + _FIRST
        self._run: Run | None = None
        self._steps: dict[str, Step] = {}

    @block
    def ticking(self) -> Iterator[Self]:
        """Update the clock until the block ends."""
        stop = self._monitor.subscribe(self.tick)
        try:
            yield self
        finally:
            stop()

    def __call__(self, run: Run, steps: Mapping[str, Step]) -> None:
        """Show the state of the run, unless it was shown just now; always show the final state."""
        self._monitor.update(run, steps, order=self._order, edges=self._edges)
        with self._lock:
            self._run, self._steps = run, dict(steps)
            self._show()

    def output(self, step: str, event: Event) -> None:
        """Pass on the output of a step."""
        if self._run is not None:
            self._monitor.output(self._run.id, step, event)

    def tick(self) -> None:
        """Update the clock and the steps' latest output."""
        with self._lock:
            if self._run is not None and not self._run.status.is_final:
                self._context.run(self._show)

    def _show(self) -> None:
        assert self._run is not None
        now = time.time()
        is_final = self._run.status.is_final
        if not is_final and (not self._updates or time.perf_counter() < self._next):
            return
        began = time.perf_counter()
        number = self._run.id
        printed = next((active.tails() for active in self._monitor.runs if active.run.id == number), {})
        view = live(self._order, steps=self._steps, now=now, run=self._run, printed=printed)
        known = [self._steps[name] for name in self._order if name in self._steps]
        data = {DATA_TYPE: run_content(self._run, known)} if is_final else {}
        self._capture.publish(
            {**view._repr_mimebundle_(), **data},
            {"zennb": [facts(step) for step in known if step.status.is_final]},
            transient={"display_id": self._id} if self._updates else {},
            update=self._shown and self._updates,
        )
        self._shown = True
        ended = time.perf_counter()
        # A table of a thousand steps takes long to draw; at most a thirtieth of the time goes into it.
        self._next = ended + max(_PAUSE, _SHARE * (ended - began))


class LiveLine:
    """Shows, below the output of a step cell, that its step is still running.

    A display stays where it was first shown, and what the step shows later comes below it. JupyterLab is told by a
    style to draw the line last. When the step ends, its status line takes the place of the line; if something was shown
    below, the output is cleared and shown once more, so that no empty output is left in the file.

    Args:
        capture: where it is shown.
        step: the record of the step, status running.
        updates: whether the frontend can update a display; if not, nothing is shown.
        monitor: what runs in this kernel.
        frontend: shows the step's output again.
    """

    def __init__(
        self,
        capture: OutputCapture,
        step: Step,
        *,
        updates: bool,
        monitor: RunMonitor,
        frontend: KernelFrontend,
    ) -> None:
        self._capture, self._step, self._updates, self._monitor = capture, step, updates, monitor
        self._frontend = frontend
        # What zennb itself has shown in this cell is in no recording, so it could not be shown again.
        self._may_clear = not capture.has_published
        self._events = Recording()
        self._characters = 0
        self._is_last = True
        self.slot = ""
        self._context = copy_context()
        self._lock = threading.Lock()
        self._id = ""
        self._run: Run | None = None
        self._early: deque[Event] = deque(maxlen=_EARLY)
        self._shown = self._over = False
        self._stop: Callable[[], None] = lambda: None

    def begin(self, run: Run) -> None:
        """Start: the step has taken so long that its run has been recorded. Called in any thread, once or twice."""
        if self._run is not None:
            return
        self._id = uuid4().hex
        if self._updates:
            self._stop = self._monitor.subscribe(self.tick)
        self._monitor.update(
            run, {self._step.name: replace(self._step, run=run.id)}, order=(self._step.name,)
        )
        self._run = run
        # Output that came before the run had a record and a number.
        while self._early:
            self._monitor.output(run.id, self._step.name, self._early.popleft())

    def output(self, event: Event) -> None:
        """Pass on output of the step."""
        self._keep(event)
        if self._run is None:
            self._early.append(event)
        else:
            self._monitor.output(self._run.id, self._step.name, event)

    def _keep(self, event: Event) -> None:
        if self._shown:
            self._is_last = False
        self._characters += len(str(event.get("text", ""))) + len(str(event.get("data", "")))
        self._may_clear = self._may_clear and self._characters <= _MOST_REPEATED
        if self._may_clear:
            self._events.add(event)
        elif self._events:
            self._events = Recording()

    def update(self, step: Step) -> None:
        """Note how far the step has got."""
        self._step = step

    def tick(self) -> None:
        """Update the clock."""
        with self._lock:
            taken = time.time() - self._step.started
            if not self._over and taken >= _PATIENCE:
                line = running_line(self._step, seconds=taken)
                if waiting := [note(text) for text in long_calls()]:
                    line = join([line, *waiting], gap=0)
                self._context.run(self._publish, _last_heard(line, self._step, taken))

    def close(self, run: Run) -> None:
        """End the line: the step has ended, and its status line follows, in `slot` if that is not empty."""
        if self._run is None:
            return
        self._stop()
        with self._lock:
            # Under the lock that `tick` holds: a line drawn after this would stay below the cell for ever.
            self._over = True
            if self._shown:
                self._make_room(has_failed=run.status in {Status.FAILED, Status.INTERRUPTED})
        self._monitor.update(run, {})

    def _make_room(self, *, has_failed: bool) -> None:
        """Let the status line take the place of the line, or show the output again without the line."""
        if self._is_last and not has_failed:
            self.slot = self._id
        elif self._may_clear:
            self._frontend.repeat(self._events, has_failed=has_failed)
        else:
            self._publish(None)

    def _publish(self, view: View | None) -> None:
        shown = {"text/plain": "", "text/html": ""} if view is None else view._repr_mimebundle_()
        # Metadata like that of a status line: whoever reads the saved notebook sees that the step did not show it.
        self._capture.publish(shown, {"zennb": []}, transient={"display_id": self._id}, update=self._shown)
        self._shown = True


def _last_heard(line: View, step: Step, taken: float) -> View:
    """Add when this was so: a file that was saved meanwhile, or whose kernel died, keeps what it says."""
    clock = time.strftime("%H:%M:%S")
    ended = (
        f"{clean(step.name)} was running at {clock}, after {duration(taken)}; its kernel has ended since. "
        "Run the cell again."
    )
    text = f"{line.text}  at {clock}"
    inner = f'<div>{line.html}</div><div style="display:none">{escape(ended)}</div>'
    return View(text, f'{_AT_THE_FOOT}<div class="zennb-running" title="at {clock}">{inner}</div>')
