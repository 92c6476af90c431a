"""Owns the dashboard: the panel of stacks, runs, artifacts and this notebook's pipeline, `%zennb`."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from zennb.errors import UsageError
from zennb.jupyter.kernel.run_monitor import interrupt
from zennb.jupyter.panels.kit.arrange import bar, group, html
from zennb.jupyter.panels.kit.page_switcher import LivePage, PageSwitcher
from zennb.jupyter.panels.kit.panel import Panel
from zennb.jupyter.panels.kit.theme import ROW_STYLE
from zennb.jupyter.panels.pages.alerts_page import AlertsPage
from zennb.jupyter.panels.pages.artifacts_page import ArtifactsPage
from zennb.jupyter.panels.pages.checks_page import ChecksPage
from zennb.jupyter.panels.pages.compare_page import ComparePage
from zennb.jupyter.panels.pages.component_browser import ComponentBrowser
from zennb.jupyter.panels.pages.metrics_page import MetricsPage
from zennb.jupyter.panels.pages.models_page import ModelsPage
from zennb.jupyter.panels.pages.pipeline_page import PipelinePage
from zennb.jupyter.panels.pages.run_page import RunPage
from zennb.jupyter.panels.pages.runs_page import RunsPage
from zennb.jupyter.panels.pages.space_page import SpacePage
from zennb.jupyter.panels.pages.stack_browser import StackBrowser
from zennb.views.markup import muted
from zennb.views.pipeline import progress
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipywidgets import Widget

    from zennb.jupyter.kernel.run_monitor import ActiveRun
    from zennb.registry.changes import Change
    from zennb.views.view import Shown

__all__ = ["Dashboard"]


class Dashboard(Panel):
    """All stacks, runs and artifacts, and what is running now."""

    kind = "dashboard"
    title = "zennb"
    command = "%zennb"

    def build(self) -> Widget:
        """Create the pages, and subscribe to the run monitor."""
        self.pages = PageSwitcher[LivePage](
            self,
            {
                "Stacks": lambda: self.stacks,
                "Components": lambda: self.components,
                "Runs": lambda: self.runs,
                "Run": lambda: self.one_run,
                "Artifacts": lambda: self.artifacts,
                "Metrics": lambda: self.metrics,
                "Models": lambda: self.models,
                "Checks": lambda: self.checks,
                "Alerts": lambda: self.alerts,
                "Pipeline": lambda: self.pipeline,
                "Compare": lambda: self.compare,
                "Space": lambda: self.space,
            },
        )
        for kind, action in self._links().items():
            self.on_link(kind, action)
        self._now = html()
        self.stop = self.button("Interrupt", self._interrupt, tip="Interrupt what runs in this kernel")
        style, now = html(ROW_STYLE, classes="zennb-none"), bar(self._now, self.stop, classes="zennb-now")
        self._end = self.panels.session.monitor.subscribe(lambda: self.attempt(self._follow))
        return group(style, now, self.pages.widget)

    @cached_property
    def stacks(self) -> StackBrowser:
        """The page of all stacks."""
        return StackBrowser(self, all_runs=lambda stack: self.go_to("runs", stack))

    @cached_property
    def components(self) -> ComponentBrowser:
        """The page of all components."""
        return ComponentBrowser(self)

    @cached_property
    def runs(self) -> RunsPage:
        """The page of all runs."""
        return RunsPage(self, open_run=self.open_run)

    @cached_property
    def one_run(self) -> RunPage:
        """The page of one run."""
        return RunPage(self, compare=self.open_comparison)

    @cached_property
    def artifacts(self) -> ArtifactsPage:
        """The page of artifacts."""
        return ArtifactsPage(self)

    @cached_property
    def models(self) -> ModelsPage:
        """The page of registered models and deployments."""
        return ModelsPage(self)

    @cached_property
    def metrics(self) -> MetricsPage:
        """The page of what steps log."""
        return MetricsPage(self)

    @cached_property
    def checks(self) -> ChecksPage:
        """The page of data validators and the last checks."""
        return ChecksPage(self)

    @cached_property
    def alerts(self) -> AlertsPage:
        """The page of alerters and their messages."""
        return AlertsPage(self)

    @cached_property
    def pipeline(self) -> PipelinePage:
        """The page of this notebook's pipeline."""
        return PipelinePage(self)

    @cached_property
    def compare(self) -> ComparePage:
        """The page of two runs side by side."""
        return ComparePage(self)

    @cached_property
    def space(self) -> SpacePage:
        """The page of what takes space."""
        return SpacePage(self)

    def refresh(self) -> None:
        """Look up again what is shown."""
        self._show_now()
        self.pages.refresh()

    def changed(self, change: Change) -> None:
        """Follow a change of stacks."""
        self.stacks.changed(change)
        if self.pages.page is not self.stacks:
            self.panels.session.monitor.notify()

    def cell_ran(self) -> None:
        """Refresh a moment later in another thread, so that cells do not wait for the panel."""
        self.panels.session.monitor.notify()

    def close(self) -> None:
        """Unsubscribe, and close every widget."""
        self._end()
        if "metrics" in vars(self):  # it was shown
            self.metrics.close()
        super().close()

    def view(self) -> Shown:
        """Return the page that is shown."""
        return join([_status(self.panels.session.monitor.runs), self.pages.page.view()])

    def open_run(self, number: int) -> None:
        """Go to one run."""
        self.go_to("run", number)

    def open_comparison(self, old: int, new: int) -> None:
        """Go to two runs side by side."""
        self.go_to("compare", old, new)

    def _links(self) -> dict[str, Callable[..., object]]:
        """Return what follows each kind of link."""
        return {
            "run": lambda number: self._go("Run", lambda: self.one_run.open(_number(number))),
            "step": lambda run, name: self._go("Run", lambda: self.one_run.open(_number(run), name)),
            "compare": lambda *runs: self._go(
                "Compare", lambda: self.compare.open(*(_number(each) for each in runs))
            ),
            "artifact": lambda number: self._go("Artifacts", lambda: self.artifacts.open_id(_number(number))),
            "name": lambda name: self._go("Artifacts", lambda: self.artifacts.open_name(name)),
            "plan": lambda name: self._go("Pipeline", lambda: self.pipeline.open(name)),
            "stack": lambda name: self._go("Stacks", lambda: self.stacks.open(name)),
            "component": lambda kind, name: self._go("Components", lambda: self.components.open(kind, name)),
            "runs": lambda stack: self._go("Runs", lambda: self.runs.only(stack=stack)),
            "version": lambda name, number: self._go(
                "Artifacts", lambda: self.artifacts.open_version(name, _number(number))
            ),
            "steps": lambda name, path="": self._go("Runs", lambda: self.runs.only(notebook=path, step=name)),
            "notebook": lambda path: self._go("Runs", lambda: self.runs.only(notebook=path)),
        }

    def _go(self, title: str, open_it: Callable[[], object]) -> None:
        """Open something on its page; the page's button gets the focus, as what was pressed is hidden now."""
        open_it()
        self.pages.show(title)
        self.pages.buttons[title].focus()

    def _follow(self) -> None:
        self._show_now()
        self.pages.page.follow()

    def _show_now(self) -> None:
        active = self.panels.session.monitor.runs
        self._now.value = _status(active).html
        self.stop.disabled = not active

    def _interrupt(self) -> None:
        if self.panels.session.monitor.runs:
            interrupt()
            self.message.say("interrupted; what had finished is kept.")
            self.pages.buttons[self.pages.current].focus()


def _number(text: str) -> int:
    """Return the number in an address."""
    if not text.isdecimal() or len(text) > 15:
        raise UsageError(f"{text!r} is not the number of a run or an artifact.")
    return int(text)


def _status(active: list[ActiveRun]) -> View:
    """Return what is running in this kernel."""
    if not active:
        return View("nothing runs in this kernel", muted("nothing runs in this kernel"))
    return join(
        [
            progress(each.order, steps=each.steps, now=time.time(), run=each.run, naming=True)
            for each in active
        ],
        gap=0,
    )
