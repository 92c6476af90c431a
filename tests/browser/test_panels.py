"""The stack picker as a person meets it, by mouse and by keys, in JupyterLab and in Notebook 7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Lab

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"
RUNS = "import zennb\n{run.stack.name: len(run.steps) for run in zennb.runs()}"


def home(folder: Path) -> str:
    """The first cell: a home of the test's own."""
    return f"import os\nos.environ['ZENNB_HOME'] = {str(folder / 'home')!r}\n%load_ext zennb"


def start(lab: Lab, folder: Path, *cells: str) -> Any:
    """Open a notebook and run it; returns the panel in it."""
    lab.open(home(folder), *cells)
    lab.errors.clear()  # what the page complains about before anything of ours is in it
    lab.run_all()
    return lab.page.locator(".zennb-panel")


def shown(panel: Any, text: str) -> None:
    """Wait until a text stands in the panel."""
    panel.get_by_text(text).locator("visible=true").first.wait_for()


def press(panel: Any, label: str) -> None:
    panel.get_by_role("button", name=label, exact=True).locator("visible=true").click()


def check_quiet(lab: Lab) -> None:
    """Nothing complained in the page, and nobody outside was asked for anything."""
    assert lab.errors == []
    assert lab.strangers == []


@pytest.mark.parametrize("app", ["doc/tree", "notebooks"], ids=["lab", "notebook7"])
def test_a_stack_is_switched_by_mouse_and_by_keys_and_the_next_cell_runs_on_it(
    lab: Lab, tmp_path: Path, app: str
) -> None:
    lab.app = app
    panel = start(lab, tmp_path, "%stack copy default other", "%stack picker", "%%step\nx = 1", RUNS)
    panel.locator("option", has_text="other").click()
    press(panel, "Activate")
    shown(panel, "steps run on stack 'other' from now on.")
    lab.run(3)
    assert "{'other': 1, 'default': 1}" in lab.run(4)

    panel.get_by_role("button", name="Refresh").focus()
    keys = lab.page.keyboard
    for _ in range(4):  # the three pages, then the list
        keys.press("Tab")
    keys.press("ArrowUp")
    panel.locator(".zennb-main strong", has_text="default").first.wait_for()
    for key in "bam":  # commands of the notebook: a cell below, a cell above, Markdown
        keys.press(key)
    for _ in range(3):  # its two components, which are links, then the button
        keys.press("Tab")
    keys.press("b")
    keys.press("Enter")
    shown(panel, "steps run on stack 'default' from now on.")
    assert lab.page.locator(".jp-Cell").count() == 5
    assert "{'other': 1, 'default': 2}" in (lab.run(3) and lab.run(4))
    check_quiet(lab)


WHERE = """() => {
  const cell = document.activeElement.closest('.jp-Cell');
  const mode = document.querySelector('.jp-Notebook').classList.contains('jp-mod-commandMode');
  return [mode, cell === document.activeElement && cell.classList.contains('jp-mod-active')];
}"""
"""Whether the notebook is in command mode, and whether the active cell itself has the focus."""

SHOWN = """[...document.querySelectorAll(`.zennb-panel :is(CONTROLS)`)]
  .map((each, place) => each.checkVisibility() ? place : -1).filter(place => place >= 0)"""
PLACE = "[...document.querySelectorAll(`.zennb-panel :is(CONTROLS)`)].indexOf(document.activeElement)"


@pytest.mark.parametrize("app", ["doc/tree", "notebooks"], ids=["lab", "notebook7"])
def test_escape_and_the_prompt_lead_out_of_a_panel_and_tab_into_everything(
    lab: Lab, tmp_path: Path, app: str
) -> None:
    lab.app = app
    panel = start(lab, tmp_path, "%stack picker", "x = 1")
    keys = lab.page.keyboard
    cells = lab.page.locator(".jp-Cell").count()

    def outside() -> None:
        """The notebook has its keys back: `b` inserts a cell."""
        nonlocal cells
        lab.page.wait_for_function(f"() => ({WHERE})().every(each => each)")
        keys.press("b")
        lab.page.wait_for_function(f"() => document.querySelectorAll('.jp-Cell').length === {cells + 1}")
        cells += 1

    press(panel, "Components")
    keys.press("Escape")
    outside()
    press(panel, "New component")
    panel.locator("input:focus").wait_for()
    keys.type("pool")
    keys.press("Escape")
    outside()
    press(panel, "Refresh")
    lab.page.locator(".jp-InputPrompt").nth(1).click()
    outside()
    panel.locator("select").locator("visible=true").first.focus()
    keys.press("Escape")
    outside()

    controls = "button:not(:disabled), input:not(:disabled), select:not(:disabled), summary, [data-zennb-go]"
    shown = lab.page.evaluate(SHOWN.replace("CONTROLS", controls))
    panel.get_by_role("button", name="Refresh").focus()
    seen = set()
    for _ in range(len(shown) + 10):  # a table that can be scrolled is a stop of its own
        seen.add(lab.page.evaluate(PLACE.replace("CONTROLS", controls)))
        keys.press("Tab")
    before = {place for place in shown if place < min(seen - {-1})}  # what stands before Refresh
    assert set(shown) - before <= seen
    check_quiet(lab)


def test_a_stack_is_switched_while_a_step_runs_which_ends_on_the_one_it_began_with(
    lab: Lab, tmp_path: Path
) -> None:
    wait = (
        f"%%step slow\nimport os, time\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.05)"
    )
    lab.open(home(tmp_path), "%stack copy default other\n%stack picker", wait, RUNS)
    lab.errors.clear()
    lab.page.locator(".lm-MenuBar-item", has_text=re.compile("^Run$")).click()
    lab.page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
    panel = lab.page.locator(".zennb-panel")
    panel.locator("option", has_text="other").click()
    panel.locator(".zennb-main strong", has_text="other").first.wait_for()
    press(panel, "Activate")
    shown(panel, "A run that is under way ends on the stack it began with.")
    (tmp_path / "go").touch()
    lab.finished()
    assert lab.outputs()[-1].endswith("{'default': 1}")
    check_quiet(lab)


def test_a_component_with_a_bad_then_a_good_value_becomes_part_of_a_stack(lab: Lab, tmp_path: Path) -> None:
    panel = start(lab, tmp_path, "%stack picker", "%%step\nx = 1", RUNS)
    press(panel, "Components")
    press(panel, "New component")
    panel.get_by_text("New orchestrator").wait_for()
    panel.locator("input:focus").wait_for()  # the cursor is in the name already
    lab.page.keyboard.type("pool")
    panel.get_by_label("Flavor").select_option(
        "threads: runs independent steps side by side, in threads of this kernel"
    )
    workers = panel.get_by_label("workers")
    workers.fill("many")
    shown(panel, "cannot take")
    press(panel, "Register")
    shown(panel, "expected an int, not the str 'many'")
    workers.fill("3")
    shown(panel, "How many steps run at once.")
    press(panel, "Register")
    shown(panel, "orchestrator 'pool' registered (flavor threads).")

    press(panel, "Stacks")
    press(panel, "New stack")
    panel.locator("strong", has_text="New stack").wait_for()
    panel.locator("input:focus").wait_for()
    lab.page.keyboard.type(HOSTILE)
    panel.get_by_label("Orchestrator").select_option("pool (threads)")
    shown(panel, "fits: steps run within this process")
    press(panel, "Register and activate")
    panel.locator(f'option[value="● {HOSTILE} (active)"]').wait_for()
    shown(panel, f"stack '{HOSTILE}' registered, and active from now on.")
    press(panel, "Delete")
    shown(panel, f"Delete stack '{HOSTILE}'?")
    lab.run(2)
    assert HOSTILE in lab.run(3)
    assert lab.page.locator("img[src='x'], img[onerror]").count() == 0
    check_quiet(lab)


def test_a_notebook_that_is_opened_again_without_its_kernel_shows_the_picture(
    lab: Lab, tmp_path: Path
) -> None:
    panel = start(lab, tmp_path, "%stack picker")
    panel.wait_for()
    picture = lab.page.locator(".zennb-static")
    assert not picture.is_visible()
    lab.page.keyboard.press("Control+s")
    lab.page.wait_for_timeout(1500)
    lab.page.locator(".lm-MenuBar-item", has_text=re.compile("^Kernel$")).click()
    lab.page.locator('.lm-Menu-item[data-command="kernelmenu:shutdown"]').click()
    lab.page.wait_for_timeout(1000)
    lab.visit(lab.name)
    picture.get_by_text("This is how it stood").wait_for()
    assert picture.get_by_text("default").first.is_visible()
    assert lab.page.get_by_text("model not found").locator("visible=true").count() == 0
    assert lab.page.get_by_text("Loading widget").locator("visible=true").count() == 0
    lab.run(0)
    lab.run(1)
    panel.wait_for()
    assert not picture.is_visible()


def test_a_panel_whose_kernel_is_gone_says_so_and_comes_back_when_its_cell_runs(
    lab: Lab, tmp_path: Path
) -> None:
    panel = start(lab, tmp_path, "%stack picker")
    gone = panel.get_by_text("not connected: this panel's kernel has ended, was restarted")
    assert not gone.is_visible()
    lab.page.locator(".lm-MenuBar-item", has_text=re.compile("^Kernel$")).click()
    lab.page.locator('.lm-Menu-item[data-command="kernelmenu:restart"]').click()
    lab.page.locator(".jp-Dialog button.jp-mod-warn").click()
    gone.wait_for()
    lab.idle()
    lab.run(0)
    lab.run(1)
    assert panel.count() == 1
    assert not gone.is_visible()
    press(panel, "Component types")
    shown(panel, "not needed: what a step prints is kept with its run")
    lab.page.locator(".lm-MenuBar-item", has_text=re.compile("^Kernel$")).click()
    lab.page.locator('.lm-Menu-item[data-command="kernelmenu:shutdown"]').click()
    gone.wait_for()
    assert [said for said in lab.errors if "zennb" in said.lower()] == []
    assert lab.strangers == []


def test_items_are_labelled_by_keys_which_are_no_commands_of_the_notebook(lab: Lab, tmp_path: Path) -> None:
    items = "reviews = ['a good film', 'two hours too long', 'see it twice']"
    cells = items, "%annotate reviews --labels good,bad", "print(reviews_labels)"
    panel = start(lab, tmp_path, *cells)
    shown(panel, "0 of 3 items")
    panel.locator(".zennb-label").first.wait_for()
    lab.page.locator(".zennb-labeller").focus()
    keys = lab.page.keyboard
    for key, text in (
        ("1", "item 1: no label yet"),
        ("2", "item 2: no label yet"),
        ("ArrowLeft", "item 1: labelled bad"),
        ("0", "item 1: no label yet"),
        ("ArrowLeft", "item 0: labelled good"),
        ("ArrowRight", "item 1: no label yet"),
    ):
        keys.press(key)
        shown(panel, text)
    for key in "bam":  # commands of the notebook
        keys.press(key)
    assert lab.page.locator(".jp-Cell").count() == 4
    assert "['good', None, None]" in lab.run(3)
    check_quiet(lab)
