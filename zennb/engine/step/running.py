"""Owns which step the code of this thread belongs to: what it logs and loads, and that it runs no pipeline itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from zennb.core.records.loaded_names import load_call
from zennb.core.secrets.held import HELD
from zennb.errors import StepRefused
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping

    from zennb.core.records.metrics import Metric
    from zennb.engine.step.metric_log import MetricLog

__all__ = [
    "follow",
    "is_step_running",
    "listen",
    "live_metrics",
    "metric_log",
    "note_load",
    "note_logged",
    "refuse_inside_step",
    "running",
]

_here = threading.local()
_steps: list[tuple[MetricLog, MutableMapping[str, str]]] = []
"""The metrics and loads of all the steps that run in this process."""
_logs: list[tuple[str, MetricLog]] = []
"""The same steps, by name, with their metrics."""
_listeners: list[Callable[[], object]] = []


@block
def running(step: str, log: MetricLog, loads: MutableMapping[str, str]) -> Iterator[None]:
    """Note that this thread runs the body of a step.

    Args:
        step: its name.
        log: takes the metrics that it logs.
        loads: takes what it loads by name → digest, as settings that it depends on.
    """
    before = getattr(_here, "step", ""), getattr(_here, "notes", None)
    notes = (log, loads)
    named = (step, log)
    _here.step, _here.notes = step, notes
    _steps.append(notes)
    _logs.append(named)
    try:
        yield
    finally:
        _here.step, _here.notes = before
        _steps.remove(notes)
        _logs.remove(named)


def _notes() -> list[tuple[MetricLog, MutableMapping[str, str]]]:
    """Return the notes of the step that this thread runs; in a thread of no step, those of all steps that run."""
    notes = getattr(_here, "notes", None)
    return list(_steps) if notes is None else [notes]


def metric_log() -> MetricLog | None:
    """Return the log of the step that this thread runs; in a thread of no step, that of the only step that runs."""
    found = _notes()
    return found[0][0] if len(found) == 1 else None


def live_metrics() -> Mapping[str, Mapping[str, Metric]]:
    """Return step → what it has logged so far, of the steps that run for this process."""
    found = {
        step: {HELD.mask_known(name): metric for name, metric in log.metrics().items()}
        for step, log in tuple(_logs)
    }
    return {step: metrics for step, metrics in found.items() if metrics}


def follow(step: str, log: MetricLog) -> Callable[[], None]:
    """Add a step that runs elsewhere to the live metrics; return a function that ends this."""
    named = (step, log)
    _logs.append(named)
    return lambda: _logs.remove(named)


def listen(callback: Callable[[], object]) -> Callable[[], None]:
    """Call `callback` whenever a step logs metrics, on its thread; return a function that ends this."""
    _listeners.append(callback)
    return lambda: _listeners.remove(callback)


def note_logged() -> None:
    """Tell who listens that a step has logged metrics; this is called in training loops, so they do next to nothing."""
    for each in tuple(_listeners):
        each()


def note_load(name: str, digest: str) -> None:
    """Note that the step that runs here depends on what a name stands for, if a step does.

    Args:
        name: as given to `zennb.load`.
        digest: of what it stands for; "" for nothing.
    """
    # In a thread of no step it may be any of those that run: each depends on it then, rather than none.
    for _, loads in _notes():
        loads.setdefault(load_call(name), digest)


def is_step_running() -> bool:
    """Whether this thread runs a step; in a thread of no step, whether any step runs, which may have started it."""
    return bool(_notes())


def refuse_inside_step(*, is_turn: bool = True) -> None:
    """Refuse to run the pipeline inside a step, which would run itself, and so on without end.

    Args:
        is_turn: whether no other thread can be running the pipeline: then a step that runs has started this thread.

    Raises:
        StepRefused: this thread runs a step, or was started by one.
    """
    step = getattr(_here, "step", "")
    if is_turn and not step and _steps and threading.current_thread() is not threading.main_thread():
        step = _logs[-1][0]
    if step:
        raise StepRefused(
            f"step '{step}' is running here already, and cannot run the pipeline that it belongs to. "
            "Run the pipeline in a cell of its own."
        )
