"""A notebook for the tests of names that libraries may take away."""

from __future__ import annotations

from tests.jupyter.conftest import notebook

__all__ = ["notebook"]
