"""Owns the outbox of a home: messages to services that were not delivered, until `zennb sync` sends them again.

A message is one JSON file. It is written before the first attempt, so that a kernel that dies meanwhile loses nothing,
and deleted once it is delivered. Whoever sends a message renames its file first; so two processes do not send it both.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from zennb.bounded_input import parse_json, read_file
from zennb.core.secrets.names import DOTS
from zennb.core.secrets.texts import mask_json
from zennb.engine.environment.callers import untraced
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from zennb.components.configured import Option
    from zennb.core.secrets.texts import KnownSecrets

__all__ = ["MOST_MESSAGES", "Outbox", "OutboxMessage", "Receiver", "SentMessage", "SyncReport", "deliver_to"]

MOST_MESSAGES = 1000
"""Messages that are kept; of more, the oldest are dropped."""

_LARGEST = 10_000_000
_SENT, _LONGEST_SENT = "delivered.log", 100_000
_SENDING, _KEPT = ".sending", ".json"
_ABANDONED = 300.0
"""Seconds after which a message that somebody began to send counts as not delivered."""

_failing: set[tuple[str, str, str]] = set()
"""The outboxes and components, by type and name, of which the user was told in this process that they fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """A message to a registered component.

    Attributes:
        type: the component's type.
        component: its name.
        payload: what its method `deliver` takes, as JSON data.
        created: when it was written, in seconds since the epoch.
        attempts: how often it was sent in vain.
        problem: why it was not delivered the last time.
    """

    type: str
    component: str
    payload: Mapping[str, Any]
    created: float = field(default_factory=time.time)
    attempts: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What sending the messages of an outbox came to.

    Attributes:
        sent: how many were delivered.
        kept: those that were not, each with its problem.
    """

    sent: int = 0
    kept: tuple[OutboxMessage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that was delivered.

    Attributes:
        type: the component's type.
        component: its name.
        what: what it was about, in a line.
        sent: when it was delivered, in seconds since the epoch.
    """

    type: str
    component: str
    what: str
    sent: float


class Receiver(Protocol):
    """A component that takes messages."""

    @classmethod
    def options(cls) -> Mapping[str, Option]:
        """Return its options by name."""

    def deliver(self, payload: Mapping[str, Any]) -> None:
        """Deliver a message; raise what went wrong if it was not."""


def deliver_to(component: Receiver, message: OutboxMessage) -> None:
    """Hand a message over to its component.

    Raises:
        StoreError: it was not delivered. The secrets of the component are masked in what it said, which often names
            the address that it could not reach.
    """
    try:
        component.deliver(message.payload)
    except Exception as error:  # noqa: BLE001 - a library's own exceptions, of whatever kind
        said = str(error) or type(error).__name__
        for option in component.options().values():
            secret = getattr(component, option.name) if option.secret else None
            with suppress(Exception):
                said = said if secret is None else said.replace(secret.reveal(), DOTS)
        raise StoreError(said) from None


class Outbox:
    """The messages of a home that are not delivered yet.

    Args:
        home: the home directory.
        secrets: what is masked in messages that are kept.
        deadline: seconds that one attempt may take.

    Attributes:
        folder: where the messages are.
    """

    def __init__(self, home: Path, *, secrets: KnownSecrets | None = None, deadline: float = 10.0) -> None:
        self.folder, self._secrets, self._deadline = home / "outbox", secrets, deadline
        self._sent = home / _SENT

    def deliver(self, message: OutboxMessage, send: Callable[[OutboxMessage], None]) -> str:
        """Send a message; if that fails, keep it.

        Args:
            message: the message.
            send: sends it, or raises.

        Returns:
            Why it was not delivered, in a few words; "" when it was.
        """
        message = replace(message, payload=mask_json(message.payload, self._secrets))
        name = f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}"
        written = self._write(name + _SENDING, message)
        problem = self._attempt(message, send)
        if not problem:
            if written:
                (self.folder / (name + _SENDING)).unlink(missing_ok=True)
            self._note_sent(message)
            return ""
        if not written or not self._keep(name, replace(message, attempts=1, problem=problem)):
            return f"{problem}; and it cannot be kept, since {self.folder} cannot be written"
        dropped = self._drop_oldest()
        return f"{problem}; the outbox is full, so {dropped} older ones were dropped" if dropped else problem

    def sentence(self, message: OutboxMessage, what: str, problem: str) -> str:
        """Return what the user is told of a message: of each component that fails once, until it works again.

        Args:
            message: the message.
            what: what was not done: `the alert to 'team' was not delivered`.
            problem: why, as `deliver` says; "" when it was delivered.

        Returns:
            The sentence; "" when there is nothing to say.
        """
        key = (str(self.folder), message.type, message.component)
        if not problem:
            _failing.discard(key)
        if not problem or key in _failing:
            return ""
        _failing.add(key)
        return (
            f"{what}: {problem}. It is kept, and so are later ones, of which nothing is said; `%zennb sync` sends them "
            "again."
        )

    def pending(self) -> list[OutboxMessage]:
        """Return the messages that are waiting, the oldest first."""
        return [message for _, message in self._messages()]

    def sent(self, *, limit: int = 20) -> list[SentMessage]:
        """Return what was delivered lately, the newest first."""
        try:
            lines = self._sent.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        found = []
        for line in reversed(lines):
            with suppress(ValueError, TypeError):  # half written when the disk was full, or not ours
                found.append(SentMessage(**parse_json(line.encode(), bounded=True)))
            if len(found) == limit:
                break
        return found

    def _note_sent(self, message: OutboxMessage) -> None:
        """Note what was delivered: in one write at the end of a file, so that lines of several processes do not mix."""
        payload, path = message.payload, self._sent
        what = str(payload.get("title") or f"step '{payload.get('step', '')}' {payload.get('status', '')}")
        note = SentMessage(type=message.type, component=message.component, what=what[:200], sent=time.time())
        with suppress(OSError, ValueError):
            if path.exists() and path.stat().st_size > _LONGEST_SENT:
                kept = path.read_bytes()[-_LONGEST_SENT // 2 :].partition(b"\n")[2]
                draft = path.with_name(f"{_SENT}.{uuid.uuid4().hex}")
                draft.write_bytes(kept)
                draft.replace(path)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, f"{json.dumps(asdict(note))}\n".encode())
            finally:
                os.close(handle)

    def sync(self, send: Callable[[OutboxMessage], None]) -> SyncReport:
        """Send all messages again, the oldest first.

        After a failure, further messages to the same component wait: they would come out of order, and each attempt at
        a service that is down takes its time.
        """
        sent, kept, down = 0, [], set[tuple[str, str]]()
        for name, message in self._messages():
            where = message.type, message.component
            claimed = where not in down and self._claim(name)
            if where in down:
                kept.append(message)
            if not claimed:
                continue
            problem = self._attempt(message, send)
            if not problem:
                sent += 1
                (self.folder / (name + _SENDING)).unlink(missing_ok=True)
                self._note_sent(message)
                continue
            down.add(where)
            kept.append(replace(message, attempts=message.attempts + 1, problem=problem))
            self._keep(name, kept[-1])
        return SyncReport(sent=sent, kept=tuple(kept))

    def discard(self) -> int:
        """Delete all messages that are waiting; return how many there were."""
        names = [name for name, _ in self._messages()]
        for name in names:
            for ending in (_KEPT, _SENDING):
                (self.folder / (name + ending)).unlink(missing_ok=True)
        return len(names)

    def _attempt(self, message: OutboxMessage, send: Callable[[OutboxMessage], None]) -> str:
        """Return why sending failed; "" when it did not. It is given up after the deadline."""
        problems: list[str] = []

        def call() -> None:
            try:
                with untraced():  # it is no step's doing, whichever runs just now
                    send(message)
            except BaseException as error:  # noqa: BLE001 - a library's own exceptions, of whatever kind
                problems.append(self._reason(error))
            else:
                problems.append("")

        thread = threading.Thread(target=call, name="zennb-delivery", daemon=True)
        thread.start()
        try:
            thread.join(self._deadline)
        except KeyboardInterrupt:  # an interrupt must not end what the message is about
            return "interrupted"
        return problems[0] if problems else f"no answer within {self._deadline:g} s"

    def _reason(self, error: BaseException) -> str:
        text = " ".join(str(error).split()) or type(error).__name__
        return str(mask_json(text[:300], self._secrets)).rstrip(".")

    # Files

    def _messages(self) -> Iterator[tuple[str, OutboxMessage]]:
        """Yield names and messages that nobody is sending now, the oldest first."""
        try:
            names = sorted(each.name for each in self.folder.iterdir())
        except OSError:
            return
        for name in names:
            path = self.folder / name
            stem, ending = path.stem, path.suffix
            try:
                if ending == _SENDING and time.time() - path.stat().st_mtime < _ABANDONED:
                    continue
                found = parse_json(read_file(path, limit=_LARGEST), bounded=True)
                message = OutboxMessage(**found)
                if not isinstance(message.payload, dict):
                    continue
            except (OSError, ValueError, TypeError):  # not ours, or half written when the disk was full
                continue
            if ending in {_KEPT, _SENDING}:
                yield stem, message

    def _claim(self, name: str) -> bool:
        """Take a message to send it; return whether nobody else has."""
        claimed = self.folder / (name + _SENDING)
        for ending in (_KEPT, _SENDING):
            try:
                (self.folder / (name + ending)).replace(claimed)
                os.utime(claimed)
                return True
            except OSError:
                continue
        return False

    def _write(self, name: str, message: OutboxMessage) -> bool:
        """Write a message in full, or not at all."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = self.folder / f"{name}.part"
            part.touch(mode=0o600)
            part.write_text(json.dumps(asdict(message)), encoding="utf-8")
            part.replace(self.folder / name)
        except (OSError, ValueError, TypeError):
            return False
        return True

    def _keep(self, name: str, message: OutboxMessage) -> bool:
        if not self._write(name + _KEPT, message):
            return False
        with suppress(OSError):
            (self.folder / (name + _SENDING)).unlink(missing_ok=True)
        return True

    def _drop_oldest(self) -> int:
        names = [name for name, _ in self._messages()]
        surplus = names[: max(0, len(names) - MOST_MESSAGES)]
        for name in surplus:
            (self.folder / (name + _KEPT)).unlink(missing_ok=True)
        return len(surplus)
