"""Owns `StepHistory`: the records that decide whether a step is reused, read in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.metadata import stacks, steps

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from zennb.core.records.records import StackSpec, Step
    from zennb.metadata.interned_text import InternedText

__all__ = ["StepHistory", "select_known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepHistory:
    """The records of one step.

    Attributes:
        stack: the stack as it is registered; None when there is none of that name.
        candidates: what `find` returns for the first cache key that has results.
        previous: what `previous` returns; None where there are candidates.
    """

    stack: StackSpec | None
    candidates: list[Step]
    previous: Step | None


def select_known(
    connection: sqlite3.Connection,
    keys: Iterable[str],
    *,
    name: str,
    notebook: InternedText,
    source: str,
    stack: str,
) -> StepHistory:
    """Return the results of the first of a step's cache keys that has any, else its latest record."""
    found = next((found for key in keys if (found := steps.reusable_steps(connection, key, limit=8))), [])
    registered = stacks.select_stacks(connection, stack)
    return StepHistory(
        stack=registered[0] if registered else None,
        candidates=found,
        previous=None if found else steps.previous_step(connection, name, notebook, source),
    )
