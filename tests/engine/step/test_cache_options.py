"""What `--expires`, `--ignore` and `--no-store` mean for a step."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.steps import step
from zennb.core.records.records import Artifact, CacheKeyParts, Status, Step
from zennb.engine.step.cache_options import (
    changed_although_left_out,
    check_unstored,
    end_of_reuse,
    ignored_inputs,
    is_ignored,
    not_reusable,
    read_although_unstored,
    refuse_unstored,
    unstored,
    without_reads,
)
from zennb.engine.step.definition import StepOptions
from zennb.errors import StepRefused
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable

record: Callable[..., Step] = partial(Step, name="s", status=Status.COMPLETED)


class Believer(Signer):
    """Accepts all records."""

    def accepts(self, step: Step) -> bool:
        return step is not None


class Sceptic(Signer):
    """Accepts none."""

    def accepts(self, step: Step) -> bool:
        return step is None


def test_what_is_older_than_an_expired_result_has_expired_as_well() -> None:
    now = time.time()
    fresh, old, oldest = record(id=3, started=now), record(id=2, expires=now - 1), record(id=1)
    found = not_reusable([fresh, old, oldest], step("y = 1"), Believer())
    assert set(found) == {2, 1}
    assert found[1] == found[2]
    assert found[2].startswith("expired")


def test_the_cell_counts_for_results_made_before_it_had_a_limit() -> None:
    old = record(id=1, started=time.time() - 100.0)
    assert not not_reusable([old], step("y = 1"), Believer())
    assert not not_reusable([old], step("y = 1", expires=200.0), Believer())
    assert set(not_reusable([old], step("y = 1", expires=50.0), Believer())) == {1}


def test_a_result_that_nothing_here_can_read_is_passed_over_alone() -> None:
    odd = Artifact(name="y", digest="d", blob="b", materializer="gone.Materializer", size=1, type="thing")
    found = not_reusable([record(id=2, outputs={"y": odd}), record(id=1)], step("y = 1"), Believer())
    assert set(found) == {2}


def test_a_record_that_nobody_trusted_has_signed_is_passed_over_whatever_else_it_says() -> None:
    forged, own = record(id=2, run=7, expires=1.0), record(id=1)
    found = not_reusable([forged, own], step("y = 1"), Sceptic())
    assert found[2] == "the record of run 7 is not signed by you or by somebody you trust"
    assert set(not_reusable([forged], step("y = 1"), Sceptic())) == {2}


def test_the_limit_of_a_step_counts_from_its_end() -> None:
    made = record(started=100.0, seconds=5.0)
    assert end_of_reuse(made, step("y = 1", expires=10.0)).expires == 115.0
    assert end_of_reuse(made, step("y = 1")) is made


def ignored(text: str, *names: str, given: tuple[str, ...] = (), **namespace: Any) -> frozenset[str]:
    definition = step(text, ignore=names)
    return ignored_inputs(definition, definition.analysis, namespace, given)


def test_only_what_a_step_reads_can_be_ignored() -> None:
    assert ignored("y = x", "x", x=1) == {"x"}
    assert ignored("y = x", "x", given=("x",)) == {"x"}
    assert ignored("y = 1") == frozenset()
    with pytest.raises(
        StepRefused, match=r"`--ignore z`, but neither its cell nor a function it calls reads `z`"
    ):
        ignored("y = x", "x", "z", x=1, z=2)


def test_what_a_function_reads_can_be_ignored() -> None:
    space: dict[str, Any] = {"__name__": "__main__", "verbose": True}
    exec("def f(): return verbose", space)
    assert ignored("y = f()", "verbose", **space) == {"verbose"}


def test_code_cannot_be_ignored_unless_it_carries_state() -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("def f(): return 1\ndef counting(seen=[]): seen.append(1); return len(seen)", space)
    with pytest.raises(StepRefused, match=r"`--ignore f`, but `f` is code; only values can be ignored"):
        ignored("y = f()", "f", **space)
    assert ignored("y = counting()", "counting", **space) == {"counting"}


def test_a_step_is_waited_for_unless_all_it_gives_is_ignored() -> None:
    options = StepOptions(ignore=("a", "b"))
    assert is_ignored(("a",), options)
    assert is_ignored(("a", "b"), options)
    assert not is_ignored(("a", "c"), options)
    assert not is_ignored((), options)  # `--after`: no value flows, the order counts


def test_ignored_names_are_read_by_nothing_any_more() -> None:
    analysis = step("f()\nif c: x = 1\ny = x + a.b").analysis
    assert "x" in analysis.doubtful
    left = without_reads(analysis, frozenset({"x", "a"}), in_functions=True)
    assert set(left.reads) == {"f", "c"}
    assert not {chain[0] for chain in left.chains} & {"x", "a"}
    assert not left.doubtful
    assert {"x", "a"} <= left.reads["f"]  # the function's own reads of them do not count either
    assert without_reads(analysis, frozenset()) is analysis


def test_a_step_that_changes_what_its_options_leave_out_is_not_reused() -> None:
    definition = step("log.append(1)\nbig = log", ignore=("log",), no_store=("big",))
    assert changed_although_left_out(definition, {"log"}, set()) == [
        "it changes `log`, which --ignore leaves out"
    ]
    assert changed_although_left_out(definition, set(), {"big"}) == [
        "it changes `big`, which --no-store keeps out of the store"
    ]
    assert not changed_although_left_out(definition, {"big"}, {"log"})


def test_only_what_a_step_binds_can_be_kept_out_of_the_store() -> None:
    check_unstored(step("big = 1", no_store=("big",)))
    with pytest.raises(StepRefused, match=r"`--no-store big`, but its code does not bind `big`"):
        check_unstored(step("y = big", no_store=("big",)))


def test_what_is_not_stored_makes_it_another_step() -> None:
    assert unstored(step("a = b = 1", no_store=("a", "b"))) == {"no-store a": "", "no-store b": ""}
    assert unstored(step("a = 1")) == {}


def test_a_step_is_not_reused_while_another_one_reads_what_it_does_not_store() -> None:
    def reasons(*others: Step) -> tuple[str, ...]:
        return read_although_unstored("s", ("big",), others)

    why = ("step 'reader' reads `big`, which --no-store keeps out of the store",)
    assert reasons(record(name="reader", source="%%step reader\ny = big + 1")) == why
    assert reasons(record(name="reader", parts=CacheKeyParts(code="c", inputs={"big": "d"}))) == why
    assert reasons(record(name="reader", source="%%step reader\n!echo {big}")) == why
    assert not reasons(record(name="reader", source="%%step reader\nbig = 1\ny = big"))
    assert not reasons(record(name="reader", source="%%step reader\ny = bigger"))
    assert not reasons(record(name="s", source="%%step s\ny = big"))
    assert not read_although_unstored("s", (), [record(name="reader", source="%%step reader\ny = big")])


def test_a_run_refuses_to_read_what_its_maker_does_not_store() -> None:
    refuse_unstored("reader", "big", None)
    refuse_unstored("reader", "small", step("big = 1", "maker", no_store=("big",)))
    with pytest.raises(StepRefused, match=r"step 'reader' reads `big`, which step 'maker' does not store"):
        refuse_unstored("reader", "big", step("big = 1", "maker", no_store=("big",)))
