from __future__ import annotations

from zennb.views.page import document, page
from zennb.views.problem import problem


def test_sections_have_headings_in_both_faces() -> None:
    view = page([("steps", problem("a")), ("", problem("b"))])
    assert view.text == "steps\n═════\na\n\nb"
    assert "<strong>steps</strong>" in view.html


def test_a_document_is_whole_and_follows_the_reader_s_colours() -> None:
    html = document("my <run>", problem("a"))
    assert html.startswith("<!DOCTYPE html>")
    assert html.endswith("</html>\n")
    assert "<title>my &lt;run&gt;</title>" in html
    assert 'name="color-scheme" content="light dark"' in html
