"""Owns `Recording`: the output of a step (streams, displays, result) in order, so that it can be replayed."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.bounded_input import decompress, parse_json
from zennb.compat.widgets import live_widget, open_output
from zennb.components.content import name_of
from zennb.core.records.output_comparison import LAST_STATE
from zennb.core.secrets.texts import KnownSecrets, mask_json
from zennb.engine.step.widget_text import widget_text
from zennb.errors import DamagedArtifact, NotStorable, StoreError
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from zennb.components.component import ArtifactStore

__all__ = ["LARGEST", "Event", "Recording", "check_event", "keep_output", "masked_event", "stored_output"]

Event: TypeAlias = dict[str, Any]
"""One output: `{"kind": "stream", "name", "text"}`, `{"kind": "display", "data", "metadata", "id", "update"}`,
`{"kind": "result", "data", "metadata"}` or `{"kind": "clear", "wait"}`. What formatting a value shows stands between
`{"kind": "prompt"}` and the result; an error of it is `{"kind": "error", "name", "value", "lines"}`."""

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
LARGEST = 64_000_000
"""Bytes of output, as JSON, that are stored and read again. Browsers fail on less."""

_FORMS: dict[str, dict[str, type]] = {
    "stream": {"name": str, "text": str},
    "display": {"data": dict, "metadata": dict, "id": str, "update": bool},
    "result": {"data": dict, "metadata": dict},
    "clear": {"wait": bool},
    "prompt": {},
    "error": {"name": str, "value": str, "lines": list},
}
"""Kind of event → its fields."""

_LIVE_ONLY = "application/vnd.jupyter.widget-view+json"


class Recording:
    """Events in the order they happened; consecutive pieces of one stream are one event.

    Args:
        listener: called with each event as it happens, for live views; None for none.

    Attributes:
        widgets: ids of the widgets that were shown.
    """

    def __init__(self, listener: Callable[[Event], None] | None = None) -> None:
        self._events: list[Event] = []
        self.widgets: list[str] = []
        self._pieces: list[str] = []
        self._prompts = False  # whether the next event is the first one that formatting a value shows
        self._listener = listener
        self._widgets: list[tuple[Event, Any]] = []
        self._inside: dict[str, list[Event]] = {}

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        self._join()
        return iter(self._events)

    def stream(self, name: str, text: str) -> None:
        """Add text written to `stdout` or `stderr`."""
        if not text:
            return
        self._prompt()
        last = self._events[-1] if self._events else None
        if last is None or last["kind"] != "stream" or last["name"] != name:
            self._join()
            self._events.append({"kind": "stream", "name": name, "text": ""})
        # Joined only when somebody reads: a progress bar writes thousands of pieces, and
        # text + text copies all of it.
        self._pieces.append(text)
        if self._listener is not None:
            self._listener({"kind": "stream", "name": name, "text": text})

    def add(self, event: Event) -> None:
        """Add an event that another recording passed on to its listener."""
        if event["kind"] == "stream":
            self.stream(event["name"], event["text"])
        else:
            self._add(event)

    def display(
        self,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *,
        display_id: str = "",
        update: bool = False,
    ) -> None:
        """Add a mime bundle shown by `display(...)`; `display_id` and `update` are those of an updatable display."""
        event = {
            "kind": "display",
            "data": _plain(data),
            "metadata": dict(metadata or {}),
            "id": str(display_id),
            "update": update,
        }
        self._add(event)
        self._note_widget(event, data)
        if outer := open_output():
            self._inside.setdefault(outer, []).append(event)

    def result(self, data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
        """Add the mime bundle of the cell's last expression."""
        event = {"kind": "result", "data": _plain(data), "metadata": dict(metadata or {})}
        self._add(event)
        self._note_widget(event, data)

    def clear(self, *, wait: bool) -> None:
        """Add a request to clear the output; inside an output widget, only what was displayed there goes."""
        outer = open_output()
        if not outer:
            self._add({"kind": "clear", "wait": wait})
            return
        self._join()
        gone = {id(event) for event in self._inside.pop(outer, ())}
        self._events = [event for event in self._events if id(event) not in gone]

    def _note_widget(self, event: Event, data: Mapping[str, Any]) -> None:
        view = data.get(_LIVE_ONLY)
        if isinstance(view, dict):
            self.widgets.append(str(view.get("model_id", "")))
            widget = live_widget(self.widgets[-1])
            if widget is not None:
                self._widgets.append((event, widget))

    def settle(self) -> None:
        """Let each widget be shown as it is now: a progress bar that has ended, and not one at its beginning."""
        for event, widget in self._widgets:
            text = widget_text(widget)
            event["data"] = {"text/plain": text} if text is not None else {}
            event["metadata"] = {**event["metadata"], LAST_STATE: True}
        gone = {id(event) for event, _ in self._widgets if not event["data"] and event["kind"] == "display"}
        self._events = [event for event in self._events if id(event) not in gone]
        self._widgets.clear()

    @block
    def formatting(self) -> Iterator[None]:
        """Note that what is added in this block is shown while a value is formatted."""
        self._prompts = True
        try:
            yield
        finally:
            self._prompts = False

    def error(self, name: str, value: str, lines: Iterable[str]) -> None:
        """Add the error that formatting a value raised, with the lines of its traceback."""
        self._add({"kind": "error", "name": name, "value": value, "lines": [*map(str, lines)]})

    def text(self, name: str = "stdout") -> str:
        """Return all that was written to one stream."""
        return "".join(event["text"] for event in self if event["kind"] == "stream" and event["name"] == name)

    def dump(self, secrets: KnownSecrets | None = None) -> bytes:
        """Return the events as compressed JSON, with secrets in their texts masked.

        Args:
            secrets: the secret values that are known; tokens of known forms are masked in any case.

        Raises:
            NotStorable: they are too large.
        """
        self.settle()
        known = secrets or KnownSecrets()
        events = [masked_event(event, known) for event in self]
        # A mime bundle may hold anything, and what cannot be JSON must not make the step fail.
        text = json.dumps(events, separators=(",", ":"), default=lambda each: known.mask(str(each)))
        data = text.encode()
        if len(data) > LARGEST:
            raise NotStorable(f"it shows more than {LARGEST / 1e6:.0f} MB of output")
        return zlib.compress(data, level=1)

    @classmethod
    def load(cls, data: bytes | bytearray | memoryview) -> Recording:
        """Return the recording that `dump` wrote; runs no code whatever the bytes are.

        Raises:
            DamagedArtifact: the bytes are not a recording, or unpack to more than one may have.
        """
        recording = cls()
        try:
            events = parse_json(decompress(data, limit=LARGEST), bounded=True)
            recording._events = _checked(events)
        except (TypeError, ValueError) as error:
            raise DamagedArtifact(
                f"the stored output of a step cannot be read ({error}).", digest=""
            ) from error
        return recording

    def _prompt(self) -> None:
        """Separate what formatting a value shows from what was shown before."""
        if self._prompts:
            self._prompts = False
            self._add({"kind": "prompt"})

    def _add(self, event: Event) -> None:
        self._prompt()
        self._join()
        self._events.append(event)
        if self._listener is not None:
            self._listener(event)

    def _join(self) -> None:
        if self._pieces:
            self._events[-1]["text"] += "".join(self._pieces)
            self._pieces = []


def _checked(events: Any) -> list[Event]:
    """Return events that were read, if they have the form of events.

    Raises:
        TypeError, ValueError: they have not; frontends and views would trip over them.
    """
    if not isinstance(events, list):
        raise TypeError("it is not a list of outputs")
    for event in events:
        check_event(event)
    return events


def check_event(event: Any) -> None:
    """Check that what was read has the form of an event.

    Raises:
        TypeError, ValueError: it has not.
    """
    form = _FORMS.get(str(event.get("kind"))) if isinstance(event, dict) else None
    if form is None:
        raise ValueError("one of its outputs is of an unknown kind")
    for name, kind in form.items():
        if not isinstance(event.get(name), kind):
            raise TypeError(f"the `{name}` of an output is of a wrong type")
    if not all(isinstance(line, str) for line in event.get("lines", ())):
        raise TypeError("the traceback of an output is not text")
    for mime, content in event.get("data", {}).items():
        lines = content if isinstance(content, list) else [content]
        if mime.startswith(("text/", "image/")) and not all(isinstance(line, str) for line in lines):
            raise TypeError(f"a display has no text as its `{mime}`")


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bundle with bytes as base64 text (as notebooks hold them) and without live widget views.

    Of a widget only the text is kept, as it is when the step has ended: its model is gone when the output is replayed.
    """
    return {
        mime: base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
        for mime, value in data.items()
        if mime != _LIVE_ONLY
    }


def masked_event(event: Event, secrets: KnownSecrets) -> Event:
    """Return an event with the secrets in its texts masked."""
    if event["kind"] == "stream":
        return {**event, "text": secrets.mask(event["text"])}
    if event["kind"] == "error":
        lines = [secrets.mask(line) for line in event["lines"]]
        return {**event, "value": secrets.mask(event["value"]), "lines": lines}
    if "data" not in event:
        return event
    data = {
        mime: each if mime in _PICTURES else mask_json(each, secrets) for mime, each in event["data"].items()
    }
    return {**event, "data": data, "metadata": mask_json(event["metadata"], secrets)}


def keep_output(recording: Recording, store: ArtifactStore, secrets: KnownSecrets | None = None) -> str:
    """Store the output of a failed step for its log; return the blob, "" if there is none.

    An error here is ignored, because it would hide the error that the step raised.
    """
    if not len(recording):
        return ""
    try:
        return store.put([recording.dump(secrets)])
    except (StoreError, NotStorable):
        return ""


def stored_output(blob: str, store: ArtifactStore) -> Recording:
    """Return the output that is stored under a name; an empty one for "".

    Raises:
        MissingArtifact, DamagedArtifact: it is not there, or not as it was stored.
    """
    if not blob:
        return Recording()
    content = store.get(blob)
    # The store checks large files by a checksum that can be forged, and what is shown may contain scripts.
    if name_of(content) != blob:
        raise DamagedArtifact("the stored output is not the one that was recorded.", digest=blob)
    return Recording.load(content)
