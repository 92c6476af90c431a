"""The preview of a figure: the picture that its step showed, unless the figure was changed after that."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.conftest import Kernel, Ran

DRAWN = "fig, ax = plt.subplots()\nax.plot([1, 2])\n"
COUNT = (
    "import json, zennb.materializers.previews as previews\n"
    "drawn, _copied = [], previews.copied_figure\n"
    "def _counted(figure, **more):\n"
    "    drawn.append(1)\n"
    "    return _copied(figure, **more)\n"
    "previews.copied_figure = _counted"
)
PREVIEW = "get_ipython().zennb_step.variables.made()[{!r}].artifact.summary['data']"


def preview(kernel: Kernel, name: str = "fig") -> bytes:
    """Return the preview of the artifact that a variable is."""
    return base64.b64decode(json.loads(kernel.value(f"json.dumps({PREVIEW.format(name)})").strip("'")))


def pictures(ran: Ran) -> list[bytes]:
    """Return the pictures that a cell showed."""
    shown = ran.of("display_data", "execute_result")
    found = [each.content["data"].get("image/png") for each in shown]
    return [base64.b64decode(each) for each in found if each]


@pytest.mark.parametrize(
    ("body", "is_drawn"),
    [
        (DRAWN, False),
        (DRAWN + "plt.show()", False),
        (DRAWN + "from IPython.display import display\ndisplay(fig)", False),
        (DRAWN + "fig", False),
        (DRAWN + "plt.show()\nax.set_title('later')", True),
        (DRAWN + "plt.show(); ax.set_title('later')", True),
        (DRAWN + "display(fig); ax.set_title('later'); plt.close(fig); ax", True),
        (DRAWN + "[plt.show(), ax.set_title('later')]", True),
        (DRAWN + "def show():\n    plt.show()\n    ax.set_title('later')\nshow()", True),
        (DRAWN + "plt.close(fig)", True),
        (DRAWN + "for _ in [1, 2]:\n    ax.set_title('later')\n    plt.show()", True),
    ],
)
def test_a_figure_is_drawn_once_more_only_where_it_could_change(
    kernel: Kernel, body: str, is_drawn: bool
) -> None:
    pytest.importorskip("matplotlib")
    kernel.run("%matplotlib inline", "import matplotlib.pyplot as plt", COUNT)
    (ran,) = kernel.run(f"%%step plot\n{body}")
    assert kernel.value("len(drawn)") == str(int(is_drawn))
    found = preview(kernel)
    assert found.startswith(b"\x89PNG")
    assert (found in pictures(ran)) is not is_drawn
