from __future__ import annotations

import base64
from dataclasses import replace

from zennb.core.records.records import Artifact, Status, Step
from zennb.views.lineage import lineage


def _artifact(number: int, name: str, kind: str = "output") -> Artifact:
    return Artifact(
        id=number,
        name=name,
        version=1,
        digest=name,
        blob=name,
        materializer="m",
        size=8,
        type="int",
        kind=kind,
    )


RAW, X, Y, ALPHA, MODEL, PLOT = (
    _artifact(number, name) for number, name in enumerate(("raw", "X", "y", "alpha", "model", "fig"), start=1)
)
PARAMETER = replace(ALPHA, kind="parameter")
LOAD = Step(id=1, run=1, name="load", status=Status.COMPLETED, outputs={"raw": RAW})
SPLIT = Step(
    id=2, run=2, name="split", status=Status.COMPLETED, inputs={"raw": RAW}, outputs={"X": X, "y": Y}
)
TRAIN = Step(
    id=3,
    run=3,
    name="train",
    status=Status.COMPLETED,
    inputs={"X": X, "y": Y, "alpha": PARAMETER},
    outputs={"model": MODEL},
)
SHOW = Step(id=4, run=4, name="show", status=Status.COMPLETED, inputs={"model": MODEL}, outputs={"fig": PLOT})
PRODUCERS = {1: LOAD, 2: SPLIT, 3: SPLIT, 4: TRAIN, 5: TRAIN, 6: SHOW}


def test_lineage_is_a_tree_of_makers_and_readers() -> None:
    view = lineage(MODEL, producers=PRODUCERS, consumers={5: [SHOW, replace(SHOW, id=5, run=2)]})
    assert view.text == (
        "model v1  int  8 B\n"
        "├─ made by train (run 3)\n"
        "│  ├─ X v1  int  8 B\n"
        "│  │  └─ made by split (run 2)\n"
        "│  │     └─ raw v1  int  8 B\n"
        "│  │        └─ made by load (run 1)\n"
        "│  ├─ y v1  int  8 B\n"
        "│  │  └─ made by split (run 2), as above\n"
        "│  └─ alpha v1  int  8 B  parameter\n"
        "└─ used by show (runs 2, 4)\n"
        "   └─ → fig v1  int  8 B"
    )


def test_lineage_is_drawn_too() -> None:
    html = lineage(MODEL, producers=PRODUCERS, consumers={5: [SHOW]}).html
    svg = base64.b64decode(html.partition("base64,")[2].partition('"')[0]).decode()
    for name in ("raw v1", "alpha v1", "split", "model v1", "show", "fig v1"):
        assert f">{name}</text>" in svg


def test_an_artifact_that_nobody_made_or_used_stands_alone() -> None:
    view = lineage(replace(PARAMETER, id=None), producers={})
    assert view.text == "alpha v1  int  8 B  parameter"
    assert "<img" not in view.html


def test_a_step_that_gives_out_what_it_read_does_not_go_round_in_circles() -> None:
    same = Step(id=9, run=9, name="same", status=Status.COMPLETED, inputs={"X": X}, outputs={"X": X})
    view = lineage(X, producers={2: same}, consumers={2: [same]})
    assert "made by same" in view.text
    assert "used by same" in view.text


def test_a_long_chain_of_diamonds_is_told_once() -> None:
    producers: dict[int, Step] = {}
    ends = [_artifact(0, "start")]
    for level in range(1, 60):
        made = [_artifact(2 * level, f"a{level}"), _artifact(2 * level + 1, f"b{level}")]
        step = Step(
            id=level,
            run=level,
            name=f"s{level}",
            status=Status.COMPLETED,
            inputs={each.name: each for each in ends},
            outputs={each.name: each for each in made},
        )
        producers |= {each.id: step for each in made if each.id is not None}
        ends = made
    assert lineage(ends[0], producers=producers).text.count("\n") < 300


def test_a_file_that_a_step_read_is_named_with_the_step_that_wrote_it() -> None:
    write = Step(id=8, run=8, name="write", status=Status.COMPLETED, inputs={"raw": RAW})
    read = Step(id=9, run=9, name="read", status=Status.COMPLETED, outputs={"X": X})
    view = lineage(X, producers={1: LOAD, 2: read}, writers={9: {"out/rows.csv": write, "more.csv": write}})
    assert view.text == (
        "X v1  int  8 B\n"
        "└─ made by read (run 9)\n"
        "   ├─ file out/rows.csv\n"
        "   │  └─ written by write (run 8)\n"
        "   │     └─ raw v1  int  8 B\n"
        "   │        └─ made by load (run 1)\n"
        "   └─ file more.csv\n"
        "      └─ written by write (run 8), as above"
    )
    assert "write ⇢ rows.csv" in view.html
    assert "rows.csv ⇢ read" in view.html
    svg = base64.b64decode(view.html.partition("base64,")[2].partition('"')[0]).decode()
    assert ">rows.csv</text>" in svg
    assert 'stroke-dasharray="4 3"' in svg
