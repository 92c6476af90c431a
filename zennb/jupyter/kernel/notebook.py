"""Owns the lookup of the kernel's notebook file, and of the order of its saved cells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.errors import ZennbError
from zennb.headless.read import order

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["find_notebook", "saved_cells"]


def find_notebook(namespace: Mapping[str, Any]) -> Path | None:
    """Return the notebook's file as zennb's runner, Jupyter's server or VS Code name it; None if none does."""
    name = (
        os.environ.get("ZENNB_NOTEBOOK")
        or namespace.get("__vsc_ipynb_file__")
        or os.environ.get("JPY_SESSION_NAME")
    )
    if not isinstance(name, str) or not name.endswith(".ipynb"):
        return None
    path = Path(name)
    if not path.is_absolute():
        path = Path.cwd() / path
    # JupyterLab names the file relative to the server's root, which need not be the kernel's folder.
    return path if path.exists() else Path.cwd() / path.name


def saved_cells(notebook: Path | None) -> tuple[list[str], float]:
    """Return the ids of the cells in the saved file, top to bottom, and when it was saved, in seconds since the epoch.

    The list is empty, and the time 0.0, where they are unknown.
    """
    if notebook is None:
        return [], 0.0
    try:
        saved = notebook.stat().st_mtime
        return order(notebook), saved
    except OSError:
        return [], 0.0
    except ZennbError:
        return [], saved
