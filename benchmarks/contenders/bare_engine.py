"""Owns the limit of stacks: an engine with plain functions, and a bucket with a file; nothing is recorded."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bucket import BUCKET, bucket
from benchmarks.data import array
from benchmarks.measure import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["array_between", "chain_on", "independent", "mapped", "through_bucket"]

Found = dict[str, float]
WORKERS = 2


@contextmanager
def _engine(name: str) -> Iterator[Callable[..., Any]]:
    """Yield what submits a call to an engine with two workers that are there; it returns a future."""
    if name == "local":
        yield _Done
    elif name == "threads":
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(WORKERS) as pool:
            yield pool.submit
    elif name == "processes":
        from loky import get_reusable_executor

        executor = get_reusable_executor(WORKERS)
        [each.result() for each in [executor.submit(_nap, 0.2) for _ in range(WORKERS)]]
        yield executor.submit
        executor.shutdown()
    else:
        dask: Any = import_module("distributed")
        with (
            dask.LocalCluster(
                n_workers=WORKERS, threads_per_worker=1, dashboard_address="127.0.0.1:0"
            ) as cluster,
            dask.Client(cluster) as client,
        ):
            client.gather([client.submit(_nap, 0.2, pure=False) for _ in range(WORKERS)])
            yield lambda *call: client.submit(*call, pure=False)


class _Done:
    def __init__(self, call: Callable[..., Any], *given: Any) -> None:
        self._result = call(*given)

    def result(self) -> Any:
        return self._result


def _nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def _add(value: int) -> int:
    return value + 1


def independent(folder: Path, *, engine: str, steps: int, milliseconds: int) -> Found:
    """Submit calls that sleep, and wait for all."""
    with _engine(engine) as submit:
        began = time.perf_counter()
        for each in [submit(_nap, milliseconds / 1000) for _ in range(steps)]:
            each.result()
        return {"seconds": time.perf_counter() - began}


mapped = independent


def chain_on(folder: Path, *, engine: str, steps: int) -> Found:
    """Submit each call with the result of the one before."""
    with _engine(engine) as submit:
        value, began = 1, time.perf_counter()
        for _ in range(steps):
            value = submit(_add, value).result()
        return {"seconds": time.perf_counter() - began}


def array_between(folder: Path, *, engine: str, megabytes: int) -> Found:
    """Make and save an array in one call, on the disk when that returns, and map and sum it in the next."""
    path = str(folder / "array.npy")
    with _engine(engine) as submit:
        submit(_save, path, 1).result()
        began = time.perf_counter()
        submit(_save, path, megabytes).result()
        submit(_sum, path).result()
        return {"seconds": time.perf_counter() - began}


def _save(path: str, megabytes: int) -> None:
    import numpy as np

    with Path(path).open("wb") as file:
        np.save(file, array(megabytes))
        file.flush()
        os.fsync(file.fileno())


def _sum(path: str) -> float:
    import numpy as np

    return float(np.load(path, mmap_mode="c").sum())


def through_bucket(folder: Path, *, megabytes: int) -> Found:
    """Save an array, put the file, get it under another name, and map and sum it."""
    with bucket() as address:
        fs = import_module("s3fs").S3FileSystem(
            key="test",
            secret="test",
            client_kwargs={"endpoint_url": address, "region_name": "us-east-1"},
        )
        _save(str(folder / "small.npy"), 1)
        fs.put_file(str(folder / "small.npy"), f"{BUCKET}/small")
        with watched(memory=True) as put:
            _save(str(folder / "a.npy"), megabytes)
            fs.put_file(str(folder / "a.npy"), f"{BUCKET}/a")
        with watched(memory=True) as get:
            fs.get_file(f"{BUCKET}/a", str(folder / "b.npy"))
            _sum(str(folder / "b.npy"))
    return {"put": put.seconds, "get": get.seconds, "memory": max(put.memory, get.memory)}
