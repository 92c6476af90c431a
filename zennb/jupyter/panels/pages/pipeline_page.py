"""Owns the page of this notebook's pipeline: which steps are stale and why, or the progress of a run."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from zennb.core.planning.run_plan import Freshness
from zennb.core.records.records import Status
from zennb.jupyter.panels.kit.arrange import group, html
from zennb.jupyter.panels.kit.graph_box import GraphBox
from zennb.jupyter.panels.kit.row_list import RowList
from zennb.views.graphs.run_graph import flow
from zennb.views.markup import muted, prose
from zennb.views.pipeline import live, plan_graph, plan_table
from zennb.views.step import NOT_RUN_YET
from zennb.views.table import Table
from zennb.views.text import plural
from zennb.views.view import View, join

if TYPE_CHECKING:
    from zennb.jupyter.kernel.run_monitor import ActiveRun
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["PipelinePage"]

BUSY = "a cell is running: this is how things stood before it; they are looked at again when it has ended."


class PipelinePage:
    """The steps of this notebook.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._step = ""
        self._table: Table | None = None
        self._drawn: Shown = View("", "")
        self._why: Shown = View("", "")
        self.rows = RowList(panel, "steps of this notebook", on_open=self._explain)
        self.graph = GraphBox(panel)
        self._status, self._note = html(classes="zennb-box"), html(classes="zennb-quiet")
        self.widget = group(self._note, self.graph.widget, self.rows.widget, self._status)

    def refresh(self) -> None:
        """Plan the steps again; while a cell runs, wait, because it may change their values meanwhile."""
        active = self._running()
        if active is not None:
            self._show_active(active)
        elif self._is_disturbing():
            self._wait()
        else:
            self._try_load()

    def follow(self) -> None:
        """Show the progress of a run, and what cells have changed."""
        self.refresh()

    def view(self) -> Shown:
        """Return the pipeline as it is shown."""
        parts: list[Shown] = [self._drawn, *([self._table] if self._table is not None else []), self._why]
        return join(parts)

    def _is_disturbing(self) -> bool:
        """Whether a cell is running in the main thread, and this is another thread."""
        return self._panel.panels.session.busy and threading.current_thread() is not threading.main_thread()

    def _running(self) -> ActiveRun | None:
        runs = self._panel.panels.session.monitor.runs
        return next((each for each in runs if each.run.kind == "pipeline"), None)

    def _try_load(self) -> None:
        """Plan the steps, unless a cell starts meanwhile and changes their values."""
        try:
            self._load()
        except RuntimeError:
            if not self._is_disturbing():
                raise
            self._wait()

    def _wait(self) -> None:
        """Show why nothing is updated, and try again in a moment, because no later event may come."""
        self._note.value = prose(BUSY)
        self._panel.panels.session.monitor.notify()

    def _load(self) -> None:
        session = self._panel.panels.session
        plan = session.plan()
        self._drawn, self._table = plan_graph(plan), plan_table(plan, last=session.latest())
        self._note.value = ""
        self.graph.show(self._drawn)
        names = [step.name for step in plan.steps]
        if self._step not in names:
            self._step, self._why = "", View("", "")
        self._show_rows(names)
        if self._step:
            self._why = self._panel.run(["pipeline", "explain", "--", self._step]).view or View("", "")
        self._status.value = self._why.html

    def _show_rows(self, names: list[str]) -> None:
        assert self._table is not None
        states = [str(row["state"]) for row in self._table.data]
        told = [
            f"{plural(states.count(state), 'step')} {state}"
            for state in (*Freshness, NOT_RUN_YET, Status.INTERRUPTED)
            if states.count(state)
        ]
        rows = [(name, name, f"Explain step {name}") for name in names]
        heading = muted(prose(", ".join(told) or self._table.empty))
        self.rows.show(self._table, rows, heading=heading, current=self._step)

    def open(self, name: str) -> None:
        """Choose a step; the page shows it when it is refreshed."""
        self._step = name

    def _explain(self, name: str) -> None:
        self.open(name)
        self.refresh()

    def _show_active(self, active: ActiveRun) -> None:
        found = [active.steps[name] for name in active.order if name in active.steps]
        self._drawn = flow(found, order=active.order, edges=active.edges)
        self._table, self._why = None, View("", "")
        self._note.value = self._status.value = ""
        self.graph.show(self._drawn)
        table = live(
            active.order, steps=active.steps, now=time.time(), run=active.run, printed=active.tails()
        )
        self.rows.show(Table(columns=(), data=()), [], heading=table.html)
