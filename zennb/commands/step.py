"""Owns the arguments of `%%step`, the line on top of a cell that makes it a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.syntax import Argument, Verb
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.given import Given
    from zennb.commands.outcome import Context, Outcome

__all__ = ["STEP", "named"]


def _refuse(context: Context, given: Given) -> Outcome:
    del context, given
    raise UsageError("%%step goes on top of a cell, with the cell's code below it.")


def named(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the names that `-i` or `-o` give: repeated, or joined by commas, as with `%%R -i x,y`."""
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


STEP = Verb(
    name="step",
    help="make this cell a step: stored, named, traced, and reused when nothing that matters changed",
    run=_refuse,
    arguments=(
        Argument(flags=("NAME",), kind="step", help="the step's name"),
        Argument(
            flags=("-i", "--input"),
            many=True,
            word="NAMES",
            kind="variable",
            help="its inputs; else worked out from the code",
        ),
        Argument(
            flags=("-o", "--output"),
            many=True,
            word="NAMES",
            kind="variable",
            help="its outputs; else all it binds",
        ),
        Argument(flags=("--stack",), kind="stack", help="run it on this stack, this time"),
        Argument(flags=("--rerun",), switch=True, help="run it now even if it could be reused"),
        Argument(flags=("--no-cache",), switch=True, help="never reuse it"),
        Argument(flags=("--retries",), number=int, word="N", help="try again so many times when it fails"),
        Argument(flags=("--timeout",), number=float, word="SECONDS", help="stop it after so long"),
        Argument(
            flags=("--after",),
            many=True,
            word="STEP",
            kind="step",
            help="come after this step though no value flows",
        ),
        Argument(
            flags=("--depends-on",),
            many=True,
            word="PATH",
            kind="path",
            help="run again when this file or folder changes",
        ),
    ),
    examples=("%step", "%step train -o model --rerun", "%step report --depends-on data.parquet"),
)
