"""Owns the page of space: what takes it, and a prune with a preview and a confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.errors import UsageError
from zennb.jupyter.panels.kit.arrange import bar, filter_field, group, html, toggle
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.kit.form_host import Confirmation, FormHost
from zennb.jupyter.panels.kit.message import in_a_cell
from zennb.space.usage import usage
from zennb.views import space as space_view
from zennb.views.markup import heading_line
from zennb.views.text import size
from zennb.views.view import View, join

if TYPE_CHECKING:
    from zennb.core.records.space import Usage
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["SpacePage"]

RULES = {
    "older": ("not used for", "30d"),
    "keep": ("all but the newest", "3"),
    "to": ("until it holds only", "5GB"),
    "unreferenced": ("what no record names", ""),
}
"""Option of `artifacts prune` → its words in the menu, and the value that is filled in."""


class SpacePage:
    """What takes space in the artifact stores, and what can be deleted.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._found: Usage | None = None
        self._words: list[str] = []
        self._size, self._store = 0, ""
        self.stack = Choice("Stack", on_choose=panel.does(self._chosen))
        self.rule = Choice("Delete", on_choose=panel.does(self._ruled))
        self.rule.offer([(name, words) for name, (words, _) in RULES.items()])
        self.value = filter_field("Value", "30d", panel.does(self._close))
        self.preview = panel.button(
            "Preview", self._preview, tip="Show what would be deleted; delete nothing"
        )
        self.delete = panel.button(
            "Delete ...", self._ask, style="danger", tip="Ask, then delete what is shown"
        )
        self.form_host = FormHost(panel)
        self.confirmation = Confirmation(panel, self.form_host)
        self._usage, self._shown, self._line = html(), html(), html()
        choose = bar(
            self.stack.widget, self.rule.widget, self.value, self.preview, classes="zennb-bar zennb-filters"
        )
        self._result = group(self._shown, bar(self.delete, self._line))
        self.widget = group(
            choose, self._result, self.form_host.widget, group(self._usage, classes="zennb-part")
        )
        self.value.value = RULES["older"][1]
        toggle(self._result, shown=False)

    def refresh(self) -> None:
        """Look up again what takes space; a preview stays until its rule changes."""
        workspace = self._panel.panels.workspace
        self.stack.offer(
            [("", "all stacks"), *((spec.name, spec.name) for spec in workspace.registry.stacks())]
        )
        self._found = usage(workspace, stack=self.stack.value or None)
        self._usage.value = heading_line("what takes space") + space_view.usage(self._found).html

    def follow(self) -> None:
        """Do nothing while something runs: counting everything five times a second would slow the run down."""

    def view(self) -> Shown:
        """Return what is shown."""
        return View("", "") if self._found is None else join([space_view.usage(self._found)])

    def _chosen(self) -> None:
        self._close()
        self.refresh()

    def _ruled(self) -> None:
        value = RULES[self.rule.value][1]
        self.value.value = self.value.placeholder = value
        toggle(self.value, shown=bool(value))
        self._close()

    def _close(self) -> None:
        """Take the preview away: it does not belong to the rule any more."""
        self.form_host.close()
        toggle(self._result, shown=False)

    def _preview(self) -> None:
        value = self.value.value.strip()
        if not value and self.rule.value != "unreferenced":
            raise UsageError(
                f"give a value beside `{RULES[self.rule.value][0]}`, such as {RULES[self.rule.value][1]}."
            )
        rule = [f"--{self.rule.value}", *([value] if self.rule.value != "unreferenced" else [])]
        stack = ["--stack", self.stack.value] if self.stack.value else []
        self._words = ["artifacts", "prune", *rule, *stack]
        outcome = self._panel.run(self._words)
        assert outcome.view is not None
        self.form_host.close()
        self._shown.value = outcome.view.html
        self._size, self._store = outcome.data["size"], outcome.data["store"]
        self._line.value = in_a_cell([*self._words, "--yes"]) if outcome.data["count"] else ""
        toggle(self.delete, shown=bool(outcome.data["count"]))
        toggle(self._result, shown=True)

    def _ask(self) -> None:
        self.confirmation.ask(
            f"Delete {size(self._size)} from artifact store '{self._store}'?",
            "The bytes are gone for good. The records stay; steps whose results are gone run again at their next use.",
            self._delete,
        )

    def _delete(self) -> None:
        outcome = self._panel.run([*self._words, "--yes"])
        assert outcome.view is not None
        self._shown.value, self._line.value = outcome.view.html, ""
        toggle(self.delete, shown=False)
        self.refresh()
        self.preview.focus()
