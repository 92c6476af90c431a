"""Owns the page of artifacts: filters and a list of names; of one name its versions, origin, uses and lineage."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipywidgets import Text

from zennb import api
from zennb.core.records.pages import ArtifactFilter, Page
from zennb.jupyter.panels.kit.arrange import bar, group, toggle
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.kit.row_list import RowList
from zennb.jupyter.panels.pages.artifact_page import ArtifactPage
from zennb.jupyter.panels.pages.runs_page import PER_PAGE
from zennb.views import artifact as artifact_view
from zennb.views.listing_caption import artifacts_caption
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.records import Artifact
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["ArtifactsPage"]

NARROW_WITHOUT = frozenset({"size", "kind", "made_by"})
"""Columns that a narrow panel leaves out."""

KINDS = {
    "": "any kind",
    "output": "output: made by a step",
    "captured": "captured: the notebook's own",
    "parameter": "parameter: a small captured value",
}


class ArtifactsPage:
    """All names that have artifacts, the one that got a version last first; or one of them.

    Args:
        panel: the panel it is part of.
        open_run: goes to one run.
    """

    def __init__(self, panel: Panel, *, open_run: Callable[[int], object]) -> None:
        self._panel = panel
        filtered = panel.does(self._filtered)
        self.text = Text(description="Name has", placeholder="part of a name", continuous_update=False)
        self.text.style.description_width = "initial"
        self.text.observe(filtered, "value")
        self.kind = Choice("Kind", on_choose=filtered)
        self.notebook = Choice("Notebook", on_choose=filtered)
        self.kind.offer(list(KINDS.items()))
        self.rows = RowList(panel, "artifacts", on_open=self.open, on_page=self._turn)
        self.one = ArtifactPage(panel, open_run=open_run)
        self.back = panel.button("Back to the list", self.close, tip="Show all artifacts")
        self.name = ""
        self._starts: list[int | None] = [None]
        self._page: Page[Artifact] = Page()
        filters = bar(self.text, self.kind.widget, self.notebook.widget)
        filters.add_class("zennb-filters")
        self._list = group(filters, self.rows.widget)
        self._detail = group(bar(self.back), self.one.widget)
        self.widget = group(self._list, self._detail)
        toggle(self._detail, shown=False)

    def refresh(self) -> None:
        """Look up again what is shown."""
        if self.name:
            self.one.refresh()
            return
        notebook = self.notebook.value
        known = self._panel.panels.workspace.metadata.listings.notebooks()
        names = [*known, *([notebook] if notebook and notebook not in known else [])]
        self.notebook.offer(
            [("", "any notebook"), *((each, each) for each in names if each)], chosen=notebook
        )
        self._show()

    def follow(self) -> None:
        """Keep up with what steps make, on the first page of the list."""
        if not self.name and len(self._starts) == 1:
            self._show()

    def open(self, name: str) -> None:
        """Show one artifact: what its name stands for now."""
        session = self._panel.panels.session
        found = api.find_artifact(self._panel.panels.workspace, name, notebook=session.notebook or None)
        self.name = name
        self.one.open(found)
        self._turned()
        self.back.focus()

    def close(self) -> None:
        """Show the list again."""
        self.name = ""
        self._turned()
        self.refresh()
        self.text.focus()

    def view(self) -> Shown:
        """Return what is shown."""
        if self.name:
            return self.one.view()
        return join([self._stated(), artifact_view.artifacts(self._page.items)], gap=0)

    def _turned(self) -> None:
        toggle(self._list, shown=not self.name)
        toggle(self._detail, shown=bool(self.name))

    def _filtered(self) -> None:
        self._starts = [None]
        self._show()

    def _turn(self, step: int) -> None:
        if step > 0 and self._page.more and self._page.items:
            self._starts.append(self._page.items[-1].id)
        elif step < 0 and len(self._starts) > 1:
            self._starts.pop()
        self._show()

    def _which(self) -> ArtifactFilter:
        return ArtifactFilter(
            text=self.text.value.strip() or None,
            kind=self.kind.value or None,
            notebook=self.notebook.value or None,
        )

    def _stated(self) -> Shown:
        return artifacts_caption(self._which(), self._page, before=PER_PAGE * (len(self._starts) - 1))

    def _show(self) -> None:
        pages = self._panel.panels.workspace.metadata.listings
        self._page = pages.artifacts(self._which(), after=self._starts[-1], limit=PER_PAGE)
        found = self._page.items
        makers = pages.makers(each.step for each in found)
        rows = [(each.name, each.name, f"Open {each.name}, version {each.version}") for each in found]
        table = artifact_view.artifacts(found, producers=makers)
        columns = [replace(each, minor=each.key in NARROW_WITHOUT) for each in table.columns]
        self.rows.show(
            replace(table, columns=columns),
            rows,
            said=self._stated().html,
            newer=len(self._starts) > 1,
            older=self._page.more,
        )
