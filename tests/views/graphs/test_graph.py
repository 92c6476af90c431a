from __future__ import annotations

import base64
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from zennb.core.records.records import Status
from zennb.views.graphs.drawing import draw
from zennb.views.graphs.graph import Node, graph, in_words

SVG = "{http://www.w3.org/2000/svg}"


def _nodes(names: str) -> list[Node]:
    return [Node(id=name, label=name) for name in names]


def test_a_chain_reads_from_left_to_right() -> None:
    nodes = [Node(id="load", label="load"), Node(id="split", label="split"), Node(id="train", label="train")]
    assert in_words(nodes, [("load", "split"), ("split", "train")]) == "load → split → train"


def test_each_edge_is_told_once_and_lonely_nodes_are_told_too() -> None:
    words = in_words(_nodes("abcdx"), [("a", "b"), ("b", "d"), ("a", "c"), ("c", "d")])
    assert words == "a → b → d\na → c → d\nx"


def test_long_chains_go_on_below() -> None:
    nodes = [Node(id=str(at), label=f"a_long_name_for_step_{at}") for at in range(6)]
    lines = in_words(nodes, [(str(at), str(at + 1)) for at in range(5)]).split("\n")
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith("    → ")


def test_states_are_symbols_with_a_legend_in_words() -> None:
    nodes = [
        Node(id="a", label="a", state=Status.CACHED),
        Node(id="b", label="b", state=Status.FAILED),
    ]
    assert in_words(nodes, [("a", "b")]) == "● a → ✘ b\n(● cached  ✘ failed)"


def test_the_picture_has_a_box_with_name_and_state_for_each_node() -> None:
    nodes = [
        Node(id="a", label="a", state=Status.CACHED),
        Node(id="b", label="b", state=Status.FAILED, current=True),
    ]
    root = ET.fromstring(draw(nodes, [("a", "b")]))
    assert [text.text for text in root.iter(SVG + "text")] == ["a", "● cached", "b", "✘ failed"]
    boxes = list(root.iter(SVG + "rect"))
    assert all(box.get("fill") for box in boxes)


def test_the_picture_is_an_image_with_the_words_as_its_alternative() -> None:
    view = graph(_nodes("ab"), [("a", "b")])
    assert view.text == "a → b"
    assert 'alt="a → b"' in view.html
    data = view.html.partition("data:image/svg+xml;base64,")[2].partition('"')[0]
    assert base64.b64decode(data).startswith(b"<svg")


def test_a_file_between_two_steps_is_dashed_in_the_picture_and_in_words() -> None:
    nodes = [*_nodes("abc"), Node(id="f", label="out.csv", shape="file")]
    edges = [("a", "f"), ("f", "b"), ("b", "c")]
    assert in_words(nodes, edges) == "a ⇢ out.csv ⇢ b → c\n(⇢ by a file)"
    root = ET.fromstring(draw(nodes, edges))
    assert "out.csv" in [text.text for text in root.iter(SVG + "text")]
    assert [box.get("stroke-dasharray") for box in root.iter(SVG + "rect")] == [None, None, None, "4 3"]
    solid, dashed, _heads = root.iter(SVG + "path")
    assert (solid.get("stroke-dasharray"), dashed.get("stroke-dasharray")) == (None, "4 3")
    assert (solid.get("d", "").count("M"), dashed.get("d", "").count("M")) == (1, 2)


def test_a_picture_without_files_has_no_dashes() -> None:
    assert "stroke-dasharray" not in draw(_nodes("ab"), [("a", "b")])


def test_a_wide_graph_runs_downwards() -> None:
    names = [Node(id=str(at), label=f"step_with_a_name_{at}") for at in range(12)]
    root = ET.fromstring(draw(names, [(str(at), str(at + 1)) for at in range(11)]))
    assert float(root.get("width", "0")) < 300 < float(root.get("height", "0"))


def test_a_graph_without_nodes_says_so() -> None:
    assert graph([], [], empty="no steps yet").text == "no steps yet"


@given(st.lists(st.text(), min_size=1, max_size=6), st.sampled_from([*Status, "stale", ""]))
def test_any_label_makes_valid_xml(labels: list[str], state: str) -> None:
    nodes = [Node(id=str(at), label=label, state=state, note=label) for at, label in enumerate(labels)]
    root = ET.fromstring(draw(nodes, [("0", str(at)) for at in range(1, len(labels))]))
    assert len(list(root.iter(SVG + "rect"))) == len(labels)
