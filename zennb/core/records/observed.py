"""Owns the observed dependencies and side effects of a step: files, environment variables and settings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "ABSENT",
    "NOTHING",
    "UNTOUCHED",
    "Carried",
    "Observed",
    "as_asked",
    "changed",
    "observed_differences",
]

ABSENT = "absent"
"""State of a file that is not there, and of an environment variable that is not set."""

NOTHING = "is absent"
"""State of a path whose existence alone was asked for, and that was not there."""

UNTOUCHED = "as when Python started"
"""Digest of a setting that was never set, and of a random generator that was never seeded or used."""

_CALL = "call "


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a step depended on beyond its cache key while it ran, and its side effects beyond its outputs.

    Attributes:
        files: path → state of that file or folder when the step first read it.
        written: path → state after the step; reuse requires the file to be in that state.
        restored: path → state after the step; reuse restores the file.
        environment: environment variable that the step's own code read → seal of its value.
        settings: process-wide setting (`numpy print options`, `random state of numpy`) → digest when the step began.
        left: setting that it changed → digest when the step ended; environment variable that it set, as `$NAME` → seal;
            and `call 0`, `call 1`: what it called for its effect on libraries (`calls`).
    """

    files: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    restored: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(
            self.files or self.written or self.restored or self.environment or self.settings or self.left
        )

    @property
    def calls(self) -> tuple[str, ...]:
        """What it called for its effect on libraries, in order: `dependencies.library_calls.LibraryCall.text`."""
        return tuple(text for name, text in self.left.items() if name.startswith(_CALL))

    def with_calls(self, texts: Iterable[str]) -> Observed:
        """Return the same with such calls."""
        # With leading zeros, so that they are in order when the record is read back with its keys sorted.
        calls = {f"{_CALL}{number:04}": text for number, text in enumerate(texts)}
        return replace(self, left={**self.left, **calls}) if calls else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Process-wide settings that a step changed. They are stored, and reuse applies them again.

    Attributes:
        blob: sha-256 of the stored bytes, in the artifact store.
        materializer: what wrote them.
        names: the settings, for people.
    """

    blob: str
    materializer: str
    names: tuple[str, ...]


def changed(
    observed: Observed,
    *,
    file: Callable[[str, str], str],
    environment: Callable[[str], str],
    setting: Callable[[str], str],
) -> str:
    """Return what changed since a step ran, as a reason for people; "" when nothing did.

    Args:
        observed: what the step was seen to touch.
        file: path and recorded state → state now.
        environment: variable → seal of its value now.
        setting: name → digest now.
    """
    # Files first: they are what changes most often, and the reason that helps most.
    left = {**observed.written, **observed.restored}
    for path, state in observed.files.items():
        now = file(path, state)
        # `if not exists(path): make(path)` does the same where its own result is still there.
        is_own = state == NOTHING and path in left and file(path, left[path]) == left[path]
        if now != state and not is_own:
            return f"{_shown(path)} {_how(state, now)}"
    for path, state in observed.written.items():
        if file(path, state) != state:
            return f"{_shown(path)}, which it writes, {_how(state, file(path, state))}"
    if cleared := _filled_since(observed.restored, file):
        return f"{_shown(cleared)}, which it clears, changed"
    for name, seal in observed.environment.items():
        if environment(name) != seal:
            return f"environment variable {name} changed"
    for name, digest in observed.settings.items():
        if setting(name) != digest:
            return f"{name} changed"
    return ""


def observed_differences(old: Observed, new: Observed) -> list[str]:
    """Return in words what was not the same for two executions of a step: files, environment variables, settings.

    What only one of them looked at may be there because of what the other found, and is no cause.
    """
    files = [
        f"{_shown(path)} {_how(before, after)}"
        for path, before in old.files.items()
        if (after := new.files.get(path, before)) != before
        # One looked at its content, the other whether it was there.
        and as_asked(before, after) != after
        and as_asked(after, before) != before
    ]
    variables = [
        f"environment variable {name} changed"
        for name, seal in old.environment.items()
        if new.environment.get(name, seal) != seal
    ]
    settings = [
        f"{name} changed" for name, digest in old.settings.items() if new.settings.get(name, digest) != digest
    ]
    return files + variables + settings


def _filled_since(restored: Mapping[str, str], file: Callable[[str, str], str]) -> str:
    """Return a folder that the step clears first, and that holds something else by now; "" for none.

    It is restored where it is gone, but what others put there would stay.
    """
    folders = ((path, state) for path, state in restored.items() if state.startswith("names "))
    return next((path for path, state in folders if file(path, state) not in {ABSENT, state}), "")


def _shown(path: str) -> str:
    return "the current folder" if path == "." else path


def as_asked(state: str, recorded: str) -> str:
    """Return a state as it shows where only existence was asked for, as in a recorded one; any other as it is."""
    if not recorded.startswith("is ") or state.startswith("is "):
        return state
    return f"is {state.partition(' ')[0]}" if state else NOTHING


def _how(before: str, now: str) -> str:
    if now in {ABSENT, NOTHING}:
        return "is gone"
    return "is new" if before in {ABSENT, NOTHING} else "changed"
