"""Owns `long_calls`: what components of this process are waiting for, such as an upload, for displays to show."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LongCall", "long_call", "long_calls"]

_FROM = 1.0
"""Seconds after which a call is worth showing."""


@dataclass(slots=True, kw_only=True)
class LongCall:
    """One call that may take long.

    Attributes:
        what: what is being done: `uploading 500 MB to s3://team/zennb`.
        total: bytes to be moved; 0 when unknown.
        moved: bytes moved until now. Any change of it proves that the other side answers.
        stop: whether the work is to end as soon as it can.
    """

    what: str
    total: int = 0
    moved: int = 0
    started: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def text(self) -> str:
        """What is being done, and how far it is."""
        if not self.total or not self.moved:
            return self.what
        return f"{self.what} ({min(1.0, self.moved / self.total):.0%})"


_numbers = count()
_calls: dict[int, LongCall] = {}


@block
def long_call(what: str, *, total: int = 0) -> Iterator[LongCall]:
    """Note a call for its duration."""
    call, number = LongCall(what=what, total=total), next(_numbers)
    _calls[number] = call
    try:
        yield call
    finally:
        _calls.pop(number, None)


def long_calls() -> list[str]:
    """Return what calls that take longer than a second are doing, the oldest first."""
    now = time.monotonic()
    return [call.text for call in list(_calls.values()) if now - call.started >= _FROM]
