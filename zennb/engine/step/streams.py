"""Owns what is put before `sys.stdout` and `sys.stderr`: recordings of each thread, copies, the masking of secrets."""

from __future__ import annotations

import io
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TextIO

from zennb.core.secrets.held import HELD
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from zennb.engine.step.recording import Recording

__all__ = ["mask_stream", "redirected", "with_write", "written_again"]


class _Split(io.TextIOBase):
    """A stream that sends the text of registered threads to their recordings, and all other text to the original."""

    def __init__(self, name: str, original: TextIO) -> None:
        super().__init__()
        self.name, self.original = name, original
        self.recordings: dict[int, Recording] = {}

    @property
    def encoding(self) -> str:  # type: ignore[override]  # TextIOBase declares a plain attribute
        return self.original.encoding or "utf-8"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def write(self, text: str, /) -> int:
        recording = self.recordings.get(threading.get_ident())
        if recording is None:
            return self.original.write(text)
        # As `mask_stream`: in a worker, only this process knows the secrets that its code looked up.
        recording.stream(self.name, HELD.mask_known(text) if self.name == "stderr" else text)
        return len(text)

    def flush(self) -> None:
        self.original.flush()

    def close(self) -> None:
        """Leave the original as it is.

        Python closes a stream when nobody refers to it any more, and closing one flushes it. The stream of a kernel
        waits for another thread then; an interrupt that came meanwhile would be ignored, as in any `__del__`.
        """

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


_lock = threading.Lock()
_installed: dict[str, _Split] = {}

_kept: deque[_Split | _Copy] = deque(maxlen=100)
"""Streams that were put in place last. Before Python 3.14 `print` holds no reference to `sys.stdout`: in a thread that
is about to print it would write to an object that has ended, and the process would crash."""


@block
def redirected(recording: Recording) -> Iterator[None]:
    """Send what this thread writes to stdout and stderr to `recording` until the block ends."""
    ident = threading.get_ident()
    with _lock:
        for name in ("stdout", "stderr"):
            # Put in place by the first step and removed after the last one, as several
            # threads need it at the same time.
            if name not in _installed:
                _installed[name] = _split_of(name, getattr(sys, name))
                setattr(sys, name, _installed[name])
        outer = {name: split.recordings.get(ident) for name, split in _installed.items()}
        for split in _installed.values():
            split.recordings[ident] = recording
    try:
        yield
    finally:
        with _lock:
            _leave(ident, outer)


def _split_of(name: str, stream: TextIO) -> _Split:
    """Return what splits a stream: usually what did before, so that the streams that are kept are few."""
    for each in list(_kept):
        if isinstance(each, _Split) and each.name == name and each.original is stream:
            return each
    split = _Split(name, stream)
    _kept.append(split)
    return split


def written_again() -> None:
    """Let this thread write to stdout and stderr again, whatever an interrupt has left of a redirection."""
    with _lock:
        _leave(threading.get_ident(), {})


def _leave(ident: int, outer: Mapping[str, Recording | None]) -> None:
    for name, split in list(_installed.items()):
        before = outer.get(name)
        if before is None:
            split.recordings.pop(ident, None)
        else:
            split.recordings[ident] = before
        if not split.recordings:
            # Somebody else may have replaced the stream in the meantime (`contextlib.redirect_stdout`); theirs stays.
            if getattr(sys, name) is split:
                setattr(sys, name, split.original)
            del _installed[name]


def mask_stream(name: str) -> Callable[[], None]:
    """Mask the secrets that this process holds in what it writes to a stream; return a function that ends this.

    Libraries put the address that they could not reach, with its password, into warnings and log records, and IPython
    itself prints the traceback of a group of exceptions.
    """
    before = getattr(sys, name)
    if before is None or getattr(before.write, "masks_secrets", False):  # without a console there is none
        return _nothing
    write = before.write

    def masked(text: str, /) -> int:
        write(HELD.mask_known(text) if type(text) is str else text)
        return len(text)

    masked.masks_secrets = True  # type: ignore[attr-defined]  # the mark that is looked for above
    return with_write(name, masked)


def with_write(name: str, write: Callable[[str], int]) -> Callable[[], None]:
    """Let a standard stream write through `write`; return a function that ends this.

    The stream itself is changed instead of `sys.stdout`, since log handlers and libraries keep the stream they found.
    One that is written in C is replaced by a wrapper.
    """
    stream: TextIO = getattr(sys, name)
    before = getattr(stream, "__dict__", {}).get("write")
    try:
        # The kernel's stream is Python's own and allows it.
        stream.write = write  # type: ignore[method-assign]
    except AttributeError:
        copy = _Copy(stream, write)
        _kept.append(copy)
        setattr(sys, name, copy)
        return lambda: setattr(sys, name, stream) if isinstance(getattr(sys, name), _Copy) else None

    def end() -> None:
        if stream.__dict__.get("write") is not write:  # code of the user has set one meanwhile
            return
        del stream.write
        if before is not None:
            stream.__dict__["write"] = before

    return end


def _nothing() -> None:
    """End nothing."""


class _Copy:
    """A stream written in C, with another `write`."""

    def __init__(self, stream: TextIO, write: Callable[[str], int]) -> None:
        self._stream = stream
        self.write = write

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
