"""Properties of the digest: copies agree, every leaf counts, other processes agree, and what a look tells."""

from __future__ import annotations

import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.digests.containers import HANDLERS
from zennb.digests.digest import digest, digest_value
from zennb.digests.immutable import is_immutable

if TYPE_CHECKING:
    from zennb.digests.walker import DigestWalker, Steps

SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.complex_numbers(),
)
HASHABLE = SCALAR | st.tuples(SCALAR, SCALAR) | st.frozensets(SCALAR, max_size=3)
VALUE = st.recursive(
    HASHABLE | st.sets(HASHABLE, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(SCALAR, inner, max_size=3)
    ),
    max_leaves=20,
)


@given(VALUE)
def test_a_deep_copy_has_the_same_digest(value: Any) -> None:
    assert digest(deepcopy(value)) == digest(value)


def changes(value: Any) -> list[Any]:
    """Return every copy of a nested value in which one leaf differs."""
    if isinstance(value, list | tuple):
        kind = type(value)
        parts = list(value)
        return [
            kind([*parts[:place], changed, *parts[place + 1 :]])
            for place, part in enumerate(parts)
            for changed in changes(part)
        ]
    if isinstance(value, dict):
        return [{**value, key: changed} for key, part in value.items() for changed in changes(part)]
    return [["changed", value]] if not isinstance(value, set | frozenset) else [value | {"changed leaf"}]


@given(
    st.recursive(
        SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALAR, inner, max_size=3)
    )
)
def test_changing_one_leaf_changes_the_digest(value: Any) -> None:
    digests = [digest(one) for one in [value, *changes(value)]]
    assert len(set(digests)) == len(digests)


@given(st.lists(HASHABLE, max_size=6))
def test_the_order_of_filling_a_set_is_not_content(members: list[Any]) -> None:
    other: set[Any] = set()
    other.update(reversed(list(set(members))))
    assert digest(set(members)) == digest(other)


@given(st.lists(VALUE, max_size=3), st.lists(VALUE, max_size=3))
def test_lists_are_not_confused_with_their_concatenation(one: list[Any], other: list[Any]) -> None:
    assert digest([one, other]) != digest(one + other)


def in_process(seed: str) -> list[str]:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
    run = subprocess.run(
        [sys.executable, str(root / "tests/digests/table.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


def test_processes_with_different_hash_seeds_agree() -> None:
    one, other = in_process("1"), in_process("2")
    assert len(one) == len(set(one)) > 40
    assert [place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]] == []


ROW, RECORD = [1], {"weight": 2}

PINNED: list[tuple[Any, str]] = [
    (None, "626d368fe0e74b4f1a038927df1311d6"),
    (1, "b43a4514c6d4d1e4e99dcaa8de4d257c"),
    ("text", "309ba1e8ae01c552b70046ae8ffc1005"),
    ([1, 2.5, "a"], "9b5a65f756f7bd14aaba8949a6ed0057"),
    ((1, [2]), "2e203872af17d0ef9478d2dea63bc46e"),
    ({"a": 1, "b": [None]}, "ca904b1fa7e90f5cea6b209297aefd32"),
    ({1, 2}, "c65a998bf0ebb82b8ad83f06d6f343f3"),
    ({(1, 2), (3, 4)}, "d347f7664a3c2649288d340ce4f0c276"),
    (frozenset({(1, "a")}), "7cdff7997ea5c9aa9c59ac4963866ff3"),
    (range(3), "3d688421fbbfc85ff7f838d2d994a30c"),
    (Path("a/b"), "846f9b519e0d7a936d02971c899a520c"),
    ([ROW, ROW, [], [3]], "5c02b4fdf4c457afd2e803adf1984db7"),
    ({1: ROW, 2: ROW, 3: [2]}, "d0d342cd67be56924fe06f2641957cd6"),
    ([RECORD, {}, RECORD, {}], "39d578eb1963d0e304140f6b06ad6de9"),
    ({1: RECORD, 2: {}, 3: RECORD}, "baafc90b15efb1bbebacc05a82e59cab"),
    ((ROW, ROW), "bc177394db61f1e0c1b488af603df0ed"),
    ([ROW, RECORD, ROW], "571f9cae033820c2616cd483908d750c"),
    (
        {(RECORD["weight"],): RECORD, 2: {3: RECORD}, 4: {5: RECORD, 6: {}}},
        "49180d78c6c78d7b1cd416dcb6315ccb",
    ),
]


@pytest.mark.parametrize(("value", "pinned"), PINNED, ids=[repr(value) for value, _ in PINNED])
def test_digests_are_what_they_always_were(value: Any, pinned: str) -> None:
    assert digest(value) == pinned


def test_rows_that_others_share_are_not_visited_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    visits: list[int] = []

    def count(walker: DigestWalker, value: dict[Any, Any]) -> Steps | None:
        visits.append(id(value))
        return visit(walker, value)

    visit = HANDLERS[dict]
    monkeypatch.setitem(HANDLERS, dict, count)
    edges = [{"weight": number} for number in range(100)]
    both = {"from": dict(enumerate(edges)), "to": dict(enumerate(reversed(edges)))}
    found = digest_value(both)
    assert len(visits) == 3
    assert found.mutable == {id(both), *map(id, both.values()), *map(id, edges)}


def test_immutables_that_share_their_parts_without_end_are_digested_in_time() -> None:
    bottoms: list[Any] = [(), ([],), frozenset()]
    for bottom in bottoms:
        value: Any = bottom
        for _ in range(200):
            value = frozenset({(value, 1), (value, 2)}) if isinstance(bottom, frozenset) else (value, value)
        assert digest(value) == digest(value)


def test_nesting_has_no_limit() -> None:
    value: Any = ()
    for level in range(30_000):
        value = ([value], {"k": value})[level % 2] if level % 3 else (value,)
    assert digest(value) == digest(value)


def test_trees_with_sets_of_children_and_parents_are_digested() -> None:
    class Node:
        def __init__(self, parent: Any, name: int) -> None:
            self.parent, self.name, self.children = parent, name, set[Any]()

    def tree(order: int) -> Node:
        root = Node(None, 0)
        level = [root]
        for depth in range(6):
            nodes = [(parent, name) for parent in level for name in (1, 2)][::order]
            level = [Node(parent, name + depth) for parent, name in nodes]
            for node in level:
                node.parent.children.add(node)
        return root

    assert digest(tree(1)) == digest(tree(-1))


def test_a_look_tells_packages_code_and_mutable_parts() -> None:
    def helper() -> int:
        return 1

    inner = [1]
    array = np.zeros(4)
    value = {"f": helper, "parts": (inner, array[:2]), "n": 3}
    seen = digest_value(value)
    assert seen.code == (helper,)
    assert seen.packages == {"numpy"}
    assert {id(value), id(inner), id(array)} <= seen.mutable
    assert id(array) in digest_value(array[2:]).mutable


class _Copying:
    def __getstate__(self) -> dict[str, Any]:
        return {"fresh": [[1], [2]]}


def test_passing_parts_are_not_called_mutable() -> None:
    one, other = _Copying(), _Copying()
    assert digest_value(one).mutable == {id(one)}
    assert not digest_value(one).mutable & digest_value(other).mutable


def test_names_that_share_state_have_a_part_in_common() -> None:
    class Box:
        def __init__(self, content: Any) -> None:
            self.content = content

    content: list[Any] = []
    assert digest_value(Box(content)).mutable & digest_value(content).mutable
    assert not digest_value(Box([])).mutable & digest_value(content).mutable


def test_plain_scalars_and_tuples_of_them_are_immutable() -> None:
    import datetime as dt

    assert all(map(is_immutable, [1, "a", None, 1.5, b"", (1, ("a", frozenset({2}))), dt.date(2024, 1, 1)]))
    assert all(
        map(is_immutable, [np.float64(1), np.int8(1), np.bool_(1), (np.str_("a"), np.datetime64("2024"))])
    )
    # Of `numpy.void` another row may be a view.
    assert not any(map(is_immutable, [np.zeros(1), np.zeros(1, "i4,i4")[0]]))
    assert not any(map(is_immutable, [[], {}, set(), (1, [2]), bytearray(), object(), (lambda: 1)]))


def test_the_bottom_of_a_deep_list_counts() -> None:
    def deep(bottom: int) -> list[Any]:
        made: list[Any] = [bottom]
        for _ in range(20_000):
            made = [made]
        return made

    assert digest(deep(1)) == digest(deep(1)) != digest(deep(2))
