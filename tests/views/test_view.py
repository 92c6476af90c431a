from __future__ import annotations

from zennb.views.view import View, join


def test_jupyter_gets_both_faces() -> None:
    view = View("text", "<b>html</b>")
    assert view._repr_mimebundle_() == {"text/plain": "text", "text/html": "<b>html</b>"}
    assert view._repr_mimebundle_(include={"text/plain"}, exclude=None)["text/plain"] == "text"


def test_a_view_prints_as_its_text() -> None:
    assert str(View("text", "")) == repr(View("text", "")) == "text"


def test_joined_views_stand_below_each_other() -> None:
    joined = join([View("a", "<i>a</i>"), View("", ""), View("b", "<i>b</i>")])
    assert joined.text == "a\n\nb"
    assert joined.html.count("<div") == 2
    assert join([View("a", ""), View("b", "")], gap=0).text == "a\nb"
