"""Owns interrupts of the cells of a real kernel: when they come, how the cell ends, and where a kernel hangs."""

from __future__ import annotations

import math
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.kernel.conftest import Kernel, Ran

__all__ = ["STACKS", "Latencies", "cell_of", "interrupt", "stacks"]

PATIENCE = 60.0

STACKS = """
import faulthandler as _faulthandler, signal as _signal
_stacks = open("stacks.txt", "w")
_faulthandler.enable(_stacks)
_faulthandler.register(_signal.SIGUSR1, file=_stacks, all_threads=True)
"""
"""Lets a kernel write where its threads are when it is asked by a signal.

Only for one that hangs: while Python runs, asking can crash it, as `faulthandler` finds frames that are being made.
"""


@dataclass(slots=True)
class Latencies:
    """Seconds from an interrupt to the prompt."""

    seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.seconds:
            return "none"
        found = sorted(self.seconds)
        at = [
            f"p{share} {found[min(len(found) - 1, len(found) * share // 100)] * 1e3:.0f} ms"
            for share in (50, 99)
        ]
        return f"{', '.join(at)}, worst {found[-1] * 1e3:.0f} ms of {len(found)}"


def interrupt(kernel: Kernel, code: str, after: float, latencies: Latencies) -> str:
    """Run a cell and interrupt it so many seconds after it began; return how it ended.

    It has begun when the kernel shows its code: just before, ipykernel ignores interrupts.

    Returns:
        ok; error; dead; ignored: it went on, for Python or a library caught the interrupt and printed it; lost: it has
        no reply, for the interrupt came while the kernel itself told of its end.
    """
    sent, is_shown = kernel.send(code), False
    hit, due, deadline = 0.0, math.inf, time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            message = kernel.client.get_iopub_msg(timeout=max(0.0, min(0.5, due - time.monotonic())))
        except Empty:
            if not kernel.manager.is_alive():
                return "dead"
            if time.monotonic() >= due:
                os.kill(kernel.manager.provisioner.pid, signal.SIGINT)
                hit, due = time.monotonic(), math.inf
            continue
        except ValueError:  # a message that the interrupt has cut
            continue
        if message["parent_header"].get("msg_id") != sent:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            if hit:
                latencies.seconds.append(time.monotonic() - hit)
            end = _reply(kernel, sent)
            return "ignored" if end == "ok" and is_shown else end
        if message["msg_type"] == "execute_input":
            due = time.monotonic() + after
        if message["msg_type"] == "stream":
            is_shown |= "KeyboardInterrupt" in message["content"]["text"]
    if kernel.answers():  # ipykernel was interrupted before it could say that the cell has ended
        return "lost"
    raise AssertionError(f"no prompt within {PATIENCE} s: {code}\n{stacks(kernel)}")


def cell_of(kernel: Kernel, code: str) -> Ran:
    """Run a cell; once more if its reply was mixed with one that an interrupt has cut, as happens to any kernel.

    Raises:
        AssertionError: the kernel has died, or does not answer.
    """
    for _ in range(2):
        with suppress(ValueError, Empty):
            return kernel.cell(code)
    raise AssertionError(f"no answer to {code}")


def stacks(kernel: Kernel) -> str:
    """Return where the threads of a kernel are that has run `STACKS`; it may not survive that."""
    if kernel.exit_code is None:
        os.kill(kernel.manager.provisioner.pid, signal.SIGUSR1)
        time.sleep(2.0)
    return (kernel.folder / "stacks.txt").read_text()


def _reply(kernel: Kernel, sent: str) -> str:
    try:
        while True:
            message = kernel.client.get_shell_msg(timeout=1.0)
            if message["parent_header"].get("msg_id") == sent:
                return str(message["content"]["status"])
    except (Empty, ValueError):  # ValueError: it was cut by the interrupt
        return "lost"
