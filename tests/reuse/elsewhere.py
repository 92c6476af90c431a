"""Owns the other process of a pair: a pool of one worker, forked before the kernel has run anything."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

from zennb.components.component import Orchestrator, Visibility

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ForkedOrchestrator", "announce", "fork"]

_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG

_pool: ProcessPoolExecutor | None = None


class ForkedOrchestrator(Orchestrator):
    """Runs steps in a worker that knows nothing of the notebook, and is there at once."""

    flavor = "forked"
    description = "runs steps in a process forked from the kernel before its first cell"
    visibility: ClassVar[Visibility] = Visibility.MACHINE

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call in the worker."""
        assert _pool is not None
        return _pool.submit(fn, *args, **kwargs)


def announce(folder: Path) -> None:
    """Let a kernel whose module path has this folder find the flavor."""
    info = folder / "zennb_forked-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zennb-forked\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[zennb.flavors]\norchestrator.forked = tests.reuse.elsewhere:ForkedOrchestrator\n"
    )


def fork() -> None:
    """Fork the worker; called before anything of the notebook has run."""
    global _pool
    _pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"), initializer=_begin)
    _pool.submit(os.getpid).result()


def _begin() -> None:
    """Ignore interrupts while idle, and end when the kernel is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
