"""Owns the `threads` orchestrator: calls run concurrently in threads of the kernel."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from traitlets import Int

from zennb.components.component import Visibility
from zennb.components.pooled import PooledOrchestrator

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ThreadsOrchestrator"]

R = TypeVar("R")


class ThreadsOrchestrator(PooledOrchestrator):
    """Runs up to `workers` calls at once; useful for steps that wait or release the GIL."""

    flavor = "threads"
    description = "runs independent steps side by side, in threads of this kernel"
    visibility = Visibility.PROCESS

    workers = Int(4, min=1, max=1000, help="How many steps run at once.").tag(config=True)

    def make_executor(self) -> Executor:
        """Return a pool of threads."""
        return ThreadPoolExecutor(self.workers, thread_name_prefix=f"zennb-{self.name}")

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Queue `fn` for the next free thread."""
        # Settings in context variables (such as numpy's print options) come from the submitting thread.
        return super().submit(copy_context().run, fn, *args, **kwargs)
