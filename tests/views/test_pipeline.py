from __future__ import annotations

from dataclasses import replace

from zennb.core.planning.run_plan import Edge, Freshness, PlannedStep, RunPlan
from zennb.core.records.records import ComponentSpec, Run, StackSpec, Status, Step
from zennb.views.pipeline import live, pipeline, plan_graph, plan_table

STACK = StackSpec(
    name="default", components={"orchestrator": ComponentSpec(type="orchestrator", name="o", flavor="l")}
)
RUN = Run(id=12, kind="pipeline", stack=STACK, started=100.0)
LOAD = Step(
    name="load", status=Status.CACHED, reason="same code and inputs as run 3", seconds=0.0004, started=100.0
)
TRAIN = Step(name="train", status=Status.RUNNING, reason="input `X` changed", started=101.0)
ORDER = ("load", "train", "plot")


def test_a_live_table_shows_running_and_waiting_steps() -> None:
    assert live(ORDER, steps={"load": LOAD, "train": TRAIN}, now=105.2, run=RUN).text == (
        "step   state                 took  outputs             reason\n"
        "────────────────────────────────────────────────────────────────────────────────\n"
        "load   ● cached            0.4 ms                      same code and inputs as…\n"
        "train  ◌ running            4.2 s                      input `X` changed\n"
        "plot   · waiting\n"
        "◌ run 12 running on stack default: 1 of 3 steps, 5.2 s"
    )


def test_a_live_table_keeps_its_columns_from_the_first_moment_to_the_last() -> None:
    done = {name: replace(LOAD, name=name, seconds=3700.0, reason="r" * 200) for name in ORDER}
    first = live(ORDER, steps={}, now=0.0).text.split("\n")
    last = live(
        ORDER, steps=done, now=0.0, run=replace(RUN, status=Status.COMPLETED, seconds=2.0)
    ).text.split("\n")
    assert first[:2] == last[:2]
    assert len(first) == len(last)
    assert last[-1] == "✔ run 12 completed on stack default: 3 of 3 steps, 2.0 s"


def test_the_last_line_of_a_run_counts_what_did_not_go_well() -> None:
    statuses = (Status.CACHED, Status.FAILED, Status.SKIPPED)
    done = {name: replace(LOAD, name=name, status=each) for name, each in zip(ORDER, statuses, strict=True)}
    failed = replace(RUN, status=Status.FAILED, seconds=2.0)
    assert live(ORDER, steps=done, now=0.0, run=failed).text.split("\n")[-1] == (
        "✘ run 12 failed on stack default: 3 of 3 steps, 1 failed, 1 skipped, 2.0 s"
    )


def test_a_live_table_of_many_steps_shows_those_that_matter_now_and_counts_the_others() -> None:
    order = [f"step{number}" for number in range(5000)]
    steps = {name: replace(LOAD, name=name) for name in order[:3000]}
    steps["step7"] = replace(TRAIN, name="step7", status=Status.FAILED)
    steps["step2999"] = replace(TRAIN, name="step2999")
    *rows, others, last = live(order, steps=steps, now=105.2, run=RUN).text.split("\n")[2:]
    assert len(rows) == 100
    assert [row.split()[0] for row in rows[:2]] == ["step7", "step2901"]
    assert rows[-1].startswith("step2999  ◌ running")
    assert others == "and 4,900 more: 2,900 cached, 2,000 waiting"
    assert "2999 of 5000 steps" in last


def test_the_cells_of_a_live_table_have_exact_widths_in_html() -> None:
    html = live(ORDER, steps={"load": LOAD}, now=0.0).html
    assert "max-width:18ch;overflow:hidden;text-overflow:ellipsis" in html


def planned(
    name: str, state: str = "fresh", reason: str = "", status: str = "completed", remark: str = ""
) -> PlannedStep:
    return PlannedStep(name=name, state=Freshness(state), reason=reason, status=status, remark=remark)


def test_the_table_says_what_a_run_would_do_with_each_step_and_why() -> None:
    plan = RunPlan(
        steps=(
            planned("load", reason="same code and inputs as run 3"),
            planned("train", "stale", "input `X` changed", "failed"),
            planned("plot", "may run", "needs step 'train'"),
            planned("tell", "unknown", "code cell 2 computes `k`"),
            planned("last", "stale", "first run", ""),
        )
    )
    last = {"load": LOAD, "train": replace(TRAIN, status=Status.FAILED)}
    assert plan_table(plan, last=last).text.splitlines()[2:] == [
        "load   ✔ fresh        same code and inputs as run 3  ● cached        0.4 ms",
        "train  △ stale        input `X` changed              ✘ failed       <0.1 ms",
        "plot   ◇ may run      needs step 'train'",
        "tell   ? unknown      code cell 2 computes `k`",
        "last   ○ not run yet  first run",
    ]


CHAIN = (Edge(start="load", end="train", names=("X",)), Edge(start="train", end="plot", names=("model",)))


def test_a_pipeline_is_drawn_with_the_state_of_each_step() -> None:
    plan = RunPlan(
        steps=(planned("load"), planned("train", "unknown"), planned("plot", "stale", status="")), edges=CHAIN
    )
    view = pipeline(plan, title="study.ipynb")
    assert view.text == (
        "pipeline study.ipynb\n✔ load → ? train → ○ plot\n(✔ fresh  ? unknown  ○ not run yet)"
    )
    assert 'alt="✔ load → ? train → ○ plot; (✔ fresh  ? unknown  ○ not run yet)"' in view.html


def test_below_the_drawing_stands_which_steps_are_not_fresh_and_why() -> None:
    plan = RunPlan(
        steps=(
            planned("load", reason="same code", remark="`X` was changed by <b>"),
            planned("train", "stale", "its code changed", remark="`y` in the notebook is v2; a run gives v1"),
            planned("plot", "may run", "needs step 'train'"),
            planned("tell", "unknown", "code cell 2 computes `k`"),
            planned("new", "stale", "first run", ""),
        )
    )
    view = pipeline(plan)
    assert view.text.splitlines()[-4:] == [
        "✔ load  fresh: `X` was changed by <b>",
        "△ train  stale: its code changed; `y` in the notebook is v2; a run gives v1",
        "◇ plot  may run: needs step 'train'",
        "? tell  unknown: code cell 2 computes `k`",
    ]
    assert "changed by &lt;b&gt;" in view.html
    assert "same code; `X` was changed by <b>" in plan_table(plan, last={}).text


def test_a_file_stands_between_the_step_that_writes_it_and_those_that_read_it() -> None:
    files = ("/data/out/rows.csv",)
    plan = RunPlan(
        steps=(planned("write"), planned("read"), planned("tell")),
        edges=(
            Edge(start="write", end="read", names=("n",), files=files),
            Edge(start="write", end="tell", files=files),
        ),
    )
    text = plan_graph(plan).text
    assert text.splitlines() == [
        "✔ write ⇢ rows.csv ⇢ ✔ read",
        "write → read",
        "rows.csv ⇢ ✔ tell",
        "(✔ fresh  ⇢ by a file)",
    ]
    many = replace(plan.edges[0], files=tuple(f"f{number}.csv" for number in range(20)))
    assert "f0.csv, f1.csv and 18 more" in plan_graph(replace(plan, edges=(many,))).text


def test_an_order_without_values_is_drawn_as_an_edge() -> None:
    plan = RunPlan(steps=(planned("a"), planned("b")), edges=(Edge(start="a", end="b"),))
    assert plan_graph(plan).text.startswith("✔ a → ✔ b")


def test_a_pipeline_without_steps_says_what_to_do() -> None:
    assert pipeline(RunPlan()).text == "no steps yet: run a cell that starts with %%step"
