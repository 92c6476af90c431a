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

from zennb.bounded_input import has_sensible_fields, parse_json, read_file
from zennb.core.secrets.names import DOTS
from zennb.core.secrets.texts import mask_json
from zennb.engine.delivery.delivered_log import DeliveredLog
from zennb.engine.environment.callers import untraced
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from zennb.components.configured import Option
    from zennb.core.secrets.texts import KnownSecrets
    from zennb.engine.delivery.delivered_log import SentMessage

__all__ = [
    "MOST_MESSAGES",
    "Outbox",
    "OutboxMessage",
    "Receiver",
    "SyncReport",
    "deliver_to",
    "failure_text",
    "give_back",
]

MOST_MESSAGES = 1000
"""Messages that are kept; of more, the oldest are dropped."""

_NEVER_DROPPED = frozenset({"model_registry"})
"""Types whose messages are no reports on something that is on record here too, but what was asked for itself."""

_LARGEST = 10_000_000
_SENDING, _KEPT = ".sending", ".json"
_ABANDONED = 300.0
"""Seconds after which a message that somebody began to send counts as not delivered."""

_QUIET = 60.0
"""Seconds in which a component that failed slowly is not asked again: each attempt would take its time."""
_SLOW = 1.0
"""Seconds from which a failure is slow: libraries give up by themselves before the deadline."""

_silent: dict[tuple[str, str, str], float] = {}
"""The outboxes and components that failed slowly, and when."""
_in_flight: dict[str, Path] = {}
"""The messages that this process is sending now, by their names; what is left at its end is kept."""
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


class Receiver(Protocol):
    """A component that takes messages."""

    @classmethod
    def options(cls) -> Mapping[str, Option]:
        """Return its options by name."""

    def deliver(self, payload: Mapping[str, Any]) -> str | None:
        """Deliver a message; raise what went wrong if it was not. Return what the user should know, if anything."""


def deliver_to(component: Receiver, message: OutboxMessage) -> str:
    """Hand a message over to its component; return what the user should know of it, "" for nothing.

    Raises:
        StoreError: it was not delivered.
    """
    try:
        return component.deliver(message.payload) or ""
    except Exception as error:  # noqa: BLE001 - a library's own exceptions, of whatever kind
        raise StoreError(failure_text(component, error)) from None


def failure_text(component: Receiver, error: Exception) -> str:
    """Return what a component said when it failed, which often names the address that it could not reach.

    The secrets of the component are masked.
    """
    said = str(error) or type(error).__name__
    for option in component.options().values():
        secret = getattr(component, option.name) if option.secret else None
        with suppress(Exception):
            said = said if secret is None else said.replace(secret.reveal(), DOTS)
    return said


def give_back() -> None:
    """Keep what this process is still sending, since it ends: `zennb sync` sends it again at once."""
    for name, folder in list(_in_flight.items()):
        with suppress(OSError):
            (folder / (name + _SENDING)).replace(folder / (name + _KEPT))


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
        self._sent = DeliveredLog(home)

    def deliver(self, message: OutboxMessage, send: Callable[[OutboxMessage], object]) -> str:
        """Send a message; if that fails, keep it.

        Args:
            message: the message.
            send: sends it, or raises.

        Returns:
            Why it was not delivered, in a few words; "" when it was.
        """
        name, message = self.put(message)
        return self.deliver_kept(name, message, send)

    def put(self, message: OutboxMessage) -> tuple[str, OutboxMessage]:
        """Keep a message that is to be delivered soon; return its name, and the message as it is sent."""
        message = replace(message, payload=mask_json(message.payload, self._secrets))
        name = f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}"
        return name if self._write(name + _KEPT, message) else "", message

    def deliver_kept(self, name: str, message: OutboxMessage, send: Callable[[OutboxMessage], object]) -> str:
        """Send a message that was put here, unless somebody else has; if that fails, it stays.

        Args:
            name: its name; "" for one that could not be kept.
            message: the message.
            send: sends it, or raises.

        Returns:
            Why it was not delivered, in a few words; "" when it was.
        """
        where = str(self.folder), message.type, message.component
        if name and not self._claim(name):
            return ""  # `zennb sync` in another process has taken it
        if time.monotonic() - _silent.get(where, -_QUIET) < _QUIET:
            kept = replace(message, problem="it could not be reached a moment ago")
        else:
            problem = self._attempt(name, message, send)
            if not problem:
                self._delivered(name, message)
                return ""
            kept = replace(message, attempts=message.attempts + 1, problem=problem)
        return self._kept(name, kept)

    def keep(self, message: OutboxMessage, error: Exception) -> str:
        """Keep a message that was tried in vain already.

        Args:
            message: the message.
            error: why it was not delivered.

        Returns:
            The same in a few words; "" if it cannot be kept.
        """
        name, message = self.put(message)
        kept = replace(message, attempts=message.attempts + 1, problem=self._reason(error))
        return self._kept(name, kept) if name else ""

    def _kept(self, name: str, kept: OutboxMessage) -> str:
        problem = kept.problem
        if not name or not self._keep(name, kept):
            return f"{problem}; and it cannot be kept, since {self.folder} cannot be written"
        dropped = self._drop_oldest()
        return f"{problem}; the outbox is full, so {dropped} older ones were dropped" if dropped else problem

    def _delivered(self, name: str, message: OutboxMessage) -> None:
        for ending in (_SENDING, _KEPT) if name else ():
            with suppress(OSError):
                (self.folder / (name + ending)).unlink(missing_ok=True)
        self._note_sent(message)

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
        return self._sent.recent(limit)

    def _note_sent(self, message: OutboxMessage) -> None:
        payload = message.payload
        what = str(payload.get("title") or f"step '{payload.get('step', '')}' {payload.get('status', '')}")
        self._sent.note(message.type, message.component, what)

    def sync(self, send: Callable[[OutboxMessage], object]) -> SyncReport:
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
            problem = self._attempt(name, message, send)
            if not problem:
                sent += 1
                self._delivered(name, message)
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

    def _attempt(self, name: str, message: OutboxMessage, send: Callable[[OutboxMessage], object]) -> str:
        """Return why sending failed; "" when it did not. It is given up after the deadline."""
        problems: list[str] = []
        where = str(self.folder), message.type, message.component
        is_late = threading.Event()

        def call() -> None:
            try:
                with untraced():  # it is no step's doing, whichever runs just now
                    send(message)
            except BaseException as error:  # noqa: BLE001 - a library's own exceptions, of whatever kind
                problems.append(self._reason(error))
            else:
                problems.append("")
                _silent.pop(where, None)
                if is_late.is_set():  # it was kept meanwhile, and must not be sent once more
                    self._delivered(name, message)

        thread, began = threading.Thread(target=call, name="zennb-delivery", daemon=True), time.monotonic()
        if name:
            _in_flight[name] = self.folder
        thread.start()
        try:
            thread.join(self._deadline)
        except KeyboardInterrupt:  # an interrupt must not end what the message is about
            return "interrupted"
        finally:
            is_late.set()
            _in_flight.pop(name, None)
        problem = problems[0] if problems else f"no answer within {self._deadline:g} s"
        if problem and (not problems or time.monotonic() - began > _SLOW):
            _silent[where] = time.monotonic()
        return problem

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
                if not isinstance(message.payload, dict) or not has_sensible_fields(message):
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
        names = [name for name, message in self._messages() if message.type not in _NEVER_DROPPED]
        surplus = names[: max(0, len(names) - MOST_MESSAGES)]
        for name in surplus:
            (self.folder / (name + _KEPT)).unlink(missing_ok=True)
        return len(surplus)
