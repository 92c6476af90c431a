"""Owns the processes of background runs: how one is started, how it says that it runs, and how it is stopped.

A run is announced once its process has recorded it and can be attached to. Until then whatever goes wrong is an error
of the command that starts it. What it is to do goes through a pipe, not a file: it may hold secrets.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from zennb.bounded_input import APPEND
from zennb.components.killing import kill_group
from zennb.engine.step.streams import mask_stream
from zennb.errors import StepRefused, UsageError
from zennb.metadata.processes import hostname

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.core.records.records import Run
    from zennb.engine.background.run_files import RunFiles
    from zennb.metadata.store import MetadataStore

__all__ = ["announce", "launch", "prepare_process", "refuse_start", "stop"]

_MARK = b"\x1ezennb "
"""Begins the one line that the process sends to whoever started it; other lines are of modules that print."""

GRACE = 15.0
"""Seconds that a run has to end by itself after an interrupt, before its processes are killed."""

_PAUSE = 0.1
_announced: list[int] = []
_MOST_TOLD = 300  # characters of a process's last words in an error


def launch(module: str, payload: bytes, *, folder: Path | None = None) -> int:
    """Start a process for a run, and return the run's id as soon as the run is recorded.

    Args:
        module: the module to run.
        payload: what it reads from its standard input.
        folder: its working folder; by default that of this process.

    Raises:
        StepRefused: it did not start.
    """
    more = {"creationflags": _WINDOWS_FLAGS} if sys.platform == "win32" else {"start_new_session": True}
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        **more,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(OSError):  # it has died: why is read below
            process.stdin.write(payload)
        with suppress(OSError):
            process.stdin.close()
        number = _answer(process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        process.stdout.close()
    # A process that has ended stays in the system's list until its parent has asked how.
    threading.Thread(target=process.wait, name="zennb-background", daemon=True).start()
    return number


_WINDOWS_FLAGS = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(
    subprocess, "CREATE_NO_WINDOW", 0
)


def _answer(process: subprocess.Popen[bytes]) -> int:
    """Return the id of the run that a process has begun."""
    assert process.stdout is not None
    said = b""
    for line in process.stdout:
        if line.startswith(_MARK):
            answer = json.loads(line.removeprefix(_MARK))
            if "run" in answer:
                return int(answer["run"])
            raise StepRefused(str(answer["error"]))
        said = line.strip() or said
    words = said.decode("utf-8", "replace")[:_MOST_TOLD]
    raise StepRefused(
        f"the process of the background run ended before the run began: {words or 'it said nothing'}. "
        "Nothing was run or recorded."
    )


def prepare_process() -> bytes:
    """In the new process: return what it was sent, and take interrupts, which is how it is stopped."""
    payload = sys.stdin.buffer.read()
    # Closed, a descriptor would be given to the next file that is opened; and `input()` ends at once.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    faulthandler.enable()  # what a crash in compiled code says
    # Started by a shell without job control, it would ignore them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):  # the terminal that started it is closed
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return payload


def announce(files: RunFiles) -> None:
    """In the new process: say that the run is recorded; what is written past its steps goes to a file from now on."""
    try:
        streams = os.open(files.streams, APPEND, 0o600)
    except OSError:  # a full disk, or no file but a pipe: the run goes on without
        streams = os.open(os.devnull, os.O_WRONLY)
    _answer_with({"run": files.number})
    _announced.append(files.number)
    sys.stdout.flush()
    sys.stderr.flush()
    for descriptor in (1, 2):
        os.dup2(streams, descriptor)
    os.close(streams)
    for name in ("stdout", "stderr"):
        mask_stream(name)


def refuse_start(message: str) -> None:
    """In the new process: say why the run does not begin; or why it ends, where it has been announced already."""
    if _announced:  # nobody waits for an answer any more: it stands beside the words of a crash
        sys.stderr.write(f"{message}\n")
    else:
        _answer_with({"error": message})


def _answer_with(content: dict[str, object]) -> None:
    with suppress(OSError):  # whoever started it is gone; the run goes on
        os.write(1, b"\n" + _MARK + json.dumps(content).encode() + b"\n")


def stop(
    metadata: MetadataStore,
    run: Run,
    *,
    grace: float | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> Run:
    """Interrupt a background run that is running, wait until it has ended, and return its record.

    What its steps have finished stays recorded. Where an interrupt does not reach its code, its processes are killed.

    Args:
        metadata: has its record.
        run: the run.
        grace: seconds that it has to end by itself.
        pause: waits for so many seconds.

    Raises:
        UsageError: it runs on another machine.
    """
    if run.host != hostname():
        raise UsageError(f"run {run.id} runs on {run.host}; stop it there.")
    # That it is recorded as running says that the process with this number is the one that began it.
    with suppress(ProcessLookupError):
        os.kill(run.process, signal.SIGINT if os.name != "nt" else signal.SIGTERM)
    deadline, killed = time.monotonic() + (GRACE if grace is None else grace), False
    while True:
        now = metadata.run(run.id or 0)
        if now is None or now.status.is_final:
            return run if now is None else now
        if time.monotonic() > deadline and not killed:
            killed = True
            kill_group(run.process)
        pause(_PAUSE)
