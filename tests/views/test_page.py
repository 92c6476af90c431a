from __future__ import annotations

from zennb.views.page import page
from zennb.views.view import note


def test_sections_have_headings_as_text_and_as_html() -> None:
    view = page([("steps", note("a")), ("", note("b"))])
    assert view.text == "steps\n═════\na\n\nb"
    assert "<strong>steps</strong>" in view.html
