"""Owns the command `check`: compares a notebook's output with and without steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.commands.verbs.notebook import NOTEBOOK, TIMEOUT
from zennb.errors import CheckFailed, UsageError
from zennb.views import check as view
from zennb.views.text import plural

if TYPE_CHECKING:
    from zennb.core.records.check_findings import Check, CheckedCell, Share

__all__ = ["PARTS"]

DIFFERENT, FAILING = 1, 3
"""Exit codes: something differs silently, or was not compared; cells differ only by exceptions. 2 is wrong usage."""


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
    Argument(
        "--edits",
        "then try N random edits: with the stored steps, the edited notebook must compute what it computes plain",
        type=int,
        word="N",
    ),
    Argument("--seed", "what the edits are chosen by, to try the same ones again", type=int, word="S"),
    examples=(
        "check study.ipynb",
        "check study.ipynb --once --timeout 60",
        "check study.ipynb --edits 5 --seed 42",
    ),
    interfaces=frozenset({Interface.TERMINAL}),
)
def _check(
    context: Context,
    *,
    notebook: str,
    once: bool,
    timeout: float | None,
    limit: float | None,
    edits: int | None,
    seed: int | None,
) -> Outcome:
    """Check a notebook; the exit code is 0 if it is faithful, 1 if something differs silently, 3 if cells only fail."""
    from zennb.headless.check import LIMIT, check  # no other command checks notebooks

    if edits is not None and edits < 1:
        raise UsageError(f"--edits takes a number of edits from 1, not {edits}.")
    found = check(
        notebook,
        timeout=timeout,
        once=once,
        limit=LIMIT if limit is None else limit,
        edits=edits or 0,
        seed=seed,
        on_run=lambda mode: context.say(f"running {notebook} {mode} ..."),
    )
    error = _error(found)
    code = 0 if error is None else DIFFERENT if found.is_silent or found.notes else FAILING
    return Outcome(view=view.check(found), data=_data(found), code=code, error=error)


def _error(found: Check) -> CheckFailed | None:
    silent, failing = found.silent, found.failing
    edited = [trial for trial in found.trials if trial.is_silent]
    failed = [trial for trial in found.trials if trial.is_loud]
    problems = [
        f"{plural(len(silent), 'cell')} silently different with steps" if silent else "",
        f"{plural(len(edited), 'edit')} silently different with steps" if edited else "",
        f"{plural(len(failing), 'cell')} failing only with steps" if failing else "",
        f"{plural(len(failed), 'edit')} failing only with steps" if failed else "",
        *(note.rstrip(".") for note in found.notes),
    ]
    said = "; ".join(problem for problem in problems if problem)
    return CheckFailed(f"{found.name}: {said}.") if said else None


def _data(found: Check) -> dict[str, Any]:
    figures = {"cold": found.cold, "reused": found.reused, "cached": found.cached}
    return {
        "name": found.name,
        "seconds": found.seconds,
        "figures": {name: _share(share) for name, share in figures.items()},
        "notes": list(found.notes),
        "cells": [_cell(cell) for cell in found.cells],
        "seed": found.seed if found.trials else None,
        "edits": [
            {
                **plain(asdict(trial)),
                "cells": [_cell(cell) for cell in trial.cells if cell.differs],
                "figures": {"reused": _share(trial.reused), "cached": _share(trial.cached)},
                "variables": _share(trial.variables),
                "silent": trial.is_silent,
            }
            for trial in found.trials
        ],
    }


def _cell(cell: CheckedCell) -> dict[str, Any]:
    return {**plain(asdict(cell)), "silent": cell.is_silent}


def _share(share: Share) -> dict[str, Any]:
    return {"part": share.part, "whole": share.whole, "percent": share.percent}


PARTS = (_check,)
