"""Owns the command `artifacts`: the outputs of steps, their lineage, their bytes and their values."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.commands.data import artifact_data, plain, step_brief, step_data
from zennb.commands.interface import Interface
from zennb.commands.json_envelope import limited
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Cut, Outcome
from zennb.commands.syntax import Argument, Command, verb
from zennb.commands.verbs import space
from zennb.commands.verbs.labels import note_verb, tag_verb, tagged
from zennb.core.planning.expiry import by_hand
from zennb.core.records.pages import ArtifactFilter
from zennb.core.records.records import Status
from zennb.errors import DamagedArtifact, UsageError
from zennb.handles.ancestry import Ancestry, ancestry
from zennb.space import gone
from zennb.views import artifact as artifact_view
from zennb.views.lineage import lineage
from zennb.views.table import Column, Table
from zennb.views.text import listing, plural
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from zennb.core.records.records import Artifact, Step
    from zennb.metadata.store import MetadataStore

__all__ = ["PARTS"]

RECENT = 50
"""Default number of artifacts in a list."""

NEAR = 10
"""Default number of steps that a lineage goes in each direction."""

PAGE = 500
"""Records read at a time."""

NAME = Argument("NAME", "the variable's name", required=True, kind="artifact")
VERSION = Argument("--version", "this version; by default the current one", type=int, word="N")
LIMIT = Argument("--limit", f"at most this many; {RECENT} by default", type=int, default=RECENT, word="N")
DEPTH = Argument("--depth", f"steps in each direction; {NEAR} by default", type=int, default=NEAR, word="N")


@verb(
    "list the latest version of each artifact, newest first; with --tag, every version that has it",
    Argument(
        "--kind",
        "only artifacts of this kind",
        kind="choice",
        choices=("output", "captured", "parameter"),
    ),
    tagged("versions"),
    LIMIT,
    examples=("artifacts list", "artifacts list --kind output", "artifacts list --tag good"),
)
def _list(context: Context, kind: str | None, tag: str | None, limit: int) -> Outcome:
    which = ArtifactFilter(kind=kind, tag=tag)
    page = context.workspace.metadata.listings.artifacts(which, limit=limit + 1)
    found, cut = limited(page.items, limit)
    producers = _producers(context, found)
    found = artifact_view.by_step(found, producers)
    view = artifact_view.artifacts(found, producers=producers, states=space.states(context.workspace, found))
    return Outcome(view=view, data=plain(found), cut=cut)


@verb(
    "show one artifact: its type, the step that made it, the steps that used it, and a preview",
    NAME,
    VERSION,
    examples=("artifacts show model", "artifacts show model --version 2"),
)
def _show(context: Context, name: str, version: int | None) -> Outcome:
    metadata, found = context.workspace.metadata, _artifact(context, name, version)
    producer, consumers = metadata.producer(found), metadata.consumers(found)
    freed = gone.freed(context.workspace, [found]).get(found.blob)
    is_pinned = found.id in metadata.space.pins()
    view = artifact_view.artifact(
        found, producer=producer, consumers=consumers, freed=freed, is_pinned=is_pinned
    )
    maker = None if producer is None else step_data(producer)
    data = artifact_data(
        found,
        producer=maker,
        consumers=[step_brief(each) for each in consumers],
        pinned=is_pinned,
        deleted=plain(freed),
    )
    return Outcome(view=view, data=data)


@verb(
    "list all versions of one name, newest first",
    NAME,
    LIMIT,
    examples=("artifacts history model",),
)
def _history(context: Context, name: str, limit: int) -> Outcome:
    versions = context.workspace.metadata.history(name, limit=limit + 1)
    if not versions:
        raise api.unknown_artifact(context.workspace, name)
    found, cut = limited(versions, limit)
    view = artifact_view.history(
        found, producers=_producers(context, found), states=space.states(context.workspace, found)
    )
    return Outcome(view=view, data=plain(found), cut=cut)


@verb(
    "show the steps that led to an artifact, and those that used it",
    NAME,
    VERSION,
    DEPTH,
    examples=("artifacts lineage model", "artifacts lineage model --depth 3"),
)
def _lineage(context: Context, name: str, version: int | None, depth: int) -> Outcome:
    found = _artifact(context, name, version)
    around = ancestry(context.workspace.metadata, found, depth=depth)
    view = lineage(found, producers=around.producers, consumers=around.consumers, writers=around.writers)
    cut = _cuts(around)
    if cut:
        far = f"Steps further away than {depth} are left out; give `--depth N` for more."
        view = join([view, message_view(far)], gap=0)
    labels = around.labels
    data = {
        "artifact": artifact_data(found),
        "producers": {labels[key]: step_brief(step) for key, step in around.producers.items()},
        "consumers": {
            labels[key]: [step_brief(step) for step in _latest(steps)]
            for key, steps in around.consumers.items()
            if steps
        },
        "writers": {
            str(key): {path: step_brief(step) for path, step in files.items()}
            for key, files in around.writers.items()
            if files
        },
    }
    return Outcome(view=view, data=data, cut=cut)


def _cuts(around: Ancestry) -> tuple[Cut, ...]:
    sides = {"producers": around.more_above, "consumers": around.more_below}
    return tuple(
        Cut(path=f"data.{side}", kept=len(getattr(around, side)), option="--depth")
        for side, is_cut in sides.items()
        if is_cut
    )


def _latest(steps: Iterable[Step]) -> list[Step]:
    """Return the latest record of each step; records come newest first."""
    found: dict[tuple[str, str], Step] = {}
    for step in steps:
        found.setdefault((step.notebook, step.name), step)
    return list(found.values())


@verb(
    "return the value (in the terminal: show its preview)",
    NAME,
    VERSION,
    examples=("artifacts load model", "artifacts load model --version 2"),
)
def _load(context: Context, name: str, version: int | None) -> Outcome:
    found = _artifact(context, name, version)
    if context.interface is Interface.MAGIC:
        value = api.load_artifact(context.workspace, found)
        return Outcome(view=None, data=artifact_data(found), value=value)
    return Outcome(view=artifact_view.artifact(found), data=artifact_data(found))


@verb(
    "invalidate the cached results that made an artifact, so that its step runs again; nothing is deleted",
    NAME,
    VERSION,
    examples=("artifacts expire model", "artifacts expire model --version 2"),
)
def _expire(context: Context, name: str, version: int | None) -> Outcome:
    found = _artifact(context, name, version)
    if not found.is_output:
        raise UsageError(
            f"`{found.label}` was taken from the notebook as an input: no step made it. Change the variable instead."
        )
    touched = context.workspace.metadata.expire(found, when=time.time(), why=by_hand(found.label))
    steps = list(dict.fromkeys(step for step, _ in touched))
    results = sum(status is Status.COMPLETED for _, status in touched)
    reuses = len(touched) - results
    data = {"artifact": found.label, "results": results, "reuses": reuses, "steps": steps}
    sentence = f"`{found.label}` was not to be reused any more; nothing changed."
    if touched:
        noun = "step" if len(steps) == 1 else "steps"
        sentence = (
            f"`{found.label}` is not reused any more: {plural(results, 'result')} and {plural(reuses, 'reuse')} of "
            f"{noun} {listing(steps)} expired. Nothing was deleted; the next use runs again."
        )
    return Outcome(view=message_view(sentence), data=data)


@verb(
    "check every stored blob of a stack's artifact store, and list damaged and missing ones",
    Argument("--stack", "this stack's store; by default the active one's", kind="stack"),
    examples=("artifacts verify",),
)
def _verify(context: Context, stack: str | None) -> Outcome:
    opened = context.workspace.open(stack)
    name = opened.spec.artifact_store.name
    damaged = set(opened.store.verify())
    labels = _labels(context.workspace.metadata, damaged) if damaged else {}
    rows = [
        {"artifact": ", ".join(labels.get(digest, ())) or "shown output", "digest": digest}
        for digest in sorted(damaged)
    ]
    count = sum(1 for _ in opened.store.digests())
    data = {"store": name, "whole": count, "damaged": rows}
    if not damaged:
        sentence = f"artifact store '{name}': all {plural(count, 'stored blob')} are whole."
        return Outcome(view=message_view(sentence), data=data)
    sentence = (
        f"artifact store '{name}': {plural(len(damaged), 'stored blob')} damaged or gone, {count} whole; what was "
        "damaged has been set aside, and the steps that made these artifacts will run again."
    )
    columns = (Column.of("name", "artifact"), Column.of("names", "digest", most=64))
    view = join([message_view(sentence), Table(columns=columns, data=rows)])
    error = DamagedArtifact(sentence, digest=min(damaged))
    return Outcome(view=view, data=data, code=1, error=error)


def _labels(metadata: MetadataStore, blobs: set[str]) -> dict[str, list[str]]:
    """Return blob → the labels of the artifacts stored in it."""
    found: dict[str, list[str]] = {}
    offset = 0
    while heads := metadata.artifacts(limit=PAGE, offset=offset):
        offset += len(heads)
        for head in heads:
            for artifact in metadata.history(head.name, limit=100_000):
                for blob in blobs.intersection(artifact.blobs):
                    found.setdefault(blob, []).append(artifact.label)
    return found


def _artifact(context: Context, name: str, version: int | None) -> Artifact:
    notebook = context.session.notebook if context.session is not None else None
    return api.find_artifact(context.workspace, name, version=version, notebook=notebook or None)


def _producers(context: Context, found: Sequence[Artifact]) -> dict[int, Step]:
    metadata = context.workspace.metadata
    steps = {each.step: metadata.producer(each) for each in found}
    return {key: step for key, step in steps.items() if key is not None and step is not None}


def _describe(context: Context, found: Artifact, note: str, tags: Mapping[str, str]) -> None:
    context.workspace.metadata.labels.describe("artifact", found.id or 0, note, tags)


_LABELS: Any = {"find": _artifact, "describe": _describe, "name": lambda found: f"`{found.label}`"}
_tag = tag_verb(
    [NAME, VERSION],
    **_LABELS,
    examples=("artifacts tag model good", "artifacts tag model --version 2 stage=test --remove good"),
)
_note = note_verb(
    [NAME, VERSION],
    **_LABELS,
    examples=('artifacts note model "trained without outliers"', 'artifacts note model --version 2 ""'),
)

PARTS = (
    Command(
        name="artifacts",
        help="list and tag artifacts, show their lineage, load their values, and free space",
        default="list",
        examples=(
            "artifacts",
            "artifacts show model --version 2",
            "artifacts lineage model",
            "artifacts load model",
            "artifacts usage",
            "artifacts prune --older 30d",
        ),
        parts=(_list, _show, _history, _lineage, _load, _tag, _note, _expire, _verify, *space.PARTS),
    ),
)
