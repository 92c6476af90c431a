"""Owns the files of a background run in the home: what it does, has shown and logs, and its process's own streams.

The records hold what a run has made. These files hold what nobody could record yet: the output of a step that is still
running. They are written by the run's process only, and read by whoever attaches to it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.bounded_input import APPEND, open_file, parse_json, read_file
from zennb.core.records.records import Status
from zennb.core.secrets.held import HELD
from zennb.core.secrets.texts import mask_json
from zennb.engine.step.recording import LARGEST, check_event, masked_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from zennb.core.records.records import Run
    from zennb.core.secrets.texts import KnownSecrets
    from zennb.engine.step.recording import Event

__all__ = ["Entry", "OutputLog", "RunFiles", "RunState", "follow"]

Entry: TypeAlias = dict[str, Any]
"""A line of the output: `{"kind": "output", "step", "event"}`, or `{"kind": "step", "step", "status", ...}`."""

_LARGEST_STATE = 4_000_000
_PAUSE = 0.1
"""Seconds between two looks at the output of a run that goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What a background run is doing.

    Attributes:
        started: when it began, as in its record: numbers of runs are given anew in a home that was repaired.
        steps: the names of all its steps, in order.
        running: those that run now.
        keys: the cache keys of steps that are known from the beginning.
    """

    started: float
    steps: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of one background run.

    Args:
        home: the home that has its record.
        number: the run's id.
    """

    home: Path
    number: int

    @property
    def output(self) -> Path:
        """What its steps printed and showed, one JSON object a line."""
        return self._file("jsonl")

    @property
    def streams(self) -> Path:
        """What its process wrote to its own standard streams, past the steps: the words of a crash."""
        return self._file("txt")

    @property
    def curves(self) -> Path:
        """What its running steps have logged so far."""
        return self._file("curves")

    def state(self, run: Run) -> RunState | None:
        """Return what the run is doing; None for one that is no background run of this home."""
        try:
            found = parse_json(read_file(self._file("json"), limit=_LARGEST_STATE))
            state = RunState(
                started=float(found["started"]),
                steps=tuple(map(str, found["steps"])),
                running=tuple(map(str, found["running"])),
                keys={str(name): str(key) for name, key in dict(found["keys"]).items()},
            )
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None
        return state if state.started == run.started else None

    def write_state(self, state: RunState) -> None:
        """Write what the run is doing, whole or not at all."""
        content = {
            "started": state.started,
            "steps": state.steps,
            "running": state.running,
            "keys": dict(state.keys),
        }
        self.replace(self._file("json"), json.dumps(content))

    def replace(self, path: Path, text: str) -> None:
        """Write one of the files, whole or not at all."""
        draft = path.with_suffix(f".{os.getpid()}.part")
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")
        draft.replace(path)

    def delete(self) -> None:
        """Delete the files."""
        for path in (self._file("json"), self.output, self.streams, self.curves):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _file(self, ending: str) -> Path:
        return self.home / "background" / f"run-{self.number}.{ending}"


class OutputLog:
    """Writes what a background run does and shows. Thread-safe: steps may run side by side.

    Args:
        files: where to.
        state: what the run is doing at first.
        secrets: masked in all that is written.
    """

    def __init__(self, files: RunFiles, state: RunState, secrets: KnownSecrets) -> None:
        self._files, self._state, self._secrets = files, state, secrets
        self._lock = threading.Lock()
        self._statuses: dict[str, str] = {}
        self._room = LARGEST
        files.output.parent.mkdir(parents=True, exist_ok=True)
        # Only for this user: it is what they would see on their screen.
        flags = APPEND | os.O_TRUNC | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(files.output, flags, 0o600), "wb", buffering=0)
        files.write_state(state)

    def output(self, step: str, event: Event) -> None:
        """Write what a step printed or showed; as with recorded output, no more than a browser can show."""
        self._secrets.note(HELD.values, surely=True)
        line = self._line({"kind": "output", "step": step, "event": masked_event(event, self._secrets)})
        with self._lock:
            if self._room <= 0:
                return
            self._room -= len(line)
            if self._room <= 0:
                said = f"\n[more than {LARGEST / 1e6:.0f} MB of output; the rest is not shown here]\n"
                cut = {"kind": "stream", "name": "stderr", "text": said}
                line = self._line({"kind": "output", "step": step, "event": cut})
            self._write(line)

    def step(self, name: str, status: str, **more: Any) -> None:
        """Write that the status of a step has changed, with whatever a status line shows; a known one is ignored."""
        with self._lock:
            if self._statuses.get(name) == status:
                return
            self._statuses[name] = status
            self._secrets.note(HELD.values, surely=True)
            told = mask_json(more, self._secrets)
            self._write(self._line({"kind": "step", "step": name, "status": status, **told}))
            running = tuple(step for step, state in self._statuses.items() if state == "running")
            if running != self._state.running:
                self._state = RunState(
                    started=self._state.started,
                    steps=self._state.steps,
                    running=running,
                    keys=self._state.keys,
                )
                with suppress(OSError):  # a full disk: a list of runs tells less
                    self._files.write_state(self._state)

    def close(self) -> None:
        """End the log."""
        self._file.close()

    def _line(self, entry: Mapping[str, Any]) -> bytes:
        text = json.dumps(entry, separators=(",", ":"), default=lambda each: self._secrets.mask(str(each)))
        return text.encode() + b"\n"

    def _write(self, line: bytes) -> None:
        with suppress(OSError):  # a full disk must not end a run, whose records say what it made
            self._file.write(line)


def follow(
    files: RunFiles, is_over: Callable[[], bool], *, pause: Callable[[float], object] = time.sleep
) -> Iterator[Entry]:
    """Yield the output of a background run from its beginning, and go on until it is over.

    Args:
        files: the run's files.
        is_over: whether the run has ended, so that nothing is written any more.
        pause: waits for so many seconds.
    """
    try:
        file = open_file(files.output)
    except OSError:
        return
    with file:
        rest = b""
        while True:
            ended = is_over()  # before reading: what was written until then is read below
            while line := file.readline():
                rest += line
                if rest.endswith(b"\n"):
                    found, rest = _entry(rest), b""
                    yield from found
            if ended:
                return
            pause(_PAUSE)


def _entry(line: bytes) -> Sequence[Entry]:
    """Return the entry of a line; none where a killed process, or somebody else, has written something odd."""
    try:
        found = parse_json(line, bounded=True)
        if found["kind"] == "output" and isinstance(found["step"], str):
            check_event(found["event"])
            return [found]
        if found["kind"] == "step" and isinstance(found["step"], str):
            kind, message, traceback = found.get("failure") or ("", "", "")
            return [
                {
                    "kind": "step",
                    "step": found["step"],
                    "status": Status(found["status"]).value,
                    "reason": str(found.get("reason") or ""),
                    "seconds": float(found.get("seconds") or 0.0),
                    "outputs": [str(name) for name in found.get("outputs") or ()],
                    "failure": [str(kind), str(message), str(traceback)] if kind else None,
                }
            ]
    except (ValueError, KeyError, TypeError, OverflowError):
        pass
    return []
