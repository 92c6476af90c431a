"""Owns the page of one run: its graph, its steps, and the details of one step, also while it is active."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.pages import RunFilter
from zennb.engine.run.run_log import step_log
from zennb.errors import StoreError, UnknownName
from zennb.jupyter.panels.kit.arrange import bar, filter_field, group, html, toggle
from zennb.jupyter.panels.kit.graph_box import GraphBox
from zennb.jupyter.panels.kit.row_list import RowList
from zennb.views import run as run_view
from zennb.views import step as step_view
from zennb.views.attempts import attempts
from zennb.views.captured import captured
from zennb.views.graphs.run_graph import flow
from zennb.views.markup import block, box, heading_line
from zennb.views.timeline import timeline
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.records import Run, Step
    from zennb.jupyter.kernel.run_monitor import ActiveRun
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.graphs.graph import Graph
    from zennb.views.table import Table
    from zennb.views.view import Shown

__all__ = ["RunPage"]


class RunPage:
    """One run, and one of its steps.

    Args:
        panel: the panel it is part of.
        compare: goes to the comparison of two runs.
    """

    def __init__(self, panel: Panel, *, compare: Callable[[int, int], object]) -> None:
        self._panel, self._compare = panel, compare
        self.number: int | None = None
        self._run: Run | None = None
        self._steps: list[Step] = []
        self._records: list[Step] = []
        self._started: list[Run] = []
        self._active: ActiveRun | None = None
        self._step = ""
        self._asked = ""
        self.field = filter_field("Run", "its number", panel.does(self._typed))
        self.before = panel.button(
            "Compare with the run before",
            self._with_before,
            tip="Put the run before of this notebook beside it",
        )
        self.rows = RowList(panel, "steps of the run", on_open=self._open_step)
        self.output = panel.button("Show its output", self._show_output, tip="Show what the step showed")
        self.graph = GraphBox(panel)
        self._head, self._printed, self._timeline = html(), html(), html()
        self._about, self._captured = html(), html()
        tools = bar(self.field, self.before, classes="zennb-bar zennb-filters")
        self._detail = group(self._about, bar(self.output), self._captured, classes="zennb-box")
        above = group(self._head, self.graph.widget, self._printed)
        self._whole = group(above, self.rows.widget, self._timeline, self._detail)
        self.widget = group(tools, self._whole)

    def open(self, number: int, step: str = "") -> None:
        """Show a run, or one step of it."""
        if number != self.number or step:
            self._step, self._asked = step, ""
        before, self.number = self.number, number
        try:
            self.refresh()
        except UnknownName:
            self.number = before
            raise

    def refresh(self) -> None:
        """Look the run up again; if none is selected, show the active run, else the latest."""
        if self.number is None:
            now = [each.run.id for each in self._panel.panels.session.monitor.runs]
            latest = now or self._panel.panels.workspace.metadata.run_ids(limit=1)
            self.number = latest[-1] if latest else None
        self._load()
        self._show()

    def follow(self) -> None:
        """Refresh while the run is active."""
        if self._run is None or not self._run.status.is_final:
            self.refresh()

    def view(self) -> Shown:
        """Return the run as it is shown."""
        if self._run is None:
            return View("no runs yet", box("no runs yet"))
        parts: list[Shown] = [self._about_run(), self._drawn(), self._table()]
        step = self._chosen()
        return join([*parts, step_view.step(step)] if step is not None else parts)

    def _load(self) -> None:
        # Put in place at once, at the end: another thread may show the run meanwhile.
        metadata, number = self._panel.panels.workspace.metadata, self.number
        active = next(
            (each for each in self._panel.panels.session.monitor.runs if each.run.id == number), None
        )
        run: Run | None = None
        records: list[Step] = []
        started: list[Run] = []
        if active is not None and active.run.kind == "pipeline":
            run = active.run
            records = [active.steps[name] for name in active.order if name in active.steps]
        elif number is not None:
            run = metadata.run(number)
            if run is None:
                known = [str(each) for each in metadata.run_ids(limit=20)]
                raise UnknownName("run", str(number), known)
            started = metadata.children(number)
            # Of a session that goes on only the step that runs now is not on record.
            records = [*metadata.steps(number), *(() if active is None else active.steps.values())]
        self._run, self._started, self._active, self._records = run, started, active, records
        self._steps = list({step.name: step for step in records}.values())  # the latest of each

    def _show(self) -> None:
        self.field.value = "" if self.number is None else str(self.number)
        self.before.disabled = self._run is None
        if self._run is None:
            self._head.value = box("no runs yet: run a cell that starts with %%step")
            return
        self._head.value = self._about_run().html
        has_graph = len(self._steps) + len(self._waiting()) > 1
        self.graph.show(self._drawn() if has_graph else View("", ""))
        self._printed.value = "".join(
            heading_line(f"output of {name}") + block(text)
            for name, text in (self._active.tails().items() if self._active is not None else ())
        )
        self._show_rows()
        drawn = timeline(self._steps, now=time.time()).html
        self._timeline.value = heading_line("timeline") + drawn if drawn else ""
        self._show_step()

    def _about_run(self) -> View:
        assert self._run is not None
        about, tries = run_view.run(self._run, started=self._started), attempts(self._records)
        return join([about, tries] if tries.data else [about])

    def _waiting(self) -> list[str]:
        if self._active is None:
            return []
        return [name for name in self._active.order if name not in self._active.steps]

    def _table(self) -> Table:
        return run_view.steps(self._steps, now=time.time(), waiting=self._waiting())

    def _drawn(self) -> Graph:
        order = [step.name for step in self._steps] + self._waiting()
        edges = self._active.edges if self._active is not None else ()
        return flow(self._records, order=order, edges=edges, current=self._step)

    def _show_rows(self) -> None:
        names = [step.name for step in self._steps] + self._waiting()
        rows = [(name, name, f"Show step {name}") for name in names]
        self.rows.show(self._table(), rows, heading=heading_line("steps"), current=self._step)

    def _chosen(self) -> Step | None:
        return next((step for step in self._steps if step.name == self._step), None)

    def _open_step(self, name: str) -> None:
        self._step, self._asked = name, ""
        self._show()

    def _show_step(self) -> None:
        step = self._chosen()
        if step is None and len(self._steps) == 1:
            self._step = self._steps[0].name
            step = self._steps[0]
        toggle(self._detail, shown=step is not None)
        if step is None:
            return
        self._about.value = step_view.step(step).html
        self.output.disabled = not step.displays
        self.output.tooltip = "Show what the step showed" if step.displays else "It showed nothing"
        if self._asked != step.displays or not step.displays:
            self._captured.value = ""

    def _show_output(self) -> None:
        """Load the step's output from the artifact store, only on request."""
        step = self._chosen()
        if step is None or self._run is None:
            return
        self._asked = step.displays
        found = step_log(self._panel.panels.workspace, self._run, step)
        if found.missing:
            raise StoreError(found.missing)
        self._captured.value = heading_line("output") + captured(found.events).html

    def _typed(self) -> None:
        text = self.field.value.strip().removeprefix("run").strip()
        if not text or text == str(self.number):
            return
        if not text.isdecimal() or len(text) > 15:
            known = self._panel.panels.workspace.metadata.run_ids(limit=20)
            raise UnknownName("run", text, [str(each) for each in known])
        self._panel.go_to("run", int(text))

    def _with_before(self) -> None:
        """Compare with the previous run of the same notebook."""
        run = self._run
        if run is None or run.id is None:
            return
        pages = self._panel.panels.workspace.metadata.listings
        which = RunFilter(notebook=run.notebook, kind=run.kind)
        for filters in (which, replace(which, kind=None), RunFilter()):
            found = pages.runs(filters, after=(run.started, run.id), limit=1).items
            if found:
                self._compare(found[0].id or 0, run.id)
                return
        self._panel.message.say(f"run {run.id} is the first one: there is none before it.")
