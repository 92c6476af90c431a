"""Owns joblib.Memory: a function's results on disk, by its arguments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import joblib

from benchmarks.data import array, frame, summed
from benchmarks.measure import wait_until, watched

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["chain", "frames", "kernels", "numbers"]

Found = dict[str, float]


def add(value: int, step: int) -> int:
    """Do one trivial step."""
    return value + 1


def chain(folder: Path, *, steps: int, phase: str, **_: object) -> Found:
    """Call one function for each step."""
    call = joblib.Memory(folder / "cache", verbose=0).cache(add)
    value = 1
    began = time.perf_counter()
    for step in range(steps):
        value = call(value, step)
    return {"pipeline": time.perf_counter() - began}


def numbers(folder: Path, *, megabytes: int, phase: str, memory: int = 0) -> Found:
    """Make an array in one function and sum it in the next; arrays are mapped."""
    store = joblib.Memory(folder / "cache", verbose=0, mmap_mode="c")
    make, consume = store.cache(array), store.cache(_sum)
    with watched(memory=bool(memory)) as watch:
        made = make(megabytes)
        consume(made)
        if phase == "reused":
            _sum(made)
    return {"seconds": watch.seconds, "memory": watch.memory}


def frames(folder: Path, *, phase: str, memory: int = 0) -> Found:
    """Make a frame in one function and read it in the next."""
    store = joblib.Memory(folder / "cache", verbose=0)
    make, consume = store.cache(frame), store.cache(summed)
    with watched(memory=bool(memory)) as watch:
        made = make()
        consume(made)
        if phase == "reused":
            summed(made)
    return {"seconds": watch.seconds, "memory": watch.memory}


def kernels(folder: Path, *, steps: int, name: str, at: str = "") -> Found:
    """Call one function for each step, beside another process."""
    call = joblib.Memory(folder / "cache", verbose=0).cache(add)
    value = 1_000_000 * (name == "b")
    wait_until(at)
    began = time.perf_counter()
    for step in range(steps):
        value = call(value, step)
    return {"seconds": time.perf_counter() - began}


def _sum(made: Any) -> float:
    return float(made.sum())
