"""Owns `Relay`, which carries messages of calls on machines that cannot reach this one; `FileRelay` uses files."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = ["FileRelay", "Relay", "RelayEnd"]


class RelayEnd(Protocol):
    """The end of a relay that goes along with a call; it is pickled."""

    def open(self, receive: Callable[[str], None]) -> AbstractContextManager[Callable[[str], None] | None]:
        """Yield a function that sends a message, without line breaks; None if there is no way.

        Args:
            receive: called with each message that is sent to the call, if the relay can carry any.
        """


class Relay(ABC):
    """Carries messages of calls that run. It is thread-safe, and keeps their order."""

    @abstractmethod
    def expect(self, token: str, receive: Callable[[str], None]) -> RelayEnd:
        """Return the other end for a call that is about to be submitted.

        Args:
            token: names the call; letters and digits.
            receive: called with each message of the call, on a thread of the relay.
        """

    def tell(self, token: str, message: str) -> None:
        """Send a message to a call that runs; do nothing where the relay cannot, and do not wait."""
        del token, message

    @abstractmethod
    def close(self, token: str) -> None:
        """Return when all messages of a call that has ended are received."""


class FileRelay(Relay):
    """Messages are lines of files in a folder that both sides reach.

    Args:
        folder: the folder.
        every: seconds between two looks at the files.
    """

    def __init__(self, folder: Path, *, every: float) -> None:
        self._folder, self._every = folder, every
        self._lock = threading.Lock()
        self._files: dict[str, _File] = {}
        self._thread: threading.Thread | None = None

    def expect(self, token: str, receive: Callable[[str], None]) -> RelayEnd:
        """Return the end of a call: a file."""
        path = self._folder / f"zennb-{token}.messages"
        with self._lock:
            self._files[token] = _File(path=path, receive=receive)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, daemon=True, name="zennb-messages")
                self._thread.start()
        return _FileEnd(path=str(path))

    def close(self, token: str) -> None:
        """Read what is left, and delete the file."""
        with self._lock:
            file = self._files.pop(token, None)
        if file is not None:
            file.read()
            with suppress(OSError):
                file.path.unlink(missing_ok=True)

    def _look(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every):
            with self._lock:
                files = list(self._files.values())
                if not files:
                    self._thread = None
                    return
            for file in files:
                file.read()


@dataclass(kw_only=True)
class _File:
    """A file of messages, of which the first `at` bytes have been read."""

    path: Path
    receive: Callable[[str], None]
    at: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> None:
        with self.lock:
            try:
                # Opened anew each time: network file systems then show what others have written.
                with self.path.open("rb") as file:
                    file.seek(self.at)
                    content = file.read()
            except OSError:  # the call has not begun
                return
            lines, found, _rest = content.rpartition(b"\n")
            self.at += len(lines) + len(found)
            for line in lines.split(b"\n") if found else ():
                self.receive(line.decode(errors="replace"))


@dataclass(frozen=True, kw_only=True)
class _FileEnd:
    path: str

    @contextmanager
    def open(self, receive: Callable[[str], None]) -> Iterator[Callable[[str], None] | None]:
        del receive
        file: BinaryIO | None = None
        with suppress(OSError):
            file = Path(self.path).open("ab", buffering=0)  # noqa: SIM115 - closed below
        if file is None:
            yield None
            return

        def send(message: str) -> None:
            with suppress(OSError):  # the disk is full: what it shows is stored with the step
                file.write(message.encode() + b"\n")

        with file:
            yield send
