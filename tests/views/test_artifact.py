from __future__ import annotations

from dataclasses import replace

from zennb.core.records.pages import ProducingStep, Use
from zennb.core.records.records import Artifact, Status, Step
from zennb.views.artifact import artifact, artifacts, by_step, glance, history, label, loading, uses
from zennb.views.rows import beside

SCORE = Artifact(
    id=7,
    name="score",
    version=3,
    digest="d",
    blob="ab12cd34ef",
    materializer="plain",
    size=24,
    type="builtins.float",
    summary={"kind": "scalar", "text": "0.97"},
    step=3,
    created=1_773_063_900.0,
)
TRAIN = Step(id=3, run=12, name="train", status=Status.COMPLETED)


def test_an_artifact_in_a_line() -> None:
    assert glance(SCORE) == "score v3  builtins.float  24 B  0.97"
    assert glance(replace(SCORE, kind="parameter")) == "score v3  builtins.float  24 B  parameter  0.97"
    assert label(replace(SCORE, version=0)) == "score"


def test_one_artifact_with_its_origin_readers_and_preview() -> None:
    readers = [Step(name="report", status=Status.COMPLETED)] * 2
    assert artifact(SCORE, producer=TRAIN, consumers=readers).text == (
        "artifact score v3\n"
        "  type       builtins.float\n"
        "  size       24 B\n"
        "  kind       output\n"
        "  made by    train (run 12)\n"
        "  used by    report\n"
        "  stored as  plain\n"
        "  created    2026-03-09 13:45\n"
        "  bytes      ab12cd34\n"
        "\n"
        "0.97"
    )
    assert "captured for  train" in artifact(replace(SCORE, kind="captured"), producer=TRAIN).text


def test_the_list_and_the_history() -> None:
    assert artifacts([SCORE], producers={3: TRAIN}).text == (
        "made by  name   version  type   size  kind    value  created\n"
        "─────────────────────────────────────────────────────────────────────\n"
        "train    score        3  float  24 B  output  0.97   2026-03-09 13:45"
    )
    assert history([SCORE, replace(SCORE, version=2)]).text == (
        "score\n"
        "version  type   size  kind    value  created\n"
        "─────────────────────────────────────────────────────\n"
        "      3  float  24 B  output  0.97   2026-03-09 13:45\n"
        "      2  float  24 B  output  0.97   2026-03-09 13:45"
    )
    assert artifacts([]).text.startswith("no artifacts yet")
    assert artifacts([SCORE]).rows()[0]["type"] == "builtins.float"


def test_they_are_grouped_by_notebook_and_step() -> None:
    steps = {
        1: ProducingStep(step=1, name="load", run=7, notebook="a.ipynb"),
        2: ProducingStep(step=2, name="load", run=8, notebook="b.ipynb"),
        3: ProducingStep(step=3, name="train", run=9, notebook="a.ipynb"),
    }
    made = ((3, "model"), (2, "rows"), (1, "x"), (3, "score"), (1, "y"))  # the newest first
    found = by_step([replace(SCORE, step=step, name=name) for step, name in made], steps)
    table = artifacts(found, producers=steps)
    assert [line.split()[:4] for line in table.text.splitlines()[2:]] == [
        ["a.ipynb", "train", "model", "3"],
        ["score", "3", "float", "24"],
        ["load", "x", "3", "float"],
        ["y", "3", "float", "24"],
        ["b.ipynb", "load", "rows", "3"],
    ]
    assert [row["made_by"] for row in table.rows()].count("train (run 9)") == 2
    assert (table.html.count(">train<"), table.html.count("a.ipynb<")) == (1, 1)
    assert (beside(table, caption="").count(">train<"), beside(table, caption="").count("–")) == (
        1,
        0,
    )


def test_a_maker_from_a_listing_will_do_in_place_of_a_whole_record() -> None:
    maker = ProducingStep(step=3, name="train", run=12)
    assert artifacts([SCORE], producers={3: maker}).text == artifacts([SCORE], producers={3: TRAIN}).text
    assert artifact(SCORE, producer=maker).text == artifact(SCORE, producer=TRAIN).text


def test_who_used_it_names_run_step_state_and_stack() -> None:
    use = Use(step=9, name="report", status=Status.CACHED, run=14, stack="prod", started=1_773_063_900.0)
    assert uses([use]).text.split("\n")[2].split() == [
        *("14", "report", "●", "cached", "prod", "2026-03-09", "13:45")
    ]


def test_the_line_that_loads_it_can_be_pasted_whatever_its_name() -> None:
    assert loading(SCORE).text == "import zennb\nscore = zennb.load('score', version=3)"
    odd = replace(SCORE, name="a'b\n", version=1)
    assert loading(odd).text == 'import zennb\nvalue = zennb.load("a\'b\\n", version=1)'
