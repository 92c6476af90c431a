"""Owns what zennb sets up in processes of Dask: they draw from generators of their own, and end at no interrupt."""

from __future__ import annotations

import random
import signal
import sys
import threading
from dataclasses import dataclass
from typing import Any

import distributed

__all__ = ["ProcessSetup", "use_own_generator"]

_REMADE = (
    "__import__('zennb.components.orchestrators.dask_processes', fromlist=['ProcessSetup']).ProcessSetup(**given) "
    "if __import__('importlib.util').util.find_spec('zennb') else __import__('distributed').WorkerPlugin()"
)


class _OwnGenerator(random.Random):
    """Takes the place of the module `random` in modules of Dask."""

    Random = random.Random


def use_own_generator() -> None:
    """Let Dask draw from a generator of its own.

    It estimates the size of results and chooses workers with the global one, in threads beside the steps. What a step
    draws would differ from run to run, although it was seeded, and each step would seem to have drawn.
    """
    own = _OwnGenerator()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in {"dask", "distributed"} and vars(module).get("random") is random:
            setattr(module, "random", own)  # noqa: B010 - mypy cannot know that it is there


@dataclass(frozen=True, kw_only=True)
class ProcessSetup(distributed.WorkerPlugin):
    """Sets up workers, also those that come later.

    Attributes:
        ignores_interrupts: for workers of this machine. Jupyter sends the interrupts of a kernel to its child processes
            too. Workers would end, with the steps of other runs, and new ones take seconds to come. The step that is
            meant is stopped over its own link.
    """

    ignores_interrupts: bool

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker without zennb would end over it. It is refused when it gets a step.
        return eval, (_REMADE, {"given": {"ignores_interrupts": self.ignores_interrupts}})

    def setup(self, worker: Any) -> None:
        """Set a worker up; Dask calls this in the main thread of its process."""
        del worker
        use_own_generator()
        # Workers that are threads of the notebook's process are not in the main one.
        if self.ignores_interrupts and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
