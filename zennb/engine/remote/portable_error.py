"""Owns how an exception crosses processes: of the user's own class, with the cell's lines in its traceback."""

from __future__ import annotations

import inspect
import io
import pickle
from contextlib import suppress
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.compat.tracebacks import TracebackFrame, frames_of, traceback_of
from zennb.core.secrets.held import HELD, hide_secrets
from zennb.materializers.definitions import find

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["RemoteError", "carried", "restored"]

_LARGEST = 1 << 20
"""Bytes of a pickled exception, and characters of its text. What is larger is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ErrorParts:
    """An exception as plain data: its text, traceback, cause and context, and its pickles, the best first.

    The last one is of its class and text alone; there is none if the class cannot be pickled either.
    """

    pickled: tuple[bytes, ...]
    type: str
    message: str
    frames: tuple[TracebackFrame, ...]
    cause: _ErrorParts | None = None
    context: _ErrorParts | None = None
    hides_context: bool = False


class RemoteError(Exception):
    """An exception from another process that is in transit, or whose class exists only there."""

    def __init__(self, parts: _ErrorParts) -> None:
        super().__init__(parts)
        self.parts = parts

    def __str__(self) -> str:
        return f"{self.parts.type}: {self.parts.message}" if self.parts.message else self.parts.type

    def named(self) -> RemoteError:
        """Return it with the name of its class, so that it is shown like the original."""
        name, text = self.parts.type, self.parts.message
        own = {
            "__module__": "__main__",
            "__str__": lambda _error: text,
            "__repr__": lambda _error: f"{name}({text!r})",
        }
        made: RemoteError = type(name, (RemoteError,), own)(self.parts)
        return made


def carried(error: BaseException, names: Collection[str]) -> RemoteError:
    """Return an exception as one that can be pickled, with the secrets masked that only this process knows.

    Args:
        error: what was raised.
        names: names of the notebook's classes: these travel by name, others by value.
    """
    hide_secrets(error)
    return RemoteError(_parts(error, names, frozenset()))


def _parts(error: BaseException, names: Collection[str], seen: frozenset[int]) -> _ErrorParts:
    """Return the parts of an exception; `seen` are the ids of those it led to."""
    seen |= {id(error)}
    before = {
        each: _parts(found, names, seen)
        for each in ("cause", "context")
        if (found := getattr(error, f"__{each}__")) is not None and id(found) not in seen
    }
    text = _text_of(error) or ""
    message = HELD.mask_known(text)
    # One that makes its text of a secret in its attributes travels as text; a group is made anew of its arguments.
    is_safe = message == text or isinstance(error, BaseExceptionGroup)
    return _ErrorParts(
        pickled=tuple(_pickles(error, names)) if is_safe else (),
        type=type(error).__name__,
        message=message,
        frames=tuple(frames_of(error.__traceback__)),
        cause=before.get("cause"),
        context=before.get("context"),
        hides_context=error.__suppress_context__,
    )


def restored(error: BaseException | None, scope: Mapping[str, Any]) -> BaseException | None:
    """Return the exception of an outcome as the notebook expects it: of its own class, with the full traceback.

    Args:
        error: what an outcome holds.
        scope: the notebook's variables.
    """
    if not isinstance(error, RemoteError):
        return error if error is None else _of_the_notebook(error, scope)
    return _together(error.parts, scope)


def _together(parts: _ErrorParts, scope: Mapping[str, Any]) -> BaseException:
    rebuilt = (_unpickled(data, scope) for data in parts.pickled)
    shown = (error for error in rebuilt if error is not None and (_text_of(error) or not parts.message))
    found = next(shown, None) or RemoteError(parts).named()
    found.__cause__ = None if parts.cause is None else _together(parts.cause, scope)
    found.__context__ = None if parts.context is None else _together(parts.context, scope)
    found.__suppress_context__ = parts.hides_context
    return found.with_traceback(traceback_of(parts.frames))


def _of_the_notebook(error: BaseException, scope: Mapping[str, Any]) -> BaseException:
    """Replace the class of an error, a copy made for the step, by the one that the notebook's `except` names."""
    own = find(scope, type(error).__qualname__) if type(error).__module__ == "__main__" else None
    if isinstance(own, type) and own is not type(error):
        with suppress(TypeError):  # the classes differ in layout: the copy it is
            error.__class__ = own
    return error


class _ErrorPickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle ships no types
    """Pickles exceptions, classes of the notebook by name."""

    def __init__(self, file: io.BytesIO, names: Collection[str]) -> None:
        super().__init__(file, protocol=5)
        self._names = names

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, BaseException) and _has_own_init(type(obj)):
            return _remade, (type(obj), obj.args, obj.__dict__)
        return super().reducer_override(obj)

    def persistent_id(self, obj: Any) -> str | None:
        if not isinstance(obj, type) or obj.__module__ != "__main__":
            return None
        return obj.__qualname__ if obj.__qualname__.partition(".")[0] in self._names else None


class _Lean:
    """Pickles as an exception without some of its attributes."""

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, self._parts


def _has_own_init(kind: type[BaseException]) -> bool:
    """Whether a class has its own `__init__`, whose arguments are not those in `args`."""
    return isinstance(inspect.getattr_static(kind, "__init__"), FunctionType) and not _reduces_itself(kind)


def _reduces_itself(kind: type[BaseException]) -> bool:
    return any(isinstance(getattr(kind, name), FunctionType) for name in ("__reduce__", "__reduce_ex__"))


def _remade(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    """Rebuild an exception without calling its own `__init__`, which may expect other arguments."""
    error = kind.__new__(kind, *args)
    # The `__init__` of the nearest built-in class, which only stores its arguments.
    builtin = next(
        base for base in kind.__mro__ if not isinstance(vars(base).get("__init__"), FunctionType | None)
    )
    with suppress(TypeError):
        vars(builtin)["__init__"](error, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class _ErrorUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, scope: Mapping[str, Any]) -> None:
        super().__init__(file)
        self._scope = scope

    def persistent_load(self, pid: Any) -> Any:
        found = find(self._scope, pid)
        if found is None:
            raise pickle.UnpicklingError(f"there is no class `{pid}` here")
        return found


def _pickles(error: BaseException, names: Collection[str]) -> Iterator[bytes]:
    """Yield pickles of an exception: whole or without attributes that cannot be sent, and of its text alone."""
    whole = _dumped(error, names)
    if whole:
        yield whole
    if not whole or _reduces_itself(type(error)):  # what pickles may still refuse to be rebuilt
        state = {name: value for name, value in _attributes(error).items() if _dumped(value, names)}
        text = _text_of(error)
        for parts in ((error.args, state), ((text,) if text else (), state)):
            lean = _dumped(_Lean(type(error), *parts), names)
            if lean:
                yield lean


def _attributes(error: BaseException) -> dict[str, Any]:
    try:
        return dict(vars(error))
    except Exception:  # noqa: BLE001 - the exception's own code
        return {}


def _text_of(error: BaseException) -> str | None:
    try:
        text = str(error)
        return text if len(text) <= _LARGEST else f"{text[: _LARGEST // 10]} ..."
    except Exception:  # noqa: BLE001 - as above
        return None


def _dumped(value: object, names: Collection[str]) -> bytes:
    """Return a pickle; b"" where there is none, or where it is too large to pass through a scheduler."""
    file = io.BytesIO()
    try:
        _ErrorPickler(file, names).dump(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - whatever somebody's own pickling raises
        return b""
    return file.getvalue() if file.tell() <= _LARGEST else b""


def _unpickled(data: bytes, scope: Mapping[str, Any]) -> BaseException | None:
    """Return the exception of a pickle made by a worker of this run; None where it cannot be rebuilt here."""
    try:
        found = _ErrorUnpickler(io.BytesIO(data), scope).load()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - as above
        return None
    # A SystemExit raised here would end the kernel, not the step.
    return found if isinstance(found, BaseException) and not isinstance(found, SystemExit) else None
