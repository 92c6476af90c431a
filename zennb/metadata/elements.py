"""Owns how elements of mapped steps (`fit[3]`), and what they make (`model[3]`), are told by their names in SQL."""

from __future__ import annotations

__all__ = ["ELEMENTS_OF_STEPS", "no_element"]


def no_element(column: str) -> str:
    """Return the condition that a column does not hold the name of an element, or of what an element made."""
    return f"{column} NOT GLOB '*[[][0-9]*]'"


ELEMENTS_OF_STEPS = (
    "SELECT e.id, e.key FROM steps s JOIN texts p ON p.id = s.parts "
    "JOIN steps e ON e.notebook = s.notebook AND e.name GLOB replace(s.name, '[', '[[]') || '[[][0-9]*]' "
    "WHERE s.id IN (SELECT value FROM json_each(?)) AND p.text LIKE '%\"map %'"
)
"""A query for id and cache key of the elements of mapped steps, given the ids of these as a JSON list."""
