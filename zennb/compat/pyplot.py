"""Owns access to pyplot's list of open figures, which matplotlib offers in part only under private names."""

from __future__ import annotations

import sys
from typing import Any

from zennb.compat.instances import is_a

__all__ = ["figure_of", "managers", "open_figure", "registry"]


def registry() -> Any:
    """Return the class in which pyplot lists its figures; None until pyplot is loaded."""
    return getattr(sys.modules.get("matplotlib._pylab_helpers"), "Gcf", None)


def managers() -> dict[Any, Any]:
    """Return number → manager of the open figures; the last one is the current one."""
    return dict(getattr(registry(), "figs", None) or {})


def figure_of(value: Any) -> Any:
    """Return the figure that a value is, or is a part of; None for any other value."""
    module = sys.modules.get("matplotlib.figure")
    artist = sys.modules.get("matplotlib.artist")
    if module is None or artist is None:
        return None
    if type(value) in {list, tuple} or (type(value).__name__ == "ndarray" and value.dtype == "O"):
        value = next(iter(getattr(value, "flat", value)), None)  # the axes of `plt.subplots(2, 2)`
    for _ in range(9):  # a figure may be a part of another one
        if is_a(value, module.Figure) or not is_a(value, artist.Artist):
            break
        value = value.figure
    return value if is_a(value, module.Figure) else None


def open_figure(figure: Any, number: Any) -> None:
    """Open a figure in pyplot under a number, instead of the one it has there, and make it the current one."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    listed, is_interactive = registry(), mpl.is_interactive()
    if listed is None:
        return
    mpl.interactive(False)  # a backend with windows would show it below the cell once more
    try:
        if number in listed.figs:
            listed.destroy(number)
        backend = getattr(plt, "_get_backend_mod", None)
        if backend is not None:
            manager = backend().new_figure_manager_given_figure(number, figure)
        else:
            manager = figure.canvas.new_manager(figure, number)
        listed._set_new_active_manager(manager)  # noqa: SLF001 - pyplot takes only figures that it makes itself
    finally:
        mpl.interactive(is_interactive)
