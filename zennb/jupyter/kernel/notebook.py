"""Owns the lookup of the kernel's notebook file, of the order of its saved cells, and what it says of their names."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.commands.step_cells import saved_hints
from zennb.core.reading.cell_heading import heading
from zennb.core.reading.step_names import NO_HINTS
from zennb.errors import ZennbError
from zennb.headless.read import order, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.reading.step_names import NameHints
    from zennb.engine.step.definition import StepDefinition

__all__ = ["SavedHints", "find_notebook", "saved_cells"]


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


class SavedHints:
    """What the saved notebook says about the names of its steps; the file is read again only when it has changed."""

    def __init__(self) -> None:
        self._seen: tuple[Path, int, int, bool] | None = None
        self._autostep = False
        self._by_id: dict[str, tuple[str, NameHints]] = {}
        self._by_source: dict[str, tuple[str, NameHints]] = {}

    def of(self, notebook: Path | None, cell: str, source: str, *, autostep: bool) -> NameHints:
        """Return the hints for a cell: found by its id, or, since some frontends send others, by its text.

        Args:
            notebook: its file; None if unknown.
            cell: the id of the cell; "" if unknown.
            source: its text, which may have been edited since the file was saved.
            autostep: whether it is a step without being marked.
        """
        self._autostep |= autostep
        if not self._is_known(notebook):
            return NO_HINTS
        text = source.strip()
        saved, hints = self._by_id.get(cell) or self._by_source.get(text, ("", NO_HINTS))
        return hints if saved == text else replace(hints, names=())

    def with_saved_names(self, notebook: Path | None, step: StepDefinition) -> StepDefinition:
        """Return a step with the other names that it has in the file, which may have been saved since it ran."""
        if not step.derived:
            return step
        names = self.of(notebook, step.cell, step.source, autostep=False).names
        return replace(step, derived=tuple(dict.fromkeys((*step.derived, *names))))

    def are_saved(self, notebook: Path | None, *steps: StepDefinition) -> bool:
        """Whether the file has these steps, each in its cell and with the text that ran."""
        return self._is_known(notebook) and all(
            step.cell in self._by_id and self._by_id[step.cell][0] == step.source.strip() for step in steps
        )

    def new_name(self, notebook: Path | None, step: StepDefinition) -> str:
        """Return the name that the user gave to the cell of a step since it ran; "" for none."""
        saved, _ = self._by_id.get(step.cell, ("", NO_HINTS)) if self._is_known(notebook) else ("", NO_HINTS)
        found = heading(saved)
        return "" if found is None or found.is_off or found.name == step.name else found.name

    def _is_known(self, notebook: Path | None) -> bool:
        """Read the file if it has changed; return whether it could be read."""
        if notebook is None:
            return False
        try:
            found = notebook.stat()
            seen = notebook, found.st_mtime_ns, found.st_size, self._autostep
            if seen != self._seen:
                self._read(notebook)
                self._seen = seen
        except (OSError, ZennbError):
            return False
        return True

    def _read(self, notebook: Path) -> None:
        cells = read(notebook)
        code = [each for each in cells if each.type == "code" and each.source.strip()]
        self._by_id, self._by_source = {}, {}
        for each, hint in zip(code, saved_hints(cells, autostep=self._autostep), strict=True):
            text = each.source.strip()
            self._by_id.setdefault(each.id, (text, hint))
            # Of cells with one text nobody knows which one it is.
            self._by_source[text] = text, NO_HINTS if text in self._by_source else hint
        self._by_id.pop("", None)
