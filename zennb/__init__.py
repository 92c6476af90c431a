"""ZenML stacks in the notebook: `%%step` on a cell makes it a step that is stored, traced and reused.

    %load_ext zennb

loads the magics; the names below are for code. Importing this package loads nothing else: each name is
fetched from the module of `SOURCES` that has it when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from zennb.api import artifacts, digest, load, log, runs, stack, stacks
    from zennb.commands.program import annotate, plan, run
    from zennb.jupyter.panels.public import Dashboard, StackPicker
    from zennb.model_api import deploy, deployment, deployments, models, register_model
    from zennb.space_api import prune, usage

    __version__: str

__all__ = [
    "Dashboard",
    "StackPicker",
    "__version__",
    "annotate",
    "artifacts",
    "deploy",
    "deployment",
    "deployments",
    "digest",
    "load",
    "load_ipython_extension",
    "log",
    "models",
    "plan",
    "prune",
    "register_model",
    "run",
    "runs",
    "stack",
    "stacks",
    "unload_ipython_extension",
    "usage",
]

SOURCES = {
    "zennb.api": ("artifacts", "digest", "load", "log", "runs", "stack", "stacks"),
    "zennb.commands.program": ("annotate", "plan", "run"),
    "zennb.jupyter.panels.public": ("Dashboard", "StackPicker"),
    "zennb.model_api": ("deploy", "deployment", "deployments", "models", "register_model"),
    "zennb.space_api": ("prune", "usage"),
}
"""Modules → the names that come from them."""


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Set up the magics in an IPython shell; IPython calls this for `%load_ext zennb`."""
    import gc

    # Hundreds of modules are imported, and none of them leaves garbage: looking for it takes a sixth of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        from zennb.jupyter.kernel import extension
    finally:
        if was_enabled:
            gc.enable()
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
    for module, names in SOURCES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'zennb' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
