"""The steps of a notebook as a pipeline: run, shown, explained, on several stacks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from zennb import api
from zennb.core.records.records import Status

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

CELLS = (
    "%%step load\nnumbers = [1, 2, 3, 4]",
    "%%step even\neven = [n for n in numbers if n % 2 == 0]",
    "%%step odd\nodd = [n for n in numbers if n % 2]",
    "%%step total\ntotal = weight * (sum(even) - sum(odd))",
)


def study(notebook: Notebook) -> list[Ran]:
    return list(notebook.run("weight = 10", *CELLS))


def latest_run() -> Any:
    return api.workspace().metadata.runs(limit=1)[0]


def steps_of(run: Any) -> dict[str, Any]:
    return {step.name: step for step in api.workspace().metadata.steps(run.id)}


def test_a_pipeline_run_takes_over_what_the_cells_made(notebook: Notebook) -> None:
    study(notebook)
    notebook.run("%pipeline run")
    run = latest_run()
    assert (run.kind, run.status) == ("pipeline", Status.CACHED)
    assert {name: step.status for name, step in steps_of(run).items()} == dict.fromkeys(
        ("load", "even", "odd", "total"), Status.CACHED
    )


def test_a_pipeline_run_computes_the_same_apart_from_the_notebook(notebook: Notebook) -> None:
    study(notebook)
    before = notebook.ns["total"]
    notebook.run("%pipeline run --rerun")
    run = latest_run()
    assert run.status is Status.COMPLETED
    assert notebook.ns["total"] == before == 20
    inputs = steps_of(run)["total"].inputs
    assert sorted(inputs) == ["even", "odd", "weight"]
    assert inputs["weight"].kind == "parameter"


def test_a_pipeline_run_knows_the_classes_of_its_inputs(notebook: Notebook) -> None:
    notebook.run(
        "class Box:\n    def __init__(self): self.items = [0]\nbox = Box()", "%%step d\nq = list(box.items)"
    )
    notebook.run("%pipeline run --rerun")
    assert latest_run().status is Status.COMPLETED


def test_a_parameter_holds_for_that_run_only(notebook: Notebook) -> None:
    study(notebook)
    notebook.run("%pipeline run -p weight=3")
    run = latest_run()
    assert notebook.ns["total"] == 6
    assert notebook.ns["weight"] == 10
    assert run.parameters == {"weight": "3"}
    assert {n: s.status.value for n, s in steps_of(run).items()} == {
        "load": "cached",
        "even": "cached",
        "odd": "cached",
        "total": "completed",
    }
    notebook.run("%pipeline run")
    assert notebook.ns["total"] == 20


def test_a_parameter_is_read_as_the_type_of_the_variable(notebook: Notebook) -> None:
    notebook.run("fast, name = True, 'a'", "%%step s\nr = [fast, name]")
    notebook.run("%pipeline run -p fast=false -p name=3")
    assert notebook.ns["r"] == [False, "3"]


def test_a_parameter_reaches_into_functions(notebook: Notebook) -> None:
    notebook.run(
        "rate = 2\nclass Scale:\n    def by(self, v): return v * rate\ndef scaled(v): return Scale().by(v)"
    )
    notebook.run("%%step s\nr = scaled(5)")
    assert notebook.ns["r"] == 10
    notebook.run("%pipeline run -p rate=7")
    assert (notebook.ns["r"], notebook.ns["rate"]) == (35, 2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("total=3", "step 'total'"),
        ("wieght=3", "did you mean 'weight'"),
        ("weight", "NAME=VALUE"),
        ("weight=heavy", "a number (10 in the notebook), and 'heavy' is not"),
    ],
)
def test_a_parameter_that_cannot_be_given_is_refused(notebook: Notebook, given: str, said: str) -> None:
    study(notebook)
    ran = notebook.cell(f"%pipeline run -p {given}")
    assert said in str(ran.error)


def test_a_failing_step_skips_what_needs_it_and_the_rest_finishes(notebook: Notebook) -> None:
    notebook.run("bad = 0", *CELLS[:1], "%%step ratio\nratio = sum(numbers) / (1 - bad)")
    notebook.run("%%step after\nafter = ratio + 1", "%%step free\nfree = len(numbers)")
    ran = notebook.cell("%pipeline run -p bad=1 --rerun")
    assert isinstance(ran.error, ZeroDivisionError)
    run = latest_run()
    found = steps_of(run)
    assert run.status is Status.FAILED
    assert {name: step.status.value for name, step in found.items()} == {
        "load": "completed",
        "ratio": "failed",
        "after": "skipped",
        "free": "completed",
    }
    assert "'ratio'" in found["after"].reason
    assert found["ratio"].failure.type == "ZeroDivisionError"
    assert not found["ratio"].outputs


def test_a_damaged_artifact_that_a_step_is_about_to_read_is_made_again_first(
    notebook: Notebook, tmp_path: Path
) -> None:
    notebook.run(
        "k = 1", "%%step big\nimport numpy as np\nx = np.arange(100_000)", "%%step use\nlast = int(x[-k])"
    )
    (blob,) = [
        path for path in (tmp_path / "home").rglob("*") if path.is_file() and path.stat().st_size >= 800_000
    ]
    content = bytearray(blob.read_bytes())
    content[-1] ^= 255
    blob.chmod(0o600)
    blob.write_bytes(content)
    notebook.run("%pipeline run -p k=2")
    found = steps_of(latest_run())
    assert found["big"].status is Status.COMPLETED
    assert found["big"].reason == "`x v1` is not in artifact store 'default'"
    assert found["use"].status is Status.COMPLETED
    assert (int(notebook.ns["x"][-1]), notebook.ns["last"]) == (99_999, 99_998)


def test_from_and_only_narrow_the_run(notebook: Notebook) -> None:
    study(notebook)
    notebook.run("%pipeline run --from even --rerun")
    assert sorted(steps_of(latest_run())) == ["even", "total"]
    notebook.run("%pipeline run --only odd --rerun")
    assert sorted(steps_of(latest_run())) == ["odd"]
    ran = notebook.cell("%pipeline run --only od")
    assert "did you mean 'odd'" in str(ran.error)


def test_a_second_stack_in_the_words_of_zenmls_guide_runs_the_same_cells(notebook: Notebook) -> None:
    study(notebook)
    notebook.run(
        "%artifact-store register my_artifact_store --flavor=local",
        "%stack register my_stack -o default -a my_artifact_store",
        "%stack set my_stack",
    )
    first = study(notebook)
    assert [ran.status for ran in first[1:]] == ["cached"] * 4
    assert first[1].reason == "copied from artifact store 'default'"
    again = study(notebook)
    assert [ran.status for ran in again[1:]] == ["cached"] * 4
    notebook.run("%stack set default")
    back = study(notebook)
    assert [ran.status for ran in back[1:]] == ["cached"] * 4
    assert {run.stack.name for run in api.runs()} == {"default", "my_stack"}
    assert notebook.ns["total"] == 20


def test_the_stack_set_here_is_the_one_later_kernels_start_with(notebook: Notebook) -> None:
    notebook.run("%stack register other -o default -a default --set")
    notebook.restart()
    assert api.workspace().active == "other"


def test_steps_side_by_side_in_threads_on_a_memory_store(notebook: Notebook) -> None:
    notebook.run(
        "%orchestrator register pool --flavor=threads --workers=2",
        "%artifact-store register ram --flavor=memory",
        "%stack register quick -o pool -a ram --set",
    )
    ran = study(notebook)
    assert [each.status for each in ran[1:]] == ["completed"] * 4
    notebook.run("%pipeline run --rerun")
    assert latest_run().status is Status.COMPLETED
    assert notebook.ns["total"] == 20


def test_a_step_on_another_orchestrator_prints_raises_and_defines_as_in_the_kernel(
    notebook: Notebook,
) -> None:
    notebook.run(
        "%orchestrator register pool --flavor=threads",
        "%artifact-store register ram --flavor=memory",
        "%stack register quick -o pool -a ram --set",
        "import math\ndef double(v): return v * 2\nn = 4",
    )
    (ran,) = notebook.run(
        "%%step s\nprint('hello')\ndef half(v): return v / 2\nr = double(n) + math.floor(1.5)\nr"
    )
    assert "hello" in ran.out
    assert (notebook.ns["r"], notebook.ns["half"](4)) == (9, 2)
    bad = notebook.cell("%%step b\nq = 1\nq / 0")
    assert isinstance(bad.error, ZeroDivisionError)
    assert bad.status == "failed"
    assert "q" not in notebook.ns


def test_magic_lines_are_refused_where_steps_do_not_run_in_the_kernel(notebook: Notebook) -> None:
    notebook.run(
        "%orchestrator register pool --flavor=threads",
        "%artifact-store register ram --flavor=memory",
        "%stack register quick -o pool -a ram",
        "%%step s\nx = 1\n%time y = x + 1",
    )
    ran = notebook.cell("%%step s --stack quick\nx = 5\n%time y = x + 1")
    assert "line 3: `%time y = x + 1` works only in the kernel" in str(ran.error)
    assert "'pool' (threads)" in str(ran.error)
    assert (notebook.ns["x"], notebook.ns["y"]) == (1, 2)
    piped = notebook.cell("%pipeline run --stack quick")
    assert "works only in the kernel" in str(piped.error)


def test_what_a_step_showed_on_another_stack_does_not_stand_in_the_way(notebook: Notebook) -> None:
    cell = "%%step s\nimport time\nx = 1\nprint(time.perf_counter_ns())"
    notebook.run("%artifact-store register second --flavor=local", "%stack register two -o default -a second")
    (first,) = notebook.run(cell)
    notebook.run("%stack set two", cell, "%stack set default")
    notebook.run("%pipeline run")
    assert latest_run().status is Status.CACHED
    (again,) = notebook.run(cell)
    assert (again.status, again.out) == ("cached", first.out)


def test_one_step_may_choose_another_stack(notebook: Notebook) -> None:
    notebook.run("%artifact-store register second --flavor=local", "%stack register two -o default -a second")
    notebook.run("%%step s --stack two\nx = 1")
    assert latest_run().stack.name == "two"
    assert api.workspace().active == "default"
    ran = notebook.cell("%%step s --stack tow\nx = 1")
    assert "did you mean 'two'" in str(ran.error)


def test_two_runs_at_once_from_threads_both_succeed(notebook: Notebook) -> None:
    study(notebook)
    pipeline = notebook.shell.zennb_hooks.pipeline
    ended: list[Status] = []

    def go() -> None:
        run = pipeline.run_pipeline(parameters={}, stack=None, start=None, only=None, rerun=True)
        ended.append(run.status)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [Status.COMPLETED] * 2


def test_status_says_what_would_run_and_why(notebook: Notebook) -> None:
    notebook.run("def even_only(v): return [n for n in v if n % 2 == 0]", CELLS[0])
    notebook.run("%%step even\neven = even_only(numbers)", "%%step size\nsize = len(even)")
    plan = notebook.shell.zennb_hooks.pipeline.plan()
    assert [step.state for step in plan.steps] == ["fresh"] * 3
    notebook.run("def even_only(v): return [n for n in v if not n % 2]")
    plan = notebook.shell.zennb_hooks.pipeline.plan()
    assert {step.name: step.state.value for step in plan.steps} == {
        "load": "fresh",
        "even": "stale",
        "size": "may run",
    }
    assert "`even_only` changed" in plan.steps[1].reason
    assert [(edge.start, edge.end, edge.names) for edge in plan.edges] == [
        ("load", "even", ("numbers",)),
        ("even", "size", ("even",)),
    ]
    assert "`even_only` changed" in " ".join(notebook.shell.zennb_hooks.pipeline.explain("even"))


def test_an_input_changed_in_place_flows_to_later_readers_only(notebook: Notebook) -> None:
    notebook.run(
        "%%step make\nxs = [1]",
        "%%step early\nfirst = len(xs)",
        "%%step grow\nxs.append(2)",
        "%%step late\nsecond = len(xs)",
    )
    notebook.run("%pipeline run --rerun")
    assert (notebook.ns["first"], notebook.ns["second"], notebook.ns["xs"]) == (1, 2, [1, 2])
    edges = [(edge.start, edge.end, edge.names) for edge in notebook.shell.zennb_hooks.pipeline.plan().edges]
    assert ("make", "early", ("xs",)) in edges
    assert ("grow", "late", ("xs",)) in edges
    assert ("make", "late", ("xs",)) not in edges


def test_every_view_magic_shows_something(notebook: Notebook) -> None:
    study(notebook)
    notebook.run("%pipeline run")
    for line in (
        "%stack",
        "%stack list",
        "%stack describe",
        "%orchestrator list",
        "%artifact-store flavor list",
        "%pipeline",
        "%pipeline show",
        "%pipeline status",
        "%pipeline explain total",
        "%runs",
        "%runs show 1",
        "%runs compare 1 2",
        "%runs logs 1",
        "%runs logs 1 total",
        "%artifacts",
        "%artifacts show total",
        "%artifacts history total",
        "%artifacts lineage total",
        "%zennb components",
    ):
        (ran,) = notebook.run(line)
        assert ran.displays, line
        assert {"text/plain", "text/html"} <= set(ran.displays[-1]["data"]), line
    assert notebook.cell("%artifacts load total").result == 20


def test_a_long_step_begins_when_the_work_before_it_is_on_record(notebook: Notebook) -> None:
    recorded = (
        "from zennb import api\n"
        "metadata = api.workspace().metadata\n"
        "done = sorted(step.name for step in metadata.steps(metadata.runs(limit=1)[0].id))\n"
        "del metadata"
    )
    notebook.run(
        "import time",
        "%%step early\nearly = time.sleep(0.002)",
        "%%step late --after early\nlate = time.sleep(0.06)",
        f"%%step look --after late\n{recorded}",
    )
    notebook.run("%pipeline run --rerun")
    assert notebook.ns["done"] == ["early", "late"]


def test_a_step_that_equals_another_of_the_same_run_takes_its_result_over(notebook: Notebook) -> None:
    notebook.run("start = 1", "%%step one\nx = start + 1", "%%step two --after one\nx = start + 1")
    notebook.run("start = 2", "%pipeline run")
    assert {name: step.status.value for name, step in steps_of(latest_run()).items()} == {
        "one": "completed",
        "two": "cached",
    }
