"""Owns `ElementOutput`: the output of a mapped step's elements, in their order and not more than anybody reads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from zennb.engine.step.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zennb.engine.step.recording import Event

__all__ = ["MOST_DISPLAYS", "MOST_TEXT", "ElementOutput"]

MOST_TEXT = 20_000
"""Characters that the elements of one step may print."""

MOST_DISPLAYS = 50
"""Displays that the elements of one step may show: plots, tables, last values."""


class ElementOutput:
    """Puts the output of elements that run side by side in the order of the elements.

    The first element that has not ended is heard live; those after it are held back until their turn. Elements report
    from the threads they run in.

    Args:
        size: how many elements there are.
        listener: called with each event in order; None for nobody.

    Attributes:
        recording: all that was shown, for the record.
    """

    def __init__(self, size: int, listener: Callable[[Event], None] | None = None) -> None:
        self.recording = Recording(listener)
        self._lock = threading.Lock()
        self._size, self._head = size, 0
        self._held: dict[int, list[Event]] = {}
        self._ended: set[int] = set()
        self._text, self._displays = MOST_TEXT, MOST_DISPLAYS
        self._cut: set[int] = set()

    def add(self, number: int, event: Event) -> None:
        """Note an event of one element."""
        with self._lock:
            if number == self._head:
                self._show(number, event)
            else:
                self._held.setdefault(number, []).append(event)

    def end(self, number: int, events: Iterable[Event] = ()) -> None:
        """Note that an element has ended, and what a reused one had shown."""
        with self._lock:
            self._held.setdefault(number, []).extend(events)
            self._ended.add(number)
            self._advance()

    def close(self, hint: str) -> None:
        """After all elements: say how many of them have shown more than there is here."""
        with self._lock:
            if self._cut:
                many = "1 element has" if len(self._cut) == 1 else f"{len(self._cut)} elements have"
                self.recording.stream("stdout", f"\n… {many} shown more than fits here; {hint}\n")

    def _advance(self) -> None:
        while self._head < self._size:
            for event in self._held.pop(self._head, ()):
                self._show(self._head, event)
            if self._head not in self._ended:
                return
            self._head += 1

    def _show(self, number: int, event: Event) -> None:
        kind = event["kind"]
        if kind == "stream":
            text = event["text"][: self._text]
            self._text -= len(text)
            self.recording.stream(event["name"], text)
            if len(text) < len(event["text"]):
                self._cut.add(number)
        # `clear_output()` would take away what other elements have shown.
        elif kind not in {"clear", "prompt"}:
            if self._displays <= 0:
                self._cut.add(number)
                return
            self._displays -= 1
            if kind == "error":
                self.recording.error(event["name"], event["value"], event["lines"])
            else:  # a cell has one result, and this one has as many as there are elements
                self.recording.display(
                    event["data"],
                    event["metadata"],
                    display_id=event.get("id", ""),
                    update=event.get("update", False),
                )
