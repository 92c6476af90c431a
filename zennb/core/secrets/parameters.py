"""Owns the small inputs of a step as parameters of its run: as text, and of those that look secret the name only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.secrets.names import DOTS, Suspicion, is_sealed, suspicion
from zennb.core.secrets.texts import mask_text

if TYPE_CHECKING:
    from zennb.core.records.records import Step

__all__ = ["small_inputs"]


_LONGEST = 200


def small_inputs(*steps: Step) -> dict[str, str]:
    """Return name → text of the small inputs of recorded steps."""
    read: dict[str, str] = {}
    for step in steps:
        for name, item in step.inputs.items():
            if item.kind == "parameter":
                text = mask_text(str(item.summary.get("text", ""))[:_LONGEST])
                read[name] = DOTS if suspicion(name) is Suspicion.SECRET else text
        sealed = {} if step.parts is None else step.parts.inputs
        for name, digest in sealed.items():
            if is_sealed(digest) and suspicion(name) is not Suspicion.NONE:
                read[name] = DOTS
    return read
