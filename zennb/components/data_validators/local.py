"""Owns the `local` data validator: rules as plain dicts, with nothing to install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.components.data_validator import DataValidator
from zennb.components.data_validators.rules import check_of_dict

if TYPE_CHECKING:
    from zennb.components.data_validator import Check

__all__ = ["LocalDataValidator"]


class LocalDataValidator(DataValidator):
    """Checks types, ranges, nulls, allowed values, row counts and drift, as a plain dict describes them."""

    flavor = "local"
    description = "checks types, ranges, nulls, allowed values, row counts and drift, given as a plain dict"

    def check_for(self, schema: object) -> Check:
        """Return the check that a dict describes.

        Raises:
            UsageError: it is no schema.
        """
        return check_of_dict(schema)
