"""Owns the views of artifacts: one with its preview, lists, versions, uses, and the code that loads one."""

from __future__ import annotations

from keyword import iskeyword
from types import MappingProxyType
from typing import TYPE_CHECKING

from zennb.core.records.labels import tag_words
from zennb.views.links import LINKS, address, link
from zennb.views.markup import block, box, name
from zennb.views.preview import in_a_line, preview
from zennb.views.table import HTML_PAGE, Column, Table, card, values
from zennb.views.text import clean, listing, short, size, when
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from zennb.core.records.pages import ProducingStep, Use
    from zennb.core.records.records import Artifact, Step
    from zennb.core.records.space import FreedBlob

__all__ = [
    "TYPE_COLUMN",
    "artifact",
    "artifacts",
    "brief",
    "by_step",
    "deleted",
    "glance",
    "history",
    "label",
    "loading",
    "states",
    "uses",
]


def label(artifact: Artifact) -> str:
    """Return `model v3`; the bare name before it is recorded."""
    return f"{clean(artifact.name)} v{artifact.version}" if artifact.version else clean(artifact.name)


def brief(type_name: object) -> str:
    """Return a type without its modules: `DataFrame`."""
    return clean(type_name).rpartition(".")[2]


TYPE_COLUMN = Column.of("names", "type", show=brief, markup=lambda value: name(brief(value)), most=28)


def glance(artifact: Artifact, *, alone: bool = False) -> str:
    """Return an artifact in a line: `model v3  sklearn.Pipeline  1.2 MB  150 rows × 4 columns`.

    Args:
        artifact: the record.
        alone: only the value from its summary.
    """
    brief_summary = in_a_line(artifact.summary)
    if alone:
        return brief_summary
    kind = "" if artifact.kind == "output" else clean(artifact.kind)
    parts = [label(artifact), clean(artifact.type), size(artifact.size), kind, brief_summary]
    return "  ".join(filter(None, parts))


def artifact(
    artifact: Artifact,
    *,
    producer: Step | ProducingStep | None = None,
    consumers: Sequence[Step] = (),
    freed: FreedBlob | None = None,
    is_pinned: bool = False,
    page: int = HTML_PAGE,
) -> View:
    """Show one artifact: its type and size, the step that made it, the steps that read it, and a preview.

    Args:
        artifact: the record.
        producer: the step that made it, or that it was captured for.
        consumers: records of the steps that read it.
        freed: when its bytes were deleted on purpose; None when they were not.
        is_pinned: whether it is never deleted to free space.
        page: characters that the page is wide; 0 to leave the preview out.
    """
    used = listing(dict.fromkeys(each.name for each in consumers))
    rows = [
        ("type", clean(artifact.type)),
        ("size", size(artifact.size)),
        ("kind", clean(artifact.kind)),
        ("made by" if artifact.is_output else "captured for", _origin(producer)),
        ("used by", used),
        ("needs", listing(artifact.needs)),
        ("stored as", _materializer(artifact)),
        ("created", when(artifact.created)),
        ("bytes", short(artifact.blob) if freed is None else f"{deleted(freed)} ({short(artifact.blob)})"),
        ("pinned", "never deleted to free space" if is_pinned else ""),
        ("tags", ", ".join(map(clean, tag_words(artifact.tags)))),
        ("note", clean(artifact.note)),
    ]
    made = link(_origin_address(producer), name(_origin(producer))) if producer is not None else ""
    markup = {"made by": made, "captured for": made}
    head = card("artifact", label(artifact), rows, markup=markup)
    return join([head, preview(artifact.summary, page=page)]) if page else head


def deleted(freed: FreedBlob) -> str:
    """Return when bytes were deleted: `deleted on 2026-03-09 14:05 to free space`."""
    return f"deleted on {when(freed.created)} to free space"


def states(
    found: Sequence[Artifact], freed: Mapping[str, FreedBlob], pins: Collection[int]
) -> dict[int, str]:
    """Return artifact id → `pinned`, `deleted 2026-03-09`, or both; those of which neither is true are left out."""
    known = {
        each.id or 0: ", ".join(
            [
                *(["pinned"] if each.id in pins else []),
                *([f"deleted {when(freed[each.blob].created)[:10]}"] if each.blob in freed else []),
            ]
        )
        for each in found
    }
    return {number: state for number, state in known.items() if state}


def _materializer(artifact: Artifact) -> str:
    """Return the materializer: `numpy`, or `grid (zennb-grids)` for one of another package."""
    source = artifact.summary.get("distribution")
    return clean(artifact.materializer) + (f" ({clean(source)})" if source else "")


def _origin(step: Step | ProducingStep | None) -> str:
    if step is None:
        return ""
    return f"{clean(step.name)} (run {step.run})" if step.run is not None else clean(step.name)


def _origin_address(step: Step | ProducingStep | None) -> str:
    return "" if step is None else address("step", step.run, step.name)


def _row(
    artifact: Artifact, producers: Mapping[int, Step | ProducingStep], states: Mapping[int, str]
) -> dict[str, object]:
    step = producers.get(artifact.step) if artifact.step is not None else None
    return {
        **values(artifact, "name", "version", "type", "size", "kind"),
        "value": in_a_line(artifact.summary),
        "notebook": "" if step is None else step.notebook,
        "step": "" if step is None else clean(step.name),
        "made_by": _origin(step),
        **values(artifact, "created", "digest", "blob"),
        "state": states.get(artifact.id or 0, ""),
        "tags": tag_words(artifact.tags),
        "note": artifact.note,
        LINKS: {
            "name": address("artifact", artifact.id),
            "notebook": address("notebook", step.notebook) if step is not None and step.notebook else "",
            "step": _origin_address(step),
            "made_by": _origin_address(step),
        },
    }


def _columns(*, named: bool, notebooks: int = 0) -> list[Column]:
    groups = [
        *([Column.of("names", "notebook", most=24, once=True)] if notebooks > 1 else []),
        Column.of("names", "step", "made by", most=28, once=True),
    ]
    lead = [*groups, Column.of("name", "name"), Column.of("count", "version")]
    return [
        *(lead if named else [Column.of("count", "version", heading=True)]),
        TYPE_COLUMN,
        Column.of("size", "size"),
        Column.of("names", "kind", minor=True),
        Column.of("names", "state", most=28),
        Column.of("names", "tags", most=28),
        Column.of("names", "value", most=30),
        *([] if named else [Column.of("names", "made_by", "made by", minor=True)]),
        Column.of("time", "created"),
        Column.of("prose", "note", most=60, minor=True),
    ]


def by_step(found: Sequence[Artifact], producers: Mapping[int, Step | ProducingStep]) -> list[Artifact]:
    """Return artifacts grouped by notebook and step; what was made last comes first, as it is given."""
    groups: dict[str, dict[str, list[Artifact]]] = {}
    for each in found:
        step = producers.get(each.step or 0)
        notebook, name = ("", "") if step is None else (step.notebook, step.name)
        groups.setdefault(notebook, {}).setdefault(name, []).append(each)
    return [each for steps in groups.values() for group in steps.values() for each in group]


def artifacts(
    found: Sequence[Artifact],
    *,
    producers: Mapping[int, Step | ProducingStep] | None = None,
    states: Mapping[int, str] = MappingProxyType({}),
) -> Table:
    """List artifacts, one row each; notebook and step are shown where they change.

    Args:
        found: usually the latest version of each name, as `by_step` orders them.
        producers: step id → its record, or its name and run, to show the steps that made them.
        states: artifact id → whether it is pinned or deleted, in words.
    """
    rows = [_row(each, producers or {}, states) for each in found]
    columns = _columns(named=True, notebooks=len({row["notebook"] for row in rows}))
    return Table(columns=columns, data=rows, empty="no artifacts yet: run a cell that starts with %%step")


def history(
    found: Sequence[Artifact],
    *,
    producers: Mapping[int, Step | ProducingStep] | None = None,
    states: Mapping[int, str] = MappingProxyType({}),
) -> Table:
    """List the versions of one name, as given.

    Args:
        found: its versions.
        producers: step id → its record, or its name and run, to show the steps that made them.
        states: artifact id → whether it is pinned or deleted, in words.
    """
    rows = [_row(each, producers or {}, states) for each in found]
    title = clean(found[0].name) if found else ""
    return Table(columns=_columns(named=False), data=rows, title=title, empty="no artifact of that name")


def uses(found: Sequence[Use]) -> Table:
    """List the steps that read an artifact, as given."""
    columns = (
        Column.of("count", "run", heading=True),
        Column.of("names", "step", most=28),
        Column.of("state", "status", "state"),
        Column.of("names", "stack", most=20),
        Column.of("names", "notebook", most=28, minor=True),
        Column.of("time", "started"),
    )
    rows = [
        {
            "run": each.run,
            "step": each.name,
            **values(each, "status", "stack", "notebook", "started"),
            LINKS: {
                "step": address("step", each.run, each.name),
                "stack": address("stack", each.stack),
                "notebook": address("notebook", each.notebook),
            },
        }
        for each in found
    ]
    return Table(columns=columns, data=rows, empty="no step has read it")


def loading(artifact: Artifact) -> View:
    """Show the line that loads this version in a cell: `model = zennb.load("model", version=3)`."""
    target = artifact.name if artifact.name.isidentifier() and not iskeyword(artifact.name) else "value"
    version = f", version={artifact.version}" if artifact.version else ""
    line = f"import zennb\n{target} = zennb.load({clean(repr(artifact.name))}{version})"
    return View(line, box(block(line)))
