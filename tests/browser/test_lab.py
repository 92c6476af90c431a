"""Step cells as a person meets them in JupyterLab."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Lab

pytestmark = pytest.mark.browser

PLOT = """%%step plot -o fig
import matplotlib.pyplot as plt
fig, _ax = plt.subplots(figsize=(3, 2))
_ax.plot(table['a'], table['b'])
plt.show()"""
TOPS = """area => {
    const top = each => each.getBoundingClientRect().top
    const line = area.querySelector('.zennb-running')
    const text = [...area.querySelectorAll('pre')].find(each => each.textContent.includes('line 25'))
    return line && text && {line: top(line), text: top(text)}
}"""
STUDY = (
    "%load_ext zennb\n%stack",
    "%%step load\nimport pandas as pd\ntable = pd.DataFrame({'a': [1, 2, 3], 'b': [4.0, 5.5, 6.0]})\ntable",
    "%%step total\nprint('adding up')\ntotal = float(table['b'].sum())\ntotal",
    PLOT,
    "%pipeline show",
    "%pipeline run",
)


def test_a_notebook_runs_and_is_cached_after_a_restart(lab: Lab) -> None:
    lab.open(*STUDY)
    lab.run_all()
    card, load, total, plot, graph, table = lab.outputs()
    assert "default" in card
    assert "active" in card
    assert "load completed" in load
    assert "total completed" in total
    assert "plot completed" in plot
    assert "3 of 3 steps" in table
    lab.run_all(restart=True)
    again = lab.outputs()
    for output, name in zip(again[1:4], ("load", "total", "plot"), strict=True):
        assert f"{name} cached" in output
        assert "same code and inputs" in output
    assert "adding up" in again[2]
    assert "15.5" in again[2]
    assert lab.page.locator(".jp-OutputArea-output img[src^='data:image/png']").count() >= 1
    pictures = lab.page.locator(".jp-OutputArea-output img[src^='data:image/svg']")
    assert pictures.count() >= 1, graph
    assert pictures.first.evaluate("image => image.complete && image.naturalWidth > 0")
    assert pictures.first.get_attribute("alt")
    check_quiet(lab)


def test_a_hostile_name_is_shown_as_it_was_typed(lab: Lab) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    lab.open(
        "%load_ext zennb", f'%%step "{hostile}"\nq = 1', "%pipeline show", "%pipeline run", "%pipeline status"
    )
    lab.run_all()
    outputs = lab.outputs()
    assert f"{hostile} completed" in outputs[1]
    assert hostile in outputs[3]
    assert hostile in outputs[4]
    assert lab.page.locator("img[src='x'], img[onerror]").count() == 0
    check_quiet(lab)


def test_an_error_is_followed_by_the_status_line_and_stops_what_comes_after(lab: Lab) -> None:
    lab.open("%load_ext zennb", "%%step bad\nx = 1\n\ny = x / 0", "%%step after\nz = 1")
    lab.run_all()
    outputs = lab.outputs()
    assert "ZeroDivisionError" in outputs[1]
    assert "----> 4 y = x / 0" in outputs[1]
    assert outputs[1].index("bad failed") > outputs[1].index("Traceback")
    assert "zennb" not in outputs[1]
    assert "completed" not in outputs[2]
    check_quiet(lab)


def test_what_a_step_shows_is_seen_while_it_runs_and_can_be_interrupted(lab: Lab) -> None:
    lab.open(
        "%load_ext zennb",
        "%%step long\nimport time\nprint('begun')\nfor _ in range(1200): time.sleep(0.1)\nx = 1",
    )
    lab.page.locator(".lm-MenuBar-item", has_text="Run").click()
    lab.page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
    output = lab.page.locator(".jp-CodeCell .jp-Cell-outputArea").nth(1)
    output.get_by_text("begun").wait_for()
    lab.page.locator('[data-jp-item-name="interrupt"]').click()
    output.get_by_text("interrupted").wait_for()
    lab.finished()
    assert "KeyboardInterrupt" in lab.outputs()[1]
    check_quiet(lab)


def test_the_line_of_a_running_step_stands_last_and_leaves_nothing_in_the_file(lab: Lab) -> None:
    body = "import time\nfor n in range(90):\n    print('line', n)\n    time.sleep(0.1)\n"
    lab.open("%load_ext zennb", f"%%step slow\n{body}x = 1", f"%%step endless\n{body * 300}")
    lab.run(0)
    output = lab.page.locator(".jp-CodeCell .jp-Cell-outputArea").nth(1)
    lab.page.locator(".jp-CodeCell .cm-content").nth(1).click()
    lab.page.keyboard.press("Control+Enter")
    line = output.locator(".zennb-running")
    line.wait_for()
    output.get_by_text("line 25").wait_for()
    # Both in one look: each line of text draws the running step's line again.
    tops = lab.page.wait_for_function(TOPS, arg=output.element_handle()).json_value()
    assert tops["line"] > tops["text"]
    lab.finished()
    lab.page.keyboard.press("Control+s")
    lab.page.wait_for_timeout(1500)
    saved = nbformat.read(lab.server.folder / lab.name, as_version=4).cells[1].outputs
    assert [each.output_type for each in saved] == ["stream", "display_data"]
    assert "slow  completed" in saved[1].data["text/plain"]

    lab.page.locator(".jp-CodeCell .cm-content").nth(2).click()
    lab.page.keyboard.press("Control+Enter")
    output = lab.page.locator(".jp-CodeCell .jp-Cell-outputArea").nth(2)
    output.get_by_text("endless").first.wait_for()
    lab.page.locator(".lm-MenuBar-item", has_text=re.compile("^Kernel$")).click()
    lab.page.locator('.lm-Menu-item[data-command="kernelmenu:restart"]').click()
    lab.page.locator(".jp-Dialog button.jp-mod-warn").click()
    output.get_by_text("its kernel has ended since").wait_for()
    assert not output.locator(".zennb-running > div").first.is_visible()
    check_quiet(lab)


def check_quiet(lab: Lab) -> None:
    """Nothing of ours complained in the page, and nobody outside was asked for anything."""
    ours = [said for said in lab.errors if "zennb" in said.lower() or "dialog" in said]
    assert ours == []
    assert lab.strangers == []
