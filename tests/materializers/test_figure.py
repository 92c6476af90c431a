from __future__ import annotations

import base64
import io
import pickle
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from zennb.digests.digest import digest
from zennb.errors import DamagedArtifact
from zennb.materializers.figure import Pictures
from zennb.materializers.previews import preview_figure
from zennb.materializers.registry import Dumped, Materializers

if TYPE_CHECKING:
    from pathlib import Path

Trip = Callable[[Any], tuple[Dumped, Any]]
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 30, 4), dtype="u1")


@pytest.fixture(autouse=True)
def _pyplot() -> Iterator[None]:
    mpl.use("agg")
    yield
    plt.close("all")


def with_transparent_palette() -> Any:
    image = Image.new("P", (2, 2), 1)
    image.putpalette([1, 2, 3, 4, 5, 6, 7, 8], "RGBA")
    return image


IMAGES: dict[str, Callable[[], Any]] = {
    "RGB": lambda: Image.fromarray(PIXELS[..., :3]),
    "RGBA": lambda: Image.fromarray(PIXELS),
    "grey": lambda: Image.fromarray(PIXELS[..., 0]),
    "grey and transparency": lambda: Image.fromarray(PIXELS).convert("LA"),
    "black and white": lambda: Image.fromarray(PIXELS[..., 0]).convert("1"),
    "palette": lambda: Image.fromarray(PIXELS[..., :3]).quantize(7),
    "palette with transparency": with_transparent_palette,
    "CMYK": lambda: Image.fromarray(PIXELS[..., :3]).convert("CMYK"),
    "integers": lambda: Image.fromarray(PIXELS[..., 0].astype("i4")),
    "sixteen bits": lambda: Image.fromarray(PIXELS[..., 0].astype("u2")),
    "floats": lambda: Image.fromarray(PIXELS[..., 0].astype("f4")),
    "nothing": lambda: Image.new("RGB", (0, 0)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_comes_back_without_loss(name: str, trip: Trip) -> None:
    value = IMAGES[name]()
    value.info["dpi"] = (72, 72)
    dumped, again = trip(value)
    assert dumped.materializer == "picture"
    assert type(again) is Image.Image
    assert again == value
    assert again.getpalette("RGBA") == value.getpalette("RGBA") if value.palette else not again.palette
    assert digest(again) == digest(value)
    again.paste(again.copy(), (0, 0))


def test_an_image_opened_from_a_file_is_pickled(trip: Trip, tmp_path: Path) -> None:
    IMAGES["RGB"]().save(tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as value:
        dumped, again = trip(value)
        assert dumped.materializer == "pickle"
        assert np.array_equal(np.asarray(again), np.asarray(value))
        assert dumped.summary["kind"] == "picture"


def test_damaged_pictures_are_named(materializers: Materializers) -> None:
    with pytest.raises(DamagedArtifact):
        Pictures().load(b"x", {})


def test_the_preview_of_an_image_is_a_small_png(trip: Trip) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype="u1"))
    summary = trip(noise)[0].summary
    assert (summary["kind"], summary["width"], summary["height"]) == ("picture", 1200, 900)
    assert len(summary["data"]) <= 64 * 1024
    preview = Image.open(io.BytesIO(base64.b64decode(summary["data"])))
    assert preview.format == "PNG"


def figure() -> Any:
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.plot([1, 3, 2], label="<b>line</b>")
    ax.legend()
    return fig


def test_a_loaded_figure_is_alive(trip: Trip) -> None:
    fig = figure()
    dumped, again = trip(fig)
    assert dumped.type == "matplotlib.figure.Figure"
    again.axes[0].plot([3, 2, 1])
    again.suptitle("more")
    out = io.BytesIO()
    again.savefig(out, format="png")
    assert out.getvalue().startswith(b"\x89PNG")
    assert len(fig.axes[0].lines) == 1


def test_a_figure_and_its_axes_stay_together(trip: Trip) -> None:
    fig = figure()
    _, (again, ax) = trip((fig, fig.axes[0]))
    assert again.axes[0] is ax


def test_storing_and_loading_figures_leaves_pyplot_alone(trip: Trip) -> None:
    fig = figure()
    open_before, current = plt.get_fignums(), plt.gcf()
    trip(fig)
    assert plt.get_fignums() == open_before
    assert plt.gcf() is current is fig


def test_a_preview_leaves_the_figure_as_it_was() -> None:
    fig = figure()
    canvas, stale, dpi = fig.canvas, fig.stale, fig.dpi
    before = pickle.dumps(fig)
    summary = preview_figure(fig)
    assert summary is not None
    assert len(summary["data"]) <= 64 * 1024
    assert (summary["width"], summary["height"]) == (400, 300)
    assert base64.b64decode(summary["data"]).startswith(b"\x89PNG")
    assert (fig.canvas is canvas, fig.stale, fig.dpi) == (True, stale, dpi)
    assert len(pickle.dumps(fig)) == len(before)


def test_a_figure_too_heavy_to_draw_again_has_no_picture(trip: Trip) -> None:
    fig, ax = plt.subplots()
    ax.scatter(*np.random.default_rng(0).normal(size=(2, 400_000)))
    assert preview_figure(fig) is None


def test_axes_show_the_figure_they_are_in(trip: Trip) -> None:
    dumped, _ = trip(figure().axes[0])
    assert dumped.summary["kind"] == "picture"
