"""Owns the `local` orchestrator: calls run immediately, in the kernel, on the submitting thread."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.components.component import Orchestrator, Visibility

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LocalOrchestrator"]

R = TypeVar("R")


class LocalOrchestrator(Orchestrator):
    """Runs each call before `submit` returns. An interrupt is raised in the caller, as in any cell."""

    flavor = "local"
    description = "runs steps in this kernel, one after another"
    visibility = Visibility.PROCESS
    in_kernel = True

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Run `fn` now; the future is finished when this returns."""
        future: Future[R] = Future()
        future.set_running_or_notify_cancel()
        try:
            result = fn(*args, **kwargs)
        # Not BaseException: an interrupt is the user's to the whole run, not the result of this step.
        except Exception as error:  # noqa: BLE001 - whatever the user's code raised belongs into the future
            future.set_exception(error)
        else:
            future.set_result(result)
        return future
