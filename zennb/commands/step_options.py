"""Owns the arguments of `%%step`, the line on top of a cell that makes it a step."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from zennb.commands.syntax import Argument, Verb
from zennb.core.planning.expiry import parse_duration
from zennb.core.planning.notify import parse_notify
from zennb.engine.step.definition import StepOptions
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.commands.outcome import Context, Outcome

__all__ = ["NOTIFY", "STEP", "options"]


def _refuse(context: Context, **arguments: Any) -> Outcome:
    del context, arguments
    raise UsageError("%%step goes on top of a cell, with the cell's code below it.")


def options(arguments: Mapping[str, Any]) -> StepOptions:
    """Return the options of a step, given the parsed arguments of `%%step`.

    Raises:
        UsageError: `--expires` is no duration, or `--delay` no time that one could wait; or another option has a wrong
            form.
    """
    others = dict(arguments)
    expires, delay = others.pop("expires"), others.pop("delay")
    if re.fullmatch(r".*\[\d+\]", others["name"]):
        raise UsageError(
            f"%%step: `{others['name']}` is how an element of a mapped step is named; give the step a name without "
            "a number in brackets."
        )
    if not delay < math.inf:
        raise UsageError(f"%%step: --delay takes seconds from 0 on, not {delay:g}.")
    for option in ("map", "input", "output"):
        _check_names(option, arguments[option])
    checks = _checks(others.pop("check"))
    parse_notify(arguments["notify"])
    # A step depends on what it is mapped over, and on its schemas, even if its code never names them.
    unnamed = (*filter(None, (arguments["map"],)), *checks.values())
    return StepOptions(
        inputs=tuple(dict.fromkeys((*others.pop("input"), *unnamed))),
        checks=checks,
        outputs=others.pop("output") or None,
        cache=not others.pop("no_cache"),
        depends_on=tuple(others.pop("depends_on")),
        expires=None if expires is None else parse_duration(expires),
        delay=delay,
        **others,
    )


def _check_names(option: str, given: str | Sequence[str] | None) -> None:
    names = [given] if isinstance(given, str) else list(given or ())
    for name in filter(None, names):
        if not name.isidentifier():
            raise UsageError(
                f"%%step: --{option} takes the name of a variable, not `{name}`; give the value a name first."
            )


def _checks(given: tuple[str, ...]) -> dict[str, str]:
    """Return output → variable with its schema, from `schema` or `output=schema`."""
    found: dict[str, str] = {}
    for each in given:
        output, _, schema = each.rpartition("=")
        if not schema.isidentifier() or not (output.isidentifier() or "=" not in each):
            raise UsageError(
                f"%%step: --check takes the name of a variable with a schema, or OUTPUT=SCHEMA, not `{each}`."
            )
        if output in found:
            whose = f"`{output}`" if output else "the output"
            raise UsageError(f"%%step: --check gives {whose} two schemas, `{found[output]}` and `{schema}`.")
        found[output] = schema
    return found


NOTIFY = Argument(
    "--notify",
    "send an alert when it ends: ALERTER for either end, or ALERTER:failure, ALERTER:success, or ALERTER:10m when it "
    "is still running after that time",
    type=tuple,
    word="ALERTER",
    kind="alerter",
)

STEP = Verb(
    name="step",
    help="make this cell a step: its outputs are stored, and reused while its code and dependencies are unchanged",
    run=_refuse,
    is_command=False,
    arguments=(
        Argument("NAME", "the step's name", default="", kind="step"),
        Argument(
            "-i --input",
            "its inputs; by default derived from the code",
            type=tuple,
            word="NAMES",
            kind="variable",
        ),
        Argument(
            "-o --output",
            "its outputs; by default all names that it binds",
            type=tuple,
            word="NAMES",
            kind="variable",
        ),
        Argument(
            "--map",
            "run it once per element of this variable, side by side; its outputs are lists of the results",
            default="",
            kind="variable",
            word="NAME",
        ),
        Argument(
            "--check",
            "a variable with the schema that its output has to pass, or OUTPUT=SCHEMA; otherwise the step fails",
            type=tuple,
            word="SCHEMA",
            kind="variable",
        ),
        Argument("--stack", "run it on this stack, this time", default="", kind="stack"),
        Argument(
            "--on",
            "run it on this step operator, or orchestrator, in place of the stack's orchestrator; the stack's own step "
            "operator comes first, then any that is registered",
            default="",
            word="NAME",
            kind="step operator",
        ),
        Argument("--rerun", "run it now even if it could be reused", type=bool),
        Argument("--no-cache", "never reuse it", type=bool),
        Argument(
            "--expires", "reuse its results for at most this long: 90s, 30m, 12h, 7d, 1d12h", word="DURATION"
        ),
        Argument(
            "--ignore", "inputs to leave out of the cache key", type=tuple, word="NAMES", kind="variable"
        ),
        Argument("--no-store", "outputs to bind but not store", type=tuple, word="NAMES", kind="variable"),
        Argument("--retries", "retry up to this many times when it fails", type=int, default=0, word="N"),
        Argument("--delay", "seconds to wait before each retry", type=float, default=0.0, word="SECONDS"),
        Argument("--timeout", "stop it after this many seconds", type=float, word="SECONDS"),
        Argument("--background", "run it in a process of its own; the kernel stays free", type=bool),
        NOTIFY,
        Argument(
            "--after",
            "run after this step even if it uses none of its outputs",
            type=tuple,
            word="STEP",
            kind="step",
        ),
        Argument(
            "--depends-on",
            "run again when this file or folder changes",
            type=list,
            word="PATH",
            kind="path",
        ),
    ),
    examples=(
        "%step",
        "%step train -o model --rerun",
        "%step train --on big",
        "%step report --depends-on data.parquet",
        "%step rates --expires 12h --ignore verbose",
        "%step fetch --retries 3 --delay 10",
        "%step train --background",
        "%step fit --map files",
        "%step clean --check schema",
        "%step train --notify team:failure",
    ),
)
