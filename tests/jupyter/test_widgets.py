"""Widgets in steps: what shows one stays alive, what only makes one is made again where it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ipywidgets import Widget

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
_SETUP = "import ipywidgets as widgets\nfrom IPython.display import display\ndef f(n): print(n * 2)"
_VIEW = "application/vnd.jupyter.widget-view+json"

LIVE = {
    "a control": "display(widgets.IntSlider(value=3))",
    "the last value": "widgets.Button(description='go')",
    "a box with a control": "display(widgets.HBox([widgets.Label('a'), widgets.Text()]))",
    "an area for output with a control": "out = widgets.Output()\ndisplay(out)\nwith out: display(widgets.Text())",
    "interact": "widgets.interact(f, n=(0, 5))",
    "interact as a decorator": "@widgets.interact(n=3)\ndef g(n):\n    return n",
    "interactive": "w = widgets.interactive(f, n=3)\ndisplay(w)",
    "a widget of the notebook": "class Own(widgets.HBox):\n    pass\ndisplay(Own())",
}


@pytest.mark.parametrize("kind", LIVE)
def test_a_step_that_shows_a_widget_shows_it_alive_every_time(notebook: Notebook, kind: str) -> None:
    notebook.run(_SETUP, f"%%step s\n{LIVE[kind]}")
    notebook.restart()
    _, again = notebook.run(_SETUP, f"%%step s\n{LIVE[kind]}")
    assert again.status == "completed"
    # A shell without a kernel shows the value of a cell itself.
    shown = [each["data"] for each in again.displays]
    shown += [again.result._repr_mimebundle_()] if isinstance(again.result, Widget) else []
    assert any(_VIEW in each for each in shown)


def test_the_reason_says_that_a_widget_is_shown(notebook: Notebook) -> None:
    cell = "%%step s\ndisplay(widgets.Text())"
    *_, again = notebook.run(_SETUP, cell, cell)
    assert again.reason == "not cacheable: it shows a widget, which works only in the kernel that made it"


def test_a_progress_bar_of_widgets_is_no_reason_to_run_again(notebook: Notebook) -> None:
    cell = (
        "%%step s\n_bar = widgets.IntProgress(max=3)\n"
        "display(widgets.HBox([widgets.HTML('rows'), _bar]))\nfor _n in range(3): _bar.value += 1\nn = 5"
    )
    notebook.run(_SETUP, cell)
    notebook.restart()
    _, again = notebook.run(_SETUP, cell)
    assert again.status == "cached", again.reason


def test_a_widget_that_is_not_shown_is_made_where_it_is_read(notebook: Notebook) -> None:
    cells = (_SETUP, "%%step s\nw = widgets.IntSlider(value=3)\nn = 5", "%%step t\nm = n + 1")
    notebook.run(*cells)
    notebook.restart()
    _, made, other = notebook.run(*cells)
    assert (made.status, other.status) == ("cached", "cached"), made.reason
    assert "w" not in notebook.ns
    (read,) = notebook.run("print(w.value, type(w).__name__)")
    assert "3 IntSlider" in read.out
    assert "s ran again: `w` cannot be stored and this cell reads it" in str(read.displays)


def test_a_step_that_reads_a_widget_reads_what_it_shows_now(notebook: Notebook) -> None:
    cells = (_SETUP, "%%step s\nw = widgets.IntSlider(value=3)", "%%step t\nprint(w.value)")
    *_, first = notebook.run(*cells)
    notebook.run("w.value = 7")
    (again,) = notebook.run(cells[-1])
    assert (first.out.splitlines()[0], again.out.splitlines()[0]) == ("3", "7")
    assert "it reads `w`, a widget" in str(again.displays)
