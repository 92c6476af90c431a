"""Owns marimo's persistent cache: a notebook whose cells keep what they bind on disk."""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.data import FRAME_CODE
from benchmarks.measure import watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["chain", "frames", "numbers"]

Found = dict[str, float]
READ_FRAME = 'read = float(table["amount"].sum() + table["flag"].sum() + (table["label"] == "east").sum())'


def chain(folder: Path, *, steps: int, phase: str, **_: object) -> Found:
    """Run a notebook of one cached cell for each step."""
    cells = [
        (f"s{step}", (f"x{step}",), f"x{step + 1}", f"x{step + 1} = x{step} + 1") for step in range(steps)
    ]
    return {"pipeline": _run(folder, "x0 = 1", "x0", cells, memory=False).seconds}


def numbers(folder: Path, *, megabytes: int, phase: str, memory: int = 0) -> Found:
    """Run a notebook that makes an array and sums it."""
    cells = [
        ("make", ("np",), "made", f"made = np.arange({megabytes} * 131_072, dtype=float)"),
        ("consume", ("made",), "total", "total = float(made.sum())"),
    ]
    after = "made.sum()" if phase == "reused" else ""
    return _found(_run(folder, "import numpy as np", "np", cells, memory=bool(memory), after=after))


def frames(folder: Path, *, phase: str, memory: int = 0) -> Found:
    """Run a notebook that makes a frame and reads it."""
    cells = [
        ("make", ("np", "pd"), "table", FRAME_CODE),
        ("consume", ("table",), "read", READ_FRAME),
    ]
    first, after = "import numpy as np\nimport pandas as pd", READ_FRAME if phase == "reused" else ""
    return _found(_run(folder, first, "np, pd", cells, memory=bool(memory), after=after))


def _found(watch: Any) -> Found:
    return {"seconds": watch.seconds, "memory": watch.memory}


def _run(
    folder: Path,
    first: str,
    binds: str,
    cells: Sequence[tuple[str, tuple[str, ...], str, str]],
    *,
    memory: bool,
    after: str = "",
) -> Any:
    """Write the notebook, load it, and measure its run, and `after` it what reads its variables."""
    path = folder / "notebook.py"
    path.write_text(_notebook(folder, first, binds, cells))
    spec = importlib.util.spec_from_file_location("notebook", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["notebook"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    exec(first, {})
    time.sleep(0.05)
    with watched(memory=memory) as watch:
        _, names = module.app.run()
        if after:
            exec(after, dict(names))
    return watch


def _notebook(
    folder: Path, first: str, binds: str, cells: Sequence[tuple[str, tuple[str, ...], str, str]]
) -> str:
    lines = ["import marimo", "app = marimo.App()", ""]
    lines += ["@app.cell", "def _():", "    import marimo as mo"]
    lines += [f"    {line}" for line in first.splitlines()]
    lines += [f"    return mo, {binds}", ""]
    for name, takes, gives, body in cells:
        lines += ["@app.cell", f"def _({', '.join(['mo', *takes])}):"]
        lines += [f"    with mo.persistent_cache({name!r}, save_path={str(folder / 'cache')!r}):"]
        lines += [f"        {line}" for line in body.splitlines()]
        lines += [f"    return ({gives},)", ""]
    return "\n".join(lines)
