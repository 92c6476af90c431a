"""Owns the command `artifacts`: what steps made, where it came from, and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import api
from zennb.commands.data import artifact_data, plain, step_brief, step_data
from zennb.commands.interface import Interface
from zennb.commands.json_envelope import limited
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Cut, Outcome
from zennb.commands.syntax import Argument, Command, Verb
from zennb.commands.verbs.ancestry import Ancestry, ancestry
from zennb.commands.verbs.expire import EXPIRE
from zennb.commands.verbs.verify import VERIFY
from zennb.views import artifact as artifact_view
from zennb.views.lineage import lineage
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zennb.commands.parsed_arguments import ParsedArguments
    from zennb.core.records.records import Artifact, Step

__all__ = ["ARTIFACTS"]

RECENT = 50
"""Artifacts that a list shows when nobody says how many."""

NEAR = 10
"""Steps that a lineage goes in each direction when nobody says how many."""


def _list(context: Context, arguments: ParsedArguments) -> Outcome:
    limit = arguments.limit(RECENT)
    found, cut = limited(
        context.workspace.metadata.artifacts(kind=arguments.optional("kind"), limit=limit + 1), limit
    )
    view = artifact_view.artifacts(found, producers=_producers(context, found))
    return Outcome(view=view, data=plain(found), cut=cut)


def _show(context: Context, arguments: ParsedArguments) -> Outcome:
    metadata, found = context.workspace.metadata, _artifact(context, arguments)
    producer, consumers = metadata.producer(found), metadata.consumers(found)
    view = artifact_view.artifact(found, producer=producer, consumers=consumers)
    made = None if producer is None else step_data(producer)
    data = artifact_data(found, producer=made, consumers=[step_brief(each) for each in consumers])
    return Outcome(view=view, data=data)


def _history(context: Context, arguments: ParsedArguments) -> Outcome:
    name, limit = arguments.text("name"), arguments.limit(RECENT)
    versions = context.workspace.metadata.history(name, limit=limit + 1)
    if not versions:
        raise api.unknown_artifact(context.workspace, name)
    found, cut = limited(versions, limit)
    view = artifact_view.history(found, producers=_producers(context, found))
    return Outcome(view=view, data=plain(found), cut=cut)


def _lineage(context: Context, arguments: ParsedArguments) -> Outcome:
    found, depth = _artifact(context, arguments), arguments.integer("depth")
    around = ancestry(context.workspace.metadata, found, depth=NEAR if depth is None else depth)
    view = lineage(found, producers=around.producers, consumers=around.consumers, writers=around.writers)
    cut = _cuts(around)
    if cut:
        far = f"Steps further away than {NEAR if depth is None else depth} are left out; give `--depth N` for more."
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


def _load(context: Context, arguments: ParsedArguments) -> Outcome:
    found = _artifact(context, arguments)
    if context.interface is Interface.MAGIC:
        value = api.load_artifact(context.workspace, found)
        return Outcome(view=None, data=artifact_data(found), value=value)
    return Outcome(view=artifact_view.artifact(found), data=artifact_data(found))


def _artifact(context: Context, arguments: ParsedArguments) -> Artifact:
    notebook = context.session.notebook if context.session is not None else None
    version = arguments.integer("version")
    return api.find_artifact(
        context.workspace, arguments.text("name"), version=version, notebook=notebook or None
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
DEPTH = Argument(flags=("--depth",), number=int, word="N", help=f"steps in each direction; {NEAR} by default")

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
            ),
            examples=("artifacts list", "artifacts list --kind output"),
        ),
        Verb(
            name="show",
            help="show one artifact: what it is, who made it, who used it, and a preview",
            run=_show,
            arguments=(NAME, VERSION),
            examples=("artifacts show model", "artifacts show model --version 2"),
        ),
        Verb(
            name="history",
            help="list all versions of one name, newest first",
            run=_history,
            arguments=(NAME, LIMIT),
            examples=("artifacts history model",),
        ),
        Verb(
            name="lineage",
            help="show where an artifact came from and what came of it",
            run=_lineage,
            arguments=(NAME, VERSION, DEPTH),
            examples=("artifacts lineage model", "artifacts lineage model --depth 3"),
        ),
        Verb(
            name="load",
            help="return the value (in the terminal: show its preview)",
            run=_load,
            arguments=(NAME, VERSION),
            examples=("artifacts load model", "artifacts load model --version 2"),
        ),
        EXPIRE,
        VERIFY,
    ),
)
