"""Owns the verb `artifacts expire`: what made an artifact is not reused any more, and nothing is deleted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from zennb import api
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.core.planning.expiry import by_hand
from zennb.core.records.records import Status
from zennb.errors import UsageError
from zennb.views.text import listing, plural

if TYPE_CHECKING:
    from zennb.commands.parsed_arguments import ParsedArguments

__all__ = ["EXPIRE"]


def _expire(context: Context, arguments: ParsedArguments) -> Outcome:
    notebook = context.session.notebook if context.session is not None else None
    found = api.find_artifact(
        context.workspace,
        arguments.text("name"),
        version=arguments.integer("version"),
        notebook=notebook or None,
    )
    if found.kind != "output":
        raise UsageError(
            f"`{found.label}` was taken from the notebook as an input: no step made it. Change the variable instead."
        )
    touched = context.workspace.metadata.expire(found, when=time.time(), why=by_hand(found.label))
    steps = list(dict.fromkeys(name for name, _ in touched))
    results = sum(status is Status.COMPLETED for _, status in touched)
    reuses = len(touched) - results
    data = {"artifact": found.label, "results": results, "reuses": reuses, "steps": steps}
    if not touched:
        return Outcome(
            view=message_view(f"`{found.label}` was not to be reused any more; nothing changed."), data=data
        )
    noun = "step" if len(steps) == 1 else "steps"
    sentence = (
        f"`{found.label}` is not reused any more: {plural(results, 'result')} and {plural(reuses, 'reuse')} of "
        f"{noun} {listing(steps)} expired. Nothing was deleted; the next use runs again."
    )
    return Outcome(view=message_view(sentence), data=data)


EXPIRE = Verb(
    name="expire",
    help="stop reusing what made an artifact, so that its step runs again; nothing is deleted",
    run=_expire,
    arguments=(
        Argument(flags=("NAME",), kind="artifact", required=True, help="the variable's name"),
        Argument(
            flags=("--version",),
            number=int,
            word="N",
            help="this version; by default what the name stands for now",
        ),
    ),
    examples=("artifacts expire model", "artifacts expire model --version 2"),
)
