"""Owns the command `artifacts`: what steps made, where it came from, and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import api
from zennb.commands.ancestry import ancestry
from zennb.commands.data import artifact_data, plain, step_data
from zennb.commands.expire import EXPIRE
from zennb.commands.face import Face
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import JSON, Argument, Command, Verb
from zennb.commands.verify import VERIFY
from zennb.views import artifact as artifact_view
from zennb.views.lineage import lineage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.given import Given
    from zennb.core.records import Artifact, Step

__all__ = ["ARTIFACTS"]

RECENT = 50
"""Artifacts that a list shows when nobody says how many."""


def _list(context: Context, given: Given) -> Outcome:
    limit = given.integer("limit")
    found = context.workspace.metadata.artifacts(
        kind=given.maybe("kind"), limit=RECENT if limit is None else limit
    )
    view = artifact_view.artifacts(found, producers=_producers(context, found))
    return Outcome(view=view, data=plain(found))


def _show(context: Context, given: Given) -> Outcome:
    metadata, found = context.workspace.metadata, _artifact(context, given)
    producer, consumers = metadata.producer(found), metadata.consumers(found)
    view = artifact_view.artifact(found, producer=producer, consumers=consumers)
    made = None if producer is None else step_data(producer)
    return Outcome(
        view=view, data=artifact_data(found, producer=made, consumers=[step_data(each) for each in consumers])
    )


def _history(context: Context, given: Given) -> Outcome:
    name = given.text("name")
    found = context.workspace.metadata.history(name, limit=given.integer("limit") or 1000)
    if not found:
        raise api.unknown_artifact(context.workspace, name)
    return Outcome(view=artifact_view.history(found, producers=_producers(context, found)), data=plain(found))


def _lineage(context: Context, given: Given) -> Outcome:
    found = _artifact(context, given)
    around = ancestry(context.workspace.metadata, found)
    view = lineage(found, producers=around.producers, consumers=around.consumers, writers=around.writers)
    data = {
        "artifact": artifact_data(found),
        "producers": {key: step_data(step) for key, step in around.producers.items()},
        "consumers": {key: [step_data(step) for step in steps] for key, steps in around.consumers.items()},
        "writers": {
            key: {path: step_data(step) for path, step in files.items()}
            for key, files in around.writers.items()
            if files
        },
    }
    return Outcome(view=view, data=data)


def _load(context: Context, given: Given) -> Outcome:
    found = _artifact(context, given)
    if context.face is Face.MAGIC:
        value = api.load_artifact(context.workspace, found)
        return Outcome(view=None, data=artifact_data(found), value=value)
    return Outcome(view=artifact_view.artifact(found), data=artifact_data(found))


def _artifact(context: Context, given: Given) -> Artifact:
    notebook = context.session.notebook if context.session is not None else None
    version = given.integer("version")
    return api.find_artifact(
        context.workspace, given.text("name"), version=version, notebook=notebook or None
    )


def _producers(context: Context, found: Sequence[Artifact]) -> dict[int, Step]:
    metadata = context.workspace.metadata
    steps = {each.step: metadata.producer(each) for each in found}
    return {key: step for key, step in steps.items() if key is not None and step is not None}


NAME = Argument(flags=("NAME",), kind="artifact", required=True, help="the variable's name")
VERSION = Argument(
    flags=("--version",), number=int, word="N", help="this version; by default what the name stands for now"
)
LIMIT = Argument(flags=("--limit",), number=int, word="N", help=f"at most so many; {RECENT} by default")

ARTIFACTS = Command(
    name="artifacts",
    help="see what steps made, where it came from, and get its value",
    default="list",
    examples=(
        "artifacts",
        "artifacts show model --version 2",
        "artifacts lineage model",
        "artifacts load model",
    ),
    parts=(
        Verb(
            name="list",
            help="list the latest version of each artifact, newest first",
            run=_list,
            arguments=(
                Argument(
                    flags=("--kind",),
                    kind="choice",
                    choices=("output", "captured", "parameter"),
                    help="only artifacts of this kind",
                ),
                LIMIT,
                JSON,
            ),
            examples=("artifacts list", "artifacts list --kind output"),
        ),
        Verb(
            name="show",
            help="show one artifact: what it is, who made it, who used it, and a preview",
            run=_show,
            arguments=(NAME, VERSION, JSON),
            examples=("artifacts show model", "artifacts show model --version 2"),
        ),
        Verb(
            name="history",
            help="list all versions of one name, newest first",
            run=_history,
            arguments=(
                NAME,
                Argument(flags=("--limit",), number=int, word="N", help="at most so many"),
                JSON,
            ),
            examples=("artifacts history model",),
        ),
        Verb(
            name="lineage",
            help="show where an artifact came from and what came of it",
            run=_lineage,
            arguments=(NAME, VERSION, JSON),
            examples=("artifacts lineage model",),
        ),
        Verb(
            name="load",
            help="return the value (in the terminal: show its preview)",
            run=_load,
            arguments=(NAME, VERSION, JSON),
            examples=("artifacts load model", "artifacts load model --version 2"),
        ),
        EXPIRE,
        VERIFY,
    ),
)
