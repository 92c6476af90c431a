"""Owns the page of runs: filters, and a page of the runs that pass them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from zennb.core.records.pages import Page, RunFilter, RunPlace
from zennb.core.records.records import Run, Status
from zennb.core.records.run_conditions import parse_where
from zennb.core.records.shared import SharedRun
from zennb.engine.sharing.shared_records import shared_of
from zennb.jupyter.panels.kit.arrange import filter_field
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.pages.listing_page import PER_PAGE, ListingPage, offer_known
from zennb.views import run as run_view
from zennb.views.listing_caption import runs_caption
from zennb.views.shared_runs import shared_runs, shared_steps
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipywidgets import Widget

    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.jupyter.panels.kit.row_list import Row
    from zennb.views.table import Table
    from zennb.views.view import Shown

__all__ = ["RunsPage"]

KINDS = {
    "": "any kind",
    "notebook": "whole notebooks",
    "pipeline": "pipelines",
    "session": "cells run by hand",
}
"""Kinds of runs, as the key of a menu → words."""

STATES = {"": "any state"} | {each.value: each.value for each in Status}

SPANS = {
    "": "any time",
    "3600": "in the last hour",
    "86400": "in the last 24 hours",
    "604800": "in the last 7 days",
    "2592000": "in the last 30 days",
}
"""Seconds, as the key of a menu → words."""


WHOSE = {"": "of this home", "shared": "of everybody, in the active store"}
"""Whose runs, as the key of a menu → words."""


class RunsPage(ListingPage[Run | SharedRun]):
    """All runs of the workspace, newest first; or those that people share in the store of the active stack.

    Args:
        panel: the panel it is part of.
        open_run: goes to one run.
    """

    minor = frozenset({"kind", "notebook", "computed", "saved", "seconds", "note"})
    labelled = "run"

    def __init__(self, panel: Panel, *, open_run: Callable[[int], object]) -> None:
        filtered = panel.does(self._filtered)
        self.stack = Choice("Stack", on_choose=filtered)
        self.kind = Choice("Kind", on_choose=filtered)
        self.status = Choice("State", on_choose=filtered)
        self.span = Choice("Begun", on_choose=filtered)
        self.where = filter_field("Where", "accuracy > 0.9", filtered)
        self.whose = Choice("Whose", on_choose=panel.does(self._chose))
        self.step = filter_field("Step", "its name", filtered)
        self.metric = Choice("Logged", on_choose=filtered)
        self.chosen = filter_field("Compare runs", "two or more numbers", panel.does(self._compare))
        self._shared: list[SharedRun] = []
        super().__init__(panel, "runs", on_open=lambda key: self._open(key, open_run))
        self._reset()

    def only(self, *, stack: str = "", notebook: str = "", step: str = "") -> None:
        """Show all runs on one stack, or of one notebook, or those with one step of it."""
        self._offer_recorded(stack, notebook)
        self._reset()
        self.step.value = step
        self._filtered()

    def view(self) -> Shown:
        """Return the page as it is shown."""
        return join([self._caption(), self._table(self.rows.page.items)], gap=0)

    def _filters(self) -> list[Widget]:
        menus = (
            self.whose,
            self.stack,
            self.notebook,
            self.kind,
            self.status,
            self.span,
            self.tag,
            self.metric,
        )
        return [*(menu.widget for menu in menus), self.step, self.where, self.chosen]

    def _offer(self) -> None:
        self._offer_recorded(self.stack.value, self.notebook.value)

    def _offer_recorded(self, stack: str, notebook: str) -> None:
        listings = self._panel.panels.workspace.metadata.listings
        offer_known(self.stack, "any stack", listings.stacks(), chosen=stack)
        offer_known(self.notebook, "any notebook", listings.notebooks(), chosen=notebook)
        words = self._panel.panels.workspace.metadata.labels.words(self.labelled)
        offer_known(self.tag, "any tag", words, chosen=self.tag.value)
        offer_known(self.metric, "any metric", listings.metric_names(), chosen=self.metric.value)

    def _reset(self) -> None:
        for menu, options in (
            (self.whose, WHOSE),
            (self.kind, KINDS),
            (self.status, STATES),
            (self.span, SPANS),
        ):
            menu.offer(list(options.items()), chosen="")

    def _filter(self) -> RunFilter:
        span, status = self.span.value, self.status.value
        return RunFilter(
            stack=self.stack.value or None,
            notebook=self.notebook.value or None,
            kind=self.kind.value or None,
            status=Status(status) if status else None,
            since=time.time() - float(span) if span else None,
            tag=self.tag.value or None,
            where=parse_where(self.where.value.strip() or None),
            step=self.step.value.strip() or None,
            metric=self.metric.value or None,
        )

    def _compare(self) -> None:
        """Go to the comparison of the runs whose numbers were typed."""
        numbers = self.chosen.value.replace(",", " ").replace("run", " ").split()
        if len(numbers) > 1:
            self._panel.go_to("compare", *numbers)
        elif numbers:
            self._panel.message.say("type two or more numbers of runs, such as `11 12`.")

    def _chose(self) -> None:
        """Look up the runs that are shared: only when somebody asks, for the store may be far away."""
        self._shared = []
        if self.whose.value:
            self._shared = shared_of(self._panel.panels.workspace).runs()
        self._filtered()

    def _open(self, key: int | str, open_run: Callable[[int], object]) -> None:
        if isinstance(key, int):
            open_run(key)
        else:
            self._panel.message.say(f"{key}.")

    def _find(self, start: RunPlace | None) -> Page[Run | SharedRun]:
        if self.whose.value:
            found = [each for each in self._shared if self._passes(each)]
            first = 0 if start is None else start[1]
            page = found[first : first + PER_PAGE]
            return Page(items=page, total=len(found), more=first + PER_PAGE < len(found))
        listings = self._panel.panels.workspace.metadata.listings
        runs = listings.runs(self._filter(), after=start, limit=PER_PAGE)
        return Page(items=runs.items, total=runs.total, more=runs.more)

    def _passes(self, run: SharedRun) -> bool:
        which = self._filter()
        return (
            which.stack in {None, run.stack}
            and which.notebook in {None, run.notebook}
            and which.kind in {None, run.kind}
            and not (which.tag or which.where or which.metric)  # these stay in the home of whoever has them
            and (which.step is None or which.step in shared_steps(run))
            and which.status in {None, Status.COMPLETED}  # of others, only completed steps are known
            and run.started >= (which.since or 0.0)
        )

    def _place(self, record: Run | SharedRun) -> RunPlace:
        if isinstance(record, SharedRun):  # of which the whole list is known
            return record.started, PER_PAGE * (self.rows.pages_before + 1)
        return record.started, record.id or 0

    def _table(self, records: Sequence[Run | SharedRun]) -> Table:
        if self.whose.value:
            found = [each for each in records if isinstance(each, SharedRun)]
            return shared_runs(found, store=self._panel.panels.workspace.snapshot().artifact_store.name)
        own = [each for each in records if isinstance(each, Run)]
        return run_view.runs(own, is_filtered=self._filter() != RunFilter())

    def _row(self, record: Run | SharedRun) -> Row:
        if isinstance(record, SharedRun):
            steps = shared_steps(record)
            return steps, record.author, f"Say what it did: {steps}"
        label = f"run {record.id}"
        return record.id, label, f"Open {label}: {record.status} on {record.stack.name}"

    def _caption(self) -> Shown:
        before = PER_PAGE * self.rows.pages_before
        return runs_caption(self._filter(), self.rows.page, before=before, since=SPANS[self.span.value])
