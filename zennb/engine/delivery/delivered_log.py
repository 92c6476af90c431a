"""Owns the file that says what was delivered to services lately, for the page of alerts."""

from __future__ import annotations

import json
import os
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from zennb.bounded_input import APPEND, has_sensible_fields, parse_json, read_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DeliveredLog", "SentMessage"]

_NAME, _LONGEST = "delivered.log", 100_000


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


class DeliveredLog:
    """What was delivered lately.

    Args:
        home: the home directory.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / _NAME

    def recent(self, limit: int) -> list[SentMessage]:
        """Return the last messages, the newest first."""
        try:
            lines = read_file(self._path, limit=2 * _LONGEST).splitlines()
        except OSError:
            return []
        found = []
        for line in reversed(lines):
            with suppress(ValueError, TypeError):  # half written when the disk was full, or not ours
                note = SentMessage(**parse_json(line, bounded=True))
                found += [note] if has_sensible_fields(note) else []
            if len(found) == limit:
                break
        return found

    def note(self, type: str, component: str, what: str) -> None:  # noqa: A002 - the field is called so
        """Note a message: in one write at the end of the file, so that lines of several processes do not mix."""
        path = self._path
        note = SentMessage(type=type, component=component, what=what[:200], sent=time.time())
        with suppress(OSError, ValueError):
            if path.exists() and path.stat().st_size > _LONGEST:
                kept = path.read_bytes()[-_LONGEST // 2 :].partition(b"\n")[2]
                draft = path.with_name(f"{_NAME}.{uuid.uuid4().hex}")
                draft.write_bytes(kept)
                draft.replace(path)
            handle = os.open(path, APPEND, 0o600)
            try:
                os.write(handle, f"{json.dumps(asdict(note))}\n".encode())
            finally:
                os.close(handle)
