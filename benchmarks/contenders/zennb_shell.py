"""Owns zennb: step cells in an IPython shell of this process, as a notebook's kernel runs them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from benchmarks.data import FRAME_CODE, MODEL_CODE, READ_MODEL, TRAIN_CODE
from benchmarks.measure import wait_until, watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["chain", "frames", "kernels", "numbers", "reading", "restart", "training"]

Found = dict[str, float]
READ_FRAME = 'float(table["amount"].sum() + table["flag"].sum() + (table["label"] == "east").sum())'
FIRST, SECOND = 1, 1_000_003
"""What the chain starts from: another start makes every step run again."""


class Shell:
    """An IPython shell; zennb is in it when `load` was called.

    Args:
        folder: where its home is.
    """

    def __init__(self, folder: Path) -> None:
        os.environ["ZENNB_HOME"] = str(folder / "home")
        from IPython.core.interactiveshell import InteractiveShell

        self._shell: Any = InteractiveShell.instance()

    def load(self) -> None:
        """Load the extension."""
        self.run("%load_ext zennb")

    def run(self, cell: str) -> None:
        """Run a cell as a frontend does."""
        self._shell.run_cell(cell, store_history=True).raise_error()

    def seconds(self, *cells: str) -> float:
        """Return how long the cells took."""
        began = time.perf_counter()
        for cell in cells:
            self.run(cell)
        return time.perf_counter() - began


def _loaded(folder: Path) -> Shell:
    shell = Shell(folder)
    shell.load()
    return shell


def chain(folder: Path, *, steps: int, phase: str, records: int = 0) -> Found:
    """Run the chain cell by cell, and by `%pipeline run`; cold from another start, so that every step runs.

    Reused, in a new process: both take over what the cold pipeline left.
    """
    if records and phase == "cold":
        from benchmarks.history import fill

        fill(folder / "home", records)
    shell = Shell(folder)
    cells = [f"%%step s{step + 1}\nx{step + 1} = x{step} + 1" for step in range(steps)]
    shell.run("y0 = 1")
    plain = shell.seconds(*[f"y{step + 1} = y{step} + 1" for step in range(steps)])
    shell.load()
    shell.run(f"x0 = {FIRST if phase == 'cold' else SECOND}")
    shell.run("%%step warm\nwarmth = 1")
    by_cell = shell.seconds(*cells)
    shell.run(f"x0 = {SECOND}")
    pipeline = shell.seconds("%pipeline run")
    shell.run(f"assert x{steps} == {SECOND + steps}")
    return {"pipeline": pipeline, "cells": by_cell, "plain": plain}


def numbers(folder: Path, *, megabytes: int, phase: str, memory: int = 0) -> Found:
    """Make an array in one step and sum it in the next; reused: read it in a cell after them."""
    make = f"%%step make\nmade = np.arange({megabytes} * 131_072, dtype=float)"
    consume = "%%step consume\ntotal = float(made.sum())"
    after = ["float(made.sum())"] if phase == "reused" else []
    return _data(folder, [make, consume], after, memory=bool(memory))


def frames(folder: Path, *, phase: str, memory: int = 0) -> Found:
    """Make a frame in one step and read it in the next; reused: read it in a cell after them."""
    make, consume = f"%%step make\n{FRAME_CODE}del number", f"%%step consume\nread = {READ_FRAME}"
    return _data(folder, [make, consume], [READ_FRAME] if phase == "reused" else [], memory=bool(memory))


def _data(folder: Path, steps: Sequence[str], after: Sequence[str], *, memory: bool) -> Found:
    shell = _loaded(folder)
    shell.run('import numpy as np, pandas as pd\npd.Series(["x"], dtype="str"); None')
    shell.run("%%step warm\nwarmth = 1")
    with watched(memory=memory) as watch:
        taken = shell.seconds(*steps)
        shell.seconds(*after)
    return {"seconds": watch.seconds, "taken": taken, "memory": watch.memory}


def training(folder: Path, *, phase: str) -> Found:
    """Train a model in a step: what it takes beyond the plain cell; then set a flag of it. Reused: read it."""
    shell = _loaded(folder)
    made, trained = f"%%step make\n{MODEL_CODE}", f"%%step train\n{TRAIN_CODE}"
    if phase == "reused":
        return {"seconds": shell.seconds("import torch", made, trained, READ_MODEL)}
    shell.run(MODEL_CODE)
    shell.run(TRAIN_CODE)
    shell.run(made)
    plain = shell.seconds(TRAIN_CODE)
    shell.run(f"%%step make --rerun\n{MODEL_CODE}")
    with watched(memory=True) as watch:
        taken = shell.seconds(trained)
    return {
        "seconds": taken - plain,
        "memory": watch.memory,
        "flag": shell.seconds("%%step flag\nmodel.eval()\nNone"),
    }


def reading(folder: Path, *, megabytes: int) -> Found:
    """Run a step that sums a large array, which an earlier step made."""
    shell = _loaded(folder)
    shell.run("import numpy as np")
    shell.run(f"%%step make\nbig = np.arange({megabytes} * 131_072, dtype=float)")
    return {"seconds": shell.seconds("%%step consume\ntotal = float(big.sum())")}


def restart(folder: Path, *, steps: int, megabytes: int, phase: str) -> Found:
    """Run a notebook of many steps, each of which makes an array from the one before."""
    shell = _loaded(folder)
    shell.run("import numpy as np")
    shell.run("%%step warm\nwarmth = 1")
    first = f"%%step s0\na0 = np.zeros({megabytes} * 131_072)"
    cells = [f"%%step s{step}\na{step} = a{step - 1} + 1" for step in range(1, steps)]
    seconds = shell.seconds(first, *cells)
    read = shell.seconds(f"float(a{steps - 1}.sum())")
    return {"seconds": seconds, "read": read}


def kernels(folder: Path, *, steps: int, name: str, at: str = "") -> Found:
    """Run a chain cell by cell, and by `%pipeline run`, beside another process that does the same."""
    shell = _loaded(folder)
    cells = [f"%%step {name}{step + 1}\n{name}{step + 1} = {name}{step} + 1" for step in range(steps)]
    shell.run(f"{name}0 = {FIRST}")
    shell.run("%%step warm\nwarmth = 1")
    wait_until(at)
    by_cell = shell.seconds(*cells)
    shell.run(f"{name}0 = {SECOND}")
    return {"cells": by_cell, "seconds": by_cell + shell.seconds("%pipeline run")}
