"""Owns the verbs of `artifacts` about space: `usage`, `prune`, `pin`, `unpin` and `forget`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.commands.data import plain
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Cut, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.core.planning.pruning import parse_rule
from zennb.errors import UsageError
from zennb.space.gone import forget, forgettable, freed
from zennb.space.prune import prune
from zennb.space.usage import usage
from zennb.views import artifact as artifact_view
from zennb.views import space as space_view
from zennb.views.text import listing, plural, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.records.records import Artifact
    from zennb.core.records.space import Pruned
    from zennb.registry.workspace import Workspace

__all__ = ["DELETE", "PARTS", "states"]

TOP = 10
"""Default number of rows in each list of `usage`."""

MOST_LISTED = 100
"""Default number of blobs that the data of a prune lists."""

STACK = Argument("--stack", "this stack's artifact store; by default the active one's", kind="stack")
DELETE = Argument("--yes -y", "delete; without it, only say what would be deleted", type=bool)
NAME = Argument("NAME", "the variable's name", required=True, kind="artifact")
VERSION = Argument("VERSION", "this version (`3` or `v3`); by default the current one")


def states(workspace: Workspace, found: Sequence[Artifact]) -> dict[int, str]:
    """Return artifact id → `pinned`, `deleted 2026-03-09`, or both; others are left out."""
    return artifact_view.states(found, freed(workspace, found), workspace.metadata.space.pins())


@verb(
    "show what takes space, by store, notebook, step and stack, and the seconds that reuse has saved",
    Argument("--stack", "only this stack's artifact store", kind="stack"),
    Argument("--limit", f"at most this many in each list; {TOP} by default", type=int, default=TOP, word="N"),
    examples=("artifacts usage",),
)
def _usage(context: Context, stack: str | None, limit: int) -> Outcome:
    found = usage(context.workspace, stack=stack, limit=limit)
    data = {**plain(found), "size": found.size}
    cut = []
    for name in ("notebooks", "steps", "stacks"):
        total = len(data[name])
        if total > limit:
            data[name] = data[name][:limit]
            cut.append(Cut(path=f"data.{name}", kept=limit, of=total, option="--limit"))
    return Outcome(view=space_view.usage(found, most=limit), data=data, cut=tuple(cut))


@verb(
    "say what could be deleted to free space, by one rule; with --yes, delete it",
    Argument("--older", "what was not used for this long, such as 30d", word="DURATION"),
    Argument("--keep", "all but the newest N versions of each name", type=int, word="N"),
    Argument("--unreferenced", "what no record names, such as the leftovers of killed kernels", type=bool),
    Argument("--to", "the longest unused, until the store holds this much, such as 5GB", word="SIZE"),
    STACK,
    DELETE,
    Argument(
        "--limit",
        f"with --json, at most this many blobs; {MOST_LISTED} by default",
        type=int,
        default=MOST_LISTED,
        word="N",
    ),
    examples=("artifacts prune --older 30d", "artifacts prune --keep 3 --yes", "artifacts prune --to 5GB"),
)
def _prune(context: Context, stack: str | None, yes: bool, limit: int, **rules: Any) -> Outcome:
    rule = parse_rule(**rules)
    done = prune(context.workspace, rule, stack=stack, delete=yes)
    typed = {**rules, "stack": stack}
    words = [f"--{name}" if value is True else f"--{name} {value}" for name, value in typed.items() if value]
    again = " ".join([context.command_line, *words, "--yes"])
    blobs = done.plan.blobs if done.deleted is None else done.deleted
    data = {
        "store": done.store,
        "deleted": yes,
        "count": len(blobs),
        "size": done.size,
        "total": done.plan.total,
        "spared": dict(done.plan.spared),
        "later": done.later,
        "blobs": plain(blobs[:limit]),
    }
    cut = (Cut(path="data.blobs", kept=limit, of=len(blobs), option="--limit"),) if len(blobs) > limit else ()
    sentence = _deleted(done) if yes else ""
    return Outcome(view=space_view.pruned(done, again=again), data=data, cut=cut, sentence=sentence)


def _deleted(done: Pruned) -> str:
    return f"deleted {plural(len(done.deleted or ()), 'blob')} of artifact store '{done.store}': {size(done.size)}."


@verb(
    "keep a version from being deleted to free space",
    NAME,
    VERSION,
    examples=("artifacts pin model", "artifacts pin model v3"),
)
def _pin(context: Context, name: str, version: str | None) -> Outcome:
    found = _artifact(context, name, version)
    is_new = context.workspace.metadata.space.pin(found.id or 0)
    done = "is pinned" if is_new else "was pinned already"
    sentence = f"`{found.label}` {done}: its bytes are never deleted to free space."
    return _pinned(found, sentence, is_pinned=True)


@verb(
    "let a pinned version be deleted to free space again",
    NAME,
    VERSION,
    examples=("artifacts unpin model v3",),
)
def _unpin(context: Context, name: str, version: str | None) -> Outcome:
    found = _artifact(context, name, version)
    space = context.workspace.metadata.space
    was_pinned = space.unpin(found.id or 0)
    sentence = (
        f"`{found.label}` {'is not pinned any more' if was_pinned else 'was not pinned; nothing changed'}."
    )
    if models := space.registered_as(found.id or 0):
        sentence += f" It is registered as {listing(models)}, so it is kept all the same."
    return _pinned(found, sentence, is_pinned=bool(models))


def _pinned(found: Artifact, sentence: str, *, is_pinned: bool) -> Outcome:
    data = {"artifact": found.label, "pinned": is_pinned}
    return Outcome(view=message_view(sentence), data=data, sentence=sentence)


@verb(
    "say which versions have lost their bytes; with --yes, delete their records",
    Argument("NAME", "only versions of this name", kind="artifact"),
    DELETE,
    examples=("artifacts forget", "artifacts forget model --yes"),
)
def _forget(context: Context, name: str | None, yes: bool) -> Outcome:
    workspace = context.workspace
    if name is not None and not workspace.metadata.history(name, limit=1):
        raise api.unknown_artifact(workspace, name)
    found = forgettable(workspace, name)
    if yes:
        forget(workspace, found)
    labels = [each.label for each in found]
    if not found:
        sentence = "The bytes of every version that could be forgotten are there; nothing to forget."
    elif yes:
        sentence = f"The records of {plural(len(found), 'version')} are deleted: {listing(labels)}."
    else:
        sentence = (
            f"The bytes of {plural(len(found), 'version')} are in no registered artifact store: {listing(labels)}. "
            f"Nothing is deleted yet: `{context.command_line}{f' {name}' if name else ''} --yes` deletes the records."
        )
    data: dict[str, Any] = {"artifacts": labels, "deleted": yes}
    return Outcome(view=message_view(sentence), data=data, sentence=sentence if yes else "")


def _artifact(context: Context, name: str, version: str | None) -> Artifact:
    number = None
    if version is not None:
        digits = version.removeprefix("v")
        if not digits.isdecimal() or len(digits) > 9:
            raise UsageError(
                f"{context.command_line}: '{version}' is no version; type a number, such as 3 or v3."
            )
        number = int(digits)
    notebook = context.session.notebook if context.session is not None else None
    return api.find_artifact(context.workspace, name, version=number, notebook=notebook or None)


PARTS = (_usage, _prune, _pin, _unpin, _forget)
