"""Owns matplotlib's backend as a setting: whether figures are shown after a cell, and in which formats."""

from __future__ import annotations

import os
import sys
from typing import Any

from zennb.compat.python import environment_data
from zennb.core.records.observed import UNTOUCHED

__all__ = ["FigureBackend"]

_INLINE = "inline"
_AS_STARTED = (_INLINE, ("png",))


def _short(backend: str) -> str:
    name = backend.lower()
    return _INLINE if name == "module://matplotlib_inline.backend_inline" else name


def _formats() -> tuple[str, ...]:
    configured = getattr(sys.modules.get("matplotlib_inline.config"), "InlineBackend", None)
    if configured is None or not configured.initialized():
        return _formats_to_be()
    return tuple(sorted(configured.instance().figure_formats))


def _formats_to_be() -> tuple[str, ...]:
    """Return the formats that `%config` has chosen for a backend which no figure has loaded yet."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    chosen = shell.config.get("InlineBackend", {}) if shell is not None else {}
    formats = chosen.get("figure_formats") or {chosen.get("figure_format") or _AS_STARTED[1][0]}
    return tuple(sorted(map(str, formats)))


class FigureBackend:
    """Where figures go (a `Setting`), in a kernel that starts with the inline backend; others choose one late."""

    name = "matplotlib backend"
    modules = frozenset({"matplotlib", "seaborn"})
    matters = True
    is_per_context = False

    def read(self) -> tuple[str, tuple[str, ...]] | None:
        """Return the backend, and the formats of the inline one."""
        options = getattr(sys.modules.get("matplotlib"), "rcParams", None)
        found = environment_data()  # the public way would count as read by the step
        started = found.get(b"MPLBACKEND") or found.get("MPLBACKEND") or ""
        if options is None or _short(os.fsdecode(started)) != _INLINE:
            return None
        backend = dict.get(options, "backend")  # the method of `dict`: `RcParams` would load the backend
        return (_short(backend) if isinstance(backend, str) else _INLINE, _formats())

    def digest(self, seen: tuple[str, tuple[str, ...]] | None) -> str:
        """Return the state as text; `UNTOUCHED` for that of a new kernel."""
        return UNTOUCHED if seen in {None, _AS_STARTED} else repr(seen)

    def change(
        self, before: tuple[str, tuple[str, ...]] | None, after: tuple[str, tuple[str, ...]] | None
    ) -> str | None:
        """Return the backend if it is another one now; the lines that set formats are executed again on reuse."""
        was, now = (_INLINE if each is None else each[0] for each in (before, after))
        return None if was == now else now

    def apply(self, change: Any) -> None:
        """Use a backend."""
        import matplotlib as mpl

        mpl.use("module://matplotlib_inline.backend_inline" if change == _INLINE else change)
