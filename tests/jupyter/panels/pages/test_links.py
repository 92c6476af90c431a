"""Names lead from any page of the dashboard to any other, and large graphs are folded."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from tests.jupyter.panels.pages.test_dashboard import STUDY

if TYPE_CHECKING:
    from tests.jupyter.panels.pages.conftest import Board

presses = count(1)

SERVICES = (
    "%alerter register team --flavor=local",
    "%data-validator register rules --flavor=local",
    "import zennb\nschema = {'type': 'int'}",
    "%%step fit --check schema --notify team\nfit = 3\nzennb.log(accuracy=0.9)",
    "%model register scorer --from fit",
)
NAMED = {
    "Metrics": {"run:2", "run:1", "stack:default"},
    "Models": {"version:fit/1"},
    "Checks": {"step:1/fit", "run:1", "component:data_validator/rules"},
    "Alerts": {"component:alerter/team"},
    "Space": {"steps:fit", "version:fit/1", "stack:default"},
}
"""Page → links that its names are, in the notebook of the test."""


def follow(board: Board, target: str) -> None:
    """Press a link, as the script of the panel does."""
    board.panel._link.value = f"{target}#{next(presses)}"


def links(board: Board) -> list[str]:
    return list(dict.fromkeys(re.findall(r'data-zennb-go="([^"]+)"', board.html)))


def test_every_name_leads_somewhere_and_back_leads_back(board: Board) -> None:
    board.notebook.run(*STUDY, "%stack copy default other", "%pipeline run", "total = None", STUDY[2])
    board.notebook.run(*SERVICES)
    todo = [f"page:{title}" for title in board.panel.pages.buttons]
    seen: set[str] = set()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        follow(board, here)
        assert board.panel.message.text == "", here
        todo += [each for each in links(board) if not each.startswith("unfold-")]
    kinds = {each.partition(":")[0] for each in seen}
    assert kinds >= {"page", "run", "step", "artifact", "plan", "stack", "component", "version", "steps"}
    for title, named in NAMED.items():
        follow(board, f"page:{title}")
        assert named.difference(links(board)) == set(), title

    follow(board, "page:Runs")
    follow(board, "step:1/total")
    assert "sum(scale(n) for n in numbers)" in board.words
    follow(board, next(each for each in links(board) if each.startswith("artifact:")))
    assert board.panel.pages.current == "Artifacts"
    board.panel.back.click()
    assert board.panel.pages.current == "Run"
    board.panel.back.click()
    assert board.panel.pages.current == "Runs"


def test_what_is_gone_is_told_and_nothing_moves(board: Board) -> None:
    board.notebook.run(*STUDY)
    follow(board, "run:1")
    for target, sentence in {
        "run:99": "no run '99'",
        "run:x": "is not the number",
        "artifact:99": "not on record any more",
        "stack:gone": "no stack 'gone'",
        "component:orchestrator/gone": "no orchestrator 'gone'",
        "nonsense:1": "has no page for a nonsense",
        "run:1/2/3": "leads nowhere",
    }.items():
        follow(board, target)
        assert sentence in board.panel.message.text, target
        assert board.panel.pages.current == "Run", target


def test_the_tab_of_an_open_page_leads_back_to_its_list(board: Board) -> None:
    board.notebook.run(*STUDY)
    board.page("Artifacts")
    board.press(board.panel.artifacts.rows, "numbers")
    assert board.panel.artifacts.name == "numbers"
    board.page("Artifacts")
    assert board.panel.artifacts.name == ""


def test_a_graph_of_two_hundred_steps_is_folded_and_searched(board: Board) -> None:
    cells = [f"%%step shard_{n}\nx{n} = {n}" for n in range(60)]
    board.notebook.run(*cells)
    board.page("Pipeline")
    graph = board.panel.pipeline.graph
    assert graph.picture.count("<g ") < 41
    assert "60 nodes; 60 of them folded" in board.words
    graph.find.value = "shard_59"
    assert "1 node found" in board.words
    assert "plan:shard_59" in graph.picture
    (group,) = (each for each in links(board) if each.startswith("unfold-"))
    follow(board, group)
    assert graph.picture.count("<g ") == 60, "each for itself"
    graph.find.value = ""
    graph.all.click()
    width = graph.picture.index("width")
    before = graph.picture[width : width + 14]
    graph.closer.click()
    assert graph.picture[width : width + 14] != before


def test_runs_are_filtered_by_step_and_metric_and_two_or_more_are_compared(board: Board) -> None:
    fit = "%%step fit\nzennb.log(accuracy=0.9)\nx = 1"
    board.notebook.run(*STUDY, "import zennb", "%pipeline run", fit, "%pipeline run --rerun")
    board.page("Runs")
    runs = board.panel.runs
    everything = len(runs.rows.keys)
    runs.step.value = "fit"
    assert "with step 'fit'" in board.words
    assert 0 < len(runs.rows.keys) < everything
    runs.step.value = ""
    runs.metric.choose("accuracy")
    assert "that logged 'accuracy'" in board.words
    assert 0 < len(runs.rows.keys) < everything
    runs.metric.choose("")
    runs.chosen.value = "2"
    assert "two or more numbers" in board.panel.message.text
    runs.chosen.value = "1, 2"
    assert board.panel.pages.current == "Compare"
    assert "run 1" in board.words
    runs.chosen.value = "1 2 3"
    assert board.panel.compare.new.value == "2 3"
    assert "run 3" in board.words


def test_a_run_has_a_timeline_and_an_artifact_counts_different_steps(board: Board) -> None:
    board.notebook.run(*STUDY, "%pipeline run --rerun", "%pipeline run")
    follow(board, "run:2")
    assert "timeline" in board.words
    follow(board, "name:numbers")
    assert "1 step, 3 times" in board.words
