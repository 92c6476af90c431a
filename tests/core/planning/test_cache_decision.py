"""The verdict on a step."""

from __future__ import annotations

from dataclasses import replace

from zennb.core.planning.cache_decision import CacheDecision, decide_reuse
from zennb.core.records.records import Artifact, CacheKeyParts, Status, Step

PARTS = CacheKeyParts(code="c", inputs={"x": "1"})
MODEL = Artifact(name="model", version=3, digest="d", blob="b", materializer="plain", size=1, type="int")
GOOD = Step(name="train", run=12, status=Status.COMPLETED, parts=PARTS, outputs={"model": MODEL})


def decision(
    *,
    candidates: tuple[Step, ...] = (),
    previous: Step | None = None,
    missing: frozenset[int | None] = frozenset(),
    elsewhere: frozenset[int | None] = frozenset(),
    asked: str = "",
    unclear: tuple[str, ...] = (),
) -> CacheDecision:
    return decide_reuse(
        PARTS,
        candidates=candidates,
        previous=previous,
        missing=lambda step: "`model v3` is not in artifact store 'default'" if step.run in missing else "",
        elsewhere=lambda step: "second" if step.run in elsewhere else "",
        asked=asked,
        unclear=unclear,
    )


def test_a_step_with_the_same_key_is_reused_and_the_run_named() -> None:
    found = decision(candidates=(GOOD,))
    assert (found.reuse, found.reason) == (GOOD, "same code and inputs as run 12")


def test_a_candidate_whose_outputs_are_gone_is_passed_over() -> None:
    older = replace(GOOD, run=9)
    assert decision(candidates=(GOOD, older), missing=frozenset({12})).reuse == older
    lost = decision(candidates=(GOOD,), missing=frozenset({12}))
    assert (lost.reuse, lost.reason) == (None, "`model v3` is not in artifact store 'default'")


def test_what_only_another_store_has_is_copied_unless_an_equal_result_is_here() -> None:
    older = replace(GOOD, run=9)
    away, nine = frozenset({12}), frozenset({9, 12})
    assert decision(candidates=(GOOD, older), missing=away, elsewhere=away).reuse == older
    found = decision(candidates=(GOOD, older), missing=nine)
    assert (found.reuse, found.reason) == (None, "`model v3` is not in artifact store 'default'")
    found = decision(candidates=(GOOD,), missing=away, elsewhere=away)
    assert (found.reuse, found.is_elsewhere) == (GOOD, True)
    assert found.reason == "copied from artifact store 'second'"


def test_what_the_user_asks_comes_first() -> None:
    assert decision(candidates=(GOOD,), asked="--rerun") == CacheDecision(reason="asked for with --rerun")


def test_parts_that_cannot_be_trusted_are_never_a_hit() -> None:
    found = decision(candidates=(GOOD,), unclear=("it calls exec(...)",))
    assert (found.reuse, found.reason) == (None, "not cacheable: it calls exec(...)")


def test_a_run_has_a_reason_whatever_came_before() -> None:
    other = replace(GOOD, parts=replace(PARTS, inputs={"x": "2"}))
    assert decision().reason == "first run"
    assert decision(previous=other).reason == "input `x` changed"
    two = replace(GOOD, parts=replace(PARTS, code="e", inputs={"x": "2"}))
    assert decision(previous=two).reason == "its code changed (and 1 more)"
    assert decision(previous=replace(GOOD, status=Status.FAILED)).reason == "the run before failed"
    assert (
        decision(previous=replace(GOOD, status=Status.INTERRUPTED)).reason == "the run before was interrupted"
    )
    assert decision(previous=replace(GOOD, parts=None)).reason == "the run before could not be keyed"
    made = replace(GOOD, reusable=False, unusable_because="`f` is a function made while the step runs")
    assert decision(previous=made).reason == "not cacheable: `f` is a function made while the step runs"
