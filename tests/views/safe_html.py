"""What HTML of ours may hold, wherever it is shown."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

ALLOWED = {
    "bdi",
    "br",
    "body",
    "caption",
    "code",
    "details",
    "div",
    "head",
    "html",
    "img",
    "li",
    "meta",
    "pre",
    "span",
}
ALLOWED |= {"strong", "summary", "table", "tbody", "td", "th", "thead", "title", "tr", "ul"}
ATTRIBUTES = {"style", "scope", "src", "alt", "title", "open", "aria-hidden"}
ATTRIBUTES |= {"class"}  # fixed words, for the style sheet of panels
ATTRIBUTES |= {"data-zennb-go"}  # an address, see below
ATTRIBUTES |= {"charset", "name", "content", "lang"}  # of a whole document
VOID = {"br", "img", "meta"}
SVG = "{http://www.w3.org/2000/svg}"


class Checked(HTMLParser):
    """Walks a fragment and refuses what a notebook must never hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.said: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, f"element <{tag}>"
        assert len({key for key, _ in attrs}) == len(attrs), "an attribute twice"
        for key, value in attrs:
            assert not key.startswith("on"), f"attribute {key}"
            assert key in ATTRIBUTES
            if key == "data-zennb-go":
                assert re.fullmatch(r"[a-z]+:[\w.~%/-]+", value or "", re.ASCII), value
            assert "url(" not in (value or "") or key in {"alt", "title"}
            if key == "src":
                assert value is not None
                assert value.startswith("data:image/")
                self.pictures.append(value)
            if key == "alt":
                self.said.append(value or "")
        if tag == "th":
            assert dict(attrs).get("scope") in {"col", "row"}
        if tag == "img":
            assert dict(attrs).get("alt")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def check_html(html: str) -> Checked:
    checked = Checked()
    checked.feed(html)
    checked.close()
    assert not checked.open, f"left open: {checked.open}"
    html.encode("utf-8")
    for picture in checked.pictures:
        if picture.startswith("data:image/svg+xml;base64,"):
            check_svg(base64.b64decode(picture.partition(",")[2]))
    return checked


def check_svg(data: bytes) -> None:
    for element in ET.fromstring(data).iter():
        assert element.tag in {SVG + "svg", SVG + "path", SVG + "rect", SVG + "text"}
        assert not [key for key in element.attrib if key.startswith("on") or "href" in key]
