"""Owns the command `annotate`: people label the items of a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.interface import Interface
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PARTS"]


def _annotate(
    context: Context, variable: str, labels: Sequence[str], as_: str | None, annotator: str | None
) -> Outcome:
    if context.session is None:
        raise UsageError("there is no notebook session here yet; type `%load_ext zennb` first.")
    target = as_ or f"{variable}_labels"
    if not target.isidentifier():
        raise UsageError(f"{context.command_line}: `--as {target}` is no name of a variable.")
    view = context.session.annotate(variable, labels=labels, target=target, annotator=annotator or "")
    return Outcome(view=view, data={"target": target})


PARTS = (
    Verb(
        name="annotate",
        help="label the texts, images or rows of a variable by hand; it goes on where it stopped",
        run=_annotate,
        arguments=(
            Argument("VARIABLE", "the variable with the items", required=True, kind="variable"),
            Argument("--labels", "the labels to choose from; by default those of the last time", type=tuple),
            Argument("--as", "bind the labels to this name; VARIABLE_labels by default", word="NAME"),
            Argument(
                "--annotator",
                "the annotator to use; by default that of the stack, else the panel in the notebook",
                kind="annotator",
                word="NAME",
            ),
        ),
        examples=("annotate images --labels cat,dog", "annotate reviews --labels good,bad --as ratings"),
        interfaces=frozenset({Interface.MAGIC}),
    ),
)
