"""Owns the limit: what the disk and the libraries below take when nothing is recorded."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from benchmarks.data import MODEL_CODE, READ_MODEL, TRAIN_CODE, array, frame, summed
from benchmarks.measure import wait_until, watched

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["chain", "frames", "kernels", "numbers", "reading", "training"]

Found = dict[str, float]


def chain(folder: Path, *, steps: int, phase: str, **_: object) -> Found:
    """Set the value of each step in a diskcache, and get it for the next; reused: get it, and set that it was."""
    import diskcache

    value = 1
    with diskcache.Cache(str(folder / "cache")) as cache:
        if phase == "reused":
            began = time.perf_counter()
            for step in range(steps):
                value = cache.get(f"s{step}")
            only = time.perf_counter() - began
            began = time.perf_counter()
            for step in range(steps):
                value = cache.get(f"s{step}")
                cache.set(f"r{step}", value)
            return {"pipeline": time.perf_counter() - began, "get": only}
        began = time.perf_counter()
        for step in range(steps):
            cache.set(f"s{step}", value + 1)
            value = cache.get(f"s{step}")
        return {"pipeline": time.perf_counter() - began}


def numbers(folder: Path, *, megabytes: int, phase: str, memory: int = 0) -> Found:
    """Save an array with numpy, on the disk when that returns, and map it for who reads it."""
    import numpy as np

    path = folder / "array.npy"
    with watched(memory=bool(memory)) as watch:
        if phase == "cold":
            made = array(megabytes)
            with path.open("wb") as file:
                np.save(file, made)
                file.flush()
                os.fsync(file.fileno())
        float(np.load(path, mmap_mode="c").sum())
    return {"seconds": watch.seconds, "memory": watch.memory}


def frames(folder: Path, *, phase: str, memory: int = 0) -> Found:
    """Write a frame as an Arrow IPC file, on the disk when that returns, and map it for who reads it."""
    import pandas as pd
    import pyarrow as pa

    path = folder / "frame.arrow"
    pd.Series(["x"], dtype="str")  # what pandas loads at first use is not the work
    with watched(memory=bool(memory)) as watch:
        if phase == "cold":
            table = pa.Table.from_pandas(frame())
            with path.open("wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)
                writer.close()
                file.flush()
                os.fsync(file.fileno())
        with pa.memory_map(str(path)) as source:
            summed(pa.ipc.open_file(source).read_all().to_pandas())
    return {"seconds": watch.seconds, "memory": watch.memory}


def training(folder: Path, *, phase: str) -> Found:
    """Save a trained model and its optimizer with torch, on the disk when that returns, or load them and read one."""
    import torch

    path, names = folder / "model.pt", dict[str, Any]()
    if phase == "cold":
        exec(MODEL_CODE + TRAIN_CODE, names)
        with watched(memory=True) as watch, path.open("wb") as file:
            torch.save({"model": names["model"], "opt": names["opt"]}, file)
            file.flush()
            os.fsync(file.fileno())
        return {"seconds": watch.seconds, "memory": watch.memory, "flag": watch.seconds}
    with watched(memory=False) as watch:
        eval(READ_MODEL, torch.load(path, weights_only=False))
    return {"seconds": watch.seconds}


def reading(_folder: Path, *, megabytes: int) -> Found:
    """Read an array that is in memory."""
    made = array(megabytes)
    began = time.perf_counter()
    float(made.sum())
    return {"seconds": time.perf_counter() - began}


def kernels(folder: Path, *, steps: int, name: str, at: str = "") -> Found:
    """Set and get in a diskcache that another process uses at the same time."""
    import diskcache

    value = 1
    with diskcache.Cache(str(folder / "cache")) as cache:
        wait_until(at)
        began = time.perf_counter()
        for step in range(steps):
            cache.set(f"{name}{step}", value + 1)
            value = cache.get(f"{name}{step}")
        return {"seconds": time.perf_counter() - began}
