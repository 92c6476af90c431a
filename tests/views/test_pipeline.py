from __future__ import annotations

from dataclasses import replace

from zennb.core.plan import Outline, plan
from zennb.core.records import ComponentSpec, Run, StackSpec, Status, Step
from zennb.views.pipeline import Standing, live, pipeline, standings

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


def test_standings_say_what_is_up_to_date_and_why_not() -> None:
    found = [
        Standing(name="load", fresh=True, reason="same code and inputs as run 3", last=LOAD),
        Standing(
            name="train", fresh=False, reason="input `X` changed", last=replace(TRAIN, status=Status.FAILED)
        ),
        Standing(name="plot", fresh=False, reason="first run"),
    ]
    assert standings(found).text == (
        "step   state          reason                         last run         took\n"
        "──────────────────────────────────────────────────────────────────────────\n"
        "load   ✔ up to date   same code and inputs as run 3  ● cached       0.4 ms\n"
        "train  △ stale        input `X` changed              ✘ failed       0.0 ms\n"
        "plot   ○ not run yet  first run"
    )


def test_a_pipeline_is_drawn_with_the_state_of_each_step() -> None:
    drawn = plan(
        [
            Outline(name="load", binds=frozenset({"X"})),
            Outline(name="train", reads=frozenset({"X"}), binds=frozenset({"model"})),
            Outline(name="plot", reads=frozenset({"model"})),
        ]
    )
    found = [
        Standing(name="load", fresh=True, last=LOAD),
        Standing(name="train", fresh=False, last=replace(TRAIN, status=Status.COMPLETED)),
        Standing(name="plot", fresh=False),
    ]
    view = pipeline(drawn, found=found, title="study.ipynb")
    assert view.text == (
        "pipeline study.ipynb\n● load → ✔ train (stale) → ○ plot\n(● cached  ✔ completed  ○ not run yet)"
    )
    assert 'alt="● load → ✔ train (stale) → ○ plot; (● cached  ✔ completed  ○ not run yet)"' in view.html
    assert pipeline(drawn).text == "load → train → plot"


def test_below_the_drawing_stands_which_steps_are_stale_and_why() -> None:
    drawn = plan([Outline(name="load"), Outline(name="train"), Outline(name="plot")])
    done = replace(TRAIN, status=Status.COMPLETED)
    found = [
        Standing(name="load", fresh=True, reason="same code", last=LOAD, remark="`X` was changed by <b>"),
        Standing(name="train", fresh=False, reason="its code changed", last=done),
        Standing(name="plot", fresh=False, reason="first run"),
    ]
    view = pipeline(drawn, found=found)
    assert view.text.splitlines()[-2:] == [
        "✔ load  up to date: `X` was changed by <b>",
        "△ train  stale: its code changed",
    ]
    assert "changed by &lt;b&gt;" in view.html
    assert "same code; `X` was changed by <b>" in standings(found).text


def test_a_pipeline_without_steps_says_what_to_do() -> None:
    assert pipeline(plan([])).text == "no steps yet: run a cell that starts with %%step"
