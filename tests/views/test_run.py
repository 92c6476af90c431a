from __future__ import annotations

from dataclasses import replace

import pytest

from zennb.core.records.records import Attempt, ComponentSpec, Failure, Run, StackSpec, Status, Step
from zennb.views.run import commit, folded, run, runs, steps, tally

STACK = StackSpec(
    name="default",
    components={
        "orchestrator": ComponentSpec(type="orchestrator", name="default", flavor="local"),
        "artifact_store": ComponentSpec(type="artifact_store", name="default", flavor="local"),
    },
)
RUN = Run(
    id=12,
    kind="pipeline",
    notebook="study.ipynb",
    stack=STACK,
    status=Status.FAILED,
    started=1_773_063_900.0,
    seconds=126.4,
    parameters={"alpha": "0.1"},
    versions={"python": "3.11.7", "zennb": "0.1.0"},
    steps={"completed": 1, "cached": 1, "failed": 1, "skipped": 0},
    names={"load": "cached", "helpers": "completed", "train": "failed"},
    computed=125.0,
    saved=3.5,
)
STEPS = [
    Step(name="load", status=Status.CACHED, reason="same code and inputs as run 3", seconds=0.0004),
    Step(name="helpers", status=Status.COMPLETED, reason="first run", seconds=0.012, defines=("clean",)),
    Step(
        name="train",
        status=Status.FAILED,
        reason="input `X` changed",
        seconds=125.0,
        failure=Failure(type="ValueError", message="bad X"),
    ),
    Step(name="plot", status=Status.SKIPPED, reason="train failed"),
]


def test_a_tally_leaves_out_states_that_no_step_is_in() -> None:
    assert tally(RUN.steps) == "1 completed, 1 cached, 1 failed"


def test_the_list_of_runs() -> None:
    going = replace(
        RUN, id=13, status=Status.RUNNING, steps={}, names={}, seconds=0.0, computed=0.0, saved=0.0
    )
    table = runs([going, RUN], page=120)
    assert table.text.splitlines()[0] == (
        "run  state          steps                       kind      stack    notebook       computed  saved  started"
    )
    assert table.text.splitlines()[2] == (
        " 13  ◌ running                                  pipeline  default  study.ipynb         "
        "            2026-03-09 13:45"
    )
    assert table.text.splitlines()[3] == (
        " 12  ✘ failed       helpers, ✘ train +1 cached  pipeline  default  study.ipynb  2 min 05 s  3.5 s"
        "  2026-03-09 13:45"
    )
    assert table.rows()[1]["steps"] == {"completed": 1, "cached": 1, "failed": 1, "skipped": 0}


def test_a_narrow_list_leaves_out_columns_and_breaks_the_names_of_steps() -> None:
    lines = runs([RUN]).text.splitlines()
    assert lines[0] == "run  state          steps           stack      computed  saved  started"
    assert [line[20:35].strip() for line in lines[2:]] == ["helpers, ✘", "train +1", "cached"]
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({}, ""),
        ({"load": "completed"}, "load"),
        ({"load": "cached"}, "1 cached"),
        (
            {"load": "completed", "train": "completed", **{f"s{n}": "cached" for n in range(12)}},
            "load, train +12 cached",
        ),
        ({"a": "interrupted", "b": "skipped", "c": "running"}, "■ a, ○ b, ◌ c"),
        ({f"s{n}": "completed" for n in range(5)}, "s0, s1, s2, s3, s4"),
        ({f"s{n}": "completed" for n in range(9)} | {"x": "cached"}, "s0, s1, s2, s3 and 5 more +1 cached"),
    ],
)
def test_steps_are_named_and_cached_ones_counted(names: dict[str, str], shown: str) -> None:
    assert folded(names) == shown


def test_one_run_with_its_stack_and_steps() -> None:
    found = replace(
        RUN, commit="1a2b3c4d" * 5, dirty=True, versions={**RUN.versions, "numpy": "2.3.1"}, host="box"
    )
    assert run(found, STEPS[:1]).text == (
        "run 12  ✘ failed\n"
        "  kind        pipeline\n"
        "  notebook    study.ipynb\n"
        "  stack       default: orchestrator default (local), artifact store default\n"
        "              (local)\n"
        "  started     2026-03-09 13:45\n"
        "  took        2 min 06 s\n"
        "  computed    2 min 05 s\n"
        "  saved       3.5 s by reuse\n"
        "  steps       1 completed, 1 cached, 1 failed\n"
        "  parameters  alpha=0.1\n"
        "  git commit  1a2b3c4d1a2b with changes\n"
        "  python      3.11.7\n"
        "  zennb       0.1.0\n"
        "  packages    numpy 2.3.1\n"
        "  host        box\n"
        "\n"
        "step  state            took  reason\n"
        "──────────────────────────────────────────────────────────\n"
        "load  ● cached       0.4 ms  same code and inputs as run 3"
    )


def test_a_run_shows_the_runs_it_started_and_who_started_it() -> None:
    text = run(replace(RUN, kind="notebook"), started=[replace(RUN, id=13, parent=12)]).text
    assert "runs it started\nrun  state" in text
    assert "started by  run 12" in run(replace(RUN, id=13, parent=12)).text
    assert "pipeline of 12" in runs([replace(RUN, id=13, parent=12)], page=120).text


def test_a_clean_commit_is_not_said_to_have_changes() -> None:
    assert commit(replace(RUN, commit="1a2b3c4d" * 5, dirty=False)) == "1a2b3c4d1a2b"
    assert commit(RUN) == ""


def test_failed_attempts_are_shown_with_their_errors() -> None:
    tries = (
        Attempt(
            started=1_773_063_900.0, seconds=2.0, failure=Failure(type="OSError", message="no net\nmore")
        ),
        Attempt(started=1_773_063_910.0, seconds=3.0, failure=Failure(type="OSError", message="")),
    )
    step = replace(STEPS[1], attempts=tries)
    text = run(RUN, [STEPS[0], step]).text
    assert "first run; after 2 failed attempts" in text
    assert text.endswith(
        "failed attempts\n"
        "step     attempt   took  started           error\n"
        "──────────────────────────────────────────────────────────\n"
        "helpers        1  2.0 s  2026-03-09 13:45  OSError: no net\n"
        "helpers        2  3.0 s  2026-03-09 13:45  OSError"
    )
    assert "failed attempts" not in run(RUN, STEPS[:1]).text


def test_a_failed_step_of_a_run_says_what_it_raised() -> None:
    assert "ValueError: bad X; input `X` changed" in steps(STEPS).text


def test_a_failure_that_ends_with_a_full_stop_is_no_end_of_its_reason() -> None:
    failure = Failure(
        type="OutputCheckFailed", message="`x` does not pass. Nothing was stored.", traceback=""
    )
    step = Step(name="a", status=Status.FAILED, reason="input `x` changed", failure=failure)
    assert "pass. Nothing was stored; input `x` changed" in " ".join(steps([step]).text.split())
    assert steps([replace(step, reason="")]).rows()[0]["reason"].endswith("stored.")
