"""Owns the interface of annotators: `Annotator`, and `LabelTask`, what is to be labelled."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from zennb.components.component import Component, Visibility

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Annotator", "LabelTask"]


class LabelTask:
    """Items to be labelled by people, and the labels until now.

    Args:
        name: the variable with the items.
        target: the variable that the labels are bound to.
        items: the items: texts, images, rows, or anything that can be shown.
        choices: the labels to choose from.
        labels: the labels until now, in the order of the items; None for an item without one.
        on_put: called with a place and a label when one was given, changed or taken back.
        save: makes a version of the labels as they are.
        host: what shows widgets in this kernel; None where there is none.

    Attributes:
        labels: the labels as they are now.
    """

    def __init__(
        self,
        *,
        name: str,
        target: str,
        items: Sequence[Any],
        choices: Sequence[str],
        labels: Iterable[str | None] = (),
        on_put: Callable[[int, str | None], None] = lambda _place, _label: None,
        save: Callable[[], str] = str,
        host: Any = None,
    ) -> None:
        self.name, self.target, self.items, self.choices = name, target, items, tuple(choices)
        self.labels = [*labels, *[None] * len(items)][: len(items)]
        self._on_put, self.save, self.host = on_put, save, host

    def put(self, place: int, label: str | None) -> None:
        """Give an item a label, or take it back with None.

        Raises:
            IndexError: there is no such item.
            ValueError: there is no such label.
        """
        if not 0 <= place < len(self.items):
            raise IndexError(place)
        if label is not None and label not in self.choices:
            raise ValueError(label)
        self.labels[place] = label
        self._on_put(place, label)

    @property
    def done(self) -> int:
        """How many items have a label."""
        return sum(each is not None for each in self.labels)

    def next(self, place: int = -1) -> int:
        """Return the next item without a label after a place, else the first one; the last item if all have one."""
        open_places = [n for n, label in enumerate(self.labels) if label is None]
        return next(
            (n for n in open_places if n > place), open_places[0] if open_places else len(self.items) - 1
        )


class Annotator(Component):
    """Lets people label data.

    An implementation guarantees, and `zennb.testing.annotator.AnnotatorContract` checks: it begins with the first item
    that has no label, gives labels through `put` alone, one call for each, and shows what it shows in a notebook.
    """

    type = "annotator"
    visibility: ClassVar[Visibility] = Visibility.PROCESS

    @abstractmethod
    def open(self, task: LabelTask) -> Any:
        """Return what the cell displays, with which a person labels the items."""
