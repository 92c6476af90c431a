"""Owns the command `check`: compares a notebook's output with and without steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.commands.verbs.notebook import NOTEBOOK, TIMEOUT
from zennb.errors import CheckFailed
from zennb.views import check as view
from zennb.views.text import plural

if TYPE_CHECKING:
    from zennb.core.records.check_findings import Check

__all__ = ["PARTS"]


@verb(
    "verify, cell by cell, that a notebook's output is the same with zennb as without it",
    NOTEBOOK,
    Argument(
        "--once",
        "run it only once without steps; cells whose output varies between runs then count as different",
        type=bool,
    ),
    TIMEOUT,
    Argument("--limit", "largest size of its folder to copy; 500 by default", type=float, word="MB"),
    examples=("check study.ipynb", "check study.ipynb --once --timeout 60"),
    interfaces=frozenset({Interface.TERMINAL}),
)
def _check(
    context: Context, notebook: str, once: bool, timeout: float | None, limit: float | None
) -> Outcome:
    from zennb.headless.check import LIMIT, check  # no other command checks notebooks

    found = check(
        notebook,
        timeout=timeout,
        once=once,
        limit=LIMIT if limit is None else limit,
        on_run=lambda mode: context.say(f"running {notebook} {mode} ..."),
    )
    error = _error(found)
    return Outcome(view=view.check(found), data=_data(found), code=0 if error is None else 1, error=error)


def _error(found: Check) -> CheckFailed | None:
    problems = [f"{plural(len(found.silent), 'cell')} silently different with steps"] if found.silent else []
    problems += [note.rstrip(".") for note in found.notes]
    return CheckFailed(f"{found.name}: {'; '.join(problems)}.") if problems else None


def _data(found: Check) -> dict[str, Any]:
    figures = {"cold": found.cold, "reused": found.reused, "cached": found.cached}
    return {
        "name": found.name,
        "seconds": found.seconds,
        "figures": {
            name: {"part": share.part, "whole": share.whole, "percent": share.percent}
            for name, share in figures.items()
        },
        "notes": list(found.notes),
        "cells": [{**plain(asdict(cell)), "silent": cell.is_silent} for cell in found.cells],
    }


PARTS = (_check,)
