"""Owns the redirection of `sys.stdout` and `sys.stderr` per thread, so that concurrent steps do not mix."""

from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zennb.engine.step.recording import Recording

__all__ = ["redirected", "written_again"]


class _Split(io.TextIOBase):
    """A stream that sends the text of registered threads to their recordings, and all other text to the original."""

    def __init__(self, name: str, original: TextIO) -> None:
        super().__init__()
        self._name, self.original = name, original
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
        recording.stream(self._name, text)
        return len(text)

    def flush(self) -> None:
        self.original.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


_lock = threading.Lock()
_installed: dict[str, _Split] = {}


@block
def redirected(recording: Recording) -> Iterator[None]:
    """Send what this thread writes to stdout and stderr to `recording` until the block ends."""
    ident = threading.get_ident()
    with _lock:
        for name in ("stdout", "stderr"):
            # Put in place by the first step and removed after the last one, as several
            # threads need it at the same time.
            if name not in _installed:
                _installed[name] = _Split(name, getattr(sys, name))
                setattr(sys, name, _installed[name])
        outer = {name: split.recordings.get(ident) for name, split in _installed.items()}
        for split in _installed.values():
            split.recordings[ident] = recording
    try:
        yield
    finally:
        with _lock:
            _leave(ident, outer)


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
