"""Owns the name of a notebook in records, which is the same in its kernel and in the terminal."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["label"]


def label(notebook: Path | None, home: Path) -> str:
    """Return a notebook's name: its path inside its project, else its file name; never a machine's path.

    The project is the directory that holds the home, or the nearest one upwards that is under version control.

    Args:
        notebook: its file; None when it is not known, which gives "".
        home: the home directory.
    """
    if notebook is None:
        return ""
    # `Path.resolve` raises where links lead in a circle.
    notebook, holder = Path(os.path.realpath(notebook)), Path(os.path.realpath(home)).parent
    under_control = (each for each in notebook.parents if (each / ".git").exists())
    project = holder if holder in notebook.parents else next(under_control, notebook.parent)
    return notebook.relative_to(project).as_posix()
