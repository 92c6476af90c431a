"""Owns the command `check`: what a notebook shows plain, and when every cell is a step."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.commands.verbs.notebook import TIMEOUT
from zennb.errors import CheckFailed
from zennb.views import check as view
from zennb.views.text import plural

if TYPE_CHECKING:
    from zennb.commands.parsed_arguments import ParsedArguments
    from zennb.core.records.check_findings import Check, Share

__all__ = ["CHECK", "check_notebook"]


def check_notebook(context: Context, arguments: ParsedArguments) -> Outcome:
    """Check a notebook; the exit code says whether something was silently different, or a run did not end."""
    from zennb.headless.check import LIMIT, check  # nothing else here checks notebooks

    name = arguments.text("notebook")
    limit = arguments.seconds("limit")
    found = check(
        name,
        timeout=arguments.seconds("timeout"),
        once=arguments.flag("once"),
        limit=LIMIT if limit is None else limit,
        on_run=lambda what: context.say(f"running {name} {what} ..."),
    )
    error = _error(found)
    return Outcome(view=view.check(found), data=_data(found), code=0 if error is None else 1, error=error)


def _error(found: Check) -> CheckFailed | None:
    told = [f"{plural(len(found.silent), 'cell')} silently different with steps"] if found.silent else []
    told += [note.rstrip(".") for note in found.notes]
    return CheckFailed(f"{found.name}: {'; '.join(told)}.") if told else None


def _data(found: Check) -> dict[str, Any]:
    figures = {"cold": found.cold, "reused": found.reused, "cached": found.cached}
    return {
        "name": found.name,
        "seconds": found.seconds,
        "figures": {name: _share(share) for name, share in figures.items()},
        "notes": list(found.notes),
        "cells": [{**plain(asdict(cell)), "silent": cell.is_silent} for cell in found.cells],
    }


def _share(share: Share) -> dict[str, float]:
    return {"part": share.part, "whole": share.whole, "percent": share.percent}


CHECK = Verb(
    name="check",
    help="compare what a notebook shows plain with what it shows when every cell is a step",
    run=check_notebook,
    arguments=(
        Argument(flags=("NOTEBOOK",), kind="notebook", required=True, help="path of an .ipynb file"),
        Argument(
            flags=("--once",),
            switch=True,
            help="run it plain only once; cells that show something else each time then count as different",
        ),
        TIMEOUT,
        Argument(
            flags=("--limit",),
            number=float,
            word="MB",
            help="how much of its folder is copied at most; by default 500",
        ),
    ),
    examples=("check study.ipynb", "check study.ipynb --once --timeout 60"),
    faces=frozenset({Interface.TERMINAL}),
)
