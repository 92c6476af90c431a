"""What a rule deletes, as values: never what a kept record names, never what is pinned, needed or young."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.core.planning.pruning import JUST_STORED, NEEDED, PINNED, parse_rule, parse_size, plan_prune
from zennb.core.records.space import BlobReference, PrunePlan, PruneRule, SpaceRecords, StoredBlob
from zennb.errors import UsageError

NOW, DAY = 1_000_000.0, 86_400.0


def reference(name: str, version: int, blob: str, *, days: float = 40, **more: Any) -> BlobReference:
    fields: dict[str, Any] = {
        "kind": "artifact",
        "notebook": "a.ipynb",
        "step": "make",
        "order": version,
        "used": NOW - days * DAY,
    }
    return BlobReference(name=name, version=version, blob=blob, **{**fields, **more})


def blob(name: str, size: int = 10, *, days: float = 40) -> StoredBlob:
    return StoredBlob(digest=name, size=size, stored=NOW - days * DAY)


def planned(
    rule: PruneRule,
    references: list[BlobReference],
    blobs: list[StoredBlob],
    *,
    copies: frozenset[str] = frozenset(),
    **known: Any,
) -> PrunePlan:
    records = SpaceRecords(
        references=tuple(references),
        **{
            "pinned": frozenset(),
            "needed": frozenset(),
            "running_since": None,
            "last_step": 0,
            **known,
        },
    )
    return plan_prune(rule, stored=blobs, records=records, copies=copies, now=NOW, grace=300.0)


def chosen(*args: Any, **more: Any) -> list[str]:
    return [each.digest for each in planned(*args, **more).blobs]


def test_older_deletes_what_was_not_used_for_that_long() -> None:
    references = [reference("x", 1, "b1", days=40), reference("x", 2, "b2", days=20)]
    assert chosen(PruneRule(older=30 * DAY), references, [blob("b1"), blob("b2")]) == ["b1"]


def test_keep_leaves_the_newest_versions_of_each_name_in_each_notebook() -> None:
    references = [reference("x", number, f"b{number}") for number in range(1, 6)]
    references += [reference("x", number, f"o{number}", notebook="o.ipynb") for number in (6, 7)]
    blobs = [blob(each.blob) for each in references]
    assert sorted(chosen(PruneRule(keep=3), references, blobs)) == ["b1", "b2"]


def test_keep_counts_bytes_and_not_numbers_and_leaves_what_a_name_stands_for() -> None:
    references = [reference("x", 1, "same"), reference("x", 2, "b2"), reference("x", 3, "same")]
    assert chosen(PruneRule(keep=1), references, [blob("same"), blob("b2")]) == ["b2"]
    assert chosen(
        PruneRule(keep=1), [*references[:2], reference("x", 3, "b3")], [blob("same"), blob("b3")]
    ) == ["same"]
    current = [reference("x", 1, "b1", is_current=True), reference("x", 2, "b2")]
    assert chosen(PruneRule(keep=1), current, [blob("b1"), blob("b2")]) == []


def test_keep_leaves_all_the_blobs_of_a_version_and_counts_it_once() -> None:
    versions = ((1, ("m1", "p1", "shared")), (2, ("m2", "p2", "shared")), (3, ("m3", "p2", "shared")))
    references = [reference("x", number, name) for number, names in versions for name in names]
    blobs = [blob(name) for name in ("m1", "m2", "m3", "p1", "p2", "shared")]
    assert sorted(chosen(PruneRule(keep=1), references, blobs)) == ["m1", "m2", "p1"]
    assert sorted(chosen(PruneRule(keep=2), references, blobs)) == ["m1", "p1"]


def test_unreferenced_deletes_what_no_record_names_except_copies_of_records() -> None:
    blobs = [blob("named"), blob("left"), blob("copy")]
    assert chosen(
        PruneRule(unreferenced=True), [reference("x", 1, "named")], blobs, copies=frozenset({"copy"})
    ) == ["left"]


def test_down_to_a_size_takes_leftovers_then_old_versions_then_the_longest_unused() -> None:
    references = [
        reference("x", 2, "now", days=90, is_current=True),
        reference("x", 1, "old", days=3),
        reference("y", 1, "recent", days=2, is_current=True),
    ]
    blobs = [blob("now"), blob("old"), blob("recent"), blob("left", days=1)]
    assert chosen(PruneRule(to=0), references, blobs) == ["left", "old", "now", "recent"]
    assert chosen(PruneRule(to=20), references, blobs) == ["left", "old"]
    assert chosen(PruneRule(to=25), references, blobs) == ["left", "old"]
    assert chosen(PruneRule(to=40), references, blobs) == []


def test_bytes_that_a_kept_version_shares_are_kept() -> None:
    references = [reference("x", 1, "both", days=90), reference("y", 1, "both", days=1)]
    assert chosen(PruneRule(older=30 * DAY), references, [blob("both")]) == []


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"pinned": frozenset({"b"})}, PINNED),
        ({"needed": frozenset({"b"})}, NEEDED),
        ({"running_since": NOW - 50 * DAY}, JUST_STORED),
    ],
)
def test_what_is_kept_all_the_same_is_said_with_its_size(known: dict[str, Any], why: str) -> None:
    plan = planned(PruneRule(to=0), [reference("x", 1, "b")], [blob("b")], **known)
    assert (plan.blobs, plan.spared, plan.total) == ((), {why: 10}, 10)


def test_what_was_stored_a_moment_ago_stays_and_so_does_what_a_running_step_stored() -> None:
    rule = PruneRule(unreferenced=True)
    assert chosen(rule, [], [blob("young", days=200 / DAY), blob("old", days=400 / DAY)]) == ["old"]
    assert chosen(rule, [], [blob("before", days=3), blob("since", days=1)], running_since=NOW - 2 * DAY) == [
        "before"
    ]


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("12", 12), ("3 kB", 3000), ("5GB", 5 * 10**9), ("1.5 tb", 1_500_000_000_000)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "given",
    [{}, {"older": "30d", "keep": 3}, {"keep": 0}, {"to": "five"}, {"older": "30"}, {"older": "0d"}],
)
def test_a_rule_that_is_none_is_refused_in_a_sentence(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        parse_rule(**given)


NAMES = st.sampled_from(["b0", "b1", "b2", "b3", "b4", "b5"])
REFERENCES = st.lists(
    st.builds(
        reference,
        st.sampled_from(["x", "y"]),
        st.integers(1, 5),
        NAMES,
        days=st.floats(0, 90),
        is_current=st.booleans(),
    ),
    max_size=12,
)
RULES = st.one_of(
    st.builds(PruneRule, older=st.floats(1, 60 * DAY)),
    st.builds(PruneRule, keep=st.integers(1, 3)),
    st.just(PruneRule(unreferenced=True)),
    st.builds(PruneRule, to=st.integers(0, 60)),
)


@given(
    RULES, REFERENCES, st.frozensets(NAMES), st.frozensets(NAMES), st.frozensets(NAMES), st.frozensets(NAMES)
)
def test_no_rule_ever_takes_what_is_kept(
    rule: PruneRule,
    references: list[BlobReference],
    young: frozenset[str],
    pinned: frozenset[str],
    needed: frozenset[str],
    copies: frozenset[str],
) -> None:
    blobs = [blob(f"b{number}", days=0 if f"b{number}" in young else 40) for number in range(6)]
    plan = planned(rule, references, blobs, copies=copies, pinned=pinned, needed=needed)
    gone = {each.digest for each in plan.blobs}
    assert not gone & (young | pinned | needed | copies)
    named = {each.blob for each in references}
    if rule.unreferenced:
        assert not gone & named
    if rule.older is not None:
        assert all(each.used < NOW - rule.older for each in references if each.blob in gone)
    if rule.keep is not None:
        assert not any(each.is_current for each in references if each.blob in gone)
    if rule.to is not None:
        left = plan.total - plan.size
        spared = young | pinned | needed | copies
        assert left <= rule.to or len(gone) == 6 - len(spared)
