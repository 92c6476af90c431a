"""`zennb.run()` and `zennb.plan()` in the kernel whose notebook it is."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

import zennb
from zennb.errors import StepRefused, UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jupyter.conftest import Notebook

STUDY = ("k = 1", "%%step load\nrows = [k, 2]\nprint('loaded')", "%%step total\ntotal = sum(rows)\ntotal")


def at_once(calls: int, call: Callable[[int], object]) -> list[Any]:
    """Make calls in as many threads, all begun together, and return what they returned or raised."""
    together = threading.Barrier(calls)
    found: list[Any] = [None] * calls

    def make(number: int) -> None:
        together.wait()
        try:
            found[number] = call(number)
        except BaseException as error:
            found[number] = error

    threads = [threading.Thread(target=make, args=(number,)) for number in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_the_pipeline_of_this_notebook_is_run_and_its_outputs_are_bound(notebook: Notebook) -> None:
    notebook.run(*STUDY)
    notebook.cell("k = 5")
    ran = notebook.cell("import zennb\nrun = zennb.run()")
    assert ran.error is None
    run = notebook.shell.user_ns["run"]
    assert (run.kind, run.status.value, notebook.shell.user_ns["total"]) == ("pipeline", "completed", 7)
    assert [(step.name, step.status.value) for step in run.steps] == [
        ("load", "completed"),
        ("total", "completed"),
    ]
    assert run.step("load").log() == "loaded"


def test_parameters_and_choices_are_those_of_the_magic(notebook: Notebook) -> None:
    notebook.run(*STUDY)
    run = zennb.run(parameters={"k": 8})
    assert (dict(run.parameters), notebook.shell.user_ns["total"]) == ({"k": "8"}, 10)
    assert [step.name for step in zennb.run(only="total", rerun=True).steps] == ["total"]
    assert [step.status.value for step in zennb.run(start="total").steps] == ["cached"]
    with pytest.raises(UnknownName, match="no stack 'fast'"):
        zennb.run(stack="fast")
    with pytest.raises(UsageError, match="out= is for runs of a notebook file"):
        zennb.run(out="done.ipynb")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        ("ridge", "ridge"),
        ("3", "'3'"),
        ("", ""),
        ("\n3", "'\\n3'"),
        ([1, "a"], "[1, 'a']"),
        (True, "True"),
        (None, "None"),
    ],
)
def test_a_parameter_arrives_as_it_was_given(notebook: Notebook, value: object, text: str) -> None:
    for before in ("1", "True", "'text'"):
        notebook.run(f"k = {before}", "%%step keep\nkept = [k]")
        run = zennb.run(parameters={"k": value})
        assert (run.parameters["k"], notebook.shell.user_ns["kept"]) == (text, [value])


@pytest.mark.parametrize("value", [float("nan"), object(), [object()], lambda: 1])
def test_a_parameter_that_is_no_literal_is_refused(notebook: Notebook, value: object) -> None:
    notebook.run("k = 1", "%%step keep\nkept = [k]")
    with pytest.raises(UsageError, match=r"parameter 'k' is a .* that cannot be written down as text"):
        zennb.run(parameters={"k": value})


def test_what_a_step_raises_is_raised(notebook: Notebook) -> None:
    notebook.cell("%%step divide\nshare = 1 / 0")
    with pytest.raises(ZeroDivisionError):
        zennb.run()
    failure = zennb.runs(kind="pipeline")[0].failure
    assert failure is not None
    assert failure.type == "ZeroDivisionError"


def test_a_step_cannot_run_its_own_pipeline(notebook: Notebook) -> None:
    notebook.run("import zennb", "inner = False", "%%step again\nx = zennb.run() if inner else 1")
    notebook.cell("inner = True")
    with pytest.raises(StepRefused, match="is running here already"):
        zennb.run()


@pytest.mark.parametrize("line", ["%pipeline run", "import zennb; zennb.run()"])
def test_a_step_cell_cannot_run_the_pipeline_it_belongs_to(notebook: Notebook, line: str) -> None:
    """It would run itself, which runs the pipeline, which runs it."""
    notebook.run("%%step one\nx = 1")
    ran = notebook.cell(f"%%step two\ny = x\n{line}")
    assert isinstance(ran.error, StepRefused)
    assert str(ran.error).startswith("step 'two' is running here already, and cannot run the pipeline")
    assert ran.status == "failed"
    assert notebook.run("%%step two\ny = x")[0].status == "completed"
    notebook.run("%pipeline run")


@pytest.mark.parametrize("call", ["get_ipython().run_line_magic('pipeline', 'run')", "zennb.run()"])
def test_a_thread_that_a_step_starts_cannot_run_the_pipeline(notebook: Notebook, call: str) -> None:
    notebook.run("import threading, zennb\nraised = []\nruns = []")
    ran = notebook.cell(
        "%%step two\ndef go():\n    runs.append(1)\n    try:\n        if len(runs) < 4:\n"
        f"            {call}\n    except Exception as error:\n        raised.append(repr(error))\n"
        "thread = threading.Thread(target=go)\nthread.start()\nthread.join()\nx = len(runs)"
    )
    assert (ran.error, notebook.ns["x"]) == (None, 1)
    assert "step 'two' is running here already" in notebook.ns["raised"][0]


def test_two_threads_of_the_notebook_run_the_pipeline_one_after_the_other(notebook: Notebook) -> None:
    notebook.run(
        "import threading, time, zennb",
        "%%step slow\ntime.sleep(0.2)\nx = 1",
        "done = []\nthreads = [threading.Thread(target=lambda: done.append(zennb.run(rerun=True))) for _ in 'ab']",
        "for each in threads: each.start()",
        "for each in threads: each.join()",
    )
    assert len(notebook.ns["done"]) == 2


def test_a_plan_says_what_a_run_would_do(notebook: Notebook) -> None:
    notebook.run(*STUDY)
    plan = zennb.plan()
    assert (plan.is_fresh, [step.state.value for step in plan.steps]) == (True, ["fresh", "fresh"])
    notebook.cell("k = 2")
    plan = zennb.plan()
    load = plan.step("load")
    assert load is not None
    assert (plan.is_fresh, load.state.value) == (False, "stale")
    assert plan.step("nothing") is None
    assert [(edge.start, edge.end, edge.names) for edge in plan.edges] == [("load", "total", ("rows",))]
    assert list(plan.steps.to_frame()["step"]) == ["load", "total"]
    assert "load" in repr(plan)
    assert "load" in repr(plan.steps[0])
    assert "<table" in plan.steps[0]._repr_mimebundle_()["text/html"]


def test_four_threads_can_run_the_pipeline_and_have_their_turns(notebook: Notebook) -> None:
    notebook.run(*STUDY, "%%step slow\nimport time\ntime.sleep(0.1)\nlast = total")
    runs = at_once(4, lambda number: zennb.run(parameters={"k": number}))
    assert [type(run).__name__ for run in runs] == ["RunHandle"] * 4
    assert sorted(run.step("total").outputs["total"].load() for run in runs) == [2, 3, 4, 5]
    turns = sorted(runs, key=lambda run: float(run.started))
    assert all(one.started + one.seconds <= other.started for one, other in pairwise(turns))
    assert notebook.shell.user_ns["last"] == turns[-1].step("slow").outputs["last"].load()
    assert notebook.cell("%pipeline run").error is None


def test_threads_can_look_while_others_run(notebook: Notebook) -> None:
    notebook.run(*STUDY)
    calls = (
        lambda: zennb.run(rerun=True).status.value,
        lambda: len(zennb.plan().steps),
        lambda: zennb.load("total"),
        lambda: len(zennb.runs()[0].steps.to_frame().columns),
    )
    assert at_once(4, lambda number: [calls[number]() for _ in range(3)]) == [
        ["completed"] * 3,
        [2] * 3,
        [3] * 3,
        [10] * 3,
    ]


def test_without_a_notebook_the_way_there_is_named(notebook: Notebook) -> None:
    notebook.stop()
    for call in (zennb.run, zennb.plan):
        with pytest.raises(UsageError, match=r"give the path of an \.ipynb file, or type `%load_ext zennb`"):
            call()
    notebook.start()
