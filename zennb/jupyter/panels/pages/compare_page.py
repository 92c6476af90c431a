"""Owns the page of two runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.jupyter.panels.kit.arrange import bar, filter_field, group, html
from zennb.views.markup import box, muted, prose
from zennb.views.view import View

if TYPE_CHECKING:
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["ComparePage"]

INTRODUCTION = (
    "Give the numbers of two or more runs to see what differs in code, inputs, packages, stack and results."
)


class ComparePage:
    """Two runs, and what differs between them.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._shown: Shown = View(INTRODUCTION, box(muted(prose(INTRODUCTION))))
        self._compared = ["", ""]
        self.old, self.new = (
            filter_field(title, "number", panel.does(self._typed)) for title in ("Run", "with run")
        )
        self.start = panel.button("Compare", self._compare, style="primary", tip="Compare the two runs")
        self.swap = panel.button("Swap", self._swap, tip="Put the second run first")
        self._result = html(self._shown.html)
        tools = bar(self.old, self.new, self.start, self.swap, classes="zennb-bar zennb-filters")
        self.widget = group(tools, self._result)

    def open(self, old: int, *new: int) -> None:
        """Compare a run with another one, or with several."""
        self._put(str(old), " ".join(map(str, new)))
        self._compare()

    def _put(self, old: str, new: str) -> None:
        self._compared = [old, new]  # what is being put is not what somebody types
        self.old.value, self.new.value = old, new

    def refresh(self) -> None:
        """Compare again, if both are given."""
        if all(self._words()):
            self._compare()

    def follow(self) -> None:
        """Runs that are over do not change."""

    def view(self) -> Shown:
        """Return the comparison."""
        return self._shown

    def _typed(self) -> None:
        if self._words() != self._compared:
            self.refresh()

    def _words(self) -> list[str]:
        return [field.value.strip().removeprefix("run").strip() for field in (self.old, self.new)]

    def _compare(self) -> None:
        self._compared = self._words()
        old, new = self._compared
        self._result.value = ""  # where it cannot compare, the message must not stand above an earlier result
        words = ["runs", "compare", "--", old, *new.replace(",", " ").split()]
        self._shown = self._panel.run(words).view or View("", "")
        self._result.value = self._shown.html

    def _swap(self) -> None:
        self._put(self.new.value, self.old.value)
        self.refresh()
