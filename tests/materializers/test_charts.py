"""Pictures of plotly's figures and altair's charts, with stand-ins for both and for what draws them."""

from __future__ import annotations

import sys
from importlib import import_module, invalidate_caches
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from zennb.materializers import charts
from zennb.materializers.previews import preview_pixels
from zennb.materializers.summary import summarise
from zennb.views.preview import preview

if TYPE_CHECKING:
    from pathlib import Path

_PLOTLY = """
class BaseFigure:
    def to_json(self):
        return '{"data": []}'
"""
_IO = """
import base64
def to_image(figure, *, format, width, height, scale, validate):
    assert figure == {"data": []}
    print("drawn", end="", file=__import__("sys").stderr)
    DRAW
"""
_ALTAIR = """
class TopLevelMixin:
    def to_dict(self):
        return {"mark": "bar"}
"""
_VL_CONVERT = """
import base64
scales = []
def vegalite_to_png(spec, *, scale, allowed_base_urls):
    assert (spec, allowed_base_urls) == ({"mark": "bar"}, [])
    scales.append(scale)
    return base64.b64decode(PICTURE) + bytes(60_000 if scale == 1 else 0)
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a stand-in for a module, and import it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(charts, "_not_drawing", set())
    written: set[str] = set()

    def write(name: str, text: str) -> Any:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("PICTURE", repr(_picture())))
        invalidate_caches()
        written.update({name, name.partition(".")[0]})
        return import_module(name)

    yield write
    for name in written:
        sys.modules.pop(name, None)


def _picture() -> str:
    data: str = preview_pixels(np.zeros((16, 24), "u1"))["data"]
    return data


def test_a_plotly_figure_is_drawn_where_kaleido_is_installed(library: Any) -> None:
    figure = library("plotly.basedatatypes", _PLOTLY).BaseFigure()
    words = "plotly.basedatatypes.BaseFigure: `pip install kaleido` shows a picture of it here, from its next run on"
    assert preview(summarise(figure)).text == words
    library("kaleido", "")
    library("plotly.io", _IO.replace("DRAW", "return base64.b64decode(PICTURE)"))
    found = summarise(figure)
    assert found == {"kind": "picture", "mime": "image/png", "data": _picture(), "width": 480, "height": 320}
    assert "<img" in preview(found).html


@pytest.mark.parametrize("draw", ["raise RuntimeError('no browser')", "return bytes(100_000)"])
def test_a_figure_that_cannot_be_drawn_is_shown_in_words(library: Any, draw: str) -> None:
    figure = library("plotly.basedatatypes", _PLOTLY).BaseFigure()
    library("kaleido", "")
    library("plotly.io", _IO.replace("DRAW", draw))
    assert summarise(figure)["kind"] == "object"
    assert ("plotly" in charts._not_drawing) == draw.startswith("raise")


def test_an_altair_chart_is_drawn_where_vl_convert_is_installed(library: Any) -> None:
    chart = library("altair", _ALTAIR).TopLevelMixin()
    assert "`pip install vl-convert-python` shows" in preview(summarise(chart)).text
    drawing = library("vl_convert", _VL_CONVERT)
    found = summarise(chart)
    assert (found["kind"], found["width"], found["height"], found["data"]) == ("picture", 24, 16, _picture())
    assert drawing.scales == [1.0, 0.5]  # the first is too large to be kept


def test_a_chart_that_cannot_be_drawn_is_shown_in_words(library: Any) -> None:
    chart = library("altair", _ALTAIR).TopLevelMixin()
    library("vl_convert", "def vegalite_to_png(spec, **_):\n    raise ValueError('no network')")
    found = summarise(chart)
    assert (found["kind"], "no summary" in found["text"]) == ("object", False)
