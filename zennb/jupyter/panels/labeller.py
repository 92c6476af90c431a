"""Owns the `local` annotator: a panel that shows one item after the other, with a button and a key for each label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Output

from zennb.components.annotator import Annotator
from zennb.jupyter.panels.item_view import item_html
from zennb.jupyter.panels.kit.arrange import bar, group, html
from zennb.jupyter.panels.kit.panel import Panel
from zennb.views.markup import box, escape, muted, prose
from zennb.views.text import clean, plural
from zennb.views.view import View

if TYPE_CHECKING:
    from ipywidgets import Widget

    from zennb.components.annotator import LabelTask
    from zennb.views.view import Shown

__all__ = ["Labeller", "LocalAnnotator"]

_KEYS = """
(function listen(element, tries) {
  const root = element.closest('.zennb-labeller');
  if (!root && tries > 0) setTimeout(() => listen(element, tries - 1), 100);
  if (!root || root.hasAttribute('data-zennb-labels')) return;
  root.setAttribute('data-zennb-labels', '');
  root.tabIndex = 0;
  const press = (name, place) => root.querySelectorAll(name + ' button, button' + name)[place]?.click();
  root.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[1-9]$/.test(event.key)) press('.zennb-label', Number(event.key) - 1);
    else if (event.key === 'ArrowLeft') press('.zennb-back', 0);
    else if (event.key === 'ArrowRight') press('.zennb-next', 0);
    else if (event.key === 'Backspace' || event.key === '0') press('.zennb-clear', 0);
    else return;
    event.preventDefault();
    event.stopPropagation();
    root.focus();
  });
  root.focus();
})(element, 50);
""".strip()


class LocalAnnotator(Annotator):
    """Labels in the notebook, with buttons and keys."""

    flavor = "local"
    description = "labels texts, images and rows in the notebook, with buttons and keys"

    def open(self, task: LabelTask) -> Labeller:
        """Return the panel that labels the items."""
        return Labeller(task)


class Labeller(Panel):
    """A panel that labels the items of a task.

    Args:
        task: the items and their labels.

    Attributes:
        place: the item that is shown.
    """

    title, kind = "Annotate", "labeller"

    def __init__(self, task: LabelTask) -> None:
        self.task = task
        # The labels are kept under the name that they are bound to.
        target = "" if task.target == f"{task.name}_labels" else f" --as {task.target}"
        self.command = f"%annotate {task.name}{target}"  # type: ignore[misc]  # of this panel
        self.place = task.next()
        super().__init__(task.host)
        self.root.add_class("zennb-labeller")
        task.host.hold(f"labeller of {task.target}", self)
        self._show()

    def build(self) -> Widget:
        """Create the widgets."""
        self._item: HTML = html()
        self._state: HTML = html()
        self.choices = [
            self.button(
                f"{number} {label}" if number <= 9 else label,
                lambda label=label: self.give(label),  # type: ignore[misc]
                tip=f"Label this item '{label}'" + (f": key {number}" if number <= 9 else ""),
            )
            for number, label in enumerate(self.task.choices, start=1)
        ]
        for button in self.choices:
            button.add_class("zennb-label")
        self.earlier = self.button("Back", lambda: self.go(-1), tip="The item before: left arrow")
        self.next = self.button("Next", lambda: self.go(1), tip="The next item: right arrow")
        self.clear = self.button("Clear", lambda: self.give(None), tip="Take the label back: key 0")
        self.keep = self.button("Save version", self._save, tip="Make a version of the labels as they are")
        moves = (("back", self.earlier), ("next", self.next), ("clear", self.clear))
        for name, button in moves:
            button.add_class(f"zennb-{name}")
        shown = {"output_type": "display_data", "data": {"application/javascript": _KEYS}, "metadata": {}}
        script = Output(outputs=(shown,))
        script.add_class("zennb-none")
        tools = bar(self.earlier, self.next, self.clear, self.keep)
        return group(script, self._state, self._item, bar(*self.choices), tools)

    def give(self, label: str | None) -> None:
        """Give the item that is shown a label, and go on to the next one without; None takes the label back."""
        if not self.task.items:
            return
        self.task.put(self.place, label)
        if label is not None:
            self.place = self.task.next(self.place)
        self._show()

    def go(self, steps: int) -> None:
        """Show another item."""
        self.place = max(0, min(len(self.task.items) - 1, self.place + steps))
        self._show()

    def refresh(self) -> None:
        """Show the item again."""
        self._show()

    def changed(self, change: Any) -> None:
        """Components have no effect on it."""

    def cell_ran(self) -> None:
        """Cells have no effect on it."""

    def view(self) -> Shown:
        """Return how far the labels are."""
        text = self._progress()
        return View(clean(text), box(muted(prose(text))))

    def _save(self) -> None:
        self.message.say(self.task.save())

    def _progress(self) -> str:
        task = self.task
        counts = ", ".join(f"{task.labels.count(each)} {each}" for each in task.choices)
        return f"{task.done} of {plural(len(task.items), 'item')} of {task.name} labelled ({counts}) → {task.target}"

    def _show(self) -> None:
        task = self.task
        if not task.items:
            self._state.value, self._item.value = escape(f"{task.name} has no items."), ""
            return
        label = task.labels[self.place]
        known = f"labelled <b>{escape(label)}</b>" if label is not None else "no label yet"
        self._state.value = f"{escape(self._progress())}<br>item {self.place}: {known}"
        self._item.value = item_html(task.items[self.place])
