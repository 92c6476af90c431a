from __future__ import annotations

from dataclasses import replace

from zennb.core.records.observed import Observed
from zennb.core.records.records import Artifact, CacheKeyParts, ComponentSpec, Run, StackSpec, Status, Step
from zennb.views.comparison import compare

LOCAL = ComponentSpec(type="orchestrator", name="default", flavor="local")
POOL = ComponentSpec(type="orchestrator", name="pool", flavor="threads", config={"workers": "4"})
OLD = Run(
    id=12,
    stack=StackSpec(name="default", components={"orchestrator": LOCAL}),
    status=Status.FAILED,
    started=1_773_063_900.0,
    seconds=4.0,
    parameters={"alpha": "0.1"},
    versions={"python": "3.11", "scikit-learn": "1.8"},
)
NEW = replace(
    OLD,
    id=13,
    status=Status.COMPLETED,
    stack=StackSpec(name="prod", components={"orchestrator": POOL}),
    parameters={"alpha": "0.2"},
    versions={"python": "3.11", "scikit-learn": "1.9"},
)
MODEL = Artifact(name="model", version=3, digest="a", blob="a", materializer="m", size=1, type="t")
LOAD = Step(name="load", status=Status.CACHED, parts=CacheKeyParts(code="a"))
TRAIN = Step(
    name="train",
    status=Status.COMPLETED,
    parts=CacheKeyParts(code="a", inputs={"X": "1"}),
    outputs={"model": MODEL},
)
AFTER = replace(
    TRAIN,
    parts=CacheKeyParts(code="b", inputs={"X": "2"}),
    outputs={"model": replace(MODEL, digest="b", version=4)},
)


def test_what_differed_is_listed_and_what_was_equal_is_counted() -> None:
    plot = Step(name="plot", status=Status.COMPLETED)
    assert compare(OLD, [LOAD, TRAIN], NEW, [LOAD, AFTER, plot]).text == (
        "run 12  ✘ failed  4.0 s  2026-03-09 13:45\n"
        "run 13  ✔ completed  4.0 s  2026-03-09 13:45\n"
        "\n"
        "around the steps\n"
        "                 run 12           run 13\n"
        "───────────────────────────────────────────────────────────\n"
        "stack            default          prod\n"
        "orchestrator     default (local)  pool (threads: workers=4)\n"
        "parameter alpha  0.1              0.2\n"
        "scikit-learn     1.8              1.9\n"
        "\n"
        "steps\n"
        "step   run 12         run 13         what differed\n"
        "────────────────────────────────────────────────────────────────────────────────\n"
        "train  ✔ completed    ✔ completed    its code changed, input `X` changed, output\n"
        "                                     `model` changed (v3 → v4)\n"
        "plot                  ✔ completed    only in the second\n"
        "\n"
        "1 step with equal code, inputs and outputs"
    )


def test_a_file_that_changed_is_named_as_the_cause() -> None:
    before = Observed(
        files={"data.csv": "file a", "seen.csv": "is file", "gone.csv": "file c", "only.csv": "file d"},
        environment={"MODE": "1", "HOME": "1"},
        settings={"decimal context": "1"},
    )
    after = Observed(
        files={"data.csv": "file b", "seen.csv": "file b", "gone.csv": "absent"},
        environment={"MODE": "2", "HOME": "1"},
        settings={"decimal context": "1"},
    )
    steps = [[replace(LOAD, observed=each)] for each in (before, after)]
    text = " ".join(compare(OLD, steps[0], NEW, steps[1]).text.split())
    assert "data.csv changed, gone.csv is gone, environment variable MODE changed" in text
    assert "seen.csv" not in text, "one run looked whether it was there, the other read it"
    assert "only.csv" not in text


def test_pictures_that_differ_stand_side_by_side_once() -> None:
    def plotted(data: str) -> Step:
        summary = {"kind": "picture", "mime": "image/png", "data": data}
        made = {n: replace(MODEL, name=n, digest=data, blob=data, summary=summary) for n in ("fig", "axes")}
        return replace(TRAIN, outputs=made)

    html = compare(OLD, [plotted("aaaa")], NEW, [plotted("bbbb")]).html
    assert html.index("base64,aaaa") < html.index("base64,bbbb")
    assert html.count("<img") == 2
    assert "<img" not in compare(OLD, [plotted("aaaa")], NEW, [plotted("aaaa")]).html


def test_equal_runs_differ_in_nothing() -> None:
    assert compare(OLD, [], OLD, []).text.endswith("nothing differed")


def test_a_step_that_failed_in_one_run_says_so() -> None:
    view = compare(OLD, [replace(TRAIN, status=Status.FAILED, outputs={})], OLD, [TRAIN])
    assert "failed → completed" in view.text


def test_code_is_compared_as_text_where_there_is_no_key() -> None:
    bare = replace(LOAD, parts=None, source="a")
    assert "its code changed" in compare(OLD, [bare], NEW, [replace(bare, source="b")]).text


def test_code_inputs_and_results_that_differ_stand_side_by_side() -> None:
    summary = {"kind": "scalar", "text": "0.91"}
    before = replace(
        TRAIN,
        source="a = 1\nmodel = fit(a)\n",
        inputs={
            "X": replace(MODEL, name="X", digest="1", version=1, summary={"kind": "scalar", "text": "5"})
        },
        outputs={"model": replace(MODEL, summary=summary)},
    )
    after = replace(
        AFTER,
        source="a = 2\nmodel = fit(a)\n",
        inputs={
            "X": replace(MODEL, name="X", digest="2", version=2, summary={"kind": "scalar", "text": "6"})
        },
        outputs={"model": replace(MODEL, digest="b", version=4, summary={**summary, "text": "0.93"})},
    )
    text = compare(OLD, [before], NEW, [after]).text
    rows = [line.split() for line in text.split("\n")]
    assert ["train", "input", "X", "v1", "5", "v2", "6"] in rows
    assert ["train", "result", "model", "v3", "0.91", "v4", "0.93"] in rows
    assert "code of train\n@@ -1,2 +1,2 @@\n-a = 1\n+a = 2\n model = fit(a)" in text
    assert "code of" not in compare(OLD, [before], NEW, [before]).text
