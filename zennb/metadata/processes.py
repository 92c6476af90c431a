"""Owns checks of processes on this machine: whether one is alive, and which one holds a database's lock."""

from __future__ import annotations

import os
import socket
import sys
from functools import lru_cache
from pathlib import Path

__all__ = ["hostname", "is_alive", "mark_of", "writers"]

_SLACK = 5.0  # seconds by which the clocks behind a process's start and a run's start may disagree


@lru_cache(maxsize=1)
def hostname() -> str:
    """Return the name of this machine, as recorded with runs."""
    return socket.gethostname()


def mark_of(process: int) -> str:
    """Return what tells a process from all others that have or had its number on this machine; "" where nothing does.

    It is when the process started, counted from the start of the system, and which start that was. So it does not
    depend on the clock, which may be behind when the run begins and be set later.
    """
    if sys.platform != "linux":
        return ""
    try:
        _, ticks = _state(process)
        return f"{_boot_id()}/{ticks}"
    except (OSError, ValueError, IndexError):
        return ""


def is_alive(process: object, *, since: object, mark: object = "") -> bool:
    """Return whether the process that was running at `since` (seconds since the epoch) still is.

    Process ids are reused: a process with another mark is another one. Where none was recorded, it is one that started
    later by the clock; where the system does not provide start times, any process of that id counts. What others may
    have written in place of numbers counts as a process that is alive: nothing is ended or deleted because of it.
    """
    if not (isinstance(process, int) and isinstance(since, int | float) and isinstance(mark, str)):
        return True
    if process <= 0:
        return False
    if sys.platform == "linux":
        return _is_alive_linux(process, since, mark)
    if sys.platform == "win32":
        return _is_alive_windows(process)
    return _answers(process)


def _answers(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:  # it exists, but belongs to another user
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _is_alive_linux(process: int, since: float, mark: str) -> bool:
    try:
        state, ticks = _state(process)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except OSError:
        return _answers(process)
    if state in {"Z", "X"}:  # a zombie (Z) has ended; only its parent has not asked how
        return False
    if mark:
        return mark_of(process) in {mark, ""}
    # The kernel tells the start in clock ticks since boot.
    return _boot_time() + ticks / os.sysconf("SC_CLK_TCK") <= since + _SLACK


def _state(process: int) -> tuple[str, int]:
    """Return the state of a process as a letter, and its start in clock ticks after that of the system."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    # The second field, the program's name in parentheses, may contain anything: split after the last parenthesis.
    fields = stat.rpartition(")")[2].split()
    return fields[0], int(fields[19])


@lru_cache(maxsize=1)
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@lru_cache(maxsize=1)
def _boot_time() -> float:
    for line in Path("/proc/stat").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0


def _is_alive_windows(process: int) -> bool:
    if sys.platform != "win32":  # narrows the type: ctypes.windll exists on Windows only
        return True
    import ctypes

    query_limited, still_active = 0x1000, 259
    kernel = ctypes.windll.kernel32
    handle = kernel.OpenProcess(query_limited, False, process)
    if not handle:
        return bool(kernel.GetLastError() == 5)  # access denied: it exists
    try:
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        return code.value == still_active
    finally:
        kernel.CloseHandle(handle)


def writers(database: Path) -> list[int]:
    """Return ids of processes that hold a WAL database's write lock; empty where the system does not provide them."""
    try:
        inode = Path(f"{database}-shm").stat().st_ino
        locks = Path("/proc/locks").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return sorted({found for line in locks.splitlines() if (found := _writer(line, inode)) is not None})


def _writer(line: str, inode: int) -> int | None:
    # "3: POSIX  ADVISORY  WRITE 812 fe:01:1835 120 120"; byte 120 of the -shm file is SQLite's write lock.
    fields = line.split()
    # A line of a process that waits for the lock has `->` in it, and so another number of fields.
    if len(fields) != 8 or fields[3] != "WRITE" or not fields[5].endswith(f":{inode}"):
        return None
    last = 1 << 62 if fields[7] == "EOF" else int(fields[7])
    return int(fields[4]) if int(fields[6]) <= 120 <= last else None
