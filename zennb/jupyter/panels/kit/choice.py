"""Owns `Choice`: a list or menu whose selection stays while its entries change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipywidgets import Dropdown, Select

from zennb.jupyter.panels.kit.field import LABEL
from zennb.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Choice"]


class Choice:
    """A choice of one entry, as a list box or as a menu.

    Args:
        title: what is chosen, for the label and for screen readers.
        on_choose: called when the user, or `choose`, selects another entry; not when the list is replaced.
        rows: rows of the list box; 0 for a menu.
        in_form: whether its label is as wide as the labels of a form.
    """

    def __init__(
        self, title: str, *, on_choose: Callable[[], object], rows: int = 0, in_form: bool = False
    ) -> None:
        more = {"style": LABEL if in_form else {"description_width": "initial"}}
        self.widget = (
            Select(options=[], rows=rows, description=title, **more)
            if rows
            else Dropdown(options=[], description=title, **more)
        )
        self.widget.add_class("zennb-list" if rows else "zennb-menu")
        self._on_choose, self._quiet = on_choose, False
        self._shown: tuple[tuple[str, str], ...] = ()
        self.widget.observe(self._chosen, "value")

    @property
    def value(self) -> str:
        """The key of the selected entry; "" for none."""
        return self.widget.value or ""

    def offer(self, options: Sequence[tuple[str, str]], *, chosen: str | None = None) -> None:
        """Replace the entries, without calling `on_choose`.

        Args:
            options: key and label of each, in order.
            chosen: the key to select; by default the selection stays if it still exists, else it is the first entry.
        """
        shown = tuple((clean(label), key) for key, label in options)
        wanted = self.value if chosen is None else chosen
        keys = [key for _, key in shown]
        wanted = wanted if wanted in keys else keys[0] if keys else ""
        if shown == self._shown and wanted == self.value:
            return
        self._quiet = True
        try:
            # One message to the browser: entries without a valid selection in between would
            # select the first one there.
            with self.widget.hold_sync():
                if shown != self._shown:
                    self.widget.options, self._shown = shown, shown
                self.widget.value = wanted if keys else None
        finally:
            self._quiet = False

    def choose(self, key: str) -> None:
        """Select an entry, as the user does."""
        self.widget.value = key

    def _chosen(self, _change: object) -> None:
        if not self._quiet:
            self._on_choose()
