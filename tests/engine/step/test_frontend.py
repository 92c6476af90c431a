"""How values look where there is no IPython."""

from __future__ import annotations

from zennb.engine.step.frontend import PlainFrontend
from zennb.engine.step.recording import Recording


class Rich:
    def __repr__(self) -> str:
        return "Rich()"

    def _repr_html_(self) -> str:
        return "<b>rich</b>"

    def _repr_markdown_(self) -> None:
        return None

    def _repr_svg_(self) -> str:
        return "<svg/>"


def test_a_value_is_shown_as_text_and_as_whatever_it_offers_itself() -> None:
    data, metadata = PlainFrontend().format(Rich())
    assert data == {"text/plain": "Rich()", "text/html": "<b>rich</b>", "image/svg+xml": "<svg/>"}
    assert metadata == {}


def test_a_plain_value_is_shown_as_text() -> None:
    assert PlainFrontend().format("a\nb") == ({"text/plain": "'a\\nb'"}, {})


def test_a_class_is_not_shown_as_its_instances_are() -> None:
    assert set(PlainFrontend().format(Rich)[0]) == {"text/plain"}


def test_an_attribute_of_the_instance_is_no_representation() -> None:
    class Table:
        def __getattr__(self, name: str) -> str:
            return name  # answers to every name, as data frames do for columns

    assert set(PlainFrontend().format(Table())[0]) == {"text/plain"}


def test_nothing_is_displayed_but_through_streams() -> None:
    recording = Recording()
    with PlainFrontend().shown(recording, {}):
        print(end="")
    assert not len(recording)
    assert PlainFrontend.elsewhere == ""
    assert PlainFrontend().records_shell
