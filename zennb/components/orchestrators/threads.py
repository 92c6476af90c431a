"""Owns the `threads` orchestrator: calls run concurrently in threads of the kernel."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from traitlets import Int

from zennb.components.component import Orchestrator, Visibility

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ThreadsOrchestrator"]

R = TypeVar("R")


class ThreadsOrchestrator(Orchestrator):
    """Runs up to `workers` calls at once; useful for steps that wait or release the GIL."""

    flavor = "threads"
    description = "runs independent steps side by side, in threads of this kernel"
    visibility = Visibility.PROCESS

    workers = Int(4, min=1, max=1000, help="How many steps run at once.").tag(config=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._pid = os.getpid()

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Queue `fn` for the next free thread."""
        if self._pid != os.getpid():  # in a forked child the parent's threads do not exist
            self._lock, self._pool, self._pid = threading.Lock(), None, os.getpid()
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix=f"zennb-{self.name}")
            # Settings in context variables (such as numpy's print options) come from the submitting thread.
            return self._pool.submit(copy_context().run, partial(fn, *args, **kwargs))

    def close(self) -> None:
        """Wait for what was submitted and end the threads; a later `submit` starts new ones."""
        with self._lock:
            # Waited for outside the lock, which a step that submits another one may need.
            pool, self._pool = self._pool, None
        if pool is not None and self._pid == os.getpid():
            pool.shutdown(wait=True)
