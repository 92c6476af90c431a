"""Owns the verb `artifacts verify`: are all recorded artifacts still there, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.errors import DamagedArtifact
from zennb.views.table import Column, Table
from zennb.views.text import plural
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zennb.commands.parsed_arguments import ParsedArguments
    from zennb.core.records.records import Artifact
    from zennb.metadata.store import MetadataStore

__all__ = ["VERIFY"]

PAGE = 500
"""Records read at a time."""


def _verify(context: Context, arguments: ParsedArguments) -> Outcome:
    workspace = context.workspace
    stack = workspace.open(arguments.optional("stack"))
    damaged = set(stack.store.verify())
    named = _named(workspace.metadata, damaged) if damaged else {}
    rows = [
        {"artifact": ", ".join(named.get(digest, ())) or "shown output", "digest": digest}
        for digest in sorted(damaged)
    ]
    count = sum(1 for _ in stack.store.digests())
    label = f"artifact store '{stack.spec.artifact_store.name}'"
    data = {"store": stack.spec.artifact_store.name, "whole": count, "damaged": rows}
    if not damaged:
        return Outcome(
            view=message_view(f"{label}: all {plural(count, 'stored blob')} are whole."), data=data
        )
    sentence = (
        f"{label}: {plural(len(damaged), 'stored blob')} damaged or gone, {count} whole; what was damaged has been set "
        "aside, and the steps that made these artifacts will run again."
    )
    columns = (Column.of("name", "artifact"), Column.of("names", "digest", most=64))
    view = join([message_view(sentence), Table(columns=columns, data=rows)])
    error = DamagedArtifact(sentence, digest=min(damaged))
    return Outcome(view=view, data=data, code=1, error=error)


def _named(metadata: MetadataStore, blobs: set[str]) -> dict[str, list[str]]:
    """Return the artifacts that live in these blobs, by blob."""
    found: dict[str, list[str]] = {}
    for artifact in _all(metadata):
        if artifact.blob in blobs:
            found.setdefault(artifact.blob, []).append(artifact.label)
    return found


def _all(metadata: MetadataStore) -> Iterator[Artifact]:
    offset = 0
    while heads := metadata.artifacts(limit=PAGE, offset=offset):
        offset += len(heads)
        for head in heads:
            yield from metadata.history(head.name, limit=100_000)


VERIFY = Verb(
    name="verify",
    help="read every stored blob of a stack's artifact store, and name what is damaged or gone",
    run=_verify,
    arguments=(
        Argument(flags=("--stack",), kind="stack", help="this stack's store; by default the active one's"),
    ),
    examples=("artifacts verify",),
)
