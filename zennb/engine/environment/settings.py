"""Owns `Setting`, a process-wide setting that is read, compared and restored on reuse, and `Settings`, all of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType
from typing import Any, Protocol

from zennb.core.records.loaded_names import loaded_name
from zennb.core.records.observed import UNTOUCHED
from zennb.digests.digest import digest_value
from zennb.errors import CannotDigest

__all__ = ["LibraryOptions", "Setting", "Settings", "Snapshot", "content", "with_packages"]

Snapshot = Mapping[str, Any]
"""Setting → its state at one moment."""


class Setting(Protocol):
    """One process-wide setting, or a family of them.

    Attributes:
        name: as shown to the user and stored in records.
        modules: a step depends on the setting if it uses one of these modules; empty if every step does.
        matters: whether results can depend on it; if not, it is only restored (`sys.path`).
        is_per_context: whether each thread has its own state, so that a change in another thread must be repeated.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - above
    @property
    def modules(self) -> frozenset[str]: ...  # noqa: D102 - above
    @property
    def matters(self) -> bool: ...  # noqa: D102 - above
    @property
    def is_per_context(self) -> bool: ...  # noqa: D102 - above

    def read(self) -> Any:
        """Return the current state, cheaply and comparable with `==`; None while it cannot have been set."""

    def digest(self, seen: Any) -> str:
        """Return the digest of a state; `UNTOUCHED` for that of a new kernel."""

    def change(self, before: Any, after: Any) -> Any:
        """Return the change from one state to the other, as plain data if possible; None means a new process."""

    def apply(self, change: Any) -> None:
        """Apply a change that `change` returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryOptions:
    """Named options of a library (a `Setting`).

    Attributes:
        module: the module that holds them; until it is loaded, none can have been set.
        keys: returns the names of all options, always in the same order; "" for one to skip.
        values: returns their values in that order.
        defaults: returns option → value as the library starts with.
        put: sets some of them.
    """

    name: str
    module: str
    modules: frozenset[str]
    keys: Callable[[], Iterable[str]]
    values: Callable[[], Iterable[Any]]
    defaults: Callable[[], Mapping[str, Any]]
    put: Callable[[Mapping[str, Any]], None]
    matters: bool = field(default=True)
    is_per_context: bool = field(default=False)

    def read(self) -> tuple[Any, ...] | None:
        """Return all values."""
        # Importing a library only to read its options would slow down every notebook that does not use it.
        if self.module not in sys.modules:
            return None
        try:
            return tuple(self.values())
        except AttributeError:  # the library is being imported just now
            return None

    def digest(self, seen: tuple[Any, ...] | None) -> str:
        """Return the digest of the options that differ from the defaults."""
        return UNTOUCHED if seen is None else content(self._differing(None, seen))

    def change(self, before: tuple[Any, ...] | None, after: tuple[Any, ...] | None) -> dict[str, Any]:
        """Return the options that changed, with their values now."""
        return self._differing(
            before, tuple(map(self.defaults().get, self.keys())) if after is None else after
        )

    def apply(self, change: Mapping[str, Any]) -> None:
        """Set options; import the library first if needed."""
        __import__(self.module)
        self.put(change)

    def _differing(self, before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> dict[str, Any]:
        keys = tuple(self.keys())
        was = self.defaults() if before is None else dict(zip(keys, before, strict=False))
        return {
            key: value
            for key, value in zip(keys, after, strict=False)
            # Identity first: comparing option values (colour cycles, arrays) is slow and may raise.
            if key and key in was and value is not was[key] and not _alike(was[key], value)
        }


class Settings:
    """All the settings of this process.

    Args:
        known: the settings.

    Attributes:
        loaded: returns the digest of what a name stands for that steps give to `zennb.load`; "" for nothing.
    """

    loaded: Callable[[str], str] = staticmethod(lambda _name: "")

    def __init__(self, known: Iterable[Setting]) -> None:
        self._known = {setting.name: setting for setting in known}
        self.note()

    def note(self) -> None:
        """Note the thread-local settings of this thread; all other threads follow them from now on."""
        self._noted_in = threading.get_ident()
        self._noted = {name: each.read() for name, each in self._known.items() if each.is_per_context}

    def note_again(self) -> None:
        """Note them again as they are now; do nothing in another thread than that of `note`."""
        if threading.get_ident() == self._noted_in:
            self.note()

    def follow(self) -> None:
        """Set the noted settings in this thread, unless it is the thread of `note`."""
        if threading.get_ident() != self._noted_in:
            for name, noted in self._noted.items():
                setting = self._known[name]
                if noted is not None and not _alike(now := setting.read(), noted):
                    setting.apply(setting.change(now, noted))

    def exported(self) -> dict[str, Any]:
        """Return setting → change from a new process to the notebook's state, for settings that were set."""
        found = {}
        for name, setting in self._known.items():
            seen = self._current(name)
            if seen is not None and (change := setting.change(None, seen)):
                found[name] = change
        return found

    def read(self) -> Snapshot:
        """Return the current state of all settings."""
        return {name: setting.read() for name, setting in self._known.items()}

    def changes(self, before: Snapshot, after: Snapshot, *, always: Collection[str] = ()) -> dict[str, Any]:
        """Return setting → change from one state to the other, for those that changed and for those in `always`."""
        found: dict[str, Any] = {}
        if not always and _alike(before, after):  # as after most steps
            return found
        for name, setting in self._known.items():
            was, now = before[name], after[name]
            # A generator that the step seeds is always restored, even if the seed led back to the state from before:
            # elsewhere the state before may be another.
            if _alike(was, now) and (now is None or name not in always):
                continue
            if change := setting.change(was, now):
                found[name] = change
        return found

    def relevant(self, before: Snapshot, *, modules: Iterable[str], changed: Iterable[str]) -> dict[str, str]:
        """Return setting → digest at the start of a step, for those that its results may depend on.

        Args:
            before: their state at that time.
            modules: dotted names of the modules it used.
            changed: settings that it changed.
        """
        used = {above for module in modules for above in with_packages(module)}
        return {
            name: setting.digest(before[name])
            for name, setting in self._known.items()
            if setting.matters
            and (not setting.modules or name in changed or not used.isdisjoint(setting.modules))
        }

    def digest(self, name: str) -> str:
        """Return the current digest of a setting; "" for an unknown one.

        In other threads, the noted state of thread-local settings counts.
        """
        if (loaded := loaded_name(name)) is not None:
            return self.loaded(loaded)
        setting = self._known.get(name)
        return "" if setting is None else setting.digest(self._current(name))

    def _current(self, name: str) -> Any:
        is_foreign = name in self._noted and threading.get_ident() != self._noted_in
        return self._noted[name] if is_foreign else self._known[name].read()

    def knows(self, name: str) -> bool:
        """Whether there is a setting of that name."""
        return name in self._known or loaded_name(name) is not None

    def digest_of(self, name: str, seen: Any) -> str:
        """Return the digest of a state of a setting."""
        return self._known[name].digest(seen)

    def apply(self, changes: Mapping[str, Any], *, per_context: bool = False) -> None:
        """Apply changes that `changes` returned; with `per_context` only those of thread-local settings."""
        for name, change in changes.items():
            if name in self._known and (not per_context or self._known[name].is_per_context):
                self._known[name].apply(change)


@cache
def with_packages(module: str) -> tuple[str, ...]:
    """Return a module's dotted name and those of the packages it is in."""
    parts = module.split(".")
    return tuple(".".join(parts[:end]) for end in range(1, len(parts) + 1))


def content(found: Any) -> str:
    """Return the digest of settings; `UNTOUCHED` when there are none that differ."""
    if not found:
        return UNTOUCHED
    try:
        return digest_value(_spelled(found)).digest
    except CannotDigest:  # e.g. a formatter bound to an object without a digest: equal only to itself
        return repr(found)


def _spelled(found: Any) -> Any:
    """Return options with functions as their code: a function from the store has lost its source text."""
    if isinstance(found, dict):
        return {key: _spelled(value) for key, value in found.items()}
    if isinstance(found, FunctionType):
        code = found.__code__
        return (code.co_code, repr(code.co_consts), code.co_names, found.__defaults__)
    return found


def _alike(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # arrays, and whatever else does not compare
        return one is other
