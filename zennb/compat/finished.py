"""Owns what has ended: finished bars and threads, shut pools, closed files, and objects that say the same."""

from __future__ import annotations

import io
import sys
import time
from importlib import import_module
from typing import Any

from zennb.compat.instances import attributes_of, is_a

__all__ = ["finished", "restored"]

_BAR = "tqdm.std"
_SHOWN = ("n", "total", "desc", "unit", "unit_scale", "unit_divisor", "initial", "leave", "postfix", "ncols")
"""What a bar shows, apart from the time it took."""

_POOLS = {
    ("concurrent.futures.thread", "ThreadPoolExecutor"): "_shutdown",
    ("concurrent.futures.process", "ProcessPoolExecutor"): "_shutdown_thread",
}
"""Pools → the attribute that says whether it was shut."""


_ARCHIVE = "zipfile", "ZipFile"
_DATABASE = "sqlite3", "Connection"
_DATABASE_SETTINGS = ("row_factory", "text_factory")
_H5 = "h5py._hl.files", "File"
_THREAD = "threading", "Thread"


def finished(value: object) -> tuple[tuple[str, str], dict[str, Any], float] | None:
    """Return module and class of what has ended, what it was, and the seconds it took; None for anything else."""
    cls = type(value)
    kind = cls.__module__, cls.__qualname__
    if kind in _CLOSED:
        state = _CLOSED[kind](value)
        return None if state is None else (kind, state, 0.0)
    if kind in _POOLS:
        held = attributes_of(value)
        return (kind, {"workers": held.get("_max_workers")}, 0.0) if held.get(_POOLS[kind]) else None
    bars: Any = sys.modules.get(_BAR)
    if bars is None or not is_a(value, bars.tqdm) or not str(kind[0]).startswith("tqdm."):
        return None
    held = attributes_of(value)
    # One that was switched off from the beginning counts on in silence: it is not finished.
    if not held.get("disable") or "start_t" not in held:
        return None
    state = {name: held.get(name) for name in _SHOWN}
    # What it went over is not kept, for it may be all of the data; a range says all by itself.
    if type(over := held.get("iterable")) is range or over is None:
        state["iterable"] = over
    return kind, state, held.get("last_print_t", 0.0) - held["start_t"]


def _closed_archive(value: Any) -> dict[str, Any] | None:
    held = attributes_of(value)
    # What it contains is still there: `namelist` works.
    return (
        {name: part for name, part in held.items() if name != "_lock"} if held.get("fp", 0) is None else None
    )


def _closed_database(value: Any) -> dict[str, Any] | None:
    try:
        value.total_changes  # noqa: B018 - asking is how to know
    except Exception as error:  # noqa: BLE001 - another thread must not ask
        if "closed" in str(error):
            return {name: getattr(value, name) for name in _DATABASE_SETTINGS}
    return None


def _closed_h5(value: Any) -> dict[str, Any] | None:
    return None if value else {}


def _ended_thread(value: Any) -> dict[str, Any] | None:
    cls = type(value)
    if value.ident is None or cls.is_alive(value):
        return None
    known = attributes_of(cls(name="-"))  # one without a name would count among those that Python numbers
    added = [name for name in attributes_of(value) if name not in known and not name.startswith(_KERNELS)]
    return None if added else {"name": value.name, "daemon": value.daemon}


_KERNELS = "_ipykernel"
"""What the names of attributes begin with that a kernel gives to threads."""

_CLOSED = {
    _ARCHIVE: _closed_archive,
    _DATABASE: _closed_database,
    _H5: _closed_h5,
    _THREAD: _ended_thread,
}
"""Types → function that returns what an instance was if it is closed or has ended, else None."""


def restored(kind: tuple[str, str], state: dict[str, Any], seconds: float) -> Any:
    """Return what says the same: a bar that is closed, a pool that takes no more work, a closed archive.

    Raises:
        TypeError: it would be of another type.
    """
    if kind == _THREAD:
        thread = import_module(kind[0]).Thread(name=state["name"], daemon=state["daemon"])
        thread.start()
        thread.join()
        return thread
    if kind in _CLOSED:
        return _closed(kind, state)
    if kind in _POOLS:
        pool = getattr(import_module(kind[0]), kind[1])(state["workers"])
        pool.shutdown()
        return pool
    cls, bars = getattr(import_module(kind[0]), kind[1]), import_module(_BAR)
    if not issubclass(cls, bars.tqdm):
        raise TypeError(f"{kind[1]} is not a progress bar")
    bar: Any = object.__new__(cls)  # `tqdm.__new__` would register it among those that are drawn
    now = time.time()
    nothing = bars.EMA(0.0)
    vars(bar).update(
        _LEFT,
        **{"iterable": _Gone(), **state},
        fp=sys.stderr,
        sp=_say_nothing,
        start_t=now - seconds,
        last_print_t=now,
        last_print_n=state["n"],
        _time=time.time,
        _ema_dn=nothing,
        _ema_dt=_say_nothing,
        _ema_miniters=nothing,
    )
    return bar


def _closed(kind: tuple[str, str], state: dict[str, Any]) -> Any:
    cls = getattr(import_module(kind[0]), kind[1])
    if kind == _ARCHIVE:
        archive = cls(io.BytesIO(), "w")
        archive.close()
        vars(archive).update(state)
        return archive
    # In memory, so that no such file needs to exist.
    value = cls(":memory:") if kind == _DATABASE else cls("closed", "w", driver="core", backing_store=False)
    for name, setting in state.items():
        setattr(value, name, setting)
    value.close()
    return value


_LEFT = {
    "disable": True,
    "pos": 0,
    "nrows": None,
    "mininterval": 0.1,
    "maxinterval": 10.0,
    "miniters": 0,
    "dynamic_miniters": True,
    "ascii": False,
    "lock_args": None,
    "delay": 0.0,
    "gui": False,
    "dynamic_ncols": False,
    "smoothing": 0.3,
    "bar_format": None,
    "colour": None,
}
"""How a closed bar is otherwise; a bar that is closed is not drawn again."""


class _Gone:
    """Takes the place of what a bar went over."""

    def __iter__(self) -> Any:
        raise RuntimeError("this progress bar is finished, and was restored without what it went over")


def _say_nothing(*_text: object) -> None:
    return None
