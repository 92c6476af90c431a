"""Owns zennb on stacks: step cells on each orchestrator, and with a bucket."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.bucket import BUCKET, bucket
from benchmarks.contenders.zennb_shell import Shell
from benchmarks.measure import watched

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["array_between", "chain_on", "independent", "mapped", "through_bucket"]

Found = dict[str, float]

_ORCHESTRATORS = {
    "threads": "--flavor=threads --workers=2",
    "processes": "--flavor=processes --workers=2",
    "dask": "--flavor=dask --arguments=\"{'n_workers': 2, 'threads_per_worker': 1}\"",
}


def _on(folder: Path, engine: str) -> Shell:
    """Return a shell on a stack with two workers that are there."""
    shell = Shell(folder)
    shell.load()
    if engine in _ORCHESTRATORS:
        shell.run(f"%orchestrator register workers {_ORCHESTRATORS[engine]}")
        shell.run("%stack register side -o workers -a default")
        shell.run("%stack set side")
    shell.run("import time\nimport numpy as np\nthings = [1, 2]")
    shell.run("%%step warm --map things\ntime.sleep(0.3)\nwarmth = float(np.arange(things).sum())")
    return shell


def independent(folder: Path, *, engine: str, steps: int, milliseconds: int) -> Found:
    """Run steps that sleep, by `%pipeline run`; they ran before, without sleep, in the kernel."""
    shell = _on(folder, engine)
    shell.run("%stack set default\nnap, base = 0, 1")
    for step in range(steps):
        shell.run(f"%%step s{step}\ntime.sleep(nap)\nv{step} = base + {step}")
    shell.run(f"nap, base = {milliseconds / 1000}, 2")
    if engine in _ORCHESTRATORS:
        shell.run("%stack set side")
    seconds = shell.seconds("%pipeline run")
    shell.run(f"assert v{steps - 1} == {steps + 1}")
    return {"seconds": seconds}


def mapped(folder: Path, *, engine: str, steps: int, milliseconds: int) -> Found:
    """Run a mapped step whose elements sleep."""
    shell = _on(folder, engine)
    shell.run(f"numbers, nap = list(range({steps})), {milliseconds / 1000}")
    seconds = shell.seconds("%%step m --map numbers\ntime.sleep(nap)\ndoubled = numbers * 2")
    shell.run(f"assert doubled[-1] == {2 * (steps - 1)}")
    return {"seconds": seconds}


def chain_on(folder: Path, *, engine: str, steps: int) -> Found:
    """Run a chain of trivial steps by `%pipeline run`; it ran before, from another start, in the kernel."""
    shell = _on(folder, engine)
    shell.run("%stack set default\nx0 = 1")
    for step in range(steps):
        shell.run(f"%%step c{step}\nx{step + 1} = x{step} + 1")
    shell.run("x0 = 1000")
    if engine in _ORCHESTRATORS:
        shell.run("%stack set side")
    seconds = shell.seconds("%pipeline run")
    shell.run(f"assert x{steps} == {1000 + steps}")
    return {"seconds": seconds}


def array_between(folder: Path, *, engine: str, megabytes: int) -> Found:
    """Make an array in one step and sum it in the next."""
    shell = _on(folder, engine)
    make = f"%%step make\nmade = np.arange({megabytes} * 131_072, dtype=float)"
    return {"seconds": shell.seconds(make, "%%step consume\ntotal = float(made.sum())")}


def through_bucket(folder: Path, *, megabytes: int) -> Found:
    """Make an array in a step; then, without the local copy, reuse the step and read the array."""
    with bucket() as address:
        shell = Shell(folder)
        shell.load()
        shell.run(
            f"%artifact-store register team --flavor=s3 --url=s3://{BUCKET}/x --endpoint={address} "
            f"--cache={folder / 'copies'}"
        )
        shell.run("%stack register team -o default -a team")
        shell.run("%stack set team\nimport numpy as np")
        shell.run("%%step warm\nwarmth = np.arange(200_000.0)")
        make = f"%%step make\nmade = np.arange({megabytes} * 131_072, dtype=float)"
        with watched(memory=True) as put:
            shell.run(make)
        shell.run("del made\n%stack set default")
        shutil.rmtree(folder / "copies")
        shell.run("%stack set team")
        with watched(memory=True) as get:
            shell.run(make)
            shell.run("float(made.sum())")
    return {"put": put.seconds, "get": get.seconds, "memory": max(put.memory, get.memory)}
