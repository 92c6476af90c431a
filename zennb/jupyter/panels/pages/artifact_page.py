"""Owns the page of one artifact: preview, versions, producer, uses, lineage, and how to load it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.verbs.space import states
from zennb.core.records.pages import ProducingStep, Use
from zennb.core.records.records import Artifact
from zennb.handles.ancestry import ancestry
from zennb.jupyter.panels.kit.arrange import bar, group, html, toggle
from zennb.jupyter.panels.kit.graph_box import GraphBox
from zennb.jupyter.panels.kit.row_list import PagedRows
from zennb.jupyter.panels.pages.text_search import TextSearch
from zennb.space.gone import freed
from zennb.views import artifact as artifact_view
from zennb.views.lineage import lineage, lineage_graph
from zennb.views.markup import heading_line, muted, prose
from zennb.views.preview import preview
from zennb.views.text import plural
from zennb.views.view import View, join

if TYPE_CHECKING:
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.table import Table
    from zennb.views.view import Shown

__all__ = ["ArtifactPage"]

PAGE = 150
"""Characters that a panel is wide."""

SHORT = 8
"""Rows on a page of versions, and of uses."""


class ArtifactPage:
    """One version of one name, from the metadata store only: its bytes are read when a long text is searched.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._artifact: Artifact | None = None
        self._maker: ProducingStep | None = None
        self.maker = panel.button("Open the run that made it", lambda: self._open_run_of(self._maker))
        self.versions = PagedRows[Artifact](
            panel,
            "versions",
            on_open=self._open_version,
            place=lambda each: each.version,
            on_turn=self.refresh,
        )
        self.uses = PagedRows[Use](
            panel,
            "steps that used it",
            on_open=self._open_run_of,
            place=lambda each: each.step,
            on_turn=self.refresh,
        )
        self._about, self._loading, self._lineage = html(), html(), html(heading_line("lineage"))
        self._preview, self.graph = html(), GraphBox(panel)
        self.search = TextSearch(panel)
        beside = group(bar(self.maker), self._loading, group(self.versions.widget, classes="zennb-part"))
        top = bar(group(self._about), beside, classes="zennb-pair")
        self.widget = group(
            top,
            self.search.widget,
            self._preview,
            group(self.uses.widget, classes="zennb-part"),
            self._lineage,
            self.graph.widget,
        )

    def open(self, artifact: Artifact) -> None:
        """Show an artifact; the lists begin at their first pages."""
        self._artifact = artifact
        self.versions.rewind()
        self.uses.rewind()
        self.refresh()

    def refresh(self) -> None:
        """Look up again what is shown."""
        before = self._artifact
        if before is None:
            return
        now = self._panel.panels.workspace.metadata.artifact(before.name, before.version)
        artifact = self._artifact = now or before  # it may have got tags
        self._load(artifact)
        self._about.value = self._described(artifact, page=0).html
        self._preview.value = preview(artifact.summary, page=PAGE).html
        self.search.show(artifact)
        toggle(self.maker, shown=self._maker is not None and self._maker.run is not None)
        if self._maker is not None:
            made = "made" if artifact.is_output else "captured"
            self.maker.description = f"Open run {self._maker.run}, which {made} it"
            self.maker.tooltip = f"Go to run {self._maker.run}"
        self._loading.value = heading_line("load it") + artifact_view.loading(artifact).html
        self._show_versions(artifact)
        self._show_uses()
        self.graph.show(self._graph(artifact))

    def view(self) -> Shown:
        """Return the artifact as it is shown."""
        artifact = self._artifact
        if artifact is None:
            return View("", "")
        return join(
            [
                self._described(artifact),
                self.search.view(),
                artifact_view.loading(artifact),
                self._history(),
                artifact_view.uses(self.uses.page.items),
                self._drawn(artifact),
            ]
        )

    def _load(self, artifact: Artifact) -> None:
        pages = self._panel.panels.workspace.metadata.listings
        self._maker = pages.makers([artifact.step]).get(artifact.step or 0)
        self.versions.page = pages.versions(artifact.name, before=self.versions.start, limit=SHORT)
        self.uses.page = pages.uses(artifact.id or 0, before=self.uses.start, limit=SHORT)

    def _described(self, artifact: Artifact, *, page: int = PAGE) -> View:
        workspace = self._panel.panels.workspace
        return artifact_view.artifact(
            artifact,
            producer=self._maker,
            freed=freed(workspace, [artifact]).get(artifact.blob),
            is_pinned=artifact.id in workspace.metadata.space.pins(),
            page=page,
        )

    def _drawn(self, artifact: Artifact) -> View:
        around = ancestry(self._panel.panels.workspace.metadata, artifact)
        return lineage(artifact, producers=around.producers, consumers=around.consumers)

    def _graph(self, artifact: Artifact) -> Shown:
        around = ancestry(self._panel.panels.workspace.metadata, artifact)
        return lineage_graph(artifact, producers=around.producers, consumers=around.consumers)

    def _history(self) -> Table:
        workspace, found = self._panel.panels.workspace, self.versions.page.items
        makers = workspace.metadata.listings.makers(each.step for each in found)
        return artifact_view.history(found, producers=makers, states=states(workspace, found))

    def _show_versions(self, artifact: Artifact) -> None:
        found = self.versions.page.items
        self.versions.show(
            self._history(),
            [(each, f"v{each.version}", f"Show version {each.version}") for each in found],
            heading=_heading("versions", plural(self.versions.page.total, "version")),
            current=next((each for each in found if each.id == artifact.id), None),
        )

    def _show_uses(self) -> None:
        found, total = self.uses.page.items, self.uses.page.total
        self.uses.show(
            artifact_view.uses(found),
            [(each, f"run {each.run}", f"Open run {each.run}: step {each.name}") for each in found],
            heading=_heading("used by", self._counted(total)),
        )

    def _counted(self, records: int) -> str:
        """Return `3 steps, 20 times`: records of one step are one step."""
        if not records or self._artifact is None:
            return "no step"
        steps = self._panel.panels.workspace.metadata.listings.users(self._artifact.id or 0)
        return plural(steps, "step") if steps == records else f"{plural(steps, 'step')}, {records:,} times"

    def _open_version(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self.uses.rewind()
        self.refresh()

    def _open_run_of(self, step: Use | ProducingStep | None) -> None:
        if step is not None and step.run is not None:
            self._panel.go_to("step", step.run, step.name)


def _heading(title: str, more: str) -> str:
    return heading_line(title).replace("</div>", f" &nbsp;{muted(prose(more))}</div>")
