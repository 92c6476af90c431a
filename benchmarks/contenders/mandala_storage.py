"""Owns mandala: calls of functions and their results in one SQLite file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mandala.imports import Storage, op

from benchmarks.data import array, frame, summed
from benchmarks.measure import watched

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["chain", "frames", "numbers"]

Found = dict[str, float]


@op
def add(value: int, step: int) -> int:
    return value + 1


@op
def make_array(megabytes: int) -> Any:
    return array(megabytes)


@op
def make_frame() -> Any:
    return frame()


@op
def total(made: Any) -> float:
    return float(made.sum())


@op
def read_frame(made: Any) -> float:
    return summed(made)


def _storage(folder: Path) -> Storage:
    return Storage(db_path=str(folder / "mandala.db"), overflow_dir=str(folder / "overflow"))


def chain(folder: Path, *, steps: int, phase: str, **_: object) -> Found:
    """Call one function for each step; all is written when the block ends."""
    storage = _storage(folder)
    value: Any = 1
    began = time.perf_counter()
    with storage:
        for step in range(steps):
            value = add(value, step)
    storage.unwrap(value)
    return {"pipeline": time.perf_counter() - began}


def numbers(folder: Path, *, megabytes: int, phase: str, memory: int = 0) -> Found:
    """Make an array in one function and sum it in the next."""
    storage = _storage(folder)
    with watched(memory=bool(memory)) as watch:
        with storage:
            made = make_array(megabytes)
            total(made)
        if phase == "reused":
            float(storage.unwrap(made).sum())
    return {"seconds": watch.seconds, "memory": watch.memory}


def frames(folder: Path, *, phase: str, memory: int = 0) -> Found:
    """Make a frame in one function and read it in the next."""
    storage = _storage(folder)
    with watched(memory=bool(memory)) as watch:
        with storage:
            made = make_frame()
            read_frame(made)
        if phase == "reused":
            summed(storage.unwrap(made))
    return {"seconds": watch.seconds, "memory": watch.memory}
