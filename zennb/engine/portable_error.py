"""Owns how an error crosses processes: the user's own exception, with the lines of the cell in its traceback."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.materializers.definitions import find

if TYPE_CHECKING:
    from collections.abc import Mapping
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


def carried(error: BaseException, scope: Mapping[str, Any]) -> ErrorElsewhere:
    """Return an exception as one that can be pickled.

    Args:
        error: what was raised.
        scope: the namespace the step ran in; its classes are looked up by name where the error arrives.
    """
    from tblib import Traceback

    found = error.__traceback__
    return ErrorElsewhere(
        _Parts(
            pickled=_pickled(error, scope),
            type=type(error).__name__,
            message=str(error),
            traceback=None if found is None else Traceback(found).to_dict(),
        )
    )


def restored(error: BaseException | None, scope: Mapping[str, Any]) -> BaseException | None:
    """Return the exception that `carried` took along, its traceback as it was; any other error as it is.

    Args:
        error: what an outcome holds.
        scope: the notebook's variables.
    """
    if not isinstance(error, ErrorElsewhere):
        return error
    found = _unpickled(error.parts.pickled, scope)
    return (error if found is None else found).with_traceback(_traceback(error.parts.traceback))


def _traceback(parts: Any) -> TracebackType | None:
    from tblib import Traceback

    return None if parts is None else Traceback.from_dict(parts).as_traceback()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle ships no types
    """Pickles exceptions, classes of the notebook by name."""

    def __init__(self, file: io.BytesIO, scope: Mapping[str, Any]) -> None:
        super().__init__(file, protocol=5)
        self._scope = scope

    def persistent_id(self, obj: Any) -> str | None:
        if not isinstance(obj, type) or obj.__module__ != "__main__":
            return None
        return obj.__qualname__ if find(self._scope, obj.__qualname__) is obj else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, scope: Mapping[str, Any]) -> None:
        super().__init__(file)
        self._scope = scope

    def persistent_load(self, pid: Any) -> Any:
        found = find(self._scope, pid)
        if found is None:
            raise pickle.UnpicklingError(f"there is no class `{pid}` here")
        return found


def _pickled(error: BaseException, scope: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    try:
        _Pickler(file, scope).dump(error)
        _Unpickler(io.BytesIO(file.getvalue()), scope).load()  # some exceptions pickle and do not unpickle
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
