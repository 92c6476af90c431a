"""Owns how long things take to start: the import, the extension, the command line."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks.contest import python

__all__ = ["start"]

_IMPORT = "import time; t = time.perf_counter(); import zennb; print(time.perf_counter() - t)"
_EXTENSION = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("x = 1")
t = time.perf_counter()
shell.run_line_magic("load_ext", "zennb")
print(time.perf_counter() - t)
"""
_STEPS = 200


def start() -> dict[str, float]:
    """Return seconds of `import zennb`, of `%load_ext zennb` in a running IPython, and of two commands."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**python(), "HOME": folder, "ZENNB_HOME": str(Path(folder) / "home")}

        def run(*words: str) -> tuple[float, str]:
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, *words], capture_output=True, text=True, check=True, env=environment
            )
            return time.perf_counter() - began, done.stdout

        run("-m", "zennb", "stack", "list")  # makes the home
        return {
            "import": float(run("-c", _IMPORT)[1]),
            "extension": float(run("-c", _EXTENSION)[1].splitlines()[-1]),
            "stack list": run("-m", "zennb", "stack", "list")[0],
            "pipeline status": run("-m", "zennb", "pipeline", "status", str(_notebook(Path(folder))))[0],
            "python": run("-c", "pass")[0],
        }


def _notebook(folder: Path) -> Path:
    """Return a new notebook file with a chain of 200 steps."""
    steps = [
        f"%%step s{at}\nx{at} = [{at}] + x{at - 1}[:3]\ny{at} = sum(x{at}) * k" for at in range(1, _STEPS)
    ]
    cells = [new_code_cell(text) for text in ("%load_ext zennb\nk = 1", "%%step s0\nx0 = [1]", *steps)]
    path = folder / "chain.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path
