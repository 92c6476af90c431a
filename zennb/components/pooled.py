"""Owns `PooledOrchestrator`: an orchestrator that hands its calls to a `concurrent.futures.Executor`."""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.components.component import Orchestrator
from zennb.errors import InvalidConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

__all__ = ["PooledOrchestrator", "named"]

R = TypeVar("R")


class PooledOrchestrator(Orchestrator):
    """Makes its executor at first use, and again when that has broken, was closed, or belongs to the parent process."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._lock = threading.Lock()
        self._executor: Executor | None = None
        self._pid = os.getpid()

    @abstractmethod
    def make_executor(self) -> Executor:
        """Return a new executor. It is shut down by `close`."""

    def executor(self) -> Executor:
        """Return the executor; make it first where there is none."""
        if self._pid != os.getpid():  # a forked child has neither the parent's threads nor its connections
            self._lock, self._executor, self._pid = threading.Lock(), None, os.getpid()
        with self._lock:
            if self._executor is None:
                self._executor = self.make_executor()
            return self._executor

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Hand a call to the executor."""
        call = partial(fn, *args, **kwargs)  # executors have options of their own, with any name
        executor = self.executor()
        try:
            return executor.submit(call)
        except RuntimeError:  # a worker has died and the executor with it, or it was shut down
            with self._lock:
                if self._executor is executor:
                    self._executor = None
        return self.executor().submit(call)

    def close(self) -> None:
        """Wait for what was submitted and shut the executor down; a later `submit` makes a new one."""
        with self._lock:
            # Waited for outside the lock, which a step that submits another one may need.
            executor, self._executor = self._executor, None
        if executor is not None and self._pid == os.getpid():
            executor.shutdown(wait=True)


def named(path: str, *, option: str) -> Any:
    """Return what a dotted name stands for: `package.module.Name` or `package.module:Name`.

    Args:
        path: the name.
        option: the option in which it was given.

    Raises:
        InvalidConfiguration: there is nothing of that name.
    """
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidConfiguration(
            f"there is no `{path}` ({error}); give `{option}` as package.module.Name.", option=option
        ) from error
