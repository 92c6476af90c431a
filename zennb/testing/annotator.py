"""Owns the contract of annotators, as tests: inherit `AnnotatorContract` and define its fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.annotator import Annotator, LabelTask
from zennb.testing.component import ComponentContract

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AnnotatorContract"]


class AnnotatorContract(ComponentContract):
    """The contract of every annotator.

    Fixtures to define:
        annotator: a configured annotator.
        host: what shows its widgets; None by default.
        give: a function that takes what `open` returned and labels the item that is shown, as a person does.
    """

    @pytest.fixture
    def annotator(self) -> Annotator:
        """Return the annotator to test."""
        pytest.fail("Give a fixture `annotator` that returns a configured annotator.")

    @pytest.fixture
    def host(self) -> Any:
        """Return what shows its widgets."""
        return None

    @pytest.fixture
    def give(self) -> Callable[[Any, str], None]:
        """Return a function that labels the item that is shown."""
        pytest.fail("Give a fixture `give`: a function that labels the item that is shown.")

    @pytest.fixture
    def component(self, annotator: Annotator) -> Annotator:
        """Apply the tests of every component to the annotator."""
        return annotator

    def test_it_begins_with_the_first_item_without_a_label(
        self, annotator: Annotator, host: Any, give: Callable[[Any, str], None]
    ) -> None:
        task = LabelTask(
            name="x", target="y", items=["a", "b"], choices=["p", "q"], labels=["p", None], host=host
        )
        give(annotator.open(task), "q")
        assert task.labels == ["p", "q"]

    def test_each_label_is_put_once_and_in_order(
        self, annotator: Annotator, host: Any, give: Callable[[Any, str], None]
    ) -> None:
        put: list[tuple[int, str | None]] = []
        task = LabelTask(
            name="x",
            target="y",
            items=["a", "b", "c"],
            choices=["p", "q"],
            on_put=lambda place, label: put.append((place, label)),
            host=host,
        )
        opened = annotator.open(task)
        assert put == []
        for label in ("p", "q", "p"):
            give(opened, label)
        assert put == [(0, "p"), (1, "q"), (2, "p")]

    @pytest.mark.parametrize("items", [[], [None], [object()], ["<script>"], [b"\0"]])
    def test_any_items_can_be_opened_and_shown(
        self, annotator: Annotator, host: Any, items: list[Any]
    ) -> None:
        task = LabelTask(name="x", target="y", items=items, choices=["p"], host=host)
        assert annotator.open(task) is not None
