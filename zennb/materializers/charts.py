"""Owns small pictures of plotly's figures and altair's charts, drawn by what is installed for that."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from zennb.compat.instances import is_a
from zennb.materializers.previews import picture, png_size
from zennb.packages.origin import public_name

__all__ = ["preview_altair", "preview_plotly"]

_SCALES = (1.0, 0.5, 0.25)
"""How altair's charts are drawn, until the picture is small enough to be kept."""

_PATIENCE = 20.0
"""Seconds to wait for kaleido, which starts a browser."""

_LARGEST = 2 * 1024 * 1024
"""Characters of a figure of plotly that is drawn."""

_DRAW = """
import base64, json, sys
from plotly import io
figure = json.load(sys.stdin)
for width in (480, 240, 120):
    data = io.to_image(figure, format="png", width=width, height=width * 2 // 3, scale=1, validate=False)
    if len(data) * 4 // 3 < 64000:
        sys.stdout.write(base64.b64encode(data).decode())
        break
"""

_not_drawing: set[str] = set()
"""What has failed to draw in this process, and is not tried again."""


def preview_altair(value: Any) -> dict[str, Any] | None:
    """Return the summary of an altair chart: a picture drawn by vl-convert, or what to install for one."""
    if not is_a(value, sys.modules["altair"].TopLevelMixin):
        return None
    if find_spec("vl_convert") is None:
        return _words(value, "vl-convert-python")
    try:
        spec = value.to_dict()
        for scale in _SCALES:
            # Nothing is fetched from the network for a preview.
            data = import_module("vl_convert").vegalite_to_png(spec, scale=scale, allowed_base_urls=[])
            if found := picture(data, *png_size(data)):
                return found
    except Exception:  # noqa: BLE001 - more than 5,000 rows, data behind an address: it is shown in words
        return None
    return None


def preview_plotly(value: Any) -> dict[str, Any] | None:
    """Return the summary of a plotly figure: a picture drawn by kaleido, or what to install for one.

    Kaleido starts a browser: in a process of its own, it can be ended when it hangs, and prints nothing into the cell.
    """
    if not is_a(value, sys.modules["plotly.basedatatypes"].BaseFigure):
        return None
    if find_spec("kaleido") is None:
        return _words(value, "kaleido")
    text = "" if "plotly" in _not_drawing else value.to_json()
    if not text or len(text) > _LARGEST:
        return None
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _DRAW],
            input=text,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        _not_drawing.add("plotly")  # each try takes long: no browser, or one that does not answer
        return None
    return (
        {"kind": "picture", "mime": "image/png", "data": done.stdout, "width": 480, "height": 320}
        if done.stdout
        else None
    )


def _words(value: Any, package: str) -> dict[str, Any]:
    return {
        "kind": "object",
        "text": f"{public_name(type(value))}: `pip install {package}` shows a picture of it here, from its next run on",
        "attributes": [],
    }
