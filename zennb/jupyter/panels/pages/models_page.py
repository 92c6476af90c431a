"""Owns the page of models: the registered versions, and the deployments, which it starts and stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.jupyter.panels.kit.arrange import bar, group, html, toggle
from zennb.jupyter.panels.kit.choice import Choice
from zennb.lifecycle.deployments import deployments
from zennb.registry.registered_models import versions
from zennb.views.deployment import deployments as deployments_table
from zennb.views.markup import heading_line
from zennb.views.model import model_versions
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.models import Deployment, ModelVersion
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["ModelsPage"]


class ModelsPage:
    """The versions of all models, and what serves them.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._versions: list[ModelVersion] = []
        self._deployments: list[Deployment] = []
        self.model = Choice("Model", on_choose=panel.does(self._clear))
        self.deploy = panel.button(
            "Deploy", self._deploy, style="primary", tip="Serve this version over HTTP on 127.0.0.1"
        )
        self.deployment = Choice("Deployment", on_choose=panel.does(self._clear))
        self.start = panel.button("Start", self._does("start"), tip="Start it again, on the same port")
        self.stop = panel.button("Stop", self._does("stop"), tip="End its process; it can be started again")
        self.logs = panel.button("Log", self._does("logs"), tip="Show what its process has written")
        self._models, self._served, self._shown = html(), html(), html()
        self._choose = bar(self.model.widget, self.deploy)
        self._control = bar(self.deployment.widget, self.start, self.stop, self.logs)
        self.widget = group(self._models, self._choose, self._served, self._control, self._shown)

    def refresh(self) -> None:
        """Look up again what is registered, and what the deployments are doing."""
        workspace = self._panel.panels.workspace
        self._versions, self._deployments = versions(workspace), deployments(workspace)
        self._models.value = heading_line("models") + model_versions(self._versions).html
        self._served.value = heading_line("deployments") + deployments_table(self._deployments).html
        self.model.offer([(f"{each.name}@{each.version}", each.label) for each in self._versions])
        self.deployment.offer([(each.name, each.name) for each in self._deployments])
        toggle(self._choose, shown=bool(self._versions))
        toggle(self._control, shown=bool(self._deployments))

    def follow(self) -> None:
        """Do nothing while something runs: each deployment would be asked five times a second."""

    def view(self) -> Shown:
        """Return what is shown."""
        return join([model_versions(self._versions), deployments_table(self._deployments)])

    def _deploy(self) -> None:
        self._clear()
        self._panel.run(["model", "deploy", self.model.value])
        self.refresh()

    def _does(self, verb: str) -> Callable[[], None]:
        def act() -> None:
            outcome = self._panel.run(["deployment", verb, self.deployment.value])
            self._shown.value = outcome.view.html if verb == "logs" and outcome.view is not None else ""
            self.refresh()

        return act

    def _clear(self) -> None:
        self._shown.value = ""
