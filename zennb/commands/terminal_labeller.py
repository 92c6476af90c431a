"""Owns `TerminalLabeller`: it shows one item after the other as text, and reads a line for each.

It does what the panel in the notebook does, with the same `LabelTask`. Lines may come from a pipe.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.commands.item_picture import picture_of
from zennb.compat.instances import is_a
from zennb.core.secrets.held import HELD
from zennb.views.text import clean, clean_block, plural, size, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.annotator import LabelTask

__all__ = ["TerminalLabeller"]

_WIDEST = 100
_MOST = 4000
"""Characters of a text that are shown."""


class TerminalLabeller:
    """Labels the items of a task.

    Args:
        task: the items and their labels.
        read: returns the next line that was typed, "" at the end of input.
        show: shows a line.
        width: columns of the terminal; by default as wide as it is, up to 100.

    Attributes:
        place: the item that is shown; the number of items when there is none left.
    """

    def __init__(
        self,
        task: LabelTask,
        *,
        read: Callable[[], str],
        show: Callable[[str], object],
        width: int | None = None,
    ) -> None:
        self.task, self._read, self._show = task, read, show
        self._width = min(_WIDEST, width or shutil.get_terminal_size().columns) - 2
        self._folder: Path | None = None
        self.place = self._open_after(-1)

    def run(self) -> None:
        """Label until the user quits or input ends. Each label is kept at once.

        Raises:
            StoreError: a label cannot be kept.
            KeyboardInterrupt: it was interrupted.
        """
        self._show(self._help())
        self._show_item()
        while line := self._read():
            word = line.strip()
            if not self._take(word):
                return

    def _take(self, word: str) -> bool:
        """Do what a line says; return whether it goes on."""
        task = self.task
        is_label = word in task.choices
        if not is_label and word in {"q", ":q"}:
            return False
        if not is_label and word in {"b", ":b"}:
            self.place = max(0, self.place - 1)
        elif self.place >= len(task.items):
            if not word:
                return False
            self._show("  There are no items left; `b` goes back, `q` quits.")
            return True
        elif not word:
            self.place = self._open_after(self.place)
        elif word == "0" and not is_label:
            task.put(self.place, None)
        elif (label := self._label(word)) is not None:
            task.put(self.place, label)
            self.place = self._open_after(self.place)
        else:
            return True
        self._show_item()
        return True

    def _label(self, word: str) -> str | None:
        """Return the label that a word stands for: itself, its number, or how it alone begins; else say why none."""
        choices = self.task.choices
        if word in choices:
            return word
        if word.isdecimal() and 0 < int(word) <= len(choices):
            return choices[int(word) - 1]
        found = [each for each in choices if each.lower().startswith(word.lower())]
        if len(found) == 1:
            return found[0]
        which = f"is how {', '.join(found)} begin" if found else "is none of the labels"
        self._show(f"  {clean(word)} {which}. {self._choices()}")
        return None

    def _open_after(self, place: int) -> int:
        """Return the next item without a label after a place; the number of items if there is none."""
        labels = self.task.labels
        return next((n for n in range(place + 1, len(labels)) if labels[n] is None), len(labels))

    # What is shown

    def _choices(self) -> str:
        return "  ".join(
            f"{number} {clean(label)}" for number, label in enumerate(self.task.choices, start=1)
        )

    def _help(self) -> str:
        back, quit_ = (f":{key}" if key in self.task.choices else key for key in "bq")
        keys = (
            f"Enter skips, 0 takes a label back, {back} goes back, {quit_} quits and keeps what is labelled."
        )
        return "\n".join(
            wrap(f"Type a label, its number or how it begins: {self._choices()}. {keys}", self._width)
        )

    def _show_item(self) -> None:
        task = self.task
        done = f"{task.done} of {plural(len(task.items), 'item')} labelled"
        if self.place >= len(task.items):
            self._show(f"\n{done}; none is left. b goes back, q quits.")
            return
        label = task.labels[self.place]
        known = "" if label is None else f", labelled {clean(label)}"
        self._show(f"\nitem {self.place} ({done}{known})")
        for line in self._lines(task.items[self.place]):
            self._show(f"  {HELD.mask_known(line)}")

    def _lines(self, item: Any) -> list[str]:
        picture = picture_of(item)
        if picture is not None:
            pixels = f"{picture.shape[1]} x {picture.shape[0]} pixels, " if picture.shape else ""
            what = f"{picture.kind} image, {pixels}{size(len(picture.content))}"
            if picture.problem:
                return [clean(f"{picture.path}: {picture.problem}")]
            path = Path(picture.path).absolute() if picture.path else self._written(picture.content)
            return [what, clean(str(path))]
        if is_a(item, Mapping):
            return [line for key, value in item.items() for line in self._row(str(key), value)]
        return self._wrapped(item if isinstance(item, str) else repr(item))

    def _row(self, name: str, value: object) -> list[str]:
        return self._wrapped(f"{name}: {value if isinstance(value, str) else repr(value)}")

    def _wrapped(self, text: str) -> list[str]:
        lines = clean_block(text, most=_MOST).split("\n")
        return [part for line in lines for part in (wrap(line, self._width) or [""])]

    def _written(self, content: bytes) -> Path:
        """Write a picture to a folder that stays, so that it can be opened; return its path."""
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="zennb-annotate-"))
        path = self._folder / f"item-{self.place}.png"
        path.write_bytes(content)
        return path
