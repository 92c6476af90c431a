"""Owns what the kernel knows of its notebook: which file it is, and the order of its cells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.errors import ZennbError
from zennb.headless.read import order

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["cell_order", "find_notebook", "saved_at"]


def find_notebook(namespace: Mapping[str, Any]) -> Path | None:
    """Return the notebook's file as the frontend tells it: zennb's own runner, Jupyter's server, or VS Code."""
    told = (
        os.environ.get("ZENNB_NOTEBOOK")
        or namespace.get("__vsc_ipynb_file__")
        or os.environ.get("JPY_SESSION_NAME")
    )
    if not isinstance(told, str) or not told.endswith(".ipynb"):
        return None
    path = Path(told)
    if not path.is_absolute():
        path = Path.cwd() / path
    return path if path.exists() else Path.cwd() / path.name


def cell_order(notebook: Path | None) -> list[str]:
    """Return the ids of the notebook's cells, top to bottom, as last saved; empty when the file does not tell."""
    if notebook is None or not notebook.exists():
        return []
    try:
        return order(notebook)
    except ZennbError:
        return []


def saved_at(notebook: Path | None) -> float:
    """Return when the notebook was saved last, in seconds since the epoch; 0.0 when that is not known."""
    try:
        return notebook.stat().st_mtime if notebook is not None else 0.0
    except OSError:
        return 0.0
