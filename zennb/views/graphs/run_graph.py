"""Owns the graph of one run: its steps coloured by state, and the data flow between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.graphs.graph import Node, graph
from zennb.views.links import address
from zennb.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zennb.core.records.records import Step
    from zennb.views.graphs.graph import Graph

__all__ = ["flow"]


def flow(
    found: Sequence[Step],
    *,
    order: Sequence[str] = (),
    edges: Iterable[tuple[str, str]] = (),
    current: str = "",
) -> Graph:
    """Draw the steps of a run, each with its state as symbol and word.

    Args:
        found: its steps, in the order they ended.
        order: names of all its steps when it still runs; those without a record are waiting.
        edges: pairs of names that are known beforehand; what a step took from another is found in the records.
        current: name of the step to highlight.
    """
    known = {step.name: step for step in found}
    names = list(dict.fromkeys([*order, *known]))
    nodes = [
        Node(
            id=name,
            label=clean(name),
            state=known[name].status if name in known else "waiting",
            current=name == current,
            target=address("step", known[name].run, name) if name in known else "",
        )
        for name in names
    ]
    drawn = {pair: None for pair in edges if pair[0] in names and pair[1] in names}
    return graph(nodes, drawn or dict.fromkeys(_taken(found)), empty="no steps")


def _taken(found: Sequence[Step]) -> Iterable[tuple[str, str]]:
    """Yield an edge for every output that a later step read."""
    makers: dict[int, str] = {}
    for step in found:
        for each in step.inputs.values():
            maker = makers.get(each.id) if each.id is not None else None
            if maker is not None and maker != step.name:
                yield maker, step.name
        taken = {each.id for each in step.inputs.values()}
        makers.update(
            {each.id: step.name for each in step.outputs.values() if each.id not in taken and each.id}
        )
