"""Owns what lists leave out, as SQL conditions: elements of mapped steps (`fit[3]`), what they make, loop variables."""

from __future__ import annotations

from zennb.core.records.records import LOOP_VARIABLE

__all__ = ["ELEMENTS_OF_STEPS", "NO_LOOP_VARIABLE", "no_element"]

NO_LOOP_VARIABLE = f"h.kind <> '{LOOP_VARIABLE}'"
"""The condition that a row of `heads h` is no loop variable."""


def no_element(column: str) -> str:
    """Return the condition that a column does not hold the name of an element, or of what an element made."""
    return f"{column} NOT GLOB '*[[][0-9]*]'"


ELEMENTS_OF_STEPS = (
    "SELECT e.id, e.key FROM steps s JOIN texts p ON p.id = s.parts "
    "JOIN steps e ON e.notebook = s.notebook AND e.name GLOB replace(s.name, '[', '[[]') || '[[][0-9]*]' "
    "WHERE s.id IN (SELECT value FROM json_each(?)) AND p.text LIKE '%\"map %'"
)
"""A query for id and cache key of the elements of mapped steps, given the ids of these as a JSON list."""
