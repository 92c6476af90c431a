"""Owns interrupts at chosen moments: a real signal before a line of zennb's code, or on the way out of its blocks."""

from __future__ import annotations

import linecache
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import zennb

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["InterruptedAt", "InterruptedAtEnd", "lines_of"]

_OURS = str(Path(zennb.__file__).parent)


class InterruptedAt:
    """Interrupt the block at its n-th line of zennb's code; count its lines.

    Args:
        line: which; 0 for none.
        within: only lines of files whose path ends so count.

    Attributes:
        lines: how many were run.
    """

    def __init__(self, line: int = 0, *, within: tuple[str, ...] = ("",)) -> None:
        self._at, self._within = line, within
        self.lines = 0
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, _event: str, _argument: object) -> Any:
        path = frame.f_code.co_filename
        return self._line if path.startswith(_OURS) and path.endswith(self._within) else None

    def _line(self, frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line" and not _is_with(frame):
            self.lines += 1
            if self.lines == self._at:
                signal.raise_signal(signal.SIGINT)
        return self._line


class InterruptedAtEnd:
    """Interrupt the block before the n-th `__exit__` that zennb's code calls has done anything.

    Args:
        end: which; 0 for none.
        begins: interrupt when `__enter__` returns instead.

    Attributes:
        ends: how many there were.
    """

    def __init__(self, end: int = 0, *, begins: bool = False) -> None:
        self._at, self._begins = end, begins
        self.ends = 0
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, _event: str, _argument: object) -> Any:
        caller = frame.f_back
        if frame.f_code.co_name != ("__enter__" if self._begins else "__exit__") or caller is None:
            return None
        own = (frame.f_code.co_filename, caller.f_code.co_filename)
        if not any(path.startswith(_OURS) for path in own):
            return None
        if self._begins:
            return self._return
        self._count()
        return None

    def _return(self, _frame: FrameType, event: str, _argument: object) -> Any:
        if event == "return":
            self._count()
        return self._return

    def _count(self) -> None:
        self.ends += 1
        if self.ends == self._at:
            signal.raise_signal(signal.SIGINT)


def _is_with(frame: FrameType) -> bool:
    """Whether a line is that of a `with`, where Python raises no interrupt between the block and its end."""
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with ")


def lines_of(act: Callable[[], object], *, within: tuple[str, ...] = ("",)) -> int:
    """Return how many lines of zennb's code a call runs."""
    with InterruptedAt(within=within) as counted:
        act()
    return counted.lines
