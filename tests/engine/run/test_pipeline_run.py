"""A run of a pipeline: what is skipped, tried again, reused and abandoned, and what is recorded of it."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.engine.steps import Notebook, Scripted, step
from zennb.components.component import Visibility
from zennb.components.orchestrators.local import LocalOrchestrator
from zennb.core.records.records import Status
from zennb.engine.run.pipeline_run import PipelineRun
from zennb.engine.step.outcome import StepOutcome
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from zennb.core.records.records import Run, Step
    from zennb.engine.run.run_request import FinishedRun
    from zennb.engine.step.request import Channels, StepRequest


def states(finished: FinishedRun) -> dict[str, str]:
    return {name: each.status.value for name, each in finished.steps.items()}


def test_a_run_gives_each_step_what_the_one_before_made(notebook: Notebook) -> None:
    notebook.cell("b = 'the notebook has another'")
    finished = notebook.run(step("a = 1", "first"), step("b = a + 1", "second"), step("c = [a, b]", "third"))
    assert states(finished) == {"first": "completed", "second": "completed", "third": "completed"}
    assert finished.repository.load(finished.steps["third"].outputs) == {"c": [1, 2]}
    assert (finished.run.status, finished.error) == (Status.COMPLETED, None)
    assert notebook.namespace["b"] == "the notebook has another"


def test_what_a_run_did_is_recorded(notebook: Notebook) -> None:
    finished = notebook.run(step("a = 1", "first"), step("b = a + 1", "second"), parameters={"k": "2"})
    assert finished.run.id is not None
    recorded = notebook.metadata.run(finished.run.id)
    assert recorded is not None
    assert (recorded.status, recorded.kind, recorded.parameters) == (Status.COMPLETED, "pipeline", {"k": "2"})
    assert recorded.versions["python"]
    steps = notebook.metadata.steps(finished.run.id)
    assert [each.name for each in steps] == ["first", "second"]
    assert {each.run for each in steps} == {finished.run.id}
    assert steps[1].inputs["a"].id == steps[0].outputs["a"].id
    assert all(notebook.store.has(each.blob) for one in steps for each in one.outputs.values())


def test_that_the_last_step_has_ended_is_told_before_the_run_is_recorded_as_ended(notebook: Notebook) -> None:
    told: list[tuple[bool, dict[str, str]]] = []

    def on_change(run: Run, steps: Mapping[str, Step]) -> None:
        recorded = notebook.metadata.run(run.id or 0)
        assert recorded is not None
        told.append((recorded.status.is_final, {name: each.status.value for name, each in steps.items()}))

    request = notebook.run_request(step("a = 1", "first"), step("b = a + 1", "second"))
    PipelineRun(request, run_context=notebook.run_context, on_change=on_change, pause=0.0).execute()
    before = [steps for is_final, steps in told if not is_final]
    # Whoever attaches to a run in the background stops reading once it is recorded as ended.
    assert before[-1] == {"first": "completed", "second": "completed"}


def test_a_run_that_is_recorded_elsewhere_records_nothing(notebook: Notebook) -> None:
    request = notebook.run_request(step("a = 1", "first"))
    finished = PipelineRun(request, run_context=notebook.run_context, recorded=False).execute()
    assert states(finished) == {"first": "completed"}
    assert finished.run.id is None
    assert notebook.metadata.runs() == []
    assert notebook.store.has(finished.steps["first"].outputs["a"].blob)  # stored all the same


def test_the_second_run_is_cached_as_a_whole(notebook: Notebook) -> None:
    definitions = step("a = 1", "first"), step("b = a + 1", "second")
    first = notebook.run(*definitions)
    for more in ({}, {"previous": notebook.previous()}):
        again = notebook.run(*definitions, **more)
        assert states(again) == {"first": "cached", "second": "cached"}
        assert again.run.status is Status.CACHED
        assert again.steps["second"].reused == first.steps["second"].id
        assert again.steps["second"].reason == f"same code and inputs as run {first.run.id}"
    forced = notebook.run(*definitions, previous=notebook.previous(), rerun=True)
    assert states(forced) == {"first": "completed", "second": "completed"}
    assert forced.steps["first"].reason == "asked for with --rerun"


def test_a_run_with_one_step_that_ran_is_completed(notebook: Notebook) -> None:
    notebook.run(step("a = 1", "first"), step("b = a + 1", "second"))
    again = notebook.run(step("a = 1", "first"), step("b = a + 2", "second"))
    assert states(again) == {"first": "cached", "second": "completed"}
    assert again.run.status is Status.COMPLETED


def test_the_same_step_twice_in_a_run_runs_once(notebook: Notebook) -> None:
    finished = notebook.run(step("a = [1]", "first"), step("a = [1]", "second", after=("first",)))
    assert states(finished) == {"first": "completed", "second": "cached"}


# Failures


def test_what_needs_a_failed_step_is_skipped_with_its_cause_and_the_rest_runs(notebook: Notebook) -> None:
    finished = notebook.run(
        step("a = 1 / 0", "bad"),
        step("b = a", "child"),
        step("c = b", "grandchild"),
        step("d = 1", "apart"),
        step("e = 1", "later", after=("grandchild",)),
    )
    assert states(finished) == {
        "bad": "failed",
        "child": "skipped",
        "grandchild": "skipped",
        "apart": "completed",
        "later": "skipped",
    }
    reasons = {finished.steps[name].reason for name in ("child", "grandchild", "later")}
    assert reasons == {"needs step 'bad', which failed"}  # the one to blame, through those skipped
    assert finished.run.status is Status.FAILED
    assert isinstance(finished.error, ZeroDivisionError)
    failure = finished.steps["bad"].failure
    assert failure is not None
    assert (failure.type, failure.message) == ("ZeroDivisionError", "division by zero")
    assert not finished.steps["bad"].reusable
    assert not finished.steps["child"].reusable


def test_steps_that_ended_at_once_are_taken_in_the_order_in_which_they_began(notebook: Notebook) -> None:
    finished = notebook.run(*(step(f"raise ValueError({number})", f"step{number}") for number in range(8)))
    assert str(finished.error) == "0"  # the first that was raised
    recorded = notebook.metadata.steps(finished.run.id or 0)
    assert [each.name for each in recorded] == [f"step{number}" for number in range(8)]


def test_a_step_that_cannot_be_resolved_fails_alone(notebook: Notebook) -> None:
    finished = notebook.run(
        step("y = 1", "bad", inputs=("absent",)), step("z = y", "child"), step("w = 1", "other")
    )
    assert states(finished) == {"bad": "failed", "child": "skipped", "other": "completed"}
    assert isinstance(finished.error, StepRefused)
    assert finished.steps["bad"].cache_key == ""


def test_what_a_failed_step_showed_is_kept(notebook: Notebook) -> None:
    finished = notebook.run(step("print('so far')\n1 / 0", "bad"))
    assert notebook.store.has(finished.steps["bad"].displays)


def test_a_lost_worker_ends_its_step_and_not_the_run(notebook: Notebook, scripted: Scripted) -> None:
    def play(request: StepRequest, channels: Channels) -> Future[StepOutcome]:
        future: Future[StepOutcome] = Future()
        if request.definition.name == "lost":
            future.set_exception(RuntimeError("the worker died"))
        else:
            future.set_result(StepOutcome())
        return future

    scripted.play = play
    finished = notebook.run(step("a = 1", "lost"), step("b = 1", "other"))
    assert states(finished) == {"lost": "failed", "other": "completed"}
    assert str(finished.error) == "the worker died"


# Order and outputs


def test_all_that_is_ready_begins_in_order_before_anything_is_waited_for(
    notebook: Notebook, scripted: Scripted
) -> None:
    notebook.run(
        step("c = 1", "third", after=("second",)),
        step("a = 1", "first"),
        step("b = a", "second"),
        step("d = 1", "fourth"),
    )
    assert scripted.submitted == ["first", "fourth", "second", "third"]


def test_a_step_begins_only_when_all_that_it_waits_for_has_ended(
    notebook: Notebook, scripted: Scripted
) -> None:
    running: dict[str, Future[StepOutcome]] = {}
    ended: list[str] = []

    def end(name: str) -> None:
        ended.append(name)
        running[name].set_result(StepOutcome())

    def play(request: StepRequest, _channels: Channels) -> Future[StepOutcome]:
        name = request.definition.name
        running[name] = Future()
        if name == "both":
            assert sorted(ended) == ["one", "two"]
            end(name)
        else:
            threading.Timer(0.05 if name == "one" else 0.15, end, [name]).start()
        return running[name]

    scripted.play = play
    finished = notebook.run(step("a = 1", "one"), step("b = 1", "two"), step("c = [a, b]", "both"))
    assert finished.run.status is Status.COMPLETED


def test_steps_that_are_not_chosen_give_what_they_last_made(notebook: Notebook) -> None:
    definitions = step("a = 1", "first"), step("b = a + 1", "second")
    made = notebook.run(*definitions).steps["first"].outputs
    finished = notebook.run(*definitions, chosen=("second",), last={"first": made}, rerun=True)
    assert states(finished) == {"second": "completed"}
    assert finished.repository.load(finished.steps["second"].outputs) == {"b": 2}


def test_a_step_on_which_is_decided_already_runs(notebook: Notebook) -> None:
    definition = step("a = 1", "first")
    notebook.run(definition)
    resolved = notebook.resolve(definition)
    decision = replace(notebook.run_context.decide(resolved), reuse=None, reason="because")
    finished = notebook.run(definition, decided={"first": (resolved, decision)})
    assert finished.steps["first"].status is Status.COMPLETED
    assert finished.steps["first"].reason == "because"


def test_what_steps_show_is_heard_with_their_names(notebook: Notebook) -> None:
    heard: list[tuple[str, str]] = []
    PipelineRun(
        notebook.run_request(step("print('x')", "one"), step("print('y')", "two")),
        run_context=notebook.run_context,
        on_output=lambda name, event: heard.append((name, event["text"].strip())),
    ).execute()
    assert [each for each in heard if each[1]] == [("one", "x"), ("two", "y")]


def test_damaged_outputs_are_made_again_by_the_step_that_made_them(notebook: Notebook) -> None:
    definitions = step("a = list(range(30000))", "maker"), step("b = len(a)", "reader")
    first = notebook.run(*definitions)
    notebook.store.delete(first.steps["maker"].outputs["a"].blob)
    again = notebook.run(*definitions[:1], step("b = len(a) + 1", "reader"))
    assert states(again) == {"maker": "completed", "reader": "completed"}
    assert again.steps["maker"].reason == "`a v1` is not in artifact store 'default'"


def test_bytes_that_turn_out_to_be_unreadable_put_the_reader_off(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store says that they are there, as one with a flipped bit would, until they are read."""
    notebook.run(step("a = list(range(100000))", "maker"), step("b = len(a)", "reader"))
    made = notebook.previous()["maker"].outputs["a"]
    get, asked = notebook.store.get, list[str]()

    def damaged(digest: str) -> Any:
        if digest == made.blob and not asked:
            asked.append(digest)
            notebook.store.delete(digest)
        return get(digest)

    monkeypatch.setattr(notebook.store, "get", damaged)
    finished = notebook.run(step("a = list(range(100000))", "maker"), step("b = len(a) + 1", "reader"))
    assert asked == [made.blob]
    assert states(finished) == {"maker": "completed", "reader": "completed"}
    assert finished.repository.load(finished.steps["reader"].outputs) == {"b": 100001}


def test_results_are_held_back_only_where_nobody_else_needs_them(notebook: Notebook) -> None:
    def is_held_back() -> bool:
        content = [b"content"]
        return not notebook.store.has(notebook.pipeline(step("a = 1", "first"))._context.store.put(content))

    assert is_held_back()

    class Far(LocalOrchestrator):
        visibility = Visibility.MACHINE

    notebook.run_context = replace(notebook.run_context, orchestrator=Far.from_config("far", {}))
    assert not is_held_back()
