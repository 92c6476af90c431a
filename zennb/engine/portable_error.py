"""Owns how an error crosses processes: the user's own exception, with the lines of the cell in its traceback."""

from __future__ import annotations

import io
import pickle
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.materializers.definitions import find

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType

__all__ = ["ErrorElsewhere", "carried", "restored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """An exception as plain data: its pickle ("" when it has none), how it reads, and its traceback."""

    pickled: bytes
    type: str
    message: str
    traceback: Any


class ErrorElsewhere(Exception):
    """An exception raised in another process, on its way, or one whose class exists only there."""

    def __init__(self, parts: _Parts) -> None:
        super().__init__(parts)
        self.parts = parts

    def __str__(self) -> str:
        return f"{self.parts.type}: {self.parts.message}" if self.parts.message else self.parts.type


def carried(error: BaseException, names: Collection[str]) -> ErrorElsewhere:
    """Return an exception as one that can be pickled.

    Args:
        error: what was raised.
        names: names of the notebook's classes: these travel by name, others by value.
    """
    from tblib import Traceback

    found = error.__traceback__
    return ErrorElsewhere(
        _Parts(
            pickled=_pickled(error, names),
            type=type(error).__name__,
            message=str(error),
            traceback=None if found is None else Traceback(found).to_dict(),
        )
    )


def restored(error: BaseException | None, scope: Mapping[str, Any]) -> BaseException | None:
    """Return the exception of an outcome as the notebook knows it: of the notebook's own class, its traceback whole.

    Args:
        error: what an outcome holds.
        scope: the notebook's variables.
    """
    if not isinstance(error, ErrorElsewhere):
        return error if error is None else _of_the_notebook(error, scope)
    found = _unpickled(error.parts.pickled, scope)
    return (error if found is None else found).with_traceback(_traceback(error.parts.traceback))


def _of_the_notebook(error: BaseException, scope: Mapping[str, Any]) -> BaseException:
    """Give an error whose class was copied for the step the class that the notebook's `except` names."""
    own = find(scope, type(error).__qualname__) if type(error).__module__ == "__main__" else None
    if isinstance(own, type) and own is not type(error):
        with suppress(TypeError):  # the classes differ in layout: the copy it is
            error.__class__ = own
    return error


def _traceback(parts: Any) -> TracebackType | None:
    from tblib import Traceback

    return None if parts is None else Traceback.from_dict(parts).as_traceback()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle ships no types
    """Pickles exceptions, classes of the notebook by name."""

    def __init__(self, file: io.BytesIO, names: Collection[str]) -> None:
        super().__init__(file, protocol=5)
        self._names = names

    def persistent_id(self, obj: Any) -> str | None:
        if not isinstance(obj, type) or obj.__module__ != "__main__":
            return None
        return obj.__qualname__ if obj.__qualname__.partition(".")[0] in self._names else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, scope: Mapping[str, Any]) -> None:
        super().__init__(file)
        self._scope = scope

    def persistent_load(self, pid: Any) -> Any:
        found = find(self._scope, pid)
        if found is None:
            raise pickle.UnpicklingError(f"there is no class `{pid}` here")
        return found


def _pickled(error: BaseException, names: Collection[str]) -> bytes:
    file = io.BytesIO()
    try:
        _Pickler(file, names).dump(error)
    except Exception:  # noqa: BLE001 - whatever an exception's own pickling raises
        return b""
    return file.getvalue()


def _unpickled(data: bytes, scope: Mapping[str, Any]) -> BaseException | None:
    """Return the exception of a pickle made by a worker of this run; None where it cannot be rebuilt here."""
    try:
        found = _Unpickler(io.BytesIO(data), scope).load() if data else None
    except Exception:  # noqa: BLE001 - as above
        return None
    return found if isinstance(found, BaseException) and not isinstance(found, SystemExit) else None
