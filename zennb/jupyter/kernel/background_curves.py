"""Owns `BackgroundCurves`: what steps of background runs have logged so far, for the live views of this kernel.

These runs are other processes, which write it to files a few times a second. While somebody looks, one thread looks for
new versions of the files, and says so as a step of this kernel does.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from zennb.core.records.records import Status
from zennb.engine.background.live_curves import read_curves
from zennb.engine.background.run_files import RunFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.records.metrics import Metric
    from zennb.registry.workspace import Workspace

__all__ = ["BackgroundCurves"]

_EVERY = 0.2
"""Seconds between two looks at the files."""
_AT_LEAST = 2.0
"""Seconds after which it is asked again which runs go on, though no file has changed."""
_PATIENCE = 4.0
"""Seconds without a question after which nobody looks any more."""


class BackgroundCurves:
    """The curves of background runs.

    Args:
        workspace: returns the workspace with the runs.
        notify: called from another thread when there is something new, until `current` was not called for a while.
    """

    def __init__(self, workspace: Callable[[], Workspace], notify: Callable[[], object]) -> None:
        self._workspace, self._notify = workspace, notify
        self._lock = threading.Lock()
        self._files: tuple[RunFiles, ...] = ()
        self._asked = 0.0
        self._watcher: threading.Thread | None = None
        self._ended = threading.Event()

    def current(self) -> dict[int, Mapping[str, Mapping[str, Metric]]]:
        """Return run → step → what it has logged so far, of the runs that go on; from now on watch them."""
        workspace = self._workspace()
        runs = workspace.metadata.runs(status=Status.RUNNING)
        files = [RunFiles(workspace.home, run.id or 0) for run in runs]
        going_on = tuple(each for each, run in zip(files, runs, strict=True) if each.state(run) is not None)
        with self._lock:
            self._files, self._asked = going_on, time.monotonic()
            if going_on and self._watcher is None and not self._ended.is_set():
                self._watcher = threading.Thread(
                    target=self._watch, daemon=True, name="zennb-background-curves"
                )
                self._watcher.start()
        found = {each.number: read_curves(each) for each in going_on}
        return {number: curves for number, curves in found.items() if curves}

    def close(self) -> None:
        """Watch nothing any more."""
        self._ended.set()

    def _watch(self) -> None:
        seen, told = self._versions(), time.monotonic()
        while not self._ended.wait(_EVERY):
            now = time.monotonic()
            with self._lock:
                if not self._files or now - self._asked > _PATIENCE:
                    break
            versions = self._versions()
            if versions != seen or now - told > _AT_LEAST:
                seen, told = versions, now
                self._notify()
        with self._lock:
            self._watcher = None

    def _versions(self) -> list[int]:
        return [_version(each) for each in self._files]


def _version(files: RunFiles) -> int:
    try:
        return files.curves.stat().st_mtime_ns
    except OSError:
        return 0
