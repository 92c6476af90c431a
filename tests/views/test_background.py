from __future__ import annotations

import re
from dataclasses import replace

from zennb.core.records.records import Run, StackSpec, Status, Step
from zennb.views.background import ended, started, step_line, step_started
from zennb.views.step import started_line
from zennb.views.text import when

STACK = StackSpec(name="default", components={})
ODD = "<b>x</b>"


def run(status: Status, **more: object) -> Run:
    return Run(**{"id": 7, "stack": STACK, "status": status, "seconds": 90.0, **more})  # type: ignore[arg-type]


def test_a_start_says_how_to_see_and_end_the_run() -> None:
    view = started(run(Status.RUNNING), ["load", ODD])
    assert view.text == (
        "◌ run 7 began in the background (load, <b>x</b>); `%runs attach 7` shows its output and how it ends, "
        "`%runs stop 7` ends it"
    )
    assert ODD not in view.html
    reason = step_started(run(Status.RUNNING), Step(name="load", status=Status.RUNNING, reason="first run"))
    assert reason.startswith("first run; in the background: `%runs attach 7`")


def test_what_a_saved_notebook_keeps_of_a_start_is_true_when_the_run_has_ended() -> None:
    begun = run(Status.RUNNING, started=1_000_000_000.0)
    step = Step(name="load", status=Status.RUNNING, reason="first run")
    at = f" in the background at {when(1_000_000_000.0)}"
    lines = [started(begun, ["load"]), started_line(replace(step, reason=step_started(begun, step)))]
    assert lines[0].text.startswith(f"◌ run 7 began{at} (load); ")
    assert lines[1].text.startswith(f"◌ load  started  (first run;{at}: `%runs attach 7` shows")
    assert not [
        line for line in lines if re.search(r"\brun(s|ning) (in|with)|\brunning\b", line.text + line.html)
    ]


def test_an_end_says_what_is_bound_and_what_is_not() -> None:
    view = ended(run(Status.COMPLETED), ["model"], remarks=["`score` changed"])
    assert view.text == "✔ run 7 completed in the background in 1 min 30 s → model\n  `score` changed"
    failed = ended(run(Status.FAILED, names={"load": "completed", "train": "failed"}))
    assert "step 'train' failed: `%runs attach 7` shows why" in failed.text
    assert " in the background" in ended(run(Status.INTERRUPTED, seconds=0.0)).text
    assert ODD not in ended(run(Status.COMPLETED), [ODD], remarks=[ODD]).html


def test_a_failed_step_shows_its_traceback() -> None:
    entry = {"step": "train", "status": "failed", "reason": "", "seconds": 1.0, "outputs": []}
    view = step_line({**entry, "failure": ["ValueError", "no", f"Traceback\n{ODD}"]})
    assert "ValueError: no" in view.text
    assert view.text.endswith(f"Traceback\n{ODD}")
    assert ODD not in view.html
    assert (
        "→ model" in step_line({**entry, "status": "completed", "outputs": ["model"], "failure": None}).text
    )
