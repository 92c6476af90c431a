"""Large graphs are folded to what can be looked at, and stay what they were."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from zennb.views.graphs.drawing import draw
from zennb.views.graphs.fold import MOST, fold
from zennb.views.graphs.graph import Node, folded, graph

SHARDS = [f"shard_{number}" for number in range(190)]
WIDE = [("load", each) for each in SHARDS] + [(each, "merge") for each in SHARDS]
LONG = list(pairwise(SHARDS))
STATES = dict.fromkeys(["load", *SHARDS, "merge"], "fresh")


def test_steps_side_by_side_become_one_and_the_one_that_failed_stays_seen() -> None:
    found = fold({**STATES, "shard_7": "failed"}, WIDE)
    assert {tuple(group) for group in found.groups.values()} == {
        ("load",),
        ("merge",),
        ("shard_7",),
        tuple(each for each in SHARDS if each != "shard_7"),
    }
    assert ("shard_7", "merge") in found.edges


def test_steps_in_a_row_become_one_around_the_one_that_is_kept() -> None:
    found = fold(dict.fromkeys(SHARDS, "fresh"), LONG, kept={"shard_100"})
    assert [len(group) for group in found.groups.values()] == [100, 1, 89]
    assert list(found.edges) == [("shard_0", "shard_100"), ("shard_100", "shard_101")]


def test_a_small_graph_is_left_alone() -> None:
    found = fold({"a": "", "b": ""}, [("a", "b")])
    assert found.groups == {"a": ["a"], "b": ["b"]}


@given(
    st.lists(st.tuples(st.integers(0, 79), st.integers(0, 79)), max_size=400),
    st.sets(st.integers(0, 79), max_size=3),
)
def test_whatever_the_graph_each_node_is_in_one_group_and_no_cycle_arises(
    pairs: list[tuple[int, int]], kept: set[int]
) -> None:
    nodes = {str(number): number % 3 for number in range(80)}
    edges = [(str(min(pair)), str(max(pair))) for pair in pairs if pair[0] != pair[1]]
    found = fold(nodes, edges, kept={str(each) for each in kept})
    members = [each for group in found.groups.values() for each in group]
    assert sorted(members) == sorted(nodes)
    assert all(found.groups[str(each)] == [str(each)] for each in kept)
    drawn = [Node(id=each, label=each) for each in found.groups]
    assert draw(drawn, found.edges)  # an error, if they form a cycle


def test_two_hundred_steps_are_folded_by_default_and_say_what_they_hold() -> None:
    nodes = [
        Node(id=each, label=each, state=state, target=f"step:1/{each}") for each, state in STATES.items()
    ]
    left, edges, groups = folded(nodes, WIDE)
    assert [node.label for node in left] == ["load", "190 steps: shard_0 …", "merge"]
    assert edges == [("load", "shard_0"), ("shard_0", "merge")]
    assert groups == {"shard_0": SHARDS}
    picture = graph(nodes, WIDE)
    assert picture.text.count("shard_") >= 190  # in words, all of it
    assert len(picture.nodes) > MOST
