"""Owns the page of runs: filters, and a page of the runs that pass them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.pages import Page, RunFilter, RunPlace
from zennb.core.records.records import Run, Status
from zennb.jupyter.panels.kit.arrange import bar, group
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.kit.row_list import RowList
from zennb.views import run as run_view
from zennb.views.listing_caption import runs_caption
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["PER_PAGE", "RunsPage"]

PER_PAGE = 15
"""Rows on a page of a listing."""

NARROW_WITHOUT = frozenset({"kind", "notebook", "computed", "seconds"})
"""Columns that a narrow panel leaves out."""

KINDS = {
    "": "any kind",
    "notebook": "whole notebooks",
    "pipeline": "pipelines",
    "session": "cells run by hand",
}
"""Kinds of runs, as the key of a menu → words."""

SPANS = {
    "": "any time",
    "3600": "in the last hour",
    "86400": "in the last 24 hours",
    "604800": "in the last 7 days",
    "2592000": "in the last 30 days",
}
"""Seconds, as the key of a menu → words."""


class RunsPage:
    """All runs of the workspace, newest first.

    Args:
        panel: the panel it is part of.
        open_run: goes to one run.
    """

    def __init__(self, panel: Panel, *, open_run: Callable[[int], object]) -> None:
        self._panel = panel
        filtered = panel.does(self._filtered)
        self.stack = Choice("Stack", on_choose=filtered)
        self.notebook = Choice("Notebook", on_choose=filtered)
        self.kind = Choice("Kind", on_choose=filtered)
        self.status = Choice("State", on_choose=filtered)
        self.span = Choice("Begun", on_choose=filtered)
        self.rows = RowList(panel, "runs", on_open=open_run, on_page=self._turn)
        self._starts: list[RunPlace | None] = [None]
        self._page: Page[Run] = Page()
        menus = (self.stack, self.notebook, self.kind, self.status, self.span)
        filters = bar(*(menu.widget for menu in menus))
        filters.add_class("zennb-filters")
        self.widget = group(filters, self.rows.widget)
        self.kind.offer(list(KINDS.items()))
        self.status.offer([("", "any state"), *((each.value, each.value) for each in Status)])
        self.span.offer(list(SPANS.items()))

    def refresh(self) -> None:
        """Look the page that is shown up again, and what the filters offer."""
        self._offer(self.stack.value, self.notebook.value)
        self._show()

    def follow(self) -> None:
        """Keep up with runs that begin and end, on the first page."""
        if len(self._starts) == 1:
            self.refresh()

    def only(self, *, stack: str) -> None:
        """Show all runs on one stack."""
        self._offer(stack, "")
        self.kind.offer(list(KINDS.items()), chosen="")
        self.status.offer([("", "any state"), *((each.value, each.value) for each in Status)], chosen="")
        self.span.offer(list(SPANS.items()), chosen="")
        self._filtered()

    def view(self) -> Shown:
        """Return the page as it is shown."""
        return join([self._stated(), run_view.runs(self._page.items)], gap=0)

    def _offer(self, stack: str, notebook: str) -> None:
        pages = self._panel.panels.workspace.metadata.listings
        stacks, notebooks = pages.stacks(), pages.notebooks()
        self.stack.offer([("", "any stack"), *_known(stacks, stack)], chosen=stack)
        self.notebook.offer([("", "any notebook"), *_known(notebooks, notebook)], chosen=notebook)

    def _filtered(self) -> None:
        self._starts = [None]
        self._show()

    def _turn(self, step: int) -> None:
        if step > 0 and self._page.more and self._page.items:
            last = self._page.items[-1]
            self._starts.append((last.started, last.id or 0))
        elif step < 0 and len(self._starts) > 1:
            self._starts.pop()
        self._show()

    def _which(self) -> RunFilter:
        span, status = self.span.value, self.status.value
        return RunFilter(
            stack=self.stack.value or None,
            notebook=self.notebook.value or None,
            kind=self.kind.value or None,
            status=Status(status) if status else None,
            since=time.time() - float(span) if span else None,
        )

    def _stated(self) -> Shown:
        before = PER_PAGE * (len(self._starts) - 1)
        return runs_caption(self._which(), self._page, before=before, since=SPANS[self.span.value])

    def _show(self) -> None:
        pages = self._panel.panels.workspace.metadata.listings
        self._page = pages.runs(self._which(), after=self._starts[-1], limit=PER_PAGE)
        found = self._page.items
        table = run_view.runs(found)
        table = replace(
            table, columns=[replace(each, minor=each.key in NARROW_WITHOUT) for each in table.columns]
        )
        rows = [
            (each.id, f"run {each.id}", f"Open run {each.id}: {each.status} on {each.stack.name}")
            for each in found
        ]
        self.rows.show(
            table,
            rows,
            said=self._stated().html,
            newer=len(self._starts) > 1,
            older=self._page.more,
        )


def _known(found: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """Return options of a menu; what is chosen stays among them."""
    names = [*found, *([chosen] if chosen and chosen not in found else [])]
    return [(each, each) for each in names if each]
