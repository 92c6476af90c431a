"""What a run would do with each of its steps, worked out without running any."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.steps import Notebook, step
from zennb.core.planning.run_plan import Freshness
from zennb.core.records.observed import Carried, Observed
from zennb.core.records.records import Artifact, Status, Step
from zennb.digests.digest import digest_value
from zennb.engine.run.planner import RunPlanner, resolve_in_run
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.planning.run_plan import PlannedStep
    from zennb.engine.step.definition import StepDefinition


def planned(notebook: Notebook, *definitions: StepDefinition, **more: Any) -> dict[str, PlannedStep]:
    more = {"previous": notebook.previous(), **more}
    found = RunPlanner(notebook.run_request(*definitions, **more), notebook.run_context).plan()
    return {each.name: each for each in found}


def states(found: Mapping[str, PlannedStep]) -> dict[str, str]:
    return {name: each.state.value for name, each in found.items()}


CHAIN = ("a = 1", "first"), ("b = a + 1", "second"), ("c = b + 1", "third")


def chain(**texts: str) -> list[StepDefinition]:
    return [step(texts.get(name, text), name) for text, name in CHAIN]


def test_a_plan_runs_and_records_nothing(notebook: Notebook) -> None:
    found = planned(notebook, *chain())
    assert states(found) == {"first": "stale", "second": "may run", "third": "may run"}
    assert found["first"].reason == "first run"
    assert found["second"].reason == "needs step 'first', which would run again"
    assert found["second"].status == ""
    assert notebook.metadata.runs() == []
    assert list(notebook.store.digests()) == []


def test_a_plan_says_what_a_run_then_does(notebook: Notebook) -> None:
    notebook.run(*chain())
    assert set(states(planned(notebook, *chain())).values()) == {"fresh"}
    changed = chain(second="b = a + 2")
    found = planned(notebook, *changed)
    assert states(found) == {"first": "fresh", "second": "stale", "third": "may run"}
    assert found["second"].reason == "its code changed"
    ran = notebook.run(*changed).steps
    assert {name: each.status.value for name, each in ran.items()} == {
        "first": "cached",
        "second": "completed",
        "third": "completed",
    }
    assert (found["third"].reads, found["third"].binds, found["third"].status) == (
        ("b",),
        ("c",),
        "completed",
    )


def test_a_step_that_makes_the_same_again_lets_the_next_be_reused(notebook: Notebook) -> None:
    notebook.run(*chain())
    changed = chain(first="a = 2 - 1")
    assert states(planned(notebook, *changed)) == {"first": "stale", "second": "may run", "third": "may run"}
    ran = notebook.run(*changed).steps
    assert [each.status for each in ran.values()] == [Status.COMPLETED, Status.CACHED, Status.CACHED]


def test_a_step_that_runs_whatever_comes_before_it_is_stale(notebook: Notebook) -> None:
    notebook.run(*chain())
    for options, reason in (
        ({"cache": False}, "asked for with --no-cache"),
        ({"rerun": True}, "asked for with --rerun"),
    ):
        second = step("b = a + 1", "second", **options)
        found = planned(notebook, step("a = 5", "first"), second)
        assert (found["second"].state, found["second"].reason) == (Freshness.STALE, reason)
    forced = planned(notebook, *chain(), rerun=True)
    assert {each.reason for each in forced.values()} == {"asked for with --rerun"}


def test_a_step_that_cannot_be_resolved_says_why_unless_one_before_it_may_mend_it(notebook: Notebook) -> None:
    bad = step("y = 1", "bad", inputs=("absent",))
    found = planned(notebook, bad)
    assert found["bad"].state is Freshness.STALE
    assert "no variable `absent`" in found["bad"].reason
    waiting = planned(notebook, step("a = 1", "first"), step("y = a", "bad", inputs=("absent",)))
    assert (waiting["bad"].state, waiting["bad"].reason) == (
        Freshness.MAY_RUN,
        "needs step 'first', which would run again",
    )


def test_what_is_wholly_ignored_does_not_make_a_step_wait(notebook: Notebook) -> None:
    def steps(first: str) -> list[StepDefinition]:
        return [step(first, "first"), step("b = [a]", "second", ignore=("a",))]

    notebook.run(*steps("a = 1"))
    assert states(planned(notebook, *steps("a = 2"))) == {"first": "stale", "second": "fresh"}


def test_only_known_steps_are_resolved(notebook: Notebook) -> None:
    planner = RunPlanner(
        notebook.run_request(step("a = 1", "good"), step("y = 1", "bad", inputs=("absent",))),
        notebook.run_context,
    )
    planner.plan()
    assert set(planner.resolved) == {"good"}


def test_the_last_outputs_are_those_that_no_later_step_makes_anew(notebook: Notebook) -> None:
    definitions = [step("a = 1\nb = 2", "first"), step("b = a + 1", "second"), step("c = b", "third")]
    notebook.run(*definitions)
    planner = RunPlanner(
        notebook.run_request(*definitions, previous=notebook.previous()), notebook.run_context
    )
    planner.plan()
    assert set(planner.last_outputs("first")) == {"a"}
    assert set(planner.last_outputs("second")) == {"b"}
    assert planner.last_outputs("third") == planner._outputs["third"]


def test_a_step_that_will_run_gives_the_plan_what_it_made_last_if_that_was_good(notebook: Notebook) -> None:
    notebook.run(*chain())
    previous = notebook.previous()
    planner = RunPlanner(notebook.run_request(*chain(first="a = 9"), previous=previous), notebook.run_context)
    planner.plan()
    assert planner.last_outputs("first") == previous["first"].outputs
    failed = {**previous, "first": replace(previous["first"], status=Status.FAILED)}
    planner = RunPlanner(notebook.run_request(*chain(first="a = 9"), previous=failed), notebook.run_context)
    planner.plan()
    assert planner.last_outputs("first") == {}


# What reused steps leave around them


def record(notebook: Notebook, definition: StepDefinition, **fields: Any) -> None:
    resolved = notebook.resolve(definition)
    made = Step(
        name=definition.name,
        status=Status.COMPLETED,
        cache_key=resolved.cache_key,
        parts=resolved.parts,
        source=definition.source,
        started=time.time(),
        **fields,
    )
    notebook.metadata.add(made, run=notebook.run_context.new_run("session"))


def test_a_file_that_a_reused_step_would_bring_about_counts_for_the_steps_after_it(
    notebook: Notebook,
) -> None:
    writer, reader = step("pass", "writer"), step("1", "reader")
    record(notebook, writer, observed=Observed(restored={"absent.csv": "a state"}))
    record(notebook, reader, observed=Observed(files={"absent.csv": "a state"}))
    assert states(planned(notebook, reader)) == {"reader": "stale"}
    assert states(planned(notebook, writer, reader)) == {"writer": "fresh", "reader": "fresh"}
    assert states(planned(notebook, reader, writer)) == {"reader": "stale", "writer": "fresh"}


def test_the_last_step_that_brings_a_file_about_counts(notebook: Notebook) -> None:
    one, two, reader = step("pass", "one"), step("pass; pass", "two"), step("1", "reader")
    record(notebook, one, observed=Observed(restored={"absent.csv": "one"}))
    record(notebook, two, observed=Observed(restored={"absent.csv": "absent"}))
    record(notebook, reader, observed=Observed(files={"absent.csv": "one"}))
    assert states(planned(notebook, one, reader))["reader"] == "fresh"
    assert states(planned(notebook, one, two, reader))["reader"] == "stale"
    assert states(planned(notebook, two, one, reader))["reader"] == "fresh"


def test_a_setting_that_an_old_record_does_not_tell_of_is_unknown_afterwards(notebook: Notebook) -> None:
    digest = notebook.run_context.environment.settings.digest("decimal context")
    setter, reader = step("pass", "setter"), step("1", "reader")
    blob = notebook.run_context.artifacts.save_changes({"decimal context": {}})
    record(notebook, reader, observed=Observed(settings={"decimal context": digest}))
    record(
        notebook, setter, carried=Carried(blob=blob.blob, materializer=blob.materializer, names=blob.names)
    )
    assert states(planned(notebook, reader)) == {"reader": "fresh"}
    found = planned(notebook, setter, reader)
    assert states(found) == {"setter": "fresh", "reader": "stale"}
    assert found["reader"].reason == "decimal context changed"
    record(
        notebook,
        setter,
        carried=Carried(blob=blob.blob, materializer=blob.materializer, names=blob.names),
        observed=Observed(left={"decimal context": digest}),
    )
    assert states(planned(notebook, setter, reader)) == {"setter": "fresh", "reader": "fresh"}


@pytest.mark.parametrize(
    ("text", "observed", "thing"),
    [
        ("open('data.csv', 'w')", Observed(files={"data.csv": "absent"}), "data.csv"),
        ("os.environ['MODE'] = 'x'", Observed(environment={"MODE": "absent"}), "environment variable MODE"),
        ("getcontext().prec = 3", Observed(settings={"decimal context": ""}), "the decimal context"),
    ],
)
def test_what_a_step_that_runs_may_change_makes_later_ones_doubtful(
    notebook: Notebook, text: str, observed: Observed, thing: str
) -> None:
    settings = {name: notebook.run_context.environment.settings.digest(name) for name in observed.settings}
    reader = step("1", "reader")
    record(notebook, reader, observed=replace(observed, settings=settings))
    harmless, changing = step("x = 1", "before"), step(text, "before")
    assert states(planned(notebook, harmless, reader)) == {"before": "stale", "reader": "fresh"}
    found = planned(notebook, changing, reader)["reader"]
    assert (found.state, found.reason) == (
        Freshness.MAY_RUN,
        f"step 'before', which would run again, may change {thing}",
    )
    assert states(planned(notebook, reader, changing))["reader"] == "fresh"


def test_a_step_of_which_nothing_is_known_may_change_anything(notebook: Notebook) -> None:
    reader = step("1", "reader")
    record(notebook, reader, observed=Observed(files={"absent.csv": "absent"}))
    found = planned(notebook, step("y = 1", "bad", inputs=("nowhere",)), reader)
    assert found["reader"].reason == "step 'bad', which would run again, may change absent.csv"


# Resolving a step of a run


def output(name: str, **fields: Any) -> Artifact:
    found = {"digest": f"digest of {name}", "blob": f"blob of {name}", "materializer": "json", "size": 1}
    return Artifact(name=name, type="list", **{**found, **fields})


def gives(**made: Artifact) -> Callable[[str], Mapping[str, Artifact]]:
    return lambda source: made if source == "maker" else {}


def test_an_input_is_what_the_other_step_made(notebook: Notebook) -> None:
    notebook.cell("a = 'of the notebook'")
    request = notebook.run_request(step("a = [1]", "maker"), step("y = a", "reader"))
    found = resolve_in_run(request, "reader", gives(a=output("a"), b=output("b")))
    assert found.parts.inputs == {"a": "digest of a"}
    nothing = resolve_in_run(request, "reader", lambda _source: {})
    assert nothing.parts.inputs == {"a": digest_value("of the notebook").digest}


def test_what_was_stored_together_with_an_input_is_one_too(notebook: Notebook) -> None:
    a, b = output("a", blob="one", item="a"), output("b", blob="one", item="b")
    made = gives(a=a, b=b, c=output("c"))
    request = notebook.run_request(step("a = b = [1]", "maker"), step("a.append(1)", "reader"))
    assert set(resolve_in_run(request, "reader", made).parts.inputs) == {"a", "b"}
    alone = gives(a=replace(a, item=None), b=b)
    assert set(resolve_in_run(request, "reader", alone).parts.inputs) == {"a"}


def test_a_name_that_a_step_in_between_binds_anew_shares_no_state_any_more(notebook: Notebook) -> None:
    a, b = output("a", blob="one", item="a"), output("b", blob="one", item="b")
    maker, between = step("a = b = [1]", "maker"), step("b = 2", "between")
    reader = step("a.append(1)", "reader")
    request = notebook.run_request(maker, between, reader)
    assert set(resolve_in_run(request, "reader", gives(a=a, b=b)).parts.inputs) == {"a"}
    later = notebook.run_request(maker, reader, between)
    assert set(resolve_in_run(later, "reader", gives(a=a, b=b)).parts.inputs) == {"a", "b"}


def test_origins_hold_where_no_step_of_the_run_gives_the_name(notebook: Notebook) -> None:
    notebook.cell("a = 1\nb = 2")
    request = notebook.run_request(
        step("a = [1]", "maker"),
        step("y = [a, b]", "reader"),
        origins={"reader": {"a": output("earlier"), "b": output("origin")}},
    )
    found = resolve_in_run(request, "reader", gives(a=output("a")))
    assert found.parts.inputs == {"a": "digest of a", "b": "digest of origin"}


def test_what_its_maker_does_not_store_cannot_be_read_in_a_run(notebook: Notebook) -> None:
    request = notebook.run_request(step("a = [1]", "maker", no_store=("a",)), step("y = a", "reader"))
    with pytest.raises(StepRefused, match=r"step 'reader' reads `a`, which step 'maker' does not store"):
        resolve_in_run(request, "reader", lambda _source: {})
