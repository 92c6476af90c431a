"""Owns the kernel of a headless run: it uses this interpreter, so no kernelspec has to be installed."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.errors import MissingExtra, StepRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["RERUN", "RUNNING", "environment", "manager", "refuse_recursion", "require_kernel"]

RERUN = "ZENNB_RERUN"
RUNNING = "ZENNB_RUNNING"
"""The environment variable of a kernel whose steps all run, whatever is stored."""


_NEEDED = ("ipykernel", "nbclient")


def require_kernel() -> None:
    """Check that notebooks can be run here.

    Raises:
        MissingExtra: ipykernel or nbclient is not installed.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f'running a notebook needs {" and ".join(missing)}. Type: pip install "zennb[kernel]"'
        )


@contextmanager
def manager() -> Iterator[Any]:
    """Yield a manager for one kernel of this interpreter, which is not started yet.

    Where available, the kernel communicates over Unix sockets in a folder that only this user can enter: nothing
    passes the network, and kernels that start at the same time cannot take each other's ports.

    Raises:
        MissingExtra: what a kernel needs is not installed.
    """
    require_kernel()
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class ThisInterpreter(KernelSpecManager):
        """Provides one kernelspec, of this interpreter, whatever is installed under its name."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            del kernel_name
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=command, display_name="Python 3", language="python")

    with tempfile.TemporaryDirectory(prefix="zennb-") as folder:  # short: a socket's path has 107 characters
        yield AsyncKernelManager(
            kernel_spec_manager=ThisInterpreter(),
            transport="tcp" if os.name == "nt" else "ipc",
            connection_file=str(Path(folder) / "kernel.json"),
        )


def refuse_recursion(notebook: Path) -> None:
    """Refuse to run a notebook that is running, and of which this process is a part.

    Raises:
        StepRefused: it would run itself, and so on without end.
    """
    if os.path.realpath(notebook) in _running():
        raise StepRefused(
            f"{notebook.name} is running already, and this is a part of it: it would run itself without end. "
            "Run it from another notebook or from a terminal."
        )


def _running() -> list[str]:
    try:
        found = json.loads(os.environ.get(RUNNING, "[]"))
    except ValueError:
        return []
    return [str(path) for path in found] if isinstance(found, list) else []


def environment(
    notebook: Path, *, stack: str | None, parameters: Mapping[str, str], rerun: bool = False
) -> dict[str, str]:
    """Return the kernel's environment: ours, and what the extension reads when it is loaded there.

    `ZENNB_NOTEBOOK` is the notebook's absolute path, `ZENNB_PARAMETERS` a JSON object of parameter name to
    text, and `ZENNB_STACK` the name of the stack active in that kernel; without `stack` it stays as it is. With
    `rerun` no step of that kernel is reused. `ZENNB_RUNNING` lists this notebook and those that run it.
    """
    added = {
        "ZENNB_NOTEBOOK": str(notebook.absolute()),
        "ZENNB_PARAMETERS": json.dumps(dict(parameters)),
        RUNNING: json.dumps([*_running(), os.path.realpath(notebook)]),
    }
    if stack is not None:
        added["ZENNB_STACK"] = stack
    if rerun:
        added[RERUN] = "1"
    # A notebook that is run with `rerun` and runs this one passes it on to this kernel otherwise.
    inherited = {name: text for name, text in os.environ.items() if name != RERUN}
    return {**inherited, **added}
