"""Owns the small inputs of a step as parameters of its run: as text, and of those that look secret the name only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.secrets.names import DOTS, Suspicion, is_sealed, suspicion
from zennb.core.secrets.texts import mask_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.records import Artifact, Step

__all__ = ["small_inputs"]


def small_inputs(step: Step, text: Callable[[Artifact], str]) -> dict[str, str]:
    """Return name → text of the small inputs of a step.

    Args:
        step: its record.
        text: returns an artifact's value as text.
    """
    read = {
        name: DOTS if suspicion(name) is Suspicion.SECRET else mask_text(text(item))
        for name, item in step.inputs.items()
        if item.kind == "parameter"
    }
    sealed = {} if step.parts is None else step.parts.inputs
    read.update(
        (name, DOTS)
        for name, digest in sealed.items()
        if is_sealed(digest) and suspicion(name) is not Suspicion.NONE
    )
    return read
