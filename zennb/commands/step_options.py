"""Owns the arguments of `%%step`, the line on top of a cell that makes it a step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from zennb.commands.syntax import Argument, Verb
from zennb.core.planning.expiry import parse_duration
from zennb.engine.step.definition import StepOptions
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.outcome import Context, Outcome
    from zennb.commands.parsed_arguments import ParsedArguments

__all__ = ["STEP", "named", "options"]


def _refuse(context: Context, arguments: ParsedArguments) -> Outcome:
    del context, arguments
    raise UsageError("%%step goes on top of a cell, with the cell's code below it.")


def options(arguments: ParsedArguments) -> StepOptions:
    """Return what stands after `%%step`, as the definition of a step takes it.

    Raises:
        UsageError: `--expires` is no duration, or `--delay` no time that one could wait.
    """
    expires = arguments.optional("expires")
    return StepOptions(
        name=arguments.optional("name") or "",
        inputs=named(arguments.list("input")),
        outputs=named(arguments.list("output")) or None,
        rerun=arguments.flag("rerun"),
        cache=not arguments.flag("no_cache"),
        retries=arguments.integer("retries") or 0,
        delay=_delay(arguments),
        timeout=arguments.seconds("timeout"),
        stack=arguments.optional("stack") or "",
        depends_on=tuple(arguments.list("depends_on")),
        after=named(arguments.list("after")),
        expires=None if expires is None else parse_duration(expires),
        ignore=named(arguments.list("ignore")),
        no_store=named(arguments.list("no_store")),
    )


def named(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the names that `-i` or `-o` give: repeated, or joined by commas, as with `%%R -i x,y`."""
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


def _delay(arguments: ParsedArguments) -> float:
    seconds = arguments.seconds("delay") or 0.0
    if not 0.0 <= seconds < math.inf:
        raise UsageError(f"{arguments.command_line}: --delay takes seconds from 0 on, not {seconds:g}.")
    return seconds


STEP = Verb(
    name="step",
    help="make this cell a step: stored, named, traced, and reused when nothing that matters changed",
    run=_refuse,
    is_command=False,
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
        Argument(
            flags=("--expires",),
            word="DURATION",
            help="reuse its results for at most this long: 90s, 30m, 12h, 7d, 1d12h",
        ),
        Argument(
            flags=("--ignore",),
            many=True,
            word="NAMES",
            kind="variable",
            help="inputs to leave out of the cache key",
        ),
        Argument(
            flags=("--no-store",),
            many=True,
            word="NAMES",
            kind="variable",
            help="outputs to bind but not store",
        ),
        Argument(
            flags=("--retries",), number=int, word="N", help="retry up to this many times when it fails"
        ),
        Argument(flags=("--delay",), number=float, word="SECONDS", help="seconds to wait before each retry"),
        Argument(flags=("--timeout",), number=float, word="SECONDS", help="stop it after this many seconds"),
        Argument(
            flags=("--after",),
            many=True,
            word="STEP",
            kind="step",
            help="run after this step even if it uses none of its outputs",
        ),
        Argument(
            flags=("--depends-on",),
            many=True,
            word="PATH",
            kind="path",
            help="run again when this file or folder changes",
        ),
    ),
    examples=(
        "%step",
        "%step train -o model --rerun",
        "%step report --depends-on data.parquet",
        "%step rates --expires 12h --ignore verbose",
        "%step fetch --retries 3 --delay 10",
    ),
)
