"""Owns the view of an artifact's lineage: the steps that made it and that read it, as a tree and as a graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.views.artifact import glance, label
from zennb.views.graphs.graph import Node, graph
from zennb.views.links import address
from zennb.views.markup import block, box, details
from zennb.views.text import clean, listing, tree
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import Artifact, Step
    from zennb.views.graphs.graph import Graph
    from zennb.views.view import Shown

__all__ = ["lineage", "lineage_graph"]


@dataclass(slots=True)
class _Branch:
    text: str
    below: list[_Branch] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    producers: Mapping[int, Step]
    consumers: Mapping[int, Sequence[Step]]
    writers: Mapping[int, Mapping[str, Step]]

    def files(self, step: Step) -> Mapping[str, Step]:
        """Return file → the step that wrote it, for the files that a step read."""
        return self.writers.get(step.id, {}) if step.id is not None else {}

    def producer(self, artifact: Artifact) -> Step | None:
        if artifact.id is None or not artifact.is_output:
            return None
        return self.producers.get(artifact.id)

    def used_by(self, artifact: Artifact) -> dict[tuple[str, str], list[Step]]:
        """Return its readers, records of one step together."""
        found: dict[tuple[str, str], list[Step]] = {}
        for step in self.consumers.get(artifact.id, ()) if artifact.id is not None else ():
            found.setdefault((step.notebook, step.name), []).append(step)
        return found


def lineage(
    artifact: Artifact,
    *,
    producers: Mapping[int, Step],
    consumers: Mapping[int, Sequence[Step]] | None = None,
    writers: Mapping[int, Mapping[str, Step]] | None = None,
) -> View:
    """Show where an artifact came from and where it went.

    Args:
        artifact: the record to start at.
        producers: artifact id → the step that made it, for it and what it was made from, as far up as known.
        consumers: artifact id → the steps that read it, newest first, for it and what was made from it.
        writers: id of a step → file that it read → the step that wrote that file.
    """
    known = _Known(producers=producers, consumers=consumers or {}, writers=writers or {})
    text, drawn = _tree(artifact, known), _drawn(artifact, known)
    if drawn is None:
        return View(text, box(block(text)))
    return View(text, drawn.html + box(details("as a tree", block(text))))


def lineage_graph(
    artifact: Artifact,
    *,
    producers: Mapping[int, Step],
    consumers: Mapping[int, Sequence[Step]] | None = None,
    writers: Mapping[int, Mapping[str, Step]] | None = None,
) -> Shown:
    """Return the graph alone, for a panel that draws it with links; the tree where nothing is connected."""
    known = _Known(producers=producers, consumers=consumers or {}, writers=writers or {})
    text = _tree(artifact, known)
    return _drawn(artifact, known) or View(text, box(block(text)))


def _tree(artifact: Artifact, known: _Known) -> str:
    trunk = _Branch(glance(artifact), [*_up(artifact, known, set()), *_used(artifact, known, set())])
    return tree([trunk], label=lambda branch: branch.text, below=lambda branch: branch.below)


def _drawn(artifact: Artifact, known: _Known) -> Graph | None:
    nodes, edges = _graph(artifact, known)
    return graph(nodes, edges) if edges else None


def _step_label(step: Step, records: Sequence[Step] = ()) -> str:
    runs = sorted({each.run for each in records or (step,) if each.run is not None})
    if not runs:
        return clean(step.name)
    return f"{clean(step.name)} (run{'s' if len(runs) > 1 else ''} {listing(runs, most=4)})"


def _up(artifact: Artifact, known: _Known, seen_steps: set[tuple[str, str, int | None]]) -> list[_Branch]:
    step = known.producer(artifact)
    return [] if step is None else [_from(step, "made by", known, seen_steps)]


def _from(step: Step, verb: str, known: _Known, seen_steps: set[tuple[str, str, int | None]]) -> _Branch:
    """Return the branch of a step and all that it read; a step that occurs again is not expanded again."""
    sentence, files = f"{verb} {_step_label(step)}", known.files(step)
    this = (step.notebook, step.name, step.id)
    if this in seen_steps:
        return _Branch(f"{sentence}, as above" if step.inputs or files else sentence)
    seen_steps.add(this)
    inputs = [_Branch(glance(each), _up(each, known, seen_steps)) for each in step.inputs.values()]
    read = [
        _Branch(f"file {clean(path)}", [_from(writer, "written by", known, seen_steps)])
        for path, writer in files.items()
    ]
    return _Branch(sentence, [*inputs, *read])


def _used(artifact: Artifact, known: _Known, seen_steps: set[int | None]) -> list[_Branch]:
    if artifact.id in seen_steps:
        return []
    seen_steps.add(artifact.id)
    branches = []
    for records in known.used_by(artifact).values():
        made = {label(each): each for each in records[0].outputs.values()}
        below = [_Branch(f"→ {glance(each)}", _used(each, known, seen_steps)) for each in made.values()]
        branches.append(_Branch(f"used by {_step_label(records[0], records)}", below))
    return branches


def _graph(artifact: Artifact, known: _Known) -> tuple[list[Node], list[tuple[str, str]]]:
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str], None] = {}
    _draw_up(artifact, known, nodes, edges)
    _draw_down(artifact, known, nodes, edges)
    start = _artifact_id(artifact)
    nodes[start] = _artifact_node(artifact, current=True)
    return list(nodes.values()), _acyclic(list(edges))


def _artifact_id(artifact: Artifact) -> str:
    return f"artifact {artifact.id if artifact.id is not None else label(artifact)}"


def _artifact_node(artifact: Artifact, *, current: bool = False) -> Node:
    note = clean(artifact.type).rpartition(".")[2] if artifact.is_output else clean(artifact.kind)
    return Node(
        id=_artifact_id(artifact),
        label=label(artifact),
        note=note,
        shape="artifact",
        current=current,
        target=address("artifact", artifact.id),
    )


def _step_node(step: Step) -> Node:
    return Node(
        id=f"step {step.notebook} {step.name} {step.id}",
        label=clean(step.name),
        note=f"run {step.run}" if step.run is not None else "step",
        target=address("step", step.run, step.name),
    )


def _draw_up(
    artifact: Artifact, known: _Known, nodes: dict[str, Node], edges: dict[tuple[str, str], None]
) -> None:
    todo = [artifact]
    while todo:
        here = todo.pop()
        if _artifact_id(here) in nodes:
            continue
        nodes[_artifact_id(here)] = _artifact_node(here)
        step = known.producer(here)
        if step is None:
            continue
        edges[_step_node(step).id, _artifact_id(here)] = None
        todo += reversed(_draw_step(step, known, nodes, edges))


def _draw_step(
    step: Step, known: _Known, nodes: dict[str, Node], edges: dict[tuple[str, str], None]
) -> list[Artifact]:
    """Add a step, the files it read and the steps that wrote them; return the artifacts that all of them read."""
    node = _step_node(step)
    if node.id in nodes:
        return []
    nodes[node.id] = node
    inputs = list(step.inputs.values())
    edges.update(dict.fromkeys((_artifact_id(each), node.id) for each in inputs))
    for path, writer in known.files(step).items():
        file = Node(id=f"file {path} of {writer.id}", label=path.rpartition("/")[2], shape="file")
        nodes[file.id] = file
        edges[_step_node(writer).id, file.id] = edges[file.id, node.id] = None
        inputs += _draw_step(writer, known, nodes, edges)
    return inputs


def _draw_down(
    artifact: Artifact, known: _Known, nodes: dict[str, Node], edges: dict[tuple[str, str], None]
) -> None:
    todo, seen = [artifact], set[str]()
    while todo:
        here = todo.pop()
        if _artifact_id(here) in seen:
            continue
        seen.add(_artifact_id(here))
        nodes.setdefault(_artifact_id(here), _artifact_node(here))
        for records in known.used_by(here).values():
            node = _step_node(records[0])
            nodes.setdefault(node.id, node)
            edges[_artifact_id(here), node.id] = None
            for each in records[0].outputs.values():
                edges[node.id, _artifact_id(each)] = None
                todo.append(each)


def _acyclic(edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the edges without those that close a cycle: a step may put out an input unchanged."""
    forward: list[tuple[str, str]] = []
    after: dict[str, set[str]] = {}
    for source, target in edges:
        if source != target and not _reaches(after, target, source):
            forward.append((source, target))
            after.setdefault(source, set()).add(target)
    return forward


def _reaches(after: Mapping[str, set[str]], start: str, end: str) -> bool:
    todo, seen = [start], {start}
    while todo:
        here = todo.pop()
        if here == end:
            return True
        todo += after.get(here, set()) - seen
        seen |= after.get(here, set())
    return False
