"""Owns `TextSearch`: the search in a text that is too long to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import api
from zennb.core.records.records import PLAIN
from zennb.jupyter.panels.kit.arrange import bar, filter_field, group, html, toggle
from zennb.views.found_text import found_text
from zennb.views.view import View

if TYPE_CHECKING:
    from zennb.core.records.records import Artifact
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["TextSearch"]


class TextSearch:
    """A field that finds words in an artifact that is a text. All of it is read from its store when that is needed.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._artifact: Artifact | None = None
        self._text: str | None = None
        self.find = filter_field("Find", "part of the text", panel.does(self._search))
        self._found = html()
        self.widget = group(bar(self.find), self._found)
        toggle(self.widget, shown=False)

    def show(self, artifact: Artifact) -> None:
        """Search in this artifact from now on; the field is hidden for other values than texts."""
        if self._artifact is None or self._artifact.id != artifact.id:
            self._artifact, self._text = artifact, None
            self._found.value = self.find.value = ""
        toggle(self.widget, shown=artifact.summary.get("kind") == "text")

    def view(self) -> Shown:
        """Return what was found."""
        wanted = self.find.value
        return found_text(self._whole(), wanted) if wanted.strip() else View("", "")

    def _search(self) -> None:
        self._found.value = self.view().html

    def _whole(self) -> str:
        artifact = self._artifact
        if artifact is None:
            return ""
        if self._text is None:
            text = str(artifact.summary.get("text", ""))
            is_whole = artifact.summary.get("length") == len(text)
            # Plain values are read without running code; a text of a class of its own may be stored otherwise.
            if not is_whole and artifact.materializer == PLAIN:
                text = str(api.load_artifact(self._panel.panels.workspace, artifact))
            self._text = text
        return self._text
