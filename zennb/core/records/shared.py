"""Owns the records that people leave in a shared artifact store, as values."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Run, Step

__all__ = ["SHOWN_DIGITS", "SharedRecord", "SharedRun", "adopted_reason", "label_of", "origin_of", "runs_of"]

SHOWN_DIGITS = 16
"""Digits of a public key that are shown, and enough to name it."""

_ODD = re.compile(r"[^\w.@+-]+")
_LONGEST = 40
_ADOPTED = "shared: "


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRecord:
    """One completed step, as its author has left it. Its signature is verified; what it says is still only a claim.

    Attributes:
        step: the step, without ids.
        run: the run that it belonged to, without an id.
        number: the id of that run in the author's home; None where it is unknown.
        author: the user's name on the author's machine.
        signer: the author's public key.
    """

    step: Step
    run: Run
    number: int | None
    author: str
    signer: str

    @property
    def origin(self) -> str:
        """`run 12 of ada on lab-3, 2026-11-28 10:03`."""
        run = "a run" if self.number is None else f"run {self.number}"
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.step.started))
        return f"{run} of {label_of(self.author)} on {label_of(self.run.host)}, {when}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRun:
    """What somebody ran, as far as its records in the store tell.

    Attributes:
        run: its number in the author's home; None where it is unknown.
        author: the user's name on the author's machine; host: its name.
        signer: the author's public key.
        trusted: `you`, `yes` or `no`.
        kind: kind of run.
        notebook: the notebook.
        stack: name of the stack.
        started: seconds since the epoch.
        computed: seconds of work in its steps.
        steps: name of each completed step → what the store has of it: `completed`.
    """

    run: int | None
    author: str
    host: str
    signer: str
    trusted: str
    kind: str
    notebook: str
    stack: str
    started: float
    computed: float
    steps: Mapping[str, str] = field(default_factory=dict)


def label_of(text: str) -> str:
    """Return a name that somebody else has written, as one short word."""
    return _ODD.sub("-", text)[:_LONGEST] or "somebody"


def adopted_reason(origin: str) -> str:
    """Return what the record of somebody else gives as its reason once it is on record here: where it is from."""
    return f"{_ADOPTED}{origin}"


def origin_of(step: Step) -> str:
    """Return from which run a step's results are; "" where only its number tells."""
    # Records of others have no run here, and say where they are from instead of why they ran.
    if step.run is not None or not step.reason.startswith(_ADOPTED):
        return ""
    return step.reason.removeprefix(_ADOPTED)


def runs_of(records: list[SharedRecord], trusted: Mapping[str, str]) -> list[SharedRun]:
    """Return the runs that records belong to, those with the newest step first.

    Args:
        records: newest first.
        trusted: public key → `you`, `yes` or `no`.
    """
    found: dict[tuple[object, ...], list[SharedRecord]] = {}
    for each in records:
        place = (each.signer, each.run.host, each.run.process, each.run.started, each.run.kind)
        found.setdefault((*place, each.run.notebook, each.run.stack.name), []).append(each)
    return [_run_of(group, trusted) for group in found.values()]


def _run_of(group: list[SharedRecord], trusted: Mapping[str, str]) -> SharedRun:
    newest, steps = group[0], [each.step for each in reversed(group)]
    return SharedRun(
        # The first step of a session is recorded with its run: only the later ones may know its number.
        run=next((each.number for each in group if each.number is not None), None),
        author=label_of(newest.author),
        host=label_of(newest.run.host),
        signer=newest.signer,
        trusted=trusted.get(newest.signer, "no"),
        kind=newest.run.kind,
        notebook=newest.run.notebook,
        stack=newest.run.stack.name,
        started=newest.run.started,
        computed=sum(each.seconds for each in steps),
        steps={each.name: each.status.value for each in steps},
    )
