"""The verdict on a step at one stack, and the records of what became of it."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.steps import Notebook, step
from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.components.orchestrators.local import LocalOrchestrator
from zennb.core.planning.cache_decision import CacheDecision
from zennb.core.records.observed import Carried, Observed
from zennb.core.records.records import Artifact, Attempt, Failure, Status, Step
from zennb.digests.digest import digest_value
from zennb.engine.run.ended_run import run_versions
from zennb.engine.run.failures import failure_of, is_interrupt
from zennb.engine.run.other_stores import OtherStores
from zennb.engine.run.run_context import LARGE
from zennb.engine.run.unit_of_work import UnitOfWork, WriteBuffer
from zennb.engine.step.outcome import StepOutcome
from zennb.errors import StepRefused, StoreError

if TYPE_CHECKING:
    from zennb.engine.step.definition import StepDefinition

RUN = CacheDecision(reason="first run")


def unit_of_work(notebook: Notebook, previous: dict[str, Step]) -> UnitOfWork:
    return UnitOfWork(notebook.metadata, WriteBuffer(notebook.store), previous=previous)


def recorded(notebook: Notebook, definition: StepDefinition, **fields: Any) -> Step:
    """Record that a step made `y` and put its bytes into the store."""
    resolved = notebook.resolve(definition)
    value = fields.pop("value", [1])
    kept = notebook.run_context.artifacts.save({"y": (value, digest_value(value))}).artifacts
    made = notebook.run_context.made_step(
        resolved, RUN, StepOutcome(artifacts=kept, seconds=1.0), inputs={}, started=time.time()
    )
    run = notebook.run_context.new_run("session")
    return notebook.metadata.add(replace(made, **fields), run=run)


def decision(notebook: Notebook, definition: StepDefinition, **more: Any) -> CacheDecision:
    return notebook.run_context.decide(notebook.resolve(definition), **more)


def test_a_step_that_made_its_results_before_is_reused(notebook: Notebook) -> None:
    definition = step("y = [1]")
    assert decision(notebook, definition) == CacheDecision(reason="first run")
    made = recorded(notebook, definition)
    found = decision(notebook, definition)
    assert found.reuse is not None
    assert (found.reuse.id, found.reason) == (made.id, f"same code and inputs as run {made.run}")


def test_the_newest_result_is_reused_and_an_older_one_when_the_newest_is_incomplete(
    notebook: Notebook,
) -> None:
    definition = step("y = [1]")
    older, newer = recorded(notebook, definition), recorded(notebook, definition)
    found = decision(notebook, definition).reuse
    assert found is not None
    assert found.id == newer.id
    # What it showed, or the settings it changed, may be kept in the store of another stack only.
    shown_elsewhere = recorded(notebook, definition, displays="0" * 64)
    carried = Carried(blob="1" * 64, materializer="json", names=("n",))
    recorded(notebook, definition, carried=carried)
    found = decision(notebook, definition).reuse
    assert found is not None
    assert found.id == newer.id
    notebook.store.delete(newer.outputs["y"].blob)
    assert older.outputs["y"].blob == newer.outputs["y"].blob
    gone = decision(notebook, definition)
    assert gone.reuse is None
    assert gone.reason == "`y v1` is not in artifact store 'default'"
    assert shown_elsewhere.id != newer.id


def test_options_that_force_a_run_win(notebook: Notebook) -> None:
    recorded(notebook, step("y = [1]"))
    assert decision(notebook, step("y = [1]"), asked="--rerun").reason == "asked for with --rerun"
    assert decision(notebook, step("y = [1]", rerun=True)).reason == "asked for with --rerun"
    assert decision(notebook, step("y = [1]", cache=False)).reason == "asked for with --no-cache"
    assert decision(notebook, step("y = [1]")).reuse is not None


def test_a_key_that_cannot_be_trusted_is_not_looked_for(notebook: Notebook) -> None:
    notebook.cell("g = (i for i in ())")
    definition = step("y = list(g)")
    made = recorded(notebook, definition)
    known = unit_of_work(notebook, {"s": made})
    for found in (decision(notebook, definition), decision(notebook, definition, known=known)):
        assert found.reuse is None
        assert found.reason.startswith("not cacheable: it reads `g`")


def test_an_expired_result_is_the_reason(notebook: Notebook) -> None:
    definition = step("y = [1]")
    recorded(notebook, definition, expires=time.time() - 10)
    assert decision(notebook, definition).reason.startswith("expired")


def test_a_file_that_changed_is_the_reason_unless_the_overlay_says_how_it_will_be(notebook: Notebook) -> None:
    definition = step("y = [1]")
    recorded(notebook, definition, observed=Observed(files={"absent.csv": "a state"}))
    assert decision(notebook, definition).reason == "absent.csv is gone"
    assert decision(notebook, definition, overlay={"absent.csv": "a state"}).reuse is not None
    assert decision(notebook, definition, overlay={"absent.csv": "other"}).reason == "absent.csv changed"


def test_the_reduced_key_comes_first(notebook: Notebook) -> None:
    definition = step("for x in xs: best = x\ny = best")
    notebook.cell("xs = [1]")
    reduced = recorded(notebook, definition)
    notebook.cell("best = 1")
    resolved = notebook.resolve(definition)
    assert resolved.key_without_maybe_reads == reduced.cache_key
    found = notebook.run_context.decide(resolved).reuse
    assert found is not None
    assert found.id == reduced.id
    full = recorded(notebook, definition)
    assert full.cache_key != reduced.cache_key
    found = notebook.run_context.decide(resolved).reuse
    assert found is not None
    assert found.id == reduced.id


def test_what_was_asked_beforehand_is_used_while_nothing_around_it_changed(notebook: Notebook) -> None:
    definition = step("y = [1]")
    made = recorded(notebook, definition)

    def known(found: Step) -> UnitOfWork:
        return unit_of_work(notebook, {"s": found})

    assert decision(notebook, definition, known=known(made)).reuse == made
    changed = recorded(notebook, definition, observed=Observed(files={"absent.csv": "a state"}))
    other = decision(notebook, definition, known=known(changed)).reuse
    assert other is not None
    assert other.id == made.id  # an older one that still holds is looked for as always


def test_the_reason_of_a_run_names_what_changed_since(notebook: Notebook) -> None:
    notebook.cell("a = [1]")
    made = recorded(notebook, step("y = a"))
    notebook.cell("a = [2]")
    assert decision(notebook, step("y = a")).reason == "input `a` changed"
    known = unit_of_work(notebook, {"s": made})
    assert decision(notebook, step("y = a"), known=known).reason == "input `a` changed"
    nothing = unit_of_work(notebook, {})
    assert decision(notebook, step("y = a"), known=nothing).reason == "first run"


def test_a_step_whose_unstored_output_is_read_elsewhere_runs(notebook: Notebook) -> None:
    definition = step("y = [1]\nbig = 2", no_store=("big",))
    recorded(notebook, definition)
    assert decision(notebook, definition).reuse is not None
    recorded(notebook, step("z = big", "reader", outputs=("y",)))
    assert decision(notebook, definition).reason == (
        "not cacheable: step 'reader' reads `big`, which --no-store keeps out of the store"
    )


def test_magic_lines_work_only_where_steps_run_in_the_kernel(notebook: Notebook) -> None:
    definition = step("y = 1\nget_ipython().system('ls')")
    decision(notebook, definition)

    class Far(LocalOrchestrator):
        in_kernel = False

    notebook.run_context = replace(notebook.run_context, orchestrator=Far.from_config("far", {}))
    with pytest.raises(StepRefused, match=r"step 's', line 2: `.*ls.*` works only in the kernel"):
        decision(notebook, definition)


# Bytes


def test_small_outputs_are_proven_and_large_ones_left_where_they_are(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = recorded(notebook, step("y = [1]"))
    large = recorded(notebook, step("y = 'big'"), value=bytes(LARGE + 1))
    assert small.outputs["y"].size < LARGE <= large.outputs["y"].size
    good, resolved = CacheDecision(reuse=small, reason="good"), notebook.resolve(step("y = [1]"))
    assert notebook.run_context.proven(resolved, good, small) is good

    def broken(_digest: str) -> bytes:
        raise StoreError("the bytes are damaged. They were moved aside.")

    monkeypatch.setattr(notebook.store, "get", broken)
    assert notebook.run_context.proven(resolved, good, small) == CacheDecision(reason="the bytes are damaged")
    assert notebook.run_context.proven(resolved, good, large) is good
    shown = replace(large, displays="0" * 64)
    assert notebook.run_context.proven(resolved, good, shown).reuse is None


def test_large_inputs_that_cannot_be_read_are_named(notebook: Notebook) -> None:
    def artifact(name: str, size: int, blob: str = "0" * 64) -> Artifact:
        return Artifact(name=name, digest="d", blob=blob, materializer="json", size=size, type="list")

    notebook.cell("here = [1]")
    there = notebook.store.put([b"bytes"])
    given = {
        "lost": artifact("lost", LARGE),
        "small": artifact("small", 1),
        "there": artifact("there", LARGE, there),
    }
    resolved = notebook.resolve(step("y = [lost, small, there, here]"), given=given)
    assert notebook.run_context.unreadable(resolved) == ["lost"]


def test_inputs_are_captured_unless_the_store_holds_them_already(notebook: Notebook) -> None:
    notebook.cell("a = [1]\nk = 3\nbig = [2]\ng = (i for i in ())")
    notebook.run_context = replace(notebook.run_context, unstored=lambda: {"big"})
    given = notebook.run_context.artifacts.save({"made": ([5], digest_value([5]))}).artifacts
    definition = step("y = [a, k, big, g, made]")
    kept = notebook.run_context.keep_inputs(notebook.resolve(definition, given=given))
    assert {name: each.kind for name, each in kept.items()} == {
        "a": "captured",
        "k": "parameter",
        "made": "output",
    }
    assert kept["made"] is given["made"]
    assert notebook.store.has(kept["a"].blob)


def test_an_input_that_only_another_store_holds_is_brought_here_or_captured_anew(notebook: Notebook) -> None:
    notebook.cell("a = [1]")
    elsewhere = Artifact(
        name="a",
        digest=digest_value([1]).digest,
        blob=sha256(b"[1]").hexdigest(),
        materializer="json",
        size=3,
        type="list",
    )
    notebook.variables.bind("a", notebook.namespace["a"], elsewhere, digest_value([1]))
    other = MemoryArtifactStore.from_config("other", {})
    notebook.run_context = replace(notebook.run_context, others=OtherStores(lambda: [("other", other)]))
    resolved = notebook.resolve(step("y = a"))
    assert notebook.run_context.keep_inputs(resolved)["a"].kind == "captured"
    assert other.put([b"[1]"]) == elsewhere.blob
    assert notebook.run_context.keep_inputs(resolved)["a"] is elsewhere
    assert notebook.store.get(elsewhere.blob) == b"[1]"
    known = unit_of_work(notebook, {})
    notebook.store.delete(elsewhere.blob)
    known.present.add(elsewhere.blob)
    assert notebook.run_context.keep_inputs(resolved, known=known)["a"] is elsewhere
    assert not notebook.store.has(elsewhere.blob)


def test_another_way_into_the_store_is_that_of_its_shelf_too(notebook: Notebook) -> None:
    other = MemoryArtifactStore.from_config("other", {})
    run_context = notebook.run_context.with_store(other)
    assert run_context.store is other
    assert run_context.artifacts.store is other
    assert notebook.run_context.store is notebook.store


# Records


def test_a_record_of_a_step_that_ran_says_what_came_of_it(notebook: Notebook) -> None:
    resolved = notebook.resolve(step("y = [1]", expires=60.0))
    tries = [Attempt(started=1.0, seconds=2.0, failure=Failure(type="E", message="m"))]
    outcome = StepOutcome(
        defines=("f",), deletes=("x",), displays="d", seconds=5.0, not_reusable=("why", "else")
    )
    made = notebook.run_context.made_step(resolved, RUN, outcome, inputs={}, started=100.0, attempts=tries)
    assert (made.status, made.reason, made.seconds, made.expires) == (
        Status.COMPLETED,
        "first run",
        5.0,
        165.0,
    )
    assert (made.reusable, made.unusable_because) == (False, "why")
    assert (made.defines, made.deletes, made.displays, made.attempts) == (("f",), ("x",), "d", tuple(tries))
    assert (made.cache_key, made.parts) == (resolved.cache_key, resolved.parts)
    good = notebook.run_context.made_step(resolved, RUN, StepOutcome(), inputs={}, started=1.0)
    assert (good.reusable, good.unusable_because) == (True, "")


def test_a_record_of_a_reused_step_takes_over_what_the_source_left(notebook: Notebook) -> None:
    notebook.cell("a = [1]")
    definition = step("y = a", expires=60.0)
    source = replace(
        recorded(notebook, definition),
        started=100.0,
        seconds=9.0,
        expires=None,
        defines=("f",),
        inputs={"a": Artifact(name="a", digest="d", blob="b", materializer="json", size=1, type="list")},
    )
    found = notebook.run_context.cached_step(
        notebook.resolve(definition), RUN, source, started=200.0, seconds=2.0
    )
    assert (found.status, found.reused, found.saved) == (Status.CACHED, source.id, 7.0)
    assert (found.outputs, found.defines, found.inputs) == (source.outputs, ("f",), source.inputs)
    assert found.expires == 169.0  # counted from when the results were made, not from when they were reused
    slow = notebook.run_context.cached_step(
        notebook.resolve(definition), RUN, source, started=200.0, seconds=99.0
    )
    assert slow.saved == 0.0


def test_a_record_tells_an_error_from_an_interrupt(notebook: Notebook) -> None:
    resolved = notebook.resolve(step("y = 1"))

    def failed(error: BaseException | None) -> Step:
        return notebook.run_context.failed_step(resolved, RUN, error, started=1.0, seconds=2.0)

    broken = failed(ValueError("bad"))
    assert (broken.status, broken.reusable) == (Status.FAILED, False)
    assert broken.failure is not None
    assert (broken.failure.type, broken.failure.message) == ("ValueError", "bad")
    for stopped in (failed(None), failed(KeyboardInterrupt())):
        assert (stopped.status, stopped.failure, stopped.reusable) == (Status.INTERRUPTED, None, False)


def test_a_cancelled_cell_is_interrupted() -> None:
    import asyncio
    import concurrent.futures

    for error in (KeyboardInterrupt(), asyncio.CancelledError(), concurrent.futures.CancelledError()):
        assert is_interrupt(error)
    assert not is_interrupt(SystemExit())
    assert not is_interrupt(ValueError())


def test_a_failure_shows_frames_of_the_user_only() -> None:
    def raised() -> Exception:
        try:
            step("(", "broken")  # the innermost frames are Python's, the outermost is this file's
        except SyntaxError as error:
            return error
        raise AssertionError

    found = failure_of(raised())
    assert found.type == "SyntaxError"
    assert "test_run_context.py" in found.traceback
    assert found.traceback.rstrip().splitlines()[-1].startswith("SyntaxError: ")

    with pytest.raises(Exception, match="absent") as caught:
        LocalOrchestrator.from_config("x", {"absent": "1"})
    assert "configured.py" not in failure_of(caught.value).traceback


@pytest.mark.parametrize("folder", ["zennb", "IPython"])
def test_a_failure_in_a_project_with_one_of_our_names_shows_its_frames(folder: str) -> None:
    path = f"{os.sep}home{os.sep}{folder}{os.sep}helpers.py"
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile("1 / 0", path, "exec"))
    assert path in failure_of(caught.value).traceback


def test_a_run_notes_its_surroundings_and_the_packages_its_steps_used() -> None:
    found = run_versions({"numpy": "2.0"})
    assert found["numpy"] == "2.0"
    assert {"python", "zennb", "platform"} <= set(found)
    assert "numpy" not in run_versions({})


def test_a_new_run_is_of_this_process_and_not_recorded(notebook: Notebook) -> None:
    run_context = replace(notebook.run_context, notebook="a.ipynb", parent=7)
    run = run_context.new_run("pipeline", parameters={"k": "1"})
    assert (run.id, run.kind, run.notebook, run.parent, run.parameters) == (
        None,
        "pipeline",
        "a.ipynb",
        7,
        {"k": "1"},
    )
    assert run.status is Status.RUNNING
    assert run.process
