from __future__ import annotations

from dataclasses import replace

from zennb.core.records import ComponentSpec, Failure, Run, StackSpec, Status, Step
from zennb.views.run import run, runs, steps, summary, tally

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
    going = replace(RUN, id=13, status=Status.RUNNING, steps={}, seconds=0.0)
    table = runs([going, RUN])
    assert table.text == (
        "run  state          stack    notebook     steps           took  started\n"
        "────────────────────────────────────────────────────────────────────────────────\n"
        " 13  ◌ running      default  study.ipynb                        2026-03-09 13:45\n"
        " 12  ✘ failed       default  study.ipynb  1✔ 1● 1✘  2 min 06 s  2026-03-09 13:45"
    )
    assert "1 completed, 1 cached, 1 failed" in table.html
    assert table.rows()[1]["steps"] == {"completed": 1, "cached": 1, "failed": 1, "skipped": 0}


def test_one_run_with_its_stack_and_steps() -> None:
    assert run(RUN, STEPS[:1]).text == (
        "run 12  ✘ failed\n"
        "  kind        pipeline\n"
        "  notebook    study.ipynb\n"
        "  stack       default: orchestrator default (local), artifact store default\n"
        "              (local)\n"
        "  started     2026-03-09 13:45\n"
        "  took        2 min 06 s\n"
        "  steps       1 completed, 1 cached, 1 failed\n"
        "  parameters  alpha=0.1\n"
        "  versions    python 3.11.7, zennb 0.1.0\n"
        "\n"
        "step  state            took  reason\n"
        "──────────────────────────────────────────────────────────\n"
        "load  ● cached       0.4 ms  same code and inputs as run 3"
    )


def test_a_failed_step_of_a_run_says_what_it_raised() -> None:
    assert "ValueError: bad X; input `X` changed" in steps(STEPS).text


def test_a_summary_is_a_line_per_step_and_one_for_the_whole() -> None:
    assert summary(RUN, STEPS).text == (
        "● load     cached            0.4 ms                 same code and inputs as run 3\n"
        "✔ helpers  completed          12 ms  defines clean  first run\n"
        "✘ train    failed        2 min 05 s                 ValueError: bad X; input `X` changed\n"
        "○ plot     skipped                                  train failed\n"
        "✘ run 12 failed in 2 min 06 s on stack default: 1 completed, 1 cached, 1 failed"
    )


def test_a_summary_counts_the_steps_it_was_given_when_the_run_has_no_counts() -> None:
    bare = replace(RUN, steps={}, status=Status.COMPLETED)
    assert summary(bare, STEPS[:2]).text.endswith("on stack default: 1 completed, 1 cached")
    assert summary(bare, []).text == "✔ run 12 completed in 2 min 06 s on stack default"
