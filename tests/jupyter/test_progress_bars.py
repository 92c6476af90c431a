"""Progress bars and other widgets come back from the cache as they were when the step had ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

WIDGETS = "import ipywidgets as _w\nfrom IPython.display import display\n"
BARS = {
    "a bar": (
        f"{WIDGETS}_p = _w.IntProgress(max=3)\ndisplay(_p)\nfor _n in range(4): _p.value = _n",
        ["█" * 20 + " 3/3"],
    ),
    "half a bar": (
        f"{WIDGETS}_p = _w.IntProgress(max=4, description='load')\ndisplay(_p)\n_p.value = 2",
        ["load " + "█" * 10 + "░" * 10 + " 2/4"],
    ),
    "as tqdm composes it": (
        (
            f"{WIDGETS}_l, _p, _r = _w.HTML('0%'), _w.FloatProgress(max=3), _w.HTML(' 0/3')\n"
            "display(_w.HBox(children=[_l, _p, _r]))\n_l.value, _p.value, _r.value = '100%', 3, ' 3/3 [00:00&lt;00:00]'"
        ),
        ["100% " + "█" * 20 + " 3/3 [00:00<00:00]"],
    ),
    "one that was closed": (
        f"{WIDGETS}_p = _w.IntProgress(max=3)\ndisplay(_p)\n_p.close()\nprint('done')",
        [],
    ),
    "an output": (
        (
            f"{WIDGETS}_o = _w.Output()\ndisplay(_o)\nfor _n in range(3):\n    _o.msg_id = 'm'\n"
            "    get_ipython().display_pub.clear_output(wait=True)\n"
            "    display({'text/plain': f'round {_n}'}, raw=True)\n    _o.msg_id = ''"
        ),
        ["round 2"],
    ),
}


@pytest.mark.parametrize("case", BARS)
def test_the_last_state_is_replayed(notebook: Notebook, case: str) -> None:
    body, expected = BARS[case]
    cell = f"%%step train\n{body}\nx = 1"
    notebook.run(cell)
    notebook.restart()
    (again,) = notebook.run(cell)
    assert again.status == "cached"
    *shown, _status = again.displays
    assert [each["data"] for each in shown] == [{"text/plain": text} for text in expected]


def test_a_bar_that_is_the_result_comes_back_as_its_last_state(notebook: Notebook) -> None:
    cell = f"%%step train\n{WIDGETS}_p = _w.IntProgress(2, max=2)\n_p"
    notebook.run(cell)
    notebook.restart()
    (again,) = notebook.run(cell)
    assert "█ 2/2" in again.out


@pytest.mark.parametrize("name", ["auto", "notebook"])
def test_bars_of_tqdm(notebook: Notebook, name: str) -> None:
    cell = f"%%step train\nfrom tqdm.{name} import tqdm\nfor _n in tqdm(range(3), leave=True): pass\nx = 1"
    notebook.run(cell)
    notebook.restart()
    (again,) = notebook.run(cell)
    assert again.status == "cached", again.reason
    # Without a kernel tqdm.auto writes to the terminal, each state over the one before.
    shown = again.err.rpartition("\r")[2] + "".join(
        each["data"].get("text/plain", "") for each in again.displays
    )
    assert " 0%" not in shown
    assert "100%" in shown
