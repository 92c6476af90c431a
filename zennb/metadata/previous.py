"""Owns `PREVIOUS`: which record of a step is compared with the step as it is now, in SQL."""

from __future__ import annotations

__all__ = ["PREVIOUS"]

_NEWEST = (
    "(SELECT s.id FROM steps s WHERE s.notebook = :notebook AND s.name = {name} "
    "AND s.status IN (%s) ORDER BY s.id DESC LIMIT 1)"
)
# An interrupted run says less about a step than one that ended by itself, whichever came first.
PREVIOUS = f"coalesce({_NEWEST}, {_NEWEST})" % ("'completed', 'cached', 'failed'", "'interrupted'")
"""The id of that record, for the step `{name}` of `:notebook`."""
