"""Owns the page of artifacts: filters and a list of names, or the details of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import api
from zennb.commands.verbs.space import states
from zennb.core.records.pages import ArtifactFilter, Page
from zennb.core.records.records import Artifact
from zennb.errors import UsageError
from zennb.jupyter.panels.kit.arrange import bar, filter_field, group, toggle
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.pages.artifact_page import ArtifactPage
from zennb.jupyter.panels.pages.listing_page import PER_PAGE, ListingPage
from zennb.views import artifact as artifact_view
from zennb.views.listing_caption import artifacts_caption
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipywidgets import Widget

    from zennb.core.records.pages import ProducingStep
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.jupyter.panels.kit.row_list import Row
    from zennb.views.table import Table
    from zennb.views.view import Shown

__all__ = ["ArtifactsPage"]

KINDS = {
    "": "any kind",
    "output": "output: made by a step",
    "captured": "captured: the notebook's own",
    "parameter": "parameter: a small captured value",
}


class ArtifactsPage(ListingPage[Artifact]):
    """All names that have artifacts, those with the newest versions first; or one of them.

    Args:
        panel: the panel it is part of.
    """

    minor = frozenset({"notebook", "size", "kind", "created", "note"})
    labelled = "artifact"

    def __init__(self, panel: Panel) -> None:
        filtered = panel.does(self._filtered)
        self.text = filter_field("Name has", "part of a name", filtered)
        self.kind = Choice("Kind", on_choose=filtered)
        self.kind.offer(list(KINDS.items()))
        super().__init__(panel, "artifacts", on_open=self.open)
        self.one = ArtifactPage(panel)
        self.back = panel.button("Back to the list", self.close, tip="Show all artifacts")
        self.name = ""
        self._detail = group(bar(self.back), self.one.widget)
        self.widget = group(self._listing, self._detail)
        toggle(self._detail, shown=False)

    def refresh(self) -> None:
        """Look up again what is shown."""
        if self.name:
            self.one.refresh()
        else:
            super().refresh()

    def follow(self) -> None:
        """Show what steps have made since, if the first page of the list is shown."""
        if not self.name:
            super().follow()

    def open(self, which: str | Artifact) -> None:
        """Show one version, or that which a name stands for in this notebook."""
        self._panel.go_to(*("name", which) if isinstance(which, str) else ("artifact", str(which.id)))
        self.back.focus()

    def open_name(self, name: str) -> None:
        """Show the version that a name stands for in this notebook."""
        session = self._panel.panels.session
        self._open(api.find_artifact(self._panel.panels.workspace, name, notebook=session.notebook or None))

    def open_id(self, number: int) -> None:
        """Show the artifact with an id."""
        self._open_found(self._panel.panels.workspace.metadata.artifact_by_id(number))

    def open_version(self, name: str, version: int) -> None:
        """Show one version of a name."""
        self._open_found(self._panel.panels.workspace.metadata.artifact(name, version))

    def _open_found(self, artifact: Artifact | None) -> None:
        if artifact is None:
            raise UsageError("this artifact is not on record any more.")
        self._open(artifact)

    def _open(self, artifact: Artifact) -> None:
        self.name = artifact.name
        self.one.open(artifact)
        self._switch()

    def close(self) -> None:
        """Show the list again."""
        self._panel.go_to("page", "Artifacts")
        self.text.focus()

    def show_list(self) -> None:
        """Close what is open."""
        self.name = ""
        self._switch()

    def view(self) -> Shown:
        """Return what is shown."""
        if self.name:
            return self.one.view()
        return join([self._caption(), self._table(self._ordered(self.rows.page.items))], gap=0)

    def _switch(self) -> None:
        toggle(self._listing, shown=not self.name)
        toggle(self._detail, shown=bool(self.name))

    def _filters(self) -> list[Widget]:
        return [self.text, self.kind.widget, self.notebook.widget, self.tag.widget]

    def _filter(self) -> ArtifactFilter:
        return ArtifactFilter(
            text=self.text.value.strip() or None,
            kind=self.kind.value or None,
            notebook=self.notebook.value or None,
            tag=self.tag.value or None,
        )

    def _find(self, start: int | None) -> Page[Artifact]:
        listings = self._panel.panels.workspace.metadata.listings
        return listings.artifacts(self._filter(), after=start, limit=PER_PAGE)

    def _place(self, record: Artifact) -> int | None:
        return record.id

    def _ordered(self, records: Sequence[Artifact]) -> Sequence[Artifact]:
        return artifact_view.by_step(records, self._makers(records))

    def _makers(self, records: Sequence[Artifact]) -> Mapping[int, ProducingStep]:
        return self._panel.panels.workspace.metadata.listings.makers(each.step for each in records)

    def _table(self, records: Sequence[Artifact]) -> Table:
        workspace = self._panel.panels.workspace
        return artifact_view.artifacts(
            records, producers=self._makers(records), states=states(workspace, records)
        )

    def _row(self, record: Artifact) -> Row:
        # Of a name whose older versions are listed too, the button opens the version beside it.
        key = record if self.tag.value else record.name
        return key, record.name, f"Open {record.name}, version {record.version}"

    def _caption(self) -> Shown:
        return artifacts_caption(self._filter(), self.rows.page, before=PER_PAGE * self.rows.pages_before)
