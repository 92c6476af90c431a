"""ZenML stacks in the notebook: `%%step` on a cell makes it a step that is stored, traced and reused.

    %load_ext zennb

loads the magics; the names below are for code. Importing this package loads nothing else: each name is
fetched from `zennb.api`, `zennb.commands.program` or `zennb.jupyter.panels` when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from zennb.api import artifacts, digest, load, log, prune, runs, stack, stacks, usage
    from zennb.commands.program import plan, run
    from zennb.jupyter.panels.public import Dashboard, StackPicker

    __version__: str

__all__ = [
    "Dashboard",
    "StackPicker",
    "__version__",
    "artifacts",
    "digest",
    "load",
    "load_ipython_extension",
    "log",
    "plan",
    "prune",
    "run",
    "runs",
    "stack",
    "stacks",
    "unload_ipython_extension",
    "usage",
]

FROM_API = frozenset({"artifacts", "digest", "load", "log", "prune", "runs", "stack", "stacks", "usage"})
FROM_PROGRAM = frozenset({"plan", "run"})
PANELS = frozenset({"Dashboard", "StackPicker"})


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Set up the magics in an IPython shell; IPython calls this for `%load_ext zennb`."""
    from zennb.jupyter.kernel import extension

    extension.load(ip)


def unload_ipython_extension(ip: InteractiveShell) -> None:
    """Take the magics out of an IPython shell; IPython calls this for `%unload_ext zennb`."""
    from zennb.jupyter.kernel import extension

    extension.unload(ip)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        globals()["__version__"] = version("zennb")
        return globals()["__version__"]
    if name in FROM_API:
        from zennb import api

        return getattr(api, name)
    if name in FROM_PROGRAM:
        from zennb.commands import program

        return getattr(program, name)
    if name in PANELS:
        from zennb.jupyter.panels import public

        return getattr(public, name)
    raise AttributeError(f"module 'zennb' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
