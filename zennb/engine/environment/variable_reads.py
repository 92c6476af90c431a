"""Owns reading and setting environment variables, and the notice of those that code reads: no audit event tells it.

While somebody watches, `os.environ` and `os.environb` have a class of their own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from zennb.compat.python import Environ, environment_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ALL", "set_variable", "unwatch", "variable", "variables", "watch"]

ALL = object()
"""What is reported when all variables are gone through."""

_report: list[Callable[[Any, str | None], None]] = []


def watch(report: Callable[[Any, str | None], None]) -> None:
    """Report reads from now on: the name of a variable and its value (None when unset), or `ALL`."""
    _report[:] = [report]
    for environment in _environments():
        # The class is replaced, not the object: modules that did `from os import environ` hold the object.
        environment.__class__ = _Environment


def unwatch() -> None:
    """Leave everything as it was before `watch`."""
    for environment in _environments():
        environment.__class__ = Environ


_OF_LIBRARIES = frozenset({"_MLFLOW_TELEMETRY_SESSION_ID"})
"""Variables in which a library keeps a note for itself. MLflow sets and deletes this one from a thread of its own: it
would look like a side effect of whichever step runs just then."""


def variables() -> dict[str, str]:
    """Return the environment variables as they are now, without the access being noticed; none of `_OF_LIBRARIES`."""
    decode_name, decode = os.environ.decodekey, os.environ.decodevalue
    found = {decode_name(name): decode(value) for name, value in list(environment_data().items())}
    return {name: value for name, value in found.items() if name not in _OF_LIBRARIES}


def variable(name: str) -> str | None:
    """Return one of them, without the access being noticed; None when it is unset."""
    value = environment_data().get(os.environ.encodekey(name))
    return None if value is None else os.environ.decodevalue(value)


def set_variable(name: str, value: str | None) -> None:
    """Set an environment variable; None deletes it."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _environments() -> list[Any]:
    return [os.environ, *([os.environb] if hasattr(os, "environb") else [])]


def _noted(what: Any, value: str | None = None) -> None:
    for report in _report:
        report(what, value)


class _Environment(Environ):  # type: ignore[misc]  # its class is known only at run time
    """`os.environ`, or `os.environb`, while somebody watches."""

    def __getitem__(self, key: Any) -> Any:
        try:
            value = super().__getitem__(key)
        except KeyError:
            _noted(os.fsdecode(key))
            raise
        _noted(os.fsdecode(key), os.fsdecode(value))
        return value

    def __iter__(self) -> Iterator[Any]:
        _noted(ALL)
        found: Iterator[Any] = super().__iter__()
        return found

    def __len__(self) -> int:
        _noted(ALL)
        return int(super().__len__())

    def __repr__(self) -> str:
        _noted(ALL)
        return str(super().__repr__())
