"""Owns dependencies between steps through files and settings, and the order that they impose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.planning.run_plan import Edge
from zennb.core.records.loaded_names import LOADING, load_call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.planning.plan import Plan
    from zennb.core.records.records import Step

__all__ = ["file_edges", "flows", "ordering"]


def ordering(
    names: Sequence[str], latest: Mapping[str, Step], *, all_of_it: bool = True
) -> dict[str, tuple[str, ...]]:
    """Return step → the earlier steps that it must wait for, according to their latest runs.

    A step waits for the last one before it that wrote a file it reads or writes, that set what it depends on or sets,
    or that put out what it loads by name; and one that writes or sets waits for those that read what was there before.

    Args:
        names: the steps, in notebook order.
        latest: step name → its latest record; steps that never ran do not wait.
        all_of_it: whether to count what only matters when steps run side by side: that a step overwrites what
            another wrote or read.
    """
    writer: dict[str, str] = {}
    readers: dict[str, list[str]] = {}
    found: dict[str, tuple[str, ...]] = {}
    settings = [thing for step in latest.values() for thing in step.observed.settings]
    loads = {thing for thing in settings if thing.startswith(LOADING)}
    for name in names:
        step = latest.get(name)
        if step is None:
            continue
        before: dict[str, None] = {}
        written = {*step.brings_about, *(loads and loads.intersection(map(load_call, step.outputs)))}
        for thing in (*step.observed.files, *step.observed.settings):
            before.update(dict.fromkeys(_over(thing, writer)))
            if thing not in written:
                readers.setdefault(thing, []).append(name)
        # After the reads: a step that reads a file and writes it again reads what was there before.
        for thing in written:
            if all_of_it:
                before.update(dict.fromkeys([*_over(thing, writer), *readers.pop(thing, ())]))
            writer[thing] = name
        # A step does not wait for itself.
        before.pop(name, None)
        if before:
            found[name] = tuple(before)
    return found


def file_edges(order: Sequence[str], latest: Mapping[str, Step]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (writer, reader) → the files that flow between them, according to their latest runs.

    A file comes from the last step before the reader that wrote it; a folder that a step lists, from all that wrote
    something in it. A step that only created the parent folder is not the writer of the file.

    Args:
        order: the steps, in the order they run.
        latest: step name → its latest record; nothing is known of steps that never ran.
    """
    writer: dict[str, str] = {}
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name in order:
        step = latest.get(name)
        if step is None:
            continue
        for path in step.observed.files:
            for file in _sources(path, writer):
                found.setdefault((writer[file], name), {})[file] = None
        writer.update(dict.fromkeys([*step.observed.written, *step.observed.restored], name))
    return {pair: tuple(files) for pair, files in found.items()}


def _sources(path: str, writer: Mapping[str, str]) -> list[str]:
    """Return the written files that a reader of a path sees: those inside a folder, else the file itself."""
    inside = [file for file in writer if file != path and _is_in(file, path)]
    return inside or [file for file in (path,) if file in writer]


def flows(
    plan: Plan, *, after: Mapping[str, Sequence[str]], files: Mapping[tuple[str, str], tuple[str, ...]]
) -> tuple[Edge, ...]:
    """Return the edges to show: variables and files that flow, and the order requested with `--after`.

    Args:
        plan: order and edges.
        after: step → the steps that it was asked to come after (`--after`).
        files: (writer, reader) → the files between them.
    """
    asked = {(plan.aliases.get(each, each), step) for step, first in after.items() for each in first}
    shown = [pair for pair, names in plan.edges.items() if names or pair in asked]
    return tuple(
        Edge(start=start, end=end, names=plan.edges.get((start, end), ()), files=files.get((start, end), ()))
        for start, end in dict.fromkeys([*shown, *files])
    )


def _over(thing: str, writer: Mapping[str, str]) -> list[str]:
    """Return the writers of a path, of anything inside it, or of a folder that contains it."""
    return [
        name for path, name in writer.items() if path == thing or _is_in(path, thing) or _is_in(thing, path)
    ]


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(folder + "/") or (folder == "." and not path.startswith("/"))
