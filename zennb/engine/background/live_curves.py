"""Owns the file with what the running steps of a background run have logged, from which other kernels draw curves.

It is rewritten as a whole, at most five times a second: whoever looks late needs all points of a curve, which are a
thousand at most. What is recorded comes with the outcome of a step, so nothing is lost with this file.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from zennb.bounded_input import parse_json, read_file
from zennb.core.records.metrics import Metric
from zennb.core.secrets.texts import mask_text
from zennb.engine.step.running import live_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.engine.background.run_files import RunFiles

__all__ = ["CurveWriter", "read_curves"]

_EVERY = 0.2
"""Seconds between two versions of the file."""
_LOOK = 1.0
"""Seconds after which steps that log nothing are looked at again: they may have ended."""
_LARGEST = 20_000_000


class CurveWriter:
    """Writes what the steps of this process log.

    Args:
        find: returns the files of the run; None where nobody would look for them. It is called on another thread.
    """

    def __init__(self, find: Callable[[], RunFiles | None]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._new = threading.Event()
        self._ended = threading.Event()
        self._writer: threading.Thread | None = None

    def note(self) -> None:
        """Note that a step has logged; this is called in training loops, so it does next to nothing."""
        if self._new.is_set():
            return
        self._new.set()
        with self._lock:
            if self._writer is None and not self._ended.is_set():
                self._writer = threading.Thread(target=self._keep_writing, daemon=True, name="zennb-curves")
                self._writer.start()

    def close(self) -> None:
        """Write nothing more, and delete the file."""
        with self._lock:
            self._ended.set()
        self._new.set()
        if self._writer is not None:
            self._writer.join()

    def _keep_writing(self) -> None:
        files = self._find()
        written: Mapping[str, Mapping[str, Metric]] = {}
        while files is not None and not self._ended.is_set():
            self._new.wait(_LOOK if written else None)
            self._new.clear()
            found = live_metrics()
            if found != written:
                with suppress(OSError):  # a full disk: nobody sees the curves before the steps have ended
                    files.replace(files.curves, json.dumps(_content(found)))
                written = found
            self._ended.wait(_EVERY)
        if files is not None:
            with suppress(OSError):
                files.curves.unlink(missing_ok=True)


def _content(found: Mapping[str, Mapping[str, Metric]]) -> dict[str, object]:
    return {
        step: {mask_text(name): [each.last, each.count, each.points] for name, each in metrics.items()}
        for step, metrics in found.items()
    }


def read_curves(files: RunFiles) -> dict[str, dict[str, Metric]]:
    """Return step → metric → what it has logged so far, of the steps of a background run that run now.

    A file that is missing, half written or not ours tells of none.
    """
    try:
        content = parse_json(read_file(files.curves, limit=_LARGEST), bounded=True)
        return {
            str(step): {str(name): _metric(*parts) for name, parts in metrics.items()}
            for step, metrics in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return {}


def _metric(last: object, count: object, points: object) -> Metric:
    if not isinstance(points, list):
        raise TypeError
    return Metric(
        last=float(last),  # type: ignore[arg-type]  # whatever the file holds
        count=int(count),  # type: ignore[call-overload]  # as above
        points=tuple((int(at), float(value)) for at, value in points),
    )
