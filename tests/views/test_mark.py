from __future__ import annotations

import pytest

from zennb.core.records.records import Status
from zennb.views.graphs.drawing import EDGE, INK, SOFT_INK
from zennb.views.mark import COLOURS, OTHERS, mark, state_html, state_text

EVERY = [mark(status) for status in Status] + [mark(word) for word in OTHERS]


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_light(one), _light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", EVERY, ids=lambda look: look.word)
@pytest.mark.parametrize("ground", ["#ffffff", "#111111", "#212121"])
def test_symbols_stand_out_from_light_and_dark_pages(look: object, ground: str) -> None:
    assert _contrast(getattr(look, "colour", ""), ground) >= 3.7


@pytest.mark.parametrize("look", EVERY, ids=lambda look: look.word)
def test_boxes_carry_dark_text_on_their_own_light_ground(look: object) -> None:
    fill = getattr(look, "fill", "")
    assert _contrast(fill, INK) >= 7
    assert _contrast(fill, SOFT_INK) >= 4.5


def test_edges_stand_out_from_light_and_dark_pages() -> None:
    assert min(_contrast(EDGE, "#ffffff"), _contrast(EDGE, "#212121")) >= 3


def test_every_status_has_its_own_symbol_word_and_colour() -> None:
    looks = [mark(status) for status in Status]
    assert len({look.symbol for look in looks}) == len({look.word for look in looks}) == len(Status)
    assert set(COLOURS) == set(Status)


def test_a_state_is_a_symbol_and_a_word_in_both_faces() -> None:
    assert state_text("cached") == "● cached"
    assert "cached" in state_html(Status.CACHED)
    assert "●" in state_html(Status.CACHED)
    assert state_text(None) == state_html("") == ""
