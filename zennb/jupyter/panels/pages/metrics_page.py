"""Owns the page of metrics: live curves of the steps that run, recent runs side by side, and a chart of one metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.engine.delivery.outbox import Outbox
from zennb.engine.step.running import live_metrics
from zennb.jupyter.kernel.background_curves import BackgroundCurves
from zennb.jupyter.panels.kit.arrange import bar, group, html
from zennb.jupyter.panels.kit.choice import Choice
from zennb.views.links import address, link
from zennb.views.markup import box, escape, heading_line, muted, prose
from zennb.views.metrics import live, runs_with_metrics
from zennb.views.text import clean, plural
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.metrics import Metric
    from zennb.core.records.records import Run, Step
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["MetricsPage"]

RECENT = 15
"""Runs that are listed."""


class MetricsPage:
    """What steps log: while they run, in the runs of late, and over all executions.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._runs: list[tuple[Run, list[Step]]] = []
        self._is_live = False
        self._background = BackgroundCurves(
            lambda: panel.panels.workspace, panel.panels.session.monitor.notify
        )
        self.metric = Choice("Metric", on_choose=panel.does(self._draw))
        self._tracker, self._live, self._listed, self._chart = html(), html(), html(), html()
        tools = bar(self.metric.widget, classes="zennb-bar zennb-filters")
        self.widget = group(self._tracker, self._live, self._listed, tools, self._chart)

    def refresh(self) -> None:
        """Look up again what was logged."""
        metadata = self._panel.panels.workspace.metadata
        found = metadata.runs(limit=RECENT)
        self._runs = [
            (run, [each for each in metadata.steps(run.id or 0) if not each.is_element]) for run in found
        ]
        self._tracker.value = self._tracked().html
        self._listed.value = heading_line("recent runs") + runs_with_metrics(self._runs).html
        names = [name for name in metadata.listings.metric_names() if not name.startswith("check/")]
        self.metric.offer([(name, name) for name in names])
        self._draw()
        self._show_live()

    def follow(self) -> None:
        """Draw the curves as they grow; the rest is looked up once the steps have ended."""
        before = self._is_live
        self._show_live()
        if before and not self._is_live:
            self.refresh()

    def view(self) -> Shown:
        """Return what is shown."""
        return join([self._tracked(), live(*self._current()), runs_with_metrics(self._runs)])

    def close(self) -> None:
        """Follow no run any more."""
        self._background.close()

    def _current(self) -> tuple[dict[str, Mapping[str, Metric]], dict[str, int]]:
        """Return what steps have logged so far, in this kernel and in the background, and the runs of the latter."""
        found, runs = dict(live_metrics()), dict[str, int]()
        for number, curves in self._background.current().items():
            for step, metrics in curves.items():
                label = f"{step} (run {number})"
                found[label], runs[label] = metrics, number
        return found, runs

    def _show_live(self) -> None:
        found, runs = self._current()
        self._is_live = bool(found)
        self._live.value = heading_line("now") + live(found, runs).html if found else ""

    def _draw(self) -> None:
        view = self._panel.run(["runs", "chart", "--", self.metric.value]).view if self.metric.value else None
        self._chart.value = "" if view is None else view.html

    def _tracked(self) -> View:
        """Say which tracker the active stack has, and what it was not told yet."""
        workspace = self._panel.panels.workspace
        stack = workspace.snapshot()
        spec = stack.components.get("experiment_tracker")
        owner = link(address("stack", stack.name), escape(clean(stack.name)))
        if spec is None or spec.flavor == "local":
            sentence = "stack '{}' keeps metrics in zennb's own records."
            return View(sentence.format(clean(stack.name)), box(muted(sentence.format(owner))))
        kept = sum(
            (each.type, each.component) == ("experiment_tracker", spec.name)
            for each in Outbox(workspace.home).pending()
        )
        more = f" {plural(kept, 'message')} to it wait: `%zennb sync` sends them." if kept else ""
        sentence = "stack '{}' also tells '{}' ({})."
        tracker = link(address("component", "experiment_tracker", spec.name), escape(clean(spec.name)))
        return View(
            sentence.format(clean(stack.name), clean(spec.name), clean(spec.flavor)) + more,
            box(muted(sentence.format(owner, tracker, escape(clean(spec.flavor))) + prose(more))),
        )
