from __future__ import annotations

from dataclasses import replace

import pytest

from zennb.core.planning.run_plan import Freshness, PlannedStep
from zennb.core.records.records import Artifact, CacheKeyParts, Failure, Status, Step
from zennb.views.step import effect, explain, reason, status_line, step

MODEL = Artifact(
    id=1,
    name="model",
    version=3,
    digest="d",
    blob="b",
    materializer="pickle",
    size=1_200_000,
    type="sklearn.svm.SVC",
    summary={"kind": "object", "text": "SVC()"},
)
SCORE = replace(MODEL, id=2, name="score", type="float", size=24, summary={"kind": "scalar", "text": "0.97"})
TRAIN = Step(
    run=13,
    name="train",
    notebook="study.ipynb",
    status=Status.COMPLETED,
    reason="first run",
    seconds=1.34,
    started=1_773_063_900.0,
    source="model = SVC().fit(X)\nscore = 0.97",
    cache_key="9f" * 32,
    parts=CacheKeyParts(code="c", packages={"scikit-learn": "1.8"}),
    outputs={"model": MODEL, "score": SCORE},
)
BOOM = Failure(
    type="ValueError", message="bad X\nmore", traceback="Traceback\n  Cell In[2], line 1\nValueError: bad X"
)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "✔ train  completed  1.3 s  → model, score  (first run)"),
        (
            {"status": Status.CACHED, "seconds": 0.0004, "reason": "same code and inputs as run 12"},
            "● train  cached  0.4 ms  → model, score  (same code and inputs as run 12)",
        ),
        (
            {"status": Status.FAILED, "failure": BOOM, "outputs": {}},
            "✘ train  failed  1.3 s  ValueError: bad X  (first run)",
        ),
        (
            {"status": Status.SKIPPED, "reason": "load failed", "outputs": {}},
            "○ train  skipped  (load failed)",
        ),
        ({"status": Status.INTERRUPTED, "seconds": 125.0}, "■ train  interrupted  2 min 05 s  (first run)"),
        ({"status": Status.RUNNING, "reason": ""}, "◌ train  running"),
        (
            {"outputs": {}, "reusable": False, "unusable_because": "`rows` is a generator"},
            "✔ train  completed  1.3 s  (first run; not cacheable: `rows` is a generator)",
        ),
        ({"outputs": {}, "defines": ("clean",)}, "✔ train  completed  1.3 s  defines clean  (first run)"),
        ({"outputs": {}, "deletes": ("tmp",)}, "✔ train  completed  1.3 s  deletes tmp  (first run)"),
        ({"outputs": {}, "reason": ""}, "✔ train  completed  1.3 s"),
    ],
)
def test_the_status_line_of_each_ending(changes: dict[str, object], line: str) -> None:
    assert status_line(replace(TRAIN, **changes)).text == line  # type: ignore[arg-type]  # field values


def test_the_status_line_names_few_outputs_and_counts_the_rest() -> None:
    many = replace(TRAIN, outputs={f"x{at}": replace(MODEL, name=f"x{at}") for at in range(9)})
    assert effect(many) == "→ x0, x1, x2, x3, x4 and 4 more"
    assert " and 3 more" in status_line(many).html


def test_a_reason_is_not_said_twice() -> None:
    again = replace(TRAIN, reason="not cacheable: `rows` is a generator", reusable=False)
    assert reason(replace(again, unusable_because="`rows` is a generator")) == again.reason
    assert reason(replace(again, reason="", unusable_because="")) == "not cacheable"


def test_outputs_of_a_status_line_tell_more_when_pointed_at() -> None:
    assert 'title="model v3  sklearn.svm.SVC  1.2 MB  SVC()"' in status_line(TRAIN).html


def test_all_there_is_to_know_about_a_step() -> None:
    assert step(TRAIN, consumers={"model": ["evaluate", "plot"]}).text == (
        "step train\n"
        "  state     ✔ completed\n"
        "  reason    first run\n"
        "  run       13\n"
        "  notebook  study.ipynb\n"
        "  started   2026-03-09 13:45\n"
        "  took      1.3 s\n"
        "  packages  scikit-learn 1.8\n"
        "  key       9f9f9f9f\n"
        "\n"
        "outputs\n"
        "name   version  type     size  kind    value  used by\n"
        "────────────────────────────────────────────────────────────\n"
        "model        3  SVC    1.2 MB  output  SVC()  evaluate, plot\n"
        "score        3  float    24 B  output  0.97\n"
        "\n"
        "code\n"
        "  model = SVC().fit(X)\n"
        "  score = 0.97"
    )


def test_a_failed_step_shows_its_traceback() -> None:
    view = step(replace(TRAIN, status=Status.FAILED, failure=BOOM, outputs={}))
    assert "failure\n  Traceback\n    Cell In[2], line 1\n  ValueError: bad X" in view.text
    assert "<details" in view.html
    assert "Cell In[2], line 1" in view.html


def planned(state: str, reason: str = "", status: str = "completed") -> PlannedStep:
    return PlannedStep(name="train", state=Freshness(state), reason=reason, status=status)


def test_an_explanation_lists_what_differs() -> None:
    found = ["function `clean` changed", "scikit-learn 1.8 → 1.9"]
    step = planned("stale", "function `clean` changed (and 1 more)")
    assert explain(step, differences=found, previous=TRAIN).text == (
        "△ train  stale: it would run\n"
        "  - function `clean` changed\n"
        "  - scikit-learn 1.8 → 1.9\n"
        "  compared with run 13 (2026-03-09 13:45)"
    )


def test_an_explanation_tells_a_reason_that_is_none_of_the_differences_too() -> None:
    view = explain(
        planned("stale", "data.csv changed"), differences=["input `X` changed"], remarks=["so it is"]
    )
    assert view.text.splitlines()[1:] == ["  - data.csv changed", "  - input `X` changed", "  - so it is"]


def test_an_explanation_of_a_step_that_never_ran_and_of_one_that_is_fresh() -> None:
    assert explain(planned("stale", "first run", "")).text == (
        "○ train  not run yet: it would run\n  - first run"
    )
    cut_off = explain(planned("stale", "the run before was interrupted", "interrupted"))
    assert cut_off.text == "■ train  interrupted: it would run\n  - the run before was interrupted"
    fresh = explain(planned("fresh", "same code and inputs as run 13", "interrupted"), previous=TRAIN)
    assert fresh.text.startswith("✔ train  fresh: it would be reused\n  - same code and inputs as run 13")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("may run", "◇ train  may run: it runs if a step before it makes something else\n  - why"),
        ("unknown", "? train  unknown: only running the notebook tells whether it would be reused\n  - why"),
    ],
)
def test_an_explanation_says_what_is_open(state: str, said: str) -> None:
    view = explain(planned(state, "why"))
    assert view.text == said
    assert state in view.html
