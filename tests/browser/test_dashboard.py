"""The dashboard as a person meets it: by mouse and by keys, and while something runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_panels import HOSTILE, check_quiet, press, shown, start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Lab

pytestmark = pytest.mark.browser

PAGES = (
    *("Stacks", "Components", "Runs", "Run", "Artifacts", "Metrics", "Models"),
    *("Checks", "Alerts", "Pipeline", "Compare", "Space"),
)
ROUNDS = "import time\nfor n in range(rounds):\n    print('round', n)\n    time.sleep(0.1)\n"
STUDY = (
    f"%%step '{HOSTILE}'\nnumbers = [1, 2, 3]\nname = {HOSTILE!r}\nprint(name)",
    "%%step total\ntotal = sum(numbers)\ntotal",
    "%pipeline run",
    "%zennb",
)


def current(panel: Any, title: str) -> None:
    """Wait until a page is the one that is shown."""
    panel.locator(".zennb-page.zennb-current", has_text=re.compile(f"^{title}$")).wait_for()


def focused(lab: Lab) -> str:
    return str(lab.page.evaluate("document.activeElement.textContent.trim()"))


@pytest.mark.parametrize("app", ["doc/tree", "notebooks"], ids=["lab", "notebook7"])
def test_pages_are_walked_by_mouse_and_hostile_names_are_literal_on_each(
    lab: Lab, tmp_path: Path, app: str
) -> None:
    lab.app = app
    panel = start(lab, tmp_path, *STUDY)
    for title in PAGES:
        press(panel, title)
        current(panel, title)
    press(panel, "Runs")
    press(panel, "run 2")
    current(panel, "Run")
    shown(panel, "same code and inputs as run 1")
    press(panel, HOSTILE)
    press(panel, "Show its output")
    printed = re.compile(f"^{re.escape(HOSTILE)}$")
    panel.locator("pre", has_text=printed).locator("visible=true").first.wait_for()
    picture = panel.locator("svg").locator("visible=true").first
    assert HOSTILE in picture.get_attribute("aria-label")
    assert HOSTILE in picture.text_content()
    press(panel, "Artifacts")
    press(panel, "numbers")
    shown(panel, "numbers = zennb.load('numbers', version=1)")
    shown(panel, HOSTILE)
    press(panel, "run 2")
    current(panel, "Run")
    press(panel, "Compare with the run before")
    current(panel, "Compare")
    shown(panel, "2 steps with equal code, inputs and outputs")
    assert lab.page.locator("img[src='x'], img[onerror]").count() == 0
    check_quiet(lab)


def test_pages_and_rows_are_walked_by_keys_and_the_notebook_takes_none_of_them(
    lab: Lab, tmp_path: Path
) -> None:
    panel = start(lab, tmp_path, *STUDY)
    keys = lab.page.keyboard
    panel.get_by_role("button", name="Refresh").focus()
    for title in PAGES:
        keys.press("Tab")
        assert focused(lab) == title
        keys.press("Enter")
        current(panel, title)
        for key in ("b", "a", "m", "ArrowDown", "ArrowUp"):  # commands of the notebook
            keys.press(key)
    for title in reversed(PAGES[1:-1]):
        keys.press("Shift+Tab")
        assert focused(lab) == title
    while focused(lab) != "Runs":
        keys.press("Shift+Tab")
    keys.press(" ")
    current(panel, "Runs")
    for _ in range(40):
        keys.press("Tab")
        if focused(lab) == "run 2":
            break
    assert focused(lab) == "run 2"
    assert lab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keys.press("Enter")
    current(panel, "Run")
    shown(panel, "same code and inputs as run 1")
    lab.page.wait_for_function("document.activeElement.textContent.trim() === 'Run'")
    for key in "bam":
        keys.press(key)
    assert lab.page.locator(".jp-Cell").count() == 1 + len(STUDY)
    assert lab.page.locator(".jp-MarkdownCell").count() == 0
    check_quiet(lab)


def test_links_lead_from_a_run_to_an_artifact_to_a_stack_and_back_by_mouse_and_by_keys(
    lab: Lab, tmp_path: Path
) -> None:
    panel = start(lab, tmp_path, *STUDY)
    keys = lab.page.keyboard

    def link(kind: str, text: str = "") -> Any:
        found = panel.locator(f"span[data-zennb-go^='{kind}']", has_text=re.compile(f"{text}$"))
        return found.locator("visible=true").first

    press(panel, "Pipeline")
    panel.locator("g[data-zennb-go]", has_text="total").click()
    shown(panel, "compared with run")
    press(panel, "Runs")
    link("step:", "total").click()
    current(panel, "Run")
    shown(panel, "code as run")
    link("artifact:", "numbers").click()
    current(panel, "Artifacts")
    shown(panel, "numbers = zennb.load('numbers', version=1)")
    panel.locator("g[data-zennb-go^='step:']", has_text="total").locator("visible=true").first.focus()
    keys.press("Enter")
    current(panel, "Run")
    lab.page.wait_for_function("document.activeElement.textContent.trim() === 'Run'")
    for _ in range(60):
        keys.press("Tab")
        if lab.page.evaluate("document.activeElement.dataset.zennbGo || ''").startswith("stack:"):
            break
    assert lab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keys.press(" ")
    current(panel, "Stacks")
    link("component:orchestrator").click()
    current(panel, "Components")
    shown(panel, "used by")
    link("stack:").click()
    current(panel, "Stacks")
    for title in ("Components", "Stacks", "Run", "Artifacts", "Run", "Runs", "Pipeline", "Pipeline"):
        press(panel, "Back")
        current(panel, title)
    assert lab.page.locator(".jp-Cell").count() == 1 + len(STUDY)
    check_quiet(lab)


def test_a_prune_is_looked_at_and_confirmed_before_anything_goes(lab: Lab, tmp_path: Path) -> None:
    edits = [f"%%step load\ndata = bytes([{number}]) * 200_000" for number in range(4)]
    aged = (
        "import os, sqlite3, time\nfrom zennb import api\nhome = api.workspace().home / 'artifacts'\n"
        "api.workspace().open().store.close()\n"
        "with sqlite3.connect(home / 'cache.db') as db:\n    db.execute('UPDATE Cache SET store_time = 0')\n"
        "db.close()\n"
        "for blob in home.joinpath('blobs').glob('*/*'): os.utime(blob, (0, 0))"
    )
    panel = start(lab, tmp_path, *edits, aged, "%zennb")
    press(panel, "Space")
    shown(panel, "8 blobs")  # four values, and the copies of their records
    panel.get_by_label("Delete").select_option(label="all but the newest")
    press(panel, "Preview")
    shown(panel, "1 blob, 200.1 kB would be deleted")
    press(panel, "Delete ...")
    lab.page.wait_for_function("document.activeElement.textContent.trim() === 'Keep'")
    press(panel, "Delete")
    shown(panel, "deleted 1 blob of artifact store 'default'")
    shown(panel, "7 blobs")
    check_quiet(lab)


@pytest.mark.parametrize(
    "cell", [f"%%step train\n{ROUNDS}model = 1", "%pipeline run"], ids=["cell", "pipeline"]
)
def test_a_run_is_watched_live_and_interrupted_from_the_panel(lab: Lab, tmp_path: Path, cell: str) -> None:
    rounds = "rounds = 3000 if 'board' in globals() else 1"
    panel = start(lab, tmp_path, rounds, f"%%step train\n{ROUNDS}model = 1", "%zennb\nboard = 1", cell)
    lab.run(1)
    output = lab.page.locator(".jp-CodeCell .jp-Cell-outputArea").nth(4)
    lab.page.locator(".jp-CodeCell .cm-content").nth(4).click()
    lab.page.keyboard.press("Control+Enter")
    shown(panel, "running on stack default: 0 of 1 steps, at train")
    for title in PAGES:
        press(panel, title)
        current(panel, title)
    press(panel, "Run")
    live = panel.locator("pre", has_text=re.compile("round 2")).locator("visible=true").first
    live.wait_for()
    said = live.inner_text()
    lab.page.wait_for_timeout(1000)
    assert live.inner_text() != said
    output.get_by_text("running", exact=False).first.wait_for()
    press(panel, "Interrupt")
    output.get_by_text("KeyboardInterrupt").first.wait_for()
    shown(panel, "nothing runs in this kernel")
    shown(panel, "interrupted; what had finished is kept.")
    lab.finished()
    assert "interrupted" in lab.outputs()[4]
    assert "◌" not in lab.outputs()[4]
    press(panel, "Runs")
    panel.locator("td", has_text="interrupted").locator("visible=true").first.wait_for()
    check_quiet(lab)
